
// Media, clock, buttons and the line of speech. `light` is told the time at every frame.
const STEP_S = 5;
const BARS = 150;

class Player {
  constructor(media, light, data) {
    this.media = media;
    this.light = light;
    this.begin = data.start / 1000;
    this.end = data.end / 1000;
    this.shown = -1;
    this.frame = 0;
    for (const name of ["seeked", "seeking", "timeupdate"]) media.addEventListener(name, () => this.tick());
    for (const name of ["play", "pause", "ended"]) media.addEventListener(name, () => this.turn());
    media.addEventListener("loadedmetadata", () => this.measure());
    media.addEventListener("durationchange", () => this.measure());
    $("play").addEventListener("click", () => this.toggle());
    $("rewind").addEventListener("click", () => this.step(-STEP_S));
    $("forward").addEventListener("click", () => this.step(STEP_S));
    $("speed").addEventListener("change", (event) => (media.playbackRate = Number(event.target.value)));
    $("seek").addEventListener("input", (event) => this.seek(Number(event.target.value)));
    this.measure();
    media.currentTime = this.begin;
    this.draw(data.times);
  }

  get now() {
    return this.media.readyState ? this.media.currentTime : this.wanted ?? this.begin;
  }

  measure() {
    const { duration, videoWidth } = this.media;
    this.total = Number.isFinite(duration) && duration > 0 ? duration : this.end;
    $("seek").max = this.total;
    $("whole").textContent = ` / ${clock(this.total)}`;
    document.documentElement.classList.toggle("seen", videoWidth > 0);
    this.shown = this.left = -1;
    this.tick();
  }

  seek(seconds) {
    this.wanted = Math.min(Math.max(seconds, 0), this.total);
    this.media.currentTime = this.wanted;
    this.tick();
    this.light.follow(true);
  }

  step(seconds) {
    this.seek(this.now + seconds);
  }

  play() {
    // without sound the page asks for it (source.js)
    this.media.play().catch(() => $("source").hidden || $("source").scrollIntoView({ block: "center" }));
  }

  toggle() {
    if (this.media.paused) this.play();
    else this.media.pause();
  }

  turn() {
    const playing = !this.media.paused;
    document.documentElement.classList.toggle("playing", playing);
    label($("play"), playing ? "pause" : "play");
    cancelAnimationFrame(this.frame);
    if (playing) this.frame = requestAnimationFrame(() => this.run());
  }

  run() {
    this.tick();
    this.frame = requestAnimationFrame(() => this.run());
  }

  tick() {
    const now = this.now;
    this.light.show(now);
    const left = Math.round(1000 * (1 - now / this.total)) / 10; // about a pixel
    if (left !== this.left) {
      this.left = left;
      $("played").style.clipPath = `inset(0 ${left}% 0 0)`;
      $("seek").value = now;
    }
    if (Math.floor(now) === this.shown) return;
    this.shown = Math.floor(now);
    $("now").textContent = clock(now);
    $("seek").setAttribute("aria-valuetext", clock(now));
  }

  // Bars as high as the speech is dense there; drawn once.
  draw(times) {
    let bars = new Float64Array(BARS);
    for (const row of times) {
      const end = (row.at(-1) / 1000 / this.total) * BARS;
      const from = (row[0] / 1000 / this.total) * BARS;
      for (let bar = Math.max(0, Math.floor(from)); bar < Math.min(end, BARS); bar += 1) {
        // how much of the bar the word lasts: pauses make it lower
        bars[bar] += Math.min(end, bar + 1) - Math.max(from, bar);
      }
    }
    const rounds = Math.ceil((0.4 / this.total) * BARS); // sounds of 0.4 s melt into each other
    for (let round = 0; round < Math.min(rounds, 6); round += 1) {
      bars = bars.map((bar, at) => ((bars[at - 1] ?? 0) + 2 * bar + (bars[at + 1] ?? 0)) / 4);
    }
    const wide = 300 / BARS;
    const path = Array.from(bars, (bar, at) => {
      const height = 1 + 14 * Math.min(1, bar) ** 1.5;
      return `M${at * wide} ${7.5 - height / 2}h${wide * 0.6}v${height}h${-wide * 0.6}z`;
    });
    for (const said of document.querySelectorAll(".said")) said.setAttribute("d", path.join(""));
  }

  // Marks where something was found.
  mark(milliseconds) {
    const places = new Set(milliseconds.map((ms) => Math.round((ms / 1000 / this.total) * 600) / 2));
    const path = Array.from(places, (x) => `M${x} 16.5h.6v3.5h-.6z`).join("");
    document.querySelector(".hits").setAttribute("d", path);
  }
}
