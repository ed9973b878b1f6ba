
// What the page says; English stands in the HTML as well, for where no script runs.
const ENGLISH = {
  search: "Search", previous: "Previous match", next: "Next match", none: "no match",
  doubts: "Underline what was not heard clearly", download: "Download", theme: "Light or dark",
  choose: "Choose the recording", drop: "or drop it anywhere on this page. It stays on this computer.",
  ask: "This page knows the text but not the sound.",
  lost: "The recording is not where this page looks for it, or this browser cannot play it: ",
  unplayable: "This browser cannot play it: ",
  unsure: "unsure", doubtful: "doubtful",
  keys: "Space: play, pause · ← →: 5 seconds · Shift ← →: paragraph · /: search",
  back: "Back to what is spoken", player: "Player", position: "Position", rewind: "Back 5 seconds",
  play: "Play", pause: "Pause", forward: "Forward 5 seconds", speed: "Speed",
};
const CHINESE = {
  search: "搜索", previous: "上一处", next: "下一处", none: "没有找到",
  doubts: "标出没听清的字", download: "下载", theme: "浅色或深色",
  choose: "选择录音", drop: "或把文件拖到页面上。文件不会离开这台电脑。",
  ask: "这个页面有文字，但没有声音。",
  lost: "没有找到录音，或浏览器无法播放：",
  unplayable: "浏览器无法播放：",
  unsure: "不太确定", doubtful: "可能有误",
  keys: "空格：播放、暂停 · ← →：5 秒 · Shift ← →：段落 · /：搜索",
  back: "回到正在播放处", player: "播放器", position: "位置", rewind: "后退 5 秒",
  play: "播放", pause: "暂停", forward: "前进 5 秒", speed: "速度",
};
const WORDS = navigator.language.toLowerCase().startsWith("zh") ? CHINESE : ENGLISH;

const $ = (id) => document.getElementById(id);

function label(element, key) {
  element.setAttribute("aria-label", WORDS[key]);
  element.title = WORDS[key];
}

function localise() {
  if (WORDS === CHINESE) document.documentElement.lang = "zh-Hans";
  for (const e of document.querySelectorAll("[data-say]")) e.textContent = WORDS[e.dataset.say];
  for (const e of document.querySelectorAll("[data-say-label]")) label(e, e.dataset.sayLabel);
  $("query").placeholder = WORDS.search;
}

function clock(seconds) {
  const whole = Math.floor(seconds);
  const minutes = Math.floor(whole / 60);
  const pad = (n) => String(n).padStart(2, "0");
  if (minutes < 60) return `${minutes}:${pad(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${pad(minutes % 60)}:${pad(whole % 60)}`;
}
