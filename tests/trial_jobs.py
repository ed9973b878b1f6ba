"""What the children of test_trials.py do."""

import os
import sys
import time
from pathlib import Path
from typing import Any

from funasr_cli.errors import LibraryError


def answer(job: dict[str, Any]) -> dict[str, Any]:
    return {"got": job}


def chatter(_: dict[str, Any]) -> dict[str, Any]:
    os.write(1, b"MESA: warning: this driver is chatty\n")
    sys.stdout.write("{}\n")
    return {"fine": True}


def refuse(_: dict[str, Any]) -> dict[str, Any]:
    raise LibraryError("no such thing: 拿别的")


def bug(_: dict[str, Any]) -> dict[str, Any]:
    return {"x": 1 // 0}


def die(job: dict[str, Any]) -> dict[str, Any]:
    sys.stderr.write("loading the shaders\n")
    sys.stderr.flush()
    os.kill(os.getpid(), job["signal"])
    return {}


def abort(_: dict[str, Any]) -> dict[str, Any]:
    sys.stderr.write(
        "load: error: an older one, long mended\n" + "sched_reserve: graph\n" * 9 + "CUDA error: "
        "the provided PTX was compiled with an unsupported toolchain.\n  current device: 0, in "
        "function f at common.cuh:1679\n  cudaFuncGetAttributes()\nggml-cuda.cu:108: CUDA error\n"
    )
    sys.stderr.flush()
    os.abort()


def hang(job: dict[str, Any]) -> dict[str, Any]:
    Path(job["note"]).write_text(str(os.getpid()))
    time.sleep(60)
    return {}


def variable(_: dict[str, Any]) -> dict[str, Any]:
    return {"value": os.environ["FUNASR_WORD"]}


def can_run(_: dict[str, Any]) -> dict[str, Any]:
    from funasr_cli import trials

    return {"can": trials.can_run()}


def core(_: dict[str, Any]) -> dict[str, Any]:
    import resource

    return {"limit": resource.getrlimit(resource.RLIMIT_CORE)[0]}


def colours(_: dict[str, Any]) -> dict[str, Any]:
    sys.stderr.write("error: \x1b[31mred alert\x1b[0m\n")
    sys.stderr.flush()
    os._exit(7)


def nonsense(_: dict[str, Any]) -> Any:  # noqa: ANN401 - that is the point
    return ["no", "dict"]
