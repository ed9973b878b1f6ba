"""What a download brought, compared byte by byte with what the hub lists and the table knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from funasr_cli.errors import ModelError
from funasr_cli.export.checkpoint import MODEL, sha256
from funasr_cli.export.known import known_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from funasr_cli.export.remote import Order, RemoteFile

    Progress = Callable[[str, float], None]


def check_files(
    order: Order, folder: Path, files: Sequence[RemoteFile], progress: Progress
) -> None:
    """Compare sizes and sha256 with the hub's listing, and where that is silent with the table.

    The client need not have done it: Hugging Face's compares sizes alone.

    Args:
        order: where the files came from.
        folder: where they are.
        files: as the hub lists them.
        progress: hears `verify` and the fraction of model.pt that is hashed.

    Raises:
        ModelError: a file is not what it should be; it is deleted.
    """
    for file in files:
        path = folder / file.path
        size = path.stat().st_size if path.is_file() else 0
        if size != file.bytes:
            raise _damaged(path, f"has {size:,} bytes and should have {file.bytes:,}")
        wanted = file.sha256
        if file.path == MODEL and wanted is None:
            wanted = _expected(order, file.bytes)
        if wanted is not None:
            found = _hash(path, progress)
            if found != wanted:
                raise _damaged(path, f"has sha256 {found} and should have {wanted}")


def check_cached(order: Order, path: Path, progress: Progress) -> str:
    """Compare a model.pt that was there with the table; no hub is asked.

    Returns:
        Its sha256.

    Raises:
        ModelError: it has the size of a known version, and another content.
    """
    found, wanted = _hash(path, progress), _expected(order, path.stat().st_size)
    if wanted is not None and found != wanted:
        raise ModelError(
            f"{path} has sha256 {found} and should have {wanted}: it is damaged; delete it, and "
            "give the command without --local-files-only"
        )
    return found


def _expected(order: Order, size: int) -> str | None:
    """Return the sha256 of the known version with this size."""
    return next((k.sha256 for k in known_of(order.hub, order.repo) if k.bytes == size), None)


def _hash(path: Path, progress: Progress) -> str:
    if path.name != MODEL:
        return sha256(path)
    return sha256(path, lambda done: progress("verify", done))


def _damaged(path: Path, why: str) -> ModelError:
    """Take a wrong file out of the cache, so that the next download begins it again."""
    for file in {path.resolve(), path}:  # a cache may link to where the content lies
        file.unlink(missing_ok=True)
    return ModelError(
        f"{path} {why}: it was damaged on the way, or is not what the hub says; it is deleted, so "
        "the same command downloads it again"
    )
