"""Both hubs on loopback: what `modelscope-hub` 0.5 and `huggingface_hub` 1.33 to 2.4 ask, answered.

The addresses and headers were read in the clients' sources; no answer of the real hubs was at
hand.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LARGE = 100_000
"""From here on Hugging Face keeps a file in LFS, and tells its sha256."""


@dataclass
class Repo:
    """What the server has, and how it behaves."""

    name: str
    folder: Path
    cut_at: list[int] = field(default_factory=list)
    """Each transfer of model.pt breaks off after so many bytes, while the list lasts."""
    stall_at: int | None = None
    """Every transfer of model.pt stops there and says nothing more."""
    wrong: bool = False
    """model.pt is sent with one byte changed."""
    tells_sha256: bool = True
    extra: list[str] = field(default_factory=list)
    """Paths that are listed besides."""
    asked: list[str] = field(default_factory=list)
    """Every request."""
    ranges: list[str] = field(default_factory=list)
    """The Range header of each request for model.pt; empty: none."""

    def listing(self) -> dict[str, bytes]:
        paths = sorted(p for p in self.folder.rglob("*") if p.is_file())
        files = {p.relative_to(self.folder).as_posix(): p.read_bytes() for p in paths}
        return files | dict.fromkeys(self.extra, b"x")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    repo: Repo

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.repo.asked.append(f"{self.command} {self.path}")
        url = urlsplit(self.path)
        path, query = unquote(url.path), {k: v[0] for k, v in parse_qs(url.query).items()}
        name = re.escape(self.repo.name)
        if path == f"/api/v1/models/{self.repo.name}/repo/files":
            self.modelscope_list(query)
        elif path == f"/api/v1/models/{self.repo.name}/repo":
            self.content(query["FilePath"], {})
        elif match := re.fullmatch(rf"/api/models/{name}/(revision|tree)/([^/]+)", path):
            self.hugging_face_api(match[1], match[2])
        elif match := re.fullmatch(rf"/{name}/resolve/([^/]+)/(.+)", path):
            self.hugging_face_file(match[2])
        elif path.startswith("/api/v1/"):
            self.answer(404, json.dumps({"Code": 10010205001, "Message": "not found"}).encode())
        else:
            self.answer(404, b"{}", {"X-Error-Code": "RepoNotFound"})

    def modelscope_list(self, query: dict[str, str]) -> None:
        if query["Revision"] != "master":
            self.answer(404, json.dumps({"Code": 404, "Message": "no such revision"}).encode())
            return
        files: list[dict[str, object]] = [{"Path": "example", "Type": "tree", "Size": 0}]
        for path, data in self.repo.listing().items():
            sha256 = hashlib.sha256(data).hexdigest() if self.repo.tells_sha256 else ""
            files.append({"Path": path, "Type": "blob", "Size": len(data), "Sha256": sha256})
        told = {"Code": 200, "Success": True, "Data": {"Files": files}}
        self.answer(200, json.dumps(told).encode())

    def hugging_face_api(self, what: str, revision: str) -> None:
        if revision not in {"main", COMMIT}:
            self.answer(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
        elif what == "revision":
            info = {"id": self.repo.name, "modelId": self.repo.name, "sha": COMMIT, "siblings": []}
            self.answer(200, json.dumps(info).encode())
        else:
            files: list[dict[str, object]] = []
            for path, data in self.repo.listing().items():
                oid = hashlib.sha1(data, usedforsecurity=False).hexdigest()
                entry: dict[str, object] = {
                    "type": "file",
                    "path": path,
                    "size": len(data),
                    "oid": oid,
                }
                if len(data) >= LARGE:
                    lfs = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data)}
                    entry["lfs"] = lfs | {"pointerSize": 134}
                files.append(entry)
            self.answer(200, json.dumps(files).encode())

    def hugging_face_file(self, path: str) -> None:
        data = self.repo.listing().get(path)
        if data is None:
            self.answer(404, b"", {"X-Error-Code": "EntryNotFound"})
            return
        etag = hashlib.sha256(data).hexdigest()
        self.content(path, {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT})

    def content(self, path: str, headers: dict[str, str]) -> None:
        data = self.repo.listing()[path]
        start, status = 0, 200
        asked = self.headers.get("Range", "")
        if path == "model.pt" and self.command == "GET":
            self.repo.ranges.append(asked)
            if self.repo.wrong:
                data = bytes([data[0] ^ 1]) + data[1:]
        if match := re.fullmatch(r"bytes=(\d+)-", asked):
            start, status = int(match[1]), 206
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        if path == "model.pt" and self.command == "GET":
            if self.repo.cut_at:
                self.answer(status, data[start:], headers, cut=self.repo.cut_at.pop(0))
                return
            if self.repo.stall_at is not None:
                self.answer(status, data[start:], headers, stall=self.repo.stall_at)
                return
        self.answer(status, data[start:], headers)

    def answer(
        self,
        status: int,
        data: bytes,
        headers: dict[str, str] | None = None,
        *,
        cut: int | None = None,
        stall: int | None = None,
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        # a client that keeps its connections would keep our threads, beyond the test
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command == "HEAD":
            return
        self.wfile.write(data[: cut if cut is not None else stall])
        self.wfile.flush()
        if stall is not None:
            self.rfile.read(1)  # until the other side is gone

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    """Keeps quiet about clients that go away; waits for its threads when it is closed."""

    daemon_threads = False

    def handle_error(self, *_: object) -> None:
        pass


@contextmanager
def serving(repo: Repo) -> Iterator[str]:
    """Serve one repository as both hubs do; gives the address."""
    handler = type("Bound", (Handler,), {"repo": repo})
    with Server(("127.0.0.1", 0), handler) as running:
        thread = Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()
