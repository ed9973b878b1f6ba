
// Lights the word that is spoken. A frame touches at most the word before and the word now.
const SHORTEST_MS = 80; // a character that CTC gave no time is still seen
const ROUNDING_MS = 1; // what players lose when they are sent to a time

class Light {
  constructor(text, times) {
    this.text = text;
    this.spans = Array.from(text.querySelectorAll("span"));
    this.places = new Map(this.spans.map((span, at) => [span, at]));
    this.times = times;
    this.starts = Float64Array.from(times, (row) => row[0]);
    this.ends = Float64Array.from(times, (row, at) => {
      const room = at + 1 < times.length ? times[at + 1][0] : Infinity;
      return Math.max(row.at(-1), Math.min(row[0] + SHORTEST_MS, room));
    });
    this.at = -1; // the last word that has begun
    this.lit = -1; // the same while it lasts
    this.paragraph = null;
    this.following = true;
    this.onFollow = () => {};
  }

  // The last word that begins at or before a time; -1 before the first.
  find(ms) {
    const { starts, at } = this;
    const isHere = (n) => (n < 0 || starts[n] <= ms) && (n + 1 >= starts.length || ms < starts[n + 1]);
    if (isHere(at)) return at;
    if (at + 1 < starts.length && isHere(at + 1)) return at + 1;
    let low = 0;
    let high = starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (starts[middle] <= ms) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  show(seconds) {
    const ms = seconds * 1000 + ROUNDING_MS;
    const at = this.find(ms);
    const lit = at >= 0 && ms < this.ends[at] ? at : -1;
    if (lit !== this.lit) {
      this.spans[this.lit]?.classList.remove("lit");
      this.spans[lit]?.classList.add("lit");
      this.said = -1;
      this.lit = lit;
    }
    if (lit >= 0 && this.times[lit].length > 2) this.fill(lit, ms);
    if (at !== this.at) this.move(at);
  }

  // Fill a word of several letters up to the one that is spoken.
  fill(lit, ms) {
    const row = this.times[lit];
    const letters = row.length - 1;
    let said = this.said > 0 ? this.said : 1;
    if (said > 1 && row[said - 1] > ms) said = 1;
    while (said < letters && row[said] <= ms) said += 1;
    if (said === this.said) return;
    this.said = said;
    this.spans[lit].style.setProperty("--said", `${(100 * said) / letters}%`);
  }

  move(at) {
    this.at = at;
    const paragraph = this.spans[at]?.parentElement ?? null;
    if (paragraph !== this.paragraph) {
      this.paragraph?.removeAttribute("aria-current");
      paragraph?.setAttribute("aria-current", "true");
      this.paragraph = paragraph;
    }
    if (this.following) this.reveal(this.spans[at]);
  }

  follow(following) {
    if (following) this.reveal(this.spans[this.at]);
    if (following === this.following) return;
    this.following = following;
    this.onFollow(following);
  }

  // Scroll only when a word has left the middle of the window.
  reveal(span) {
    if (!span) return;
    const { top, bottom } = span.getBoundingClientRect();
    const foot = document.querySelector(".player").offsetHeight;
    const height = innerHeight - foot;
    if (top > height * 0.15 && bottom < height * 0.85) return;
    const far = Math.abs(top - height / 3) > innerHeight;
    const still = far || matchMedia("(prefers-reduced-motion: reduce)").matches;
    scrollBy({ top: top - height / 3, behavior: still ? "instant" : "smooth" });
  }
}
