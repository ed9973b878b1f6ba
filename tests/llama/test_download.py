"""Fetching an archive, from a server on this machine that behaves in every way."""

import http.client
import io
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar
from urllib.request import Request

import pytest

from funasr_cli.errors import InputError, OutputError, UsageError
from funasr_cli.llama import download as module
from funasr_cli.llama.download import check_address, download

CONTENT = bytes(range(256)) * 10_000


class Handler(BaseHTTPRequestHandler):
    """Behaves as the path says."""

    protocol_version = "HTTP/1.1"
    seen: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.seen.append(self.path)
        self.close_connection = True
        way, _, rest = self.path[1:].partition("/")
        if way == "to":
            self.send_response(302)
            self.send_header("Location", rest)
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif way == "chunked":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"5\r\nhello\r\n" + (b"" if rest == "cut" else b"0\r\n\r\n"))
        elif way == "silent":
            self.connection.settimeout(5)
            self.rfile.read(1)  # until the other side gives up
        elif way in {"ok", "cut", "long", "unknown"}:
            self.send_response(200)
            if way != "unknown":
                self.send_header("Content-Length", str(len(CONTENT) * (2 if way == "cut" else 1)))
            self.end_headers()
            self.wfile.write(CONTENT)
        else:
            self.send_error(404)

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    """Keeps quiet about clients that go away."""

    def handle_error(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with Server(("127.0.0.1", 0), Handler) as running:
        thread = Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def fetch(url: str, target: Path, *, is_sealed: bool = False) -> list[tuple[int, int | None]]:
    steps = []
    check_address(url, is_sealed=is_sealed)
    download(
        url,
        target,
        is_sealed=is_sealed,
        progress=lambda done, total: steps.append((done, total)),
    )
    return steps


@pytest.mark.parametrize("way", ["ok", "unknown", "to//ok/b1.zip"])
def test_it_arrives_whole(server: str, tmp_path: Path, way: str) -> None:
    steps = fetch(f"{server}/{way}", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == CONTENT
    total = None if way == "unknown" else len(CONTENT)
    assert (steps[0], steps[-1]) == ((0, total), (len(CONTENT), total))


def test_chunks(server: str, tmp_path: Path) -> None:
    fetch(f"{server}/chunked/whole", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"hello"


def test_names_that_http_cannot_carry(server: str, tmp_path: Path) -> None:
    fetch(f"{server}/ok/发布 包%20.zip?a=b c", tmp_path / "a")
    assert Handler.seen[-1] == "/ok/%E5%8F%91%E5%B8%83%20%E5%8C%85%20.zip?a=b%20c"


def test_a_proxy_is_not_asked_for_this_machine(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    fetch(f"{server}/ok", tmp_path / "a")


@pytest.mark.parametrize(
    ("way", "words"),
    [
        ("nothing/b1.zip", "the server answers 404 Not Found"),
        ("cut", r"broke off after 2,560,000 of 5,120,000 bytes"),
        ("chunked/cut", "the transfer broke off"),
        ("to//nothing", "404"),
        ("to/http://192.0.2.1/b1.zip", r"sends us on to http://192\.0\.2\.1/b1\.zip: http can be"),
        ("to/file:///etc/passwd", "'file:///etc/passwd' is not allowed"),
        ("to/ftp://127.0.0.1/a", "sends us on to ftp"),
        ("to//to//to//to//to//to//to//to//to//to//to//to//ok", "30[12]"),
        ("silent", "timed out"),
    ],
)
def test_failures_name_the_address_and_a_way_out(
    server: str, tmp_path: Path, way: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TIMEOUT_S", 0.5)
    with pytest.raises(InputError, match=words) as error:
        fetch(f"{server}/{way}", tmp_path / "a")
    assert str(error.value).startswith(f"{server}/{way}: cannot be downloaded (")
    assert "download it in a browser and name the file with --from" in str(error.value)


@pytest.mark.parametrize("host", ["127.0.0.1:9", "[::1]:9", "localhost:9"])
def test_nobody_answers(tmp_path: Path, host: str) -> None:
    with pytest.raises(InputError, match="cannot be downloaded"):
        fetch(f"http://{host}/b1.zip", tmp_path / "a")


@pytest.mark.parametrize("host", ["nowhere.invalid", "例え.invalid", "a..b", "x" * 70])
def test_no_such_host(tmp_path: Path, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(InputError, match="cannot be downloaded"):
        fetch(f"https://{host}/b1.zip", tmp_path / "a")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://example.org/b1.zip", "take https, or add --sha256"),
        ("ftp://example.org/b1.zip", "ftp:// is not supported"),
        ("file:///etc/passwd", "file:// is not supported"),
        ("https:///b1.zip", "is no address"),
        ("https://[::1/b1.zip", "is no address"),
        ("https://host:port/b1.zip", "is no address"),
    ],
)
def test_addresses_that_are_refused(url: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        check_address(url, is_sealed=False)


def test_addresses_that_pass() -> None:
    check_address("https://example.org/b1.zip", is_sealed=False)
    check_address("http://example.org/b1.zip", is_sealed=True)
    for host in ("127.0.0.1", "127.9.9.9:80", "[::1]", "localhost:8000"):
        check_address(f"http://{host}/b1.zip", is_sealed=False)


def test_no_step_from_https_to_http_even_with_a_hash() -> None:
    follow = module._Redirects(is_sealed=True)
    request, headers = Request("https://a.example/b1.zip"), http.client.HTTPMessage()
    with pytest.raises(module._Broken, match="from https to http"):
        follow.redirect_request(request, io.BytesIO(), 302, "", headers, "http://127.0.0.1/x")
    new = follow.redirect_request(request, io.BytesIO(), 302, "", headers, "https://b.example/x")
    assert new is not None
    assert new.full_url == "https://b.example/x"


def test_what_is_too_long(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LIMIT_BYTES", 2_000_000)
    for way in ("ok", "unknown"):
        with pytest.raises(InputError, match=r"too many|too long"):
            fetch(f"{server}/{way}", tmp_path / way)


def test_a_disk_that_cannot_be_written(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(OutputError, match="the download cannot be written"):
        fetch(f"{server}/ok", tmp_path / "no" / "folder")
    monkeypatch.setattr(Path, "open", lambda *_: io.FileIO("/dev/full", "w"))
    with pytest.raises(OutputError, match="No space left on device"):
        fetch(f"{server}/ok", tmp_path / "a")
