"""Path or stream -> an open container, or an error that names the input and the reason."""

import os
import shlex
import shutil
import tempfile
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import IO, TYPE_CHECKING, Any

from funasr_cli.errors import InputError, LibraryError
from funasr_cli.headers import announced_seconds, ends_inside_page, needs_seeking

if TYPE_CHECKING:
    from av.container import InputContainer

PEEK_BYTES = 4096
"""What is read of a pipe to see what it holds."""


@dataclass(frozen=True)
class Media:
    """An opened input."""

    container: "InputContainer"
    header_seconds: float | None
    """What the header of a WAV or MP3 promises."""
    ends_inside_page: bool
    """Whether an Ogg file stops where no writer stops."""


def open_media(name: str, stream: IO[bytes] | None, stack: ExitStack) -> Media:
    """Open a path (`stream` is None) or a stream; `stack` closes what this opens.

    Raises:
        InputError: it cannot be read, or FFmpeg does not know what it is.
        LibraryError: PyAV cannot be imported.
    """
    file = stream or _open_path(name, stack)
    try:
        if stream is None and S_ISREG(os.fstat(file.fileno()).st_mode):
            head = file.read(PEEK_BYTES)
            seconds, inside = announced_seconds(file), ends_inside_page(file)
            # FFmpeg takes names for addresses and patterns (12:30.mp3, pipe:0, x%03d.png): the
            # prefix makes them files, and where the ending lies, the bytes alone decide
            targets: list[Any] = [f"file:{Path(name).absolute()}", _Bytes(file)]
        else:
            head = file.read(PEEK_BYTES)
            if not head:
                raise InputError(f"{name}: is empty (0 bytes)")
            seconds, inside = announced_seconds(BytesIO(head)), False
            # an MP4's index may come last; the others are read as they come, in constant memory
            spooled = needs_seeking(head)
            targets = [_spool(head, file, name, stack) if spooled else _Pipe(head, file)]
    except OSError as error:
        raise InputError(f"{name}: cannot be read: {_reason(error)}") from error
    hint = "; an MP4 that was cut off has no index" if needs_seeking(head) else ""
    return Media(_first_with_sound(targets, name, hint, stack), seconds, inside)


def what_of_folder(name: str) -> str:
    """Say how the recordings in a folder are transcribed."""
    return (
        f"is a folder; for all recordings in it: funasr batch {shlex.quote(name)} -r -o OUTPUT_DIR"
    )


def _open_path(name: str, stack: ExitStack) -> IO[bytes]:
    path = Path(name)
    try:
        facts = path.stat()
        if S_ISDIR(facts.st_mode):
            raise InputError(f"{name}: {what_of_folder(name)}")
        if S_ISREG(facts.st_mode) and not facts.st_size:
            raise InputError(f"{name}: is empty (0 bytes)")
        return stack.enter_context(path.open("rb"))
    except FileNotFoundError as error:
        if path.is_symlink():
            where = path.readlink()
            raise InputError(f"{name}: is a link to {where}, which does not exist") from error
        raise InputError(f"{name}: no such file") from error
    except PermissionError as error:
        raise InputError(f"{name}: may not be read: permission denied") from error
    except (OSError, ValueError) as error:  # too long, a loop of links, an embedded NUL
        raise InputError(f"{name}: cannot be opened: {_reason(error)}") from error


def _first_with_sound(
    targets: list[Any], name: str, hint: str, stack: ExitStack
) -> "InputContainer":
    try:
        import av
    except ImportError as error:
        raise LibraryError(
            f"PyAV cannot be loaded ({error}); try: pip install --force-reinstall av"
        ) from error
    failure: Exception | None = None
    silent = False
    for target in targets:
        try:
            container: InputContainer = _open_leniently(target)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            failure = failure or error
            continue
        if container.streams.audio:
            stack.enter_context(container)
            return container
        container.close()
        silent = True
    if silent:
        raise InputError(f"{name}: has no audio stream")
    reason = _reason(failure) + hint
    raise InputError(f"{name}: not a readable audio or video file ({reason})") from failure


def _reason(error: Exception | None) -> str:
    return str(getattr(error, "strerror", None) or error)


def _spool(head: bytes, stream: IO[bytes], name: str, stack: ExitStack) -> "_Bytes":
    folder = "the folder for temporary files"
    try:
        folder = tempfile.gettempdir()
        spool = stack.enter_context(tempfile.TemporaryFile(prefix="funasr-"))  # noqa: SIM115 - the stack closes it
        try:
            spool.write(head)
            shutil.copyfileobj(stream, spool)
            return _Bytes(spool)
        except OSError:
            with suppress(OSError):  # it would fail once more to write what is left
                spool.close()
            raise
    except OSError as error:
        raise InputError(
            f"{name}: an MP4 from a pipe is first copied to {folder}, and that failed: "
            f"{_reason(error)}; set TMPDIR to a folder with more room, or name the file itself"
        ) from error


class _Bytes:
    """A file without its name, from which FFmpeg would conclude too much."""

    def __init__(self, file: IO[bytes]) -> None:
        file.seek(0)
        self.read, self.seek, self.tell = file.read, file.seek, file.tell


class _Pipe:
    """A pipe with its first bytes put back; has no `seek`, so FFmpeg reads straight on."""

    def __init__(self, head: bytes, stream: IO[bytes]) -> None:
        self._head = head
        self._stream = stream

    def read(self, size: int) -> bytes:
        if self._head:
            part, self._head = self._head[:size], self._head[size:]
            return part
        return self._stream.read(size)


def _open_leniently(target: Any) -> Any:  # noqa: ANN401 - as av.open
    """Open with metadata (GBK tags) that cannot be decoded: it matters to nobody here."""
    import av

    try:
        return av.open(target, mode="r", metadata_errors="ignore")
    except TypeError:  # PyAV 19 no longer decodes metadata when it opens
        return av.open(target, mode="r")
