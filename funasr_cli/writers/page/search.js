
// Finds text whatever its case, width and punctuation, across words and lines.
const MARK = /(?<!\d)[\p{P}\p{S}]|[\p{P}\p{S}](?!\d)/gu; // all but those inside a number
const IDEOGRAPH = "[\\p{sc=Han}\\p{sc=Hira}\\p{sc=Kana}]"; // written without spaces
const SPACE = new RegExp(`(?<=${IDEOGRAPH})\\s+|\\s+(?=${IDEOGRAPH})`, "gu");

class Search {
  constructor(light, player) {
    this.light = light;
    this.player = player;
    this.hits = [];
    this.at = -1;
    let timer = 0;
    const query = $("query");
    query.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.find(query.value), 120);
    });
    $("search").addEventListener("submit", (event) => event.preventDefault());
    query.addEventListener("keydown", (event) => {
      if (event.isComposing) return; // Enter picks a candidate of the input method
      if (event.key === "Enter") this.step(event.shiftKey ? -1 : 1);
      else if (event.key === "Escape") {
        query.value = "";
        this.find("");
        query.blur();
      }
    });
    $("next").addEventListener("click", () => this.step(1));
    $("previous").addEventListener("click", () => this.step(-1));
  }

  static fold(text) {
    return text.normalize("NFKC").toLowerCase().replace(MARK, "").replace(SPACE, "").replace(/\s+/gu, " ");
  }

  // All words in one string, and for each of its places the word; built when first needed.
  index() {
    if (this.folded !== undefined) return;
    const parts = [];
    const owners = [];
    this.light.spans.forEach((span, at) => {
      const before = span.previousSibling;
      const gap = before?.nodeName === "#text" ? /\s/u.test(before.data) : before?.nodeName !== "SPAN";
      const own = Search.fold(span.textContent);
      const folded = gap ? Search.fold(`${parts.at(-1)?.slice(-1) ?? ""} ${own}`).slice(at ? 1 : 0) : own;
      parts.push(folded);
      for (let n = 0; n < folded.length; n += 1) owners.push(at);
    });
    this.folded = parts.join("");
    this.owners = Int32Array.from(owners);
  }

  find(text) {
    for (const [first, last] of this.hits) {
      for (let at = first; at <= last; at += 1) this.light.spans[at].classList.remove("hit", "found");
    }
    this.hits = [];
    this.at = -1;
    const query = Search.fold(text).trim();
    if (query) {
      this.index();
      for (let at = this.folded.indexOf(query); at >= 0; at = this.folded.indexOf(query, at + query.length)) {
        this.hits.push([this.owners[at], this.owners[at + query.length - 1]]);
      }
    }
    for (const [first, last] of this.hits) {
      for (let at = first; at <= last; at += 1) this.light.spans[at].classList.add("hit");
    }
    this.player.mark(this.hits.map(([first]) => this.light.starts[first]));
    $("next").hidden = $("previous").hidden = this.hits.length < 1;
    if (this.hits.length) this.step(0);
    else $("found").textContent = query ? WORDS.none : "";
  }

  // Go to a match; the first time to the one at or after what is spoken.
  step(by) {
    const { hits } = this;
    if (!hits.length) return;
    this.outline(false);
    if (this.at < 0) this.at = Math.max(0, hits.findIndex(([, last]) => last >= this.light.at));
    else this.at = (this.at + by + hits.length) % hits.length;
    this.outline(true);
    $("found").textContent = `${this.at + 1} / ${hits.length}`;
    const [first] = hits[this.at];
    if (by) this.player.seek(this.light.starts[first] / 1000);
    else {
      this.light.follow(false);
      this.light.reveal(this.light.spans[first]);
    }
  }

  outline(on) {
    if (this.at < 0) return;
    const [first, last] = this.hits[this.at];
    for (let at = first; at <= last; at += 1) this.light.spans[at].classList.toggle("found", on);
  }
}
