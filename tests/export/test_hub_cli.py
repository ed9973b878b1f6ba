"""`funasr export OWNER/NAME` as people run it: in a process of its own, killed and gone on with."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from loopback_hub import Repo, serving
from parity.architecture import Architecture
from parity.checkpoints import write_checkpoint

from funasr_cli.manifest import read_manifest

pytestmark = pytest.mark.export

REPO = "FunAudioLLM/Fun-ASR-Nano-2512"
LIMITED = """
import resource, sys
from funasr_cli.__main__ import main
resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, resource.RLIM_INFINITY))
main()
"""
"""A process that cannot write more than 1.5 MB into one file: as near to a full disk as one gets
without being root."""


@pytest.fixture(scope="session")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hold a checkpoint larger than the pieces in which the clients write; not to be changed."""
    folder = tmp_path_factory.mktemp("checkpoints") / "wide"
    write_checkpoint(folder, Architecture(llm_vocab=12_000), 11)
    (folder / "README.md").write_text("not needed")
    assert (folder / "model.pt").stat().st_size > 3_000_000
    return folder


class Shell:
    """Runs the command with everything of the hubs inside one folder."""

    def __init__(self, tmp_path: Path, url: str) -> None:
        self.tmp_path = tmp_path
        self.model = tmp_path / "模型"
        self.environment = {
            **os.environ,
            "MODELSCOPE_ENDPOINT": url,
            "MODELSCOPE_HOME": str(tmp_path / "home"),
            "MODELSCOPE_CACHE": str(tmp_path / "cache ms"),
            "MODELSCOPE_DOWNLOAD_MAX_RETRIES": "0",
            "HF_ENDPOINT": url,
            "HF_HOME": str(tmp_path / "cache hf"),
            "PYTHONPATH": str(Path(__file__).parents[2]),
        }

    def command(self, *arguments: str) -> list[str]:
        own = ["export", REPO, "-o", str(self.model), *arguments]
        return [sys.executable, "-W", "error", "-m", "funasr_cli", *own]

    def run(self, *arguments: str, program: str | None = None) -> subprocess.CompletedProcess[str]:
        command = self.command(*arguments)
        if program is not None:
            command[3:5] = ["-c", program]
        return subprocess.run(  # noqa: S603 - our own code
            command,
            env=self.environment,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            timeout=120,
        )


@pytest.mark.parametrize(("hub", "title"), [("ms", "ModelScope"), ("hf", "Hugging Face")])
def test_from_a_hub_to_a_model(hub: str, title: str, wide: Path, tmp_path: Path) -> None:
    with serving(Repo(REPO, wide)) as url:
        shell = Shell(tmp_path, url)
        result = shell.run("--hub", hub)
        assert result.returncode == 0, result.stderr
        again = shell.run("--hub", hub, "--force", "-q")
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert lines[0].startswith(f"{REPO} from {title}: 8 files, ")
    assert str(tmp_path / f"cache {hub}") in lines[0]
    assert "is not the version that is known" in lines[1] or "nothing is known" in lines[1]
    assert not [line for line in lines if "Downloading" in line or "\r" in line]
    manifest = read_manifest(shell.model / "manifest.json")
    assert manifest.model.name == "Fun-ASR-Nano-2512"
    assert manifest.source["repository"] == REPO
    assert manifest.source["hub"] == title
    assert manifest.source["revision"] == "default"
    assert not list(tmp_path.glob("cache */**/README.md"))
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    shell.environment |= {"MODELSCOPE_ENDPOINT": "http://127.0.0.1:9"}
    shell.environment |= {"HF_ENDPOINT": "http://127.0.0.1:9"}
    offline = shell.run("--hub", hub, "--force", "--local-files-only")
    assert offline.returncode == 0, offline.stderr


def begin(shell: Shell, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # noqa: S603 - our own code
        shell.command("--cache-dir", str(shell.tmp_path / "here"), *arguments),
        env=shell.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def wait_for(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_killed_download_goes_on(wide: Path, tmp_path: Path) -> None:
    """Only ModelScope's client does that; Hugging Face's begins an unfinished file again."""
    repo = Repo(REPO, wide, stall_at=2_600_000)
    with serving(repo) as url:
        shell = Shell(tmp_path, url)
        process = begin(shell)
        part = tmp_path / "here/models/FunAudioLLM--Fun-ASR-Nano-2512/snapshots/master"
        part /= "model.pt.incomplete"
        wait_for(lambda: part.exists() and part.stat().st_size >= 2_000_000)
        process.kill()
        process.communicate()
        held = part.stat().st_size
        assert not shell.model.exists()
        repo.stall_at = None
        result = shell.run("--cache-dir", str(tmp_path / "here"))
    assert result.returncode == 0, result.stderr
    assert repo.ranges[0] == ""
    assert repo.ranges[1:] == [f"bytes={held}-"]
    source = json.loads((shell.model / "manifest.json").read_text("utf-8"))["source"]
    assert source["bytes"] == (wide / "model.pt").stat().st_size


@pytest.mark.skipif(sys.platform == "win32", reason="no signal to send")
@pytest.mark.parametrize("hub", ["ms", "hf"])
def test_ctrl_c_is_heard_at_once(hub: str, wide: Path, tmp_path: Path) -> None:
    repo = Repo(REPO, wide, stall_at=2_600_000)
    with serving(repo) as url:
        shell = Shell(tmp_path, url)
        shell.environment["HF_HUB_DOWNLOAD_TIMEOUT"] = "60"
        process = begin(shell, "--hub", hub)
        wait_for(lambda: bool(repo.ranges))
        time.sleep(0.5)  # into the transfer
        process.send_signal(signal.SIGINT)
        try:
            _, told = process.communicate(timeout=15)
        finally:
            process.kill()
    assert process.returncode == 130
    assert told.splitlines()[-1] == "funasr: interrupted"


@pytest.mark.skipif(sys.platform == "win32", reason="no limits of this kind")
@pytest.mark.parametrize("hub", ["ms", "hf"])
def test_a_disk_that_fills_up(hub: str, wide: Path, tmp_path: Path) -> None:
    with serving(Repo(REPO, wide)) as url:
        shell = Shell(tmp_path, url)
        result = shell.run("--hub", hub, program=LIMITED)
        assert result.returncode == 4
        told = result.stderr.splitlines()[-1]
        assert told.startswith(f"funasr: {tmp_path / f'cache {hub}'}")
        assert "the download cannot be written (File too large): make room there" in told
        assert not shell.model.exists()
        assert shell.run("--hub", hub).returncode == 0
