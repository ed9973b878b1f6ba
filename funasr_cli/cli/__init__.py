"""The command line: parse, validate, call the library, print."""

import os
import sys
from typing import NoReturn

INTERRUPTED = 130


def leave_interrupted() -> NoReturn:
    """End after Ctrl-C with one line and the documented exit code; all `with` blocks are left.

    An interrupt that passes through an import makes CPython kill itself at the end, whatever
    exit code was asked for; leaving here and now avoids it.
    """
    sys.stderr.write("funasr: interrupted\n")
    sys.stderr.flush()
    os._exit(INTERRUPTED)
