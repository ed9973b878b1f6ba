"""How a page gets its sound: inside it when small, else by a link to the input."""

import os
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote

EMBED_BYTES = 12 * 2**20
"""Largest input that goes into the page. Base64 makes 16.8 MB of it; as an attachment, encoded once
more, 22.4 MB: what mail services still carry (25 MB). About 25 minutes of MP3 at 64 kbit/s."""

TYPES = {
    ".aac": "audio/aac",
    ".flac": "audio/flac",
    ".m4a": "audio/mp4",
    ".m4v": "video/mp4",
    ".mka": "audio/webm",
    ".mkv": "video/webm",
    ".mov": "video/mp4",
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".oga": "audio/ogg",
    ".ogg": "audio/ogg",
    ".ogv": "video/ogg",
    ".opus": "audio/ogg",
    ".wav": "audio/wav",
    ".webm": "video/webm",
}
"""Suffix -> media type under which browsers play it; QuickTime and Matroska go under the names of
their descendants, which browsers know. Other files are linked, never embedded."""


def sound_url(path: str, folder: Path) -> str:
    """Return a data URI, or a link from `folder`; empty where the input is no file (a stream)."""
    file = Path(path)
    try:
        if not file.is_file():
            return ""
        media_type = TYPES.get(file.suffix.lower())
        if media_type and file.stat().st_size <= EMBED_BYTES:
            return f"data:{media_type};base64,{b64encode(file.read_bytes()).decode('ascii')}"
        return _link(file, folder)
    except (OSError, ValueError):  # gone since, or a name that is none: the page asks for the file
        return ""


def _link(file: Path, folder: Path) -> str:
    try:
        link = os.path.relpath(file.resolve(), folder.resolve())
    except ValueError:  # another drive on Windows
        return file.resolve().as_uri()
    # ./ keeps a name with a colon from being read as a protocol
    return "./" + quote(os.fsencode(link.replace(os.sep, "/")))
