"""What the hubs have in common: what is asked of them, what they answer, what can go wrong."""

from __future__ import annotations

import errno
import logging
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from funasr_cli.errors import InputError, ModelError, OutputError, UnusableError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from funasr_cli.errors import FunasrError

    Heard = Callable[[int], None]
    """Hears how many bytes came, or, below zero, how many are taken back."""
    Say = Callable[[str], None]

MODELSCOPE, HUGGING_FACE = "ms", "hf"
TITLES = {MODELSCOPE: "ModelScope", HUGGING_FACE: "Hugging Face"}
_LOGIN = {MODELSCOPE: "modelscope-hub login", HUGGING_FACE: "hf auth login"}
_DISK_ERRORS = frozenset(
    {errno.ENOSPC, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM}
    | ({errno.EDQUOT} if hasattr(errno, "EDQUOT") else set())
)


@dataclass(frozen=True)
class Order:
    """Which checkpoint is wanted, and from where."""

    repo: str
    """`owner/name`."""
    hub: str = MODELSCOPE
    """`MODELSCOPE` or `HUGGING_FACE`."""
    revision: str | None = None
    """Branch, tag or commit; None: the hub's default branch."""
    cache: Path | None = None
    """Folder of the downloads; None: the hub's own cache, which other programs use too."""
    local_only: bool = False
    """Use what the cache holds, and no network."""

    @property
    def title(self) -> str:
        """The hub's name."""
        return TITLES[self.hub]

    @property
    def name(self) -> str:
        """The repository without its owner."""
        return self.repo.rpartition("/")[2]

    def to_json(self) -> dict[str, str]:
        """Tell where a checkpoint came from, for `Manifest.source`."""
        return {"hub": self.title, "repository": self.repo, "revision": self.revision or "default"}

    @property
    def asked(self) -> str:
        """The repository, with the revision if one was asked for."""
        return self.repo if self.revision is None else f"{self.repo} at {self.revision}"


@dataclass(frozen=True)
class RemoteFile:
    """One file of a repository."""

    path: str
    """Inside the repository, with `/`."""
    bytes: int
    sha256: str | None
    """None: the hub does not tell."""


class Client(Protocol):
    """A hub's own client library, as far as it is needed here."""

    def cache(self, order: Order) -> Path:
        """Folder under which downloads are kept; it need not exist."""
        ...

    def files(self, order: Order) -> list[RemoteFile]:
        """List a repository."""
        ...

    def cached(self, order: Order) -> Path | None:
        """Return the folder that the cache holds of a repository, whole or not."""
        ...

    def download(self, order: Order, files: Sequence[RemoteFile], heard: Heard) -> Path:
        """Bring files into the cache and return their folder."""
        ...


def no_library(package: str, order: Order) -> UnusableError:
    """Say how to get a hub's client."""
    return UnusableError(
        f"a download from {order.title} needs the package {package}: pip install "
        "'funasr-cli[export]'"
    )


def not_there(order: Order) -> UsageError:
    """Say that a hub does not know a repository or a revision."""
    what = order.repo if order.revision is None else f"{order.repo} with revision {order.revision}"
    return UsageError(
        f"{order.title} has no {what} that you may read: check the spelling (a folder of this "
        f"name is not here either); a private repository needs a login: {_LOGIN[order.hub]}"
    )


def not_cached(order: Order, folder: Path) -> ModelError:
    """Say that the cache does not have it."""
    return ModelError(
        f"{folder}: holds no whole copy of {order.asked} from {order.title}; without "
        "--local-files-only it is downloaded"
    )


def failed(order: Order, error: BaseException, folder: Path) -> FunasrError:
    """Make one sentence of what a client raised: the disk, or else the network."""
    chain = list(_chain(error))
    for cause in chain:
        if isinstance(cause, OSError) and cause.errno in _DISK_ERRORS:
            return OutputError(
                f"{folder}: the download cannot be written ({os.strerror(cause.errno or 0)}): make "
                "room there, or name another folder with --cache-dir"
            )
    # the system's own word, where there is one: libraries wrap it in addresses and class names
    words = [c.strerror for c in chain if isinstance(c, OSError) and c.errno and c.strerror]
    told = words[-1] if words else " ".join(str(chain[0]).split())[:300]
    told = told or type(chain[0]).__name__
    return InputError(
        f"{order.asked} cannot be downloaded from {order.title} ({told}): check the network, "
        "then give the same command again: what is there stays; what the cache holds whole can be "
        "used with --local-files-only"
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Walk through an error and what caused it."""
    seen: list[BaseException] = []
    here: BaseException | None = error
    while here is not None and here not in seen:
        seen.append(here)
        yield here
        here = here.__cause__ or here.__context__


@contextmanager
def warnings_of(logger_name: str, say: Say) -> Iterator[None]:
    """Tell a library's warnings (a retry, say) in our own lines, and drop the rest of its log."""
    logger = logging.getLogger(logger_name)
    handlers, is_passed_on = logger.handlers, logger.propagate
    logger.handlers, logger.propagate = [_Said(say)], False
    try:
        yield
    finally:
        logger.handlers, logger.propagate = handlers, is_passed_on


class _Said(logging.Handler):
    def __init__(self, say: Say) -> None:
        super().__init__(logging.WARNING)
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno == logging.WARNING:  # errors are raised as well, and told then
            self._say(" ".join(record.getMessage().split())[:300])
