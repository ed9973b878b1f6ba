
// Asks for the recording when it is not in the page and not where the link leads.
class Source {
  constructor(media, name) {
    this.media = media;
    this.root = document.documentElement;
    media.addEventListener("error", () => this.ask(this.chosen ? WORDS.unplayable + this.chosen : WORDS.lost + name));
    media.addEventListener("loadedmetadata", () => ($("source").hidden = true));
    if (!media.getAttribute("src")) this.ask(WORDS.ask);
    else if (media.error) this.ask(WORDS.lost + name); // it failed before this script ran
    $("file").addEventListener("change", (event) => this.take(event.target.files[0]));
    addEventListener("dragover", (event) => {
      event.preventDefault();
      this.root.classList.add("dropping");
    });
    addEventListener("dragleave", (event) => {
      if (!event.relatedTarget) this.root.classList.remove("dropping");
    });
    addEventListener("drop", (event) => {
      event.preventDefault();
      this.root.classList.remove("dropping");
      this.take(event.dataTransfer.files[0]);
    });
  }

  ask(why) {
    $("why").textContent = why;
    $("source").hidden = false;
  }

  take(file) {
    if (!file) return;
    const { currentTime } = this.media;
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = URL.createObjectURL(file);
    this.chosen = file.name;
    this.media.src = this.url;
    this.media.currentTime = currentTime;
  }
}
