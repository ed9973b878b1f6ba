"""Fetch an archive from an address: whole and unchanged, or one sentence that says why not."""

import ipaddress
import string
from collections.abc import Callable
from http.client import HTTPException, HTTPMessage, IncompleteRead
from pathlib import Path
from typing import IO, Protocol
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit, urlunsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from funasr_cli.errors import InputError, OutputError, UsageError
from funasr_cli.llama.archives import LIMIT_BYTES, PIECE
from funasr_cli.version import __version__

TIMEOUT_S = 30.0
"""Longest silence of the other side."""

Progress = Callable[[int, "int | None"], None]
"""Called with the bytes that are there, and with those in all if that is known."""


class _Response(Protocol):
    headers: HTTPMessage

    def read(self, size: int, /) -> bytes: ...


def check_address(url: str, *, is_sealed: bool) -> None:
    """Refuse an address that is none, or that anybody on the way could answer.

    Args:
        url: the address.
        is_sealed: the archive's sha256 is known.

    Raises:
        UsageError: says what to do instead.
    """
    if reason := _refusal(url, is_sealed=is_sealed):
        raise UsageError(f"{url}: {reason}")


def download(url: str, target: Path, *, is_sealed: bool, progress: Progress) -> None:
    """Load what is at an address into a new file.

    Args:
        url: one that `check_address` has let pass.
        target: the file.
        is_sealed: the archive's sha256 is known.
        progress: is told how far it is.

    Raises:
        InputError: the network, the server or the transfer failed.
        OutputError: the file cannot be written.
    """
    # a proxy would be asked for its own loopback, not for ours
    direct = [ProxyHandler({})] if _is_loopback(url) else []
    opener = build_opener(_Redirects(is_sealed=is_sealed), *direct)
    request = Request(_in_ascii(url), headers={"User-Agent": f"funasr-cli/{__version__}"})  # noqa: S310 - checked
    try:
        with opener.open(request, timeout=TIMEOUT_S) as response:
            _receive(response, target, progress)
    except HTTPError as error:
        error.close()
        raise _failed(url, f"the server answers {error.code} {error.reason}".rstrip()) from error
    except URLError as error:
        raise _failed(url, str(getattr(error.reason, "strerror", "") or error.reason)) from error
    except IncompleteRead as error:
        raise _failed(url, "the transfer broke off") from error
    except _Broken as error:
        raise _failed(url, str(error)) from error
    except (OSError, HTTPException, UnicodeError) as error:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise _failed(url, why) from error


class _Broken(Exception):  # noqa: N818 - `download` makes a sentence of it
    """A transfer that must not go on."""


class _Redirects(HTTPRedirectHandler):
    """Follows redirects, but none to where nobody vouches for the content."""

    def __init__(self, *, is_sealed: bool) -> None:
        self._is_sealed = is_sealed

    def redirect_request(  # noqa: PLR0913, PLR0917 - urllib's signature
        self,
        req: Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> Request | None:
        reason = _refusal(newurl, is_sealed=self._is_sealed)
        if not reason and req.type == "https" and urlsplit(newurl).scheme != "https":
            reason = "that is a step from https to http"
        if reason:
            fp.close()
            raise _Broken(f"the server sends us on to {newurl}: {reason}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _receive(response: _Response, target: Path, progress: Progress) -> None:
    promised = response.headers.get("Content-Length", "")
    total = int(promised) if promised.isdecimal() else None
    if (total or 0) > LIMIT_BYTES:
        raise _Broken(f"it has {total} bytes, too many for a llama.cpp release")
    done = 0
    try:
        file = target.open("xb")
    except OSError as error:
        raise _unwritten(target, error) from error
    with file:
        progress(0, total)
        while piece := response.read(PIECE):
            done += len(piece)
            if done > LIMIT_BYTES:
                raise _Broken("it is too long for a llama.cpp release")
            try:
                file.write(piece)
                file.flush()
            except OSError as error:
                raise _unwritten(target, error) from error
            progress(done, total)
    if total is not None and done != total:
        raise _Broken(f"the transfer broke off after {done:,} of {total:,} bytes")


def _failed(url: str, why: str) -> InputError:
    return InputError(
        f"{url}: cannot be downloaded ({why}): try again, or download it in a browser and name "
        "the file with --from"
    )


def _unwritten(target: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{target.parent}: the download cannot be written ({error.strerror or error}): make room "
        "on this disk"
    )


def _refusal(url: str, *, is_sealed: bool) -> str | None:
    """Say why an address may not be used; None: it may."""
    try:
        parts = urlsplit(url)
        scheme, host = parts.scheme, parts.hostname
        _ = parts.port
    except ValueError as error:
        return f"is no address ({error})"
    if scheme not in {"https", "http"}:
        return f"{scheme}:// is not supported: take an https:// address"
    if not host:
        return "is no address: take one of the form https://HOST/ARCHIVE"
    if scheme == "http" and not is_sealed and not _is_loopback(url):
        return "http can be changed by anybody on the way: take https, or add --sha256"
    return None


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _in_ascii(url: str) -> str:
    """Escape what HTTP cannot carry: Chinese file names, say; what is escaped stays so."""
    parts = urlsplit(url)
    return urlunsplit(
        (
            parts.scheme,
            parts.netloc,
            quote(parts.path, safe=string.punctuation),
            quote(parts.query, safe=string.punctuation),
            "",
        )
    )
