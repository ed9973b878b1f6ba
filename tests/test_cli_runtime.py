"""`funasr runtime` as a user meets it, to the installation of a library that works."""

import json
import os
import signal
import socket
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest
from made_archives import official

import funasr_cli
from funasr_cli.llama import library
from funasr_cli.llama.library import find

ROOT = Path(funasr_cli.__file__).parent.parent
COMMAND = [sys.executable, "-m", "funasr_cli", "runtime"]


class User:
    """Somebody with a folder of his own, and nothing in it."""

    def __init__(self, root: Path) -> None:
        self.home = root / "用户 data" / "funasr-cli" / library.FOLDER
        self.cwd = root / "工作"
        self.cwd.mkdir()
        variables = {k: v for k, v in os.environ.items() if not k.startswith("FUNASR_")}
        self.environment = {
            **variables,
            "PYTHONPATH": str(ROOT),
            "XDG_DATA_HOME": str(root / "用户 data"),
            "XDG_CACHE_HOME": str(root / "cache"),
        }

    def put(self, name: str) -> Path:
        """A release that looks like one."""
        (self.home / name).mkdir(parents=True)
        (self.home / name / "libllama.so").write_bytes(bytes(2_000_000))
        return self.home / name

    def left(self) -> set[str]:
        return {path.name for path in self.home.iterdir()} - {".lock"}

    def run(
        self, *arguments: str | Path, code: int = 0, variables: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command that ends with this code; a failure is one line, and no data."""
        result = subprocess.run(  # noqa: S603 - our own program
            [*COMMAND, *map(str, arguments)],
            env={**self.environment, **(variables or {})},
            cwd=self.cwd,
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=120,
        )
        assert result.returncode == code, result.stderr
        assert "Traceback" not in result.stderr
        if code:
            assert result.stdout == ""
            assert result.stderr.count("funasr: ") == 1
        return result


@pytest.fixture
def user(tmp_path: Path) -> User:
    return User(tmp_path)


def test_help(user: User) -> None:
    assert "install" in user.run("--help").stdout
    text = user.run("install", "--help").stdout
    assert "https://github.com/ggml-org/llama.cpp/releases/latest\n" in text
    assert "\n    CPU     https://github.com/ggml-org/llama.cpp/releases/download/bNNNN/" in text
    for command in ("which", "list", "use", "remove"):
        assert "Exit codes" in user.run(command, "--help").stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--from", "没有 b1.zip"], 4, "没有 b1.zip: No such file or directory"),
        (["--from", "http://example.org/b1.zip"], 2, "take https, or add --sha256"),
        (["--from", ".", "--sha256", "0" * 64], 2, "is a folder"),
        (["--from", "a.zip", "--sha256", "12"], 2, "is no SHA-256"),
        (["--from", "a.zip", "--name", "../b1"], 2, "--name '../b1': may not begin"),
        (["--from", "a.zip", "--sha256", "0" * 64], 3, "its sha256 is "),
        (["--from", "a.zip"], 3, "a.zip is neither a zip nor a tar archive"),
        (["--from", "b1.tar.gz"], 3, "is not installed: libllama.so is not a shared library"),
        (["--from", "http://127.0.0.1:9/b1.zip"], 4, "b1.zip: cannot be downloaded ("),
    ],
)
def test_failures_are_one_line(user: User, arguments: list[str], code: int, words: str) -> None:
    (user.cwd / "a.zip").write_bytes(b"no archive")
    official(user.cwd, name="b1.tar.gz")
    assert words in user.run("install", *arguments, code=code).stderr
    assert not user.home.exists() or not user.left()


def test_a_folder_that_cannot_be_written(user: User) -> None:
    archive = official(user.cwd)
    message = user.run(
        "install", "--from", archive, code=4, variables={"XDG_DATA_HOME": "/dev/null"}
    ).stderr
    assert "/dev/null/funasr-cli/llama_bin: cannot be written (Not a directory)" in message


def test_choose_and_remove(user: User) -> None:
    assert "no release in" in user.run("list").stderr
    first, second = user.put("版本 b1"), user.put("b2")
    user.run("use", "版本 b1")
    listed = user.run("list").stdout
    assert listed.startswith("  b2  2.0 MB\n* 版本 b1  2.0 MB\n")
    assert "(package xllamacpp)\n" in listed
    assert f"used from now on: {second / 'libllama.so'}" in user.run("use", "b2").stderr
    facts = json.loads(user.run("list", "--json").stdout)
    assert [(r["name"], r["default"], r["bytes"]) for r in facts["installed"]] == [
        ("b2", True, 2_000_000),
        ("版本 b1", False, 2_000_000),
    ]
    assert facts["others"][-1]["source"] == "package xllamacpp"
    assert "did you mean b2? Installed: b2, 版本 b1" in user.run("use", "b22", code=2).stderr
    assert "no such release" in user.run("remove", "..", code=2).stderr
    user.run("remove", "b2")
    assert user.left() == {"版本 b1", library.DEFAULT_FILE}  # which says: none
    user.run("use", "none")
    user.run("remove", first.name)
    assert not user.left()
    assert "no release is installed" in user.run("remove", "b2", code=2).stderr


def test_a_default_that_is_gone(user: User) -> None:
    user.put("b1")
    user.run("use", "b1")
    (user.home / "b1").rename(user.home / "b2")
    result = user.run("list")
    assert result.stdout.startswith("  b2  2.0 MB\n")
    assert "'b1' is the default and is gone" in result.stderr
    assert "there is no such folder" in user.run("which", code=3).stderr
    user.run("use", "b2")
    assert "b2" in user.run("which", code=3).stderr  # it is no real library


def test_a_variable_comes_first(user: User) -> None:
    named = user.put("b1").rename(user.cwd / "mine")
    user.put("b2")
    set_ = {library.ENVIRONMENT: str(named)}
    assert "is set and still comes first: " in user.run("use", "b2", variables=set_).stderr
    assert "is set and comes first: " in user.run("list", variables=set_).stderr
    assert f"(chosen by: {library.ENVIRONMENT})" in user.run("which", code=3, variables=set_).stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_ended_in_the_middle(user: User, number: signal.Signals) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/b1.zip"
        with subprocess.Popen(  # noqa: S603 - our own program
            [*COMMAND, "install", "--from", url],
            env=user.environment,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        ) as process:
            client, _ = server.accept()
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf")
            while not list(user.home.glob(".installing-*/**/archive")):
                time.sleep(0.01)
            process.send_signal(number)
            _, message = process.communicate(timeout=30)
            client.close()
    if number == signal.SIGINT:
        assert process.returncode == 130
        assert message.endswith("funasr: interrupted\n")
        assert not user.left()
    else:
        assert len(user.left()) == 1
        assert "b1" not in user.run("list").stdout
        user.run("install", "--from", official(user.cwd), code=3)
        assert not user.left()


def test_a_library_that_works(user: User, tmp_path: Path) -> None:
    """The one of the package, packed as a release."""
    archive = tmp_path / "发布 b1-bin-ubuntu-x64.tar.gz"
    link = tarfile.TarInfo("b1/libllama.so")
    link.type, link.linkname = tarfile.SYMTYPE, "libllama.so.0"
    with tarfile.open(archive, "w:gz", compresslevel=1) as packed:
        packed.add(find().path, "b1/libllama.so.0")
        packed.addfile(link)
    result = user.run("install", "--from", archive)
    name, installed = "发布 b1-bin-ubuntu-x64", user.home / "发布 b1-bin-ubuntu-x64"
    for words in (f"installed {name} (", "version: ", "device:  CPU: ", "used from now on: "):
        assert words in result.stderr
    assert result.stdout == ""
    assert user.left() == {name, "default"}
    assert {path.name for path in installed.iterdir()} == {"libllama.so", "libllama.so.0"}

    facts = json.loads(user.run("which", "--json").stdout)
    assert facts["library"] == str(installed / "libllama.so")
    assert facts["source"] == f"funasr runtime: {name}"
    assert "cpu" in {device["kind"] for device in facts["devices"]}
    lines = user.run("which").stdout.splitlines()
    assert lines[:2] == [facts["library"], f"source: {facts['source']}"]
    assert "--force replaces it" in user.run("install", "--from", archive, code=2).stderr
    assert "used from now on: " in user.run("remove", name).stderr
    assert not user.left()
    assert json.loads(user.run("which", "--json").stdout)["source"] == "package xllamacpp"
