"""Headless Chromium, driven by its own protocol over a pair of pipes: no driver, no network."""

import json
import os
import shutil
import signal
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from select import select
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--mute-audio", "--hide-scrollbars", "--remote-debugging-pipe",
)  # fmt: skip
PATIENCE_S = 30.0


def find_browser() -> str | None:
    """Return the path of a Chromium, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One tab."""

    def __init__(self, into: int, out: int) -> None:
        self._into, self._out = into, out
        self._number = 0
        self._read = b""
        self._session: str | None = None
        self.console: list[str] = []
        """What the page complained of: exceptions, and what its policy forbade."""

    def open_tab(self) -> None:
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        attached = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Performance"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: object) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._into, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + PATIENCE_S
        while True:
            answer = self._receive(deadline)
            self._note(answer)
            if answer.get("id") == self._number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return dict(answer["result"])

    def go(self, url: str) -> None:
        self.console.clear()
        self.send("Page.navigate", url=url)
        self.wait("location.href != 'about:blank' && document.readyState == 'complete'")

    def run(self, code: str) -> Any:  # noqa: ANN401 - whatever the page answers
        """Evaluate an expression; a promise is awaited."""
        answer = self.send(
            "Runtime.evaluate", expression=code, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, condition: str) -> None:
        """Wait until an expression is true."""
        deadline = time.monotonic() + PATIENCE_S
        while not self.run(f"!!({condition})"):
            assert time.monotonic() < deadline, f"never: {condition}; {self.console}"
            time.sleep(0.02)

    def click(self, selector: str) -> None:
        """Click the middle of an element with the mouse."""
        x, y = self.run(
            f"(() => {{ const e = {selector}; e.scrollIntoView({{block: 'center'}});"
            "const r = e.getClientRects()[0];"
            "return [r.left + r.width / 2, r.top + r.height / 2] })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def key(self, key: str, *, shift: bool = False) -> None:
        text = {"text": key} if len(key) == 1 else {}
        for kind in ("keyDown", "keyUp"):
            extra = text if kind == "keyDown" else {}
            self.send(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, modifiers=8 * shift, **extra
            )

    def type(self, text: str) -> None:
        self.send("Input.insertText", text=text)

    def screenshot(self, path: Path) -> None:
        path.write_bytes(b64decode(self.send("Page.captureScreenshot")["data"]))

    def _receive(self, deadline: float) -> dict[str, Any]:
        while b"\0" not in self._read:
            ready, _, _ = select([self._out], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, "the browser does not answer"
            part = os.read(self._out, 1 << 16)
            assert part, "the browser has ended"
            self._read += part
        message, _, self._read = self._read.partition(b"\0")
        return dict(json.loads(message))

    def _note(self, event: dict[str, Any]) -> None:
        match event.get("method"):
            case "Runtime.exceptionThrown":
                self.console.append(str(event["params"]["exceptionDetails"]))
            case "Log.entryAdded" if event["params"]["entry"]["level"] == "error":
                self.console.append(event["params"]["entry"]["text"])


@contextmanager
def chromium(program: str, profile: Path, *flags: str) -> Iterator[Browser]:
    """Start Chromium with an empty profile; it ends with the block."""
    its_in, into = os.pipe()
    out, its_out = os.pipe()
    command = [program, *FLAGS, f"--user-data-dir={profile}", *flags]
    silence = os.open(os.devnull, os.O_RDWR)
    # the protocol's pipes are 3 and 4 by definition; through high numbers first, as those may be
    # among the ones just opened
    moves = [
        (its_in, 103),
        (its_out, 104),
        (silence, 0),
        (silence, 1),
        (silence, 2),
        (103, 3),
        (104, 4),
    ]
    process = os.posix_spawn(
        program,
        command,
        {**os.environ, "HOME": str(profile)},
        file_actions=[(os.POSIX_SPAWN_DUP2, *move) for move in moves],
        setpgroup=0,
    )
    for handle in (its_in, its_out, silence):
        os.close(handle)
    try:
        browser = Browser(into, out)
        browser.open_tab()
        yield browser
    finally:
        os.killpg(process, signal.SIGKILL)
        os.waitpid(process, 0)
        os.close(into)
        os.close(out)
