
// Puts the parts together: clicks in the text, keys, theme, downloads.
const data = JSON.parse($("data").textContent);

function clicks(light, player) {
  light.text.addEventListener("click", (event) => {
    if (!getSelection().isCollapsed) return; // the reader marks text
    const span = event.target.closest("span") ?? event.target.closest(".at")?.parentElement.querySelector("span");
    if (!light.places.has(span)) return;
    player.seek(light.starts[light.places.get(span)] / 1000);
    player.play();
  });
  const leave = () => light.follow(false);
  addEventListener("wheel", leave, { passive: true });
  addEventListener("touchmove", (event) => event.target.closest(".player") || leave(), { passive: true });
  light.onFollow = (following) => ($("back").hidden = following);
  $("back").addEventListener("click", () => light.follow(true));
}

function stepParagraph(light, player, by) {
  const texts = Array.from(light.text.querySelectorAll("p"));
  const here = texts.indexOf(light.paragraph);
  const span = texts[Math.min(Math.max(here + by, 0), texts.length - 1)]?.querySelector("span");
  if (span) player.seek(light.starts[light.places.get(span)] / 1000);
}

function keys(light, player) {
  addEventListener("keydown", (event) => {
    const { target, key } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || target.closest("#query, select")) return;
    const by = { ArrowLeft: -1, ArrowRight: 1 }[key];
    if (by && event.shiftKey) stepParagraph(light, player, by);
    else if (by) player.step(by * STEP_S);
    else if (key === " " && !target.closest("button, summary, label, #file")) player.toggle();
    else if (key === "/") $("query").focus();
    else if (["PageUp", "PageDown", "ArrowUp", "ArrowDown", "Home", "End"].includes(key)) {
      if (target !== $("seek")) light.follow(false);
      return;
    } else return;
    event.preventDefault();
  });
}

// A page opened from a disk may not be allowed to remember anything.
function remembered(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function remember(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // then it is chosen again next time
  }
}

function themes() {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const chosen = remembered("funasr-theme");
  if (chosen) root.dataset.theme = chosen;
  $("theme").addEventListener("click", () => {
    const shown = root.dataset.theme ?? (dark.matches ? "dark" : "light");
    root.dataset.theme = shown === "dark" ? "light" : "dark";
    remember("funasr-theme", root.dataset.theme);
  });
  root.classList.add("doubts");
  $("doubts").addEventListener("click", () => {
    $("doubts").setAttribute("aria-pressed", String(root.classList.toggle("doubts")));
  });
}

function downloads(name) {
  const menu = $("downloads");
  const stem = name.replace(/\.[^.]+$/, "");
  menu.addEventListener("toggle", () => {
    const list = menu.querySelector("div");
    if (!menu.open || list.childElementCount) return;
    for (const [kind, text] of Object.entries(JSON.parse($("files").textContent))) {
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.kind = kind;
      button.append(kind.toUpperCase());
      button.addEventListener("click", () => {
        save(`${stem}.${kind}`, text);
        menu.open = false;
      });
      list.append(button);
    }
  });
  addEventListener("click", (event) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
  addEventListener("keydown", (event) => {
    if (event.key === "Escape") menu.open = false;
  });
}

function save(name, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

localise();
const light = new Light($("text"), data.times);
const player = new Player($("media"), light, data);
new Source($("media"), data.name);
new Search(light, player);
clicks(light, player);
keys(light, player);
themes();
downloads(data.name);
