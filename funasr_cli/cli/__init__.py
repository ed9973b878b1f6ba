"""The command line: parse, validate, call the library, print."""

import os
import signal
import sys
from contextlib import suppress
from types import FrameType
from typing import NoReturn

from funasr_cli.cli.messages import tr_word

FAILURES = 5
"""Exit code of a batch that has finished, but not everything in it went well."""
INTERRUPTED = 130
SIGNALLED = 128
"""What shells add to the number of the signal that ended a program."""
ENDINGS = ("SIGTERM", "SIGHUP")
"""Windows has no SIGHUP."""


class _Interrupt:
    """Whether Ctrl-C was pressed. The process has one terminal, so there is one of these."""

    seen = False
    code = INTERRUPTED


def watch_interrupts() -> None:
    """Remember every Ctrl-C, besides raising KeyboardInterrupt as always.

    C code swallows the exception where it calls back into Python (llama.cpp's log while a model
    loads, the import of an extension module); what was remembered is then acted on at the next
    `leave_if_interrupted`.
    """
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return  # a background job that ignores Ctrl-C goes on doing so
    plain_hook = sys.unraisablehook

    def remember(number: int, frame: FrameType | None) -> None:
        _Interrupt.seen = True
        signal.default_int_handler(number, frame)

    def hook(unraisable: "sys.UnraisableHookArgs") -> None:
        if unraisable.exc_type is not KeyboardInterrupt:
            plain_hook(unraisable)

    signal.signal(signal.SIGINT, remember)
    sys.unraisablehook = hook


def watch_endings() -> None:
    """Let SIGTERM and SIGHUP do what Ctrl-C does, for those who have something to finish.

    Only the first one counts: a service manager sends both. Who ignores them (nohup) goes on.
    """
    endings = [number for name in ENDINGS if (number := getattr(signal, name, None)) is not None]

    def end(number: int, _frame: FrameType | None) -> None:
        for one in endings:
            signal.signal(one, signal.SIG_IGN)
        _Interrupt.seen, _Interrupt.code = True, SIGNALLED + number
        raise KeyboardInterrupt

    for number in endings:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, end)


def leave_if_interrupted() -> None:
    """Act on a Ctrl-C whose exception was swallowed."""
    if _Interrupt.seen:
        leave_interrupted()


def raise_if_interrupted() -> None:
    """Raise a Ctrl-C whose exception was swallowed, for those who have something to finish."""
    if _Interrupt.seen:
        raise KeyboardInterrupt


def leave_interrupted() -> NoReturn:
    """End after Ctrl-C with one line and the documented exit code; all `with` blocks are left.

    An interrupt that passes through an import makes CPython kill itself at the end, whatever
    exit code was asked for; leaving here and now avoids it.
    """
    with suppress(OSError):  # the terminal may be what has gone
        sys.stderr.write(f"funasr: {tr_word('interrupted')}\n")
        sys.stderr.flush()
    os._exit(_Interrupt.code)
