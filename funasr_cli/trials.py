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
from pathlib import Path
from typing import Any

from funasr_cli.errors import FunasrError

# stdout carries the answer alone: what a driver prints goes to stderr
_CHILD = """
import json, os, sys
answer, job = os.fdopen(os.dup(1), "w"), json.load(sys.stdin)
os.dup2(2, 1)
sys.path[:] = job["path"]
import faulthandler
faulthandler.dump_traceback_later(job["timeout"], exit=True)  # should the parent be gone by then
try:
    import resource
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
except (ImportError, ValueError, OSError):
    pass
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
_INSIDE = "FUNASR_TRIAL"
"""Set in a child, which starts none of its own."""
_GRACE_S = 10.0
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
    hung: bool = False


def run_trial(  # noqa: PLR0911 - one for each way in which it may end
    target: str,
    job: Mapping[str, Any],
    *,
    environment: Mapping[str, str] | None = None,
    timeout_s: float,
    may_test: bool = False,
) -> Outcome:
    """Call `target` (`module:function`, one argument: the job) in a fresh interpreter.

    Args:
        target: the function; it returns a dict, or raises a FunasrError.
        job: values that JSON can carry.
        environment: the child's variables; None: this process's own.
        timeout_s: seconds after which it is killed.
        may_test: whether the child may start trials of its own.
    """
    variables = os.environ if environment is None else environment
    if not can_run():
        return Outcome(None, "this program cannot start another Python for a test")
    order = json.dumps(
        {
            "target": target,
            "job": dict(job),
            "path": _search_path(),
            "timeout": timeout_s + _GRACE_S,
        }
    )
    try:
        child = subprocess.run(  # noqa: S603 - our own code, in our own interpreter
            [sys.executable, "-I", "-c", _CHILD],
            input=order.encode("ascii"),
            capture_output=True,
            check=False,
            timeout=timeout_s,
            env={**variables, "FUNASR_DEBUG": "1", **({} if may_test else {_INSIDE: "1"})},
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except subprocess.TimeoutExpired as error:
        said = _last_line(error.stderr or b"")
        failure = f"it did not answer within {timeout_s:.0f} s{said}"
        return Outcome(None, failure, crashed=True, hung=True)
    except OSError as error:
        return Outcome(None, f"no process could be started for the test ({error})")
    if os.environ.get("FUNASR_DEBUG", "0") != "0":
        sys.stderr.write(child.stderr.decode("utf-8", "replace"))
    try:
        answer = json.loads(child.stdout)
    except ValueError:
        end = _end_of(child.returncode)
        return Outcome(None, f"{end}{_last_line(child.stderr)}", crashed=True)
    match answer:
        case {"error": str(message)}:
            return Outcome(None, message)
        case {"result": dict(result)}:
            return Outcome(result)
    return Outcome(None, "it gave an answer that means nothing", crashed=True)


def can_run() -> bool:
    """Whether a child can be started: a frozen program would start itself again and again."""
    is_frozen = getattr(sys, "frozen", False)
    return bool(sys.executable) and not is_frozen and _INSIDE not in os.environ


def _search_path() -> list[str]:
    """Where the child finds this package first, and then what the parent finds."""
    home = str(Path(__file__).resolve().parents[1])
    return [home, *(os.path.abspath(os.fspath(p)) for p in sys.path if p)]  # noqa: PTH100


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
        hint = ", as for want of memory" if name.name == "SIGKILL" else ""
        return f"it crashed with {name.name} ({signal.strsignal(name) or 'no more is known'}{hint})"
    if what := _EXCEPTIONS.get(code & 0xFFFFFFFF):
        return f"it crashed ({what})"
    return f"it ended with code {code}"


def _last_line(stderr: bytes) -> str:
    lines = [line.strip() for line in stderr.decode("utf-8", "replace").splitlines()]
    told = [line for line in lines if line and not line.startswith(_NOISE)][-_LAST_WORDS:]
    # a program that aborts gives the reason first, then where in its source
    reasons = [line for line in told if _REASON.search(line)]
    chosen = reasons[:1] or told[-1:]
    if not chosen:
        return ""
    shown = "".join(char for char in chosen[0][:200] if char.isprintable())
    return f"; the last it said: {shown}"
