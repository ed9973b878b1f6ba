"""What somebody has corrected by hand is kept when a batch writes the same file anew."""

import shutil
from pathlib import Path

from funasr_cli.cli.state import State, content_of
from funasr_cli.errors import OutputError


def keep_by_hand(path: Path, expected: str, state: State) -> str | None:
    """Keep a file that no batch has written, or that was changed since, beside itself.

    Args:
        path: what is about to be replaced.
        expected: digest of what will be written; the same is no loss.
        state: has the digests of what batches have written.

    Returns:
        What to tell; None: there was nothing to keep.

    Raises:
        OutputError: it cannot be kept, and must not be replaced then.
    """
    if not path.is_file():
        return None
    found = content_of(path)
    if found and (found == expected or state.has_written(found)):
        return None
    try:
        copy = _copied(path)
    except OSError as error:
        raise OutputError(
            f"{path}: was changed by hand, and no copy can be kept ({error.strerror or error}); "
            "move it away, or give another -o"
        ) from error
    told = f"was changed by hand, or no batch wrote it: the old one is kept as {copy.name}"
    return f"{path}: {told}"


def _copied(path: Path) -> Path:
    """Copy a file to the first name that is free: x.txt.bak, x.txt.bak2, ..."""
    copy, number = path.with_name(f"{path.name}.bak"), 1
    while not _is_ours(copy):
        number += 1
        copy = path.with_name(f"{path.name}.bak{number}")
    try:
        shutil.copy2(path, copy)
    except BaseException:
        copy.unlink(missing_ok=True)
        raise
    return copy


def _is_ours(path: Path) -> bool:
    """Make an empty file under a name, unless somebody has it."""
    try:
        path.open("xb").close()
    except FileExistsError:
        return False
    return True
