"""Try something in a child process, where a crash is an answer and not the end.

The child is a fresh interpreter (never a fork: llama.cpp's threads do not survive one) that
imports no code of the caller's: it gets a job as JSON, calls one function and answers in JSON.
"""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from funasr_cli.errors import FunasrError

# stdout carries the answer alone: what a driver prints goes to stderr
_CHILD = """
import json, os, sys
answer, job = os.fdopen(os.dup(1), "w"), json.load(sys.stdin)
os.dup2(2, 1)
sys.path[:] = job["path"]
from funasr_cli.trials import serve
json.dump(serve(job["target"], job["job"]), answer)
answer.close()
os._exit(0)  # a driver that crashes while it is unloaded has done its work
"""
_EXCEPTIONS = {  # Windows: NTSTATUS of the usual ends
    0xC0000005: "access violation",
    0xC000001D: "illegal instruction",
    0xC0000094: "division by zero",
    0xC00000FD: "stack overflow",
    0xC0000374: "heap corruption",
    0xC0000409: "abort",
}
_REASON = re.compile(r"\w*(error|exception)\b: .", re.IGNORECASE)
_LAST_WORDS = 6
_NOISE = ("[New LWP", "warning:", "Using host libthread_db")


@dataclass(frozen=True)
class Outcome:
    """How a trial ended."""

    result: dict[str, Any] | None
    """What the function returned; None: it failed."""
    failure: str = ""
    """Why, in one line that a user can read."""
    crashed: bool = False
    """Whether the process died or hung, instead of refusing with an error."""


def run_trial(
    target: str,
    job: Mapping[str, Any],
    *,
    environment: Mapping[str, str] | None = None,
    timeout_s: float,
) -> Outcome:
    """Call `target` (`module:function`, one argument: the job) in a fresh interpreter.

    Args:
        target: the function; it returns a dict, or raises a FunasrError.
        job: values that JSON can carry.
        environment: the child's variables; None: this process's own.
        timeout_s: seconds after which it is killed.
    """
    if not sys.executable:
        return Outcome(None, "this Python names no executable that could be started for a test")
    order = json.dumps({"target": target, "job": dict(job), "path": [p for p in sys.path if p]})
    try:
        child = subprocess.run(  # noqa: S603 - our own code, in our own interpreter
            [sys.executable, "-I", "-c", _CHILD],
            input=order.encode("ascii"),
            capture_output=True,
            check=False,
            timeout=timeout_s,
            env={**(os.environ if environment is None else environment), "FUNASR_DEBUG": "1"},
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except subprocess.TimeoutExpired as error:
        said = _last_line(error.stderr or b"")
        return Outcome(None, f"it did not answer within {timeout_s:.0f} s{said}", crashed=True)
    except OSError as error:
        return Outcome(None, f"no process could be started for the test ({error})")
    if os.environ.get("FUNASR_DEBUG", "0") != "0":
        sys.stderr.write(child.stderr.decode("utf-8", "replace"))
    try:
        answer = json.loads(child.stdout)
    except ValueError:
        end = _end_of(child.returncode)
        return Outcome(None, f"{end}{_last_line(child.stderr)}", crashed=True)
    if "error" in answer:
        return Outcome(None, str(answer["error"]))
    return Outcome(dict(answer["result"]))


def serve(target: str, job: dict[str, Any]) -> dict[str, Any]:
    """Do a job in the child; its errors travel as text."""
    from importlib import import_module

    module, _, function = target.partition(":")
    try:
        return {"result": getattr(import_module(module), function)(job)}
    except FunasrError as error:
        return {"error": str(error)}


def _end_of(code: int) -> str:
    """Name the way in which a process ended."""
    if code < 0:
        try:
            name = signal.Signals(-code)
        except ValueError:
            return f"it died of signal {-code}"
        return f"it crashed with {name.name} ({signal.strsignal(name) or 'no more is known'})"
    if what := _EXCEPTIONS.get(code & 0xFFFFFFFF):
        return f"it crashed ({what})"
    return f"it ended with code {code}"


def _last_line(stderr: bytes) -> str:
    lines = [line.strip() for line in stderr.decode("utf-8", "replace").splitlines()]
    told = [line for line in lines if line and not line.startswith(_NOISE)][-_LAST_WORDS:]
    # a program that aborts gives the reason first, then where in its source
    reasons = [line for line in told if _REASON.search(line)]
    chosen = reasons[:1] or told[-1:]
    return f"; the last it said: {chosen[0][:200]}" if chosen else ""
