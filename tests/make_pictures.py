"""Make the pictures of the README by running what they show.

python tests/make_pictures.py      # needs Chromium

docs/images/terminal.png: a transcription on a terminal of 88 columns; page.png: `-f html` while it
plays.
"""

import os
import pty
import subprocess
import sys
import tempfile
from pathlib import Path

from browser import Browser, chromium, find_browser
from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
COMMAND = ("transcribe", "samples/zh-02.mp3", "--hotwords", "samples/hot.txt", "-f", "srt,html")
COLUMNS = 96
PAGE = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; background: #1e1e24 }}
pre {{ margin: 0; padding: 18px 22px; color: #dcdce4; font: 13.5px/1.45 monospace }}
</style><pre>{code}</pre>"""


def on_a_terminal(*arguments: str) -> str:
    """Run `funasr` in the root folder on a terminal; return what it writes there."""
    parent, child = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(COLUMNS), "TERM": "xterm-256color"}
    with subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "funasr_cli", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=child,
        stderr=child,
    ) as process:
        os.close(child)
        read = b""
        while True:
            try:
                part = os.read(parent, 1 << 16)
            except OSError:  # the other side is closed
                break
            if not part:
                break
            read += part
        assert process.wait() == 0, read.decode()
    os.close(parent)
    return read.decode().replace("\r\n", "\n")


def without_progress(text: str) -> str:
    """Leave out what a bar wrote and erased."""
    kept = [line.rsplit("\r", 1)[-1].rsplit("\x1b[2K", 1)[-1] for line in text.split("\n")]
    return "\n".join(line for line in kept if "%" not in line or "│" in line or "  " in line[:3])


def _size(browser: Browser, width: int, height: int) -> None:
    browser.send(
        "Emulation.setDeviceMetricsOverride",
        width=width,
        height=height,
        deviceScaleFactor=1.5,
        mobile=False,
    )


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        shown = without_progress(on_a_terminal(*COMMAND, "-o", folder))
        shown = shown.replace(folder, "subtitles")
        console = Console(record=True, width=COLUMNS, file=open(os.devnull, "w"))  # noqa: SIM115, PTH123
        console.print(Text(f"$ funasr {' '.join(COMMAND)} -o subtitles", style="bold"))
        console.print(Text.from_ansi(shown.strip("\n")))
        srt = (Path(folder) / "zh-02.srt").read_text(encoding="utf-8")
        console.print(Text("$ head -8 subtitles/zh-02.srt", style="bold"))
        console.print("\n".join(srt.split("\n")[:8]), highlight=False)
        look = PAGE.format(code=console.export_html(inline_styles=True, code_format="{code}"))
        (Path(folder) / "terminal.html").write_text(look, encoding="utf-8")
        program = find_browser()
        assert program, "needs Chromium"
        with chromium(program, Path(folder) / "profile", "--lang=en-US") as browser:
            browser.go((Path(folder) / "terminal.html").as_uri())
            height = browser.run("document.querySelector('pre').offsetHeight")
            _size(browser, 830, int(height))
            browser.screenshot(IMAGES / "terminal.png")
            _size(browser, 960, 560)
            browser.go((Path(folder) / "zh-02.html").as_uri())
            browser.wait("document.getElementById('media').readyState > 1")
            browser.run("document.getElementById('media').currentTime = 14.3")
            browser.wait("document.querySelector('.lit')")
            browser.screenshot(IMAGES / "page.png")


if __name__ == "__main__":
    main()
