"""A checkpoint on a hub: what is checked before, between and after; the hub itself is a fake."""

import hashlib
import shutil
from collections.abc import Callable, Sequence
from importlib import util
from pathlib import Path
from typing import NamedTuple

import pytest
from typer.testing import CliRunner

from funasr_cli.cli.app import app
from funasr_cli.errors import (
    InputError,
    MissingCtcError,
    ModelError,
    OutputError,
    UnusableError,
    UsageError,
)
from funasr_cli.export import exporter
from funasr_cli.export.hub import Plan, client_of, fetch, hub_of, needed_files, repo_of
from funasr_cli.export.known import KNOWN, MLT, NANO, known_of
from funasr_cli.export.remote import HUGGING_FACE, MODELSCOPE, Order, RemoteFile, failed
from funasr_cli.export.room import check_room, model_bytes

CONTENT = {"config.yaml": b"model: x", "model.pt": b"weights", "multilingual.tiktoken": b"QQ== 0"}


class Hub:
    """Has a repository; what it is said to hold need not be what it sends."""

    def __init__(self, folder: Path, listed: dict[str, RemoteFile] | None = None) -> None:
        self.folder = folder
        self.listed = {
            name: RemoteFile(name, len(data), hashlib.sha256(data).hexdigest())
            for name, data in CONTENT.items()
        } | (listed or {})
        self.downloads = 0

    def cache(self, order: Order) -> Path:
        return order.cache or self.folder

    def files(self, order: Order) -> list[RemoteFile]:
        assert order.repo
        return list(self.listed.values())

    def cached(self, order: Order) -> Path | None:
        return self.cache(order) if self.cache(order).is_dir() else None

    def download(
        self, order: Order, files: Sequence[RemoteFile], heard: Callable[[int], None]
    ) -> Path:
        self.downloads += 1
        folder = self.cache(order)
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            (folder / file.path).write_bytes(CONTENT[file.path])
            heard(file.bytes)
        return folder


def ask(
    hub: Hub, order: Order, *, ctc_type: str | None = "int8", said: list[str] | None = None
) -> Path:
    plan = Plan(hub.folder / "model", ctc_type, "q8_0")
    words: list[str] = [] if said is None else said
    return fetch(order, plan, progress=lambda *_: None, say=words.append, client=hub)


@pytest.mark.parametrize(
    ("argument", "is_repository"),
    [
        ("FunAudioLLM/Fun-ASR-Nano-2512", True),
        ("a/b", True),
        ("there/model", False),
        ("./Fun-ASR-Nano-2512", False),
        ("../a/b", False),
        ("../b", False),
        ("Fun-ASR-Nano-2512", False),
        ("a/b/c", False),
        ("/a/b", False),
        ("a\\b", False),
        ("a/", False),
        ("模型/小", False),
        ("", False),
        ("a/" + "b" * 5000, False),
    ],
)
def test_a_repository_is_told_from_a_path(
    argument: str, is_repository: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "there" / "model").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert repo_of(argument) == (argument if is_repository else None)


@pytest.mark.parametrize(
    ("typed", "hub"),
    [
        ("ms", MODELSCOPE),
        ("ModelScope", MODELSCOPE),
        ("hf", HUGGING_FACE),
        ("Hugging Face", HUGGING_FACE),
        ("hugging_face", HUGGING_FACE),
    ],
)
def test_names_of_hubs(typed: str, hub: str) -> None:
    assert hub_of(typed) == hub


def test_a_misspelt_hub_gets_a_hint() -> None:
    with pytest.raises(UsageError, match="did you mean huggingface"):
        hub_of("hugingface")


def test_the_table_is_made_of_whole_hashes() -> None:
    assert len({known.sha256 for known in KNOWN}) == len(KNOWN)
    for known in KNOWN:
        assert len(bytes.fromhex(known.sha256)) == 32
        assert known.source.startswith("https://")
        # 78.1 million numbers of 2 bytes make the difference
        assert (known.bytes > 2_100_000_000) == known.has_ctc
    assert [k.has_ctc for k in known_of(MODELSCOPE, NANO.lower())] == [True]
    assert known_of(HUGGING_FACE, MLT) == ()


class Copy(NamedTuple):
    hub: str
    repo: str
    advice: str


@pytest.mark.parametrize(
    "copy",
    [
        Copy(HUGGING_FACE, NANO, "take the copy on ModelScope, which has it: --hub ms; or export"),
        Copy(MODELSCOPE, MLT, "hotwords: export without it: --no-ctc"),
    ],
)
def test_a_copy_without_ctc_is_refused_before_the_download(copy: Copy, tmp_path: Path) -> None:
    known = known_of(copy.hub, copy.repo)[0]
    model = RemoteFile("model.pt", known.bytes, known.sha256)
    hub = Hub(tmp_path / "cache", {"model.pt": model})
    with pytest.raises(MissingCtcError) as caught:
        ask(hub, Order(copy.repo, copy.hub))
    assert copy.advice in str(caught.value)
    assert hub.downloads == 0
    # asked for without, it is taken; what the fake sends is not what it lists
    with pytest.raises(ModelError, match=f"should have {known.bytes:,}"):
        ask(hub, Order(copy.repo, copy.hub), ctc_type=None)
    assert hub.downloads == 1


def test_a_newer_version_is_taken_and_called_unknown(tmp_path: Path) -> None:
    said: list[str] = []
    ask(Hub(tmp_path / "cache"), Order(NANO), said=said)
    assert "is not the version that is known" in said[1]
    assert "81fec861..." in said[1]


def test_a_file_that_is_not_what_is_listed_is_deleted(tmp_path: Path) -> None:
    hub = Hub(tmp_path / "cache", {"model.pt": RemoteFile("model.pt", 7, "0" * 64)})
    with pytest.raises(ModelError, match="it is deleted"):
        ask(hub, Order("a/b"))
    assert not (tmp_path / "cache" / "model.pt").exists()


def test_the_disk_is_looked_at_before_the_download(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = 2_127_426_538
    hub = Hub(tmp_path / "cache", {"model.pt": RemoteFile("model.pt", size, None)})
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=4_000_000_000))
    with pytest.raises(OutputError, match=r"download 2.1 GB in .*model 1.8 GB in ") as caught:
        ask(hub, Order(NANO))
    assert "4.0 GB are free on this disk, and 4.1 GB are needed" in str(caught.value)
    assert hub.downloads == 0
    # a part that is there needs no room again
    (tmp_path / "cache").mkdir()
    with (tmp_path / "cache" / "model.pt.incomplete").open("wb") as part:
        part.truncate(1_000_000_000)
    with pytest.raises(ModelError, match="should have"):
        ask(hub, Order(NANO))
    assert hub.downloads == 1


def test_two_disks_are_looked_at_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Path("/dev/shm")  # noqa: S108 - another disk, if there is one
    if not other.is_dir() or other.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("one disk only")
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=2_000_000_000))
    needs = [("download", tmp_path / "not" / "there", 1_500_000_000)]
    check_room([*needs, ("model", other, 1_500_000_000)])
    with pytest.raises(OutputError, match=r"3.1 GB are needed"):
        check_room([*needs, ("model", tmp_path, 1_500_000_000)])


def test_the_estimate_of_a_model() -> None:
    nano = known_of(MODELSCOPE, NANO)[0].bytes
    assert model_bytes(nano, None, "q8_0") < model_bytes(nano, "int8", "q8_0")
    assert model_bytes(nano, "int8", "q8_0") == 1_840_000_000
    assert model_bytes(nano // 2, "fp32", "f32") == pytest.approx(4_265_000_000 / 2)


def test_room_is_not_needed_for_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=0))
    check_room([("download", tmp_path, 0)])


@pytest.mark.parametrize(
    ("error", "wanted", "words"),
    [
        (OSError(28, "No space left on device"), OutputError, "No space left.*--cache-dir"),
        (PermissionError(13, "Permission denied"), OutputError, "Permission denied.*--cache-dir"),
        (ConnectionRefusedError(111, "Connection refused"), InputError, "Connection refused"),
        (RuntimeError("odd\n thing"), InputError, r"\(odd thing\): check the network"),
        (RuntimeError(), InputError, r"\(RuntimeError\)"),
    ],
)
def test_one_sentence_of_any_error(
    error: Exception, wanted: type[Exception], words: str, tmp_path: Path
) -> None:
    outer = RuntimeError("layers of a library", "around")
    outer.__cause__ = error
    told = failed(Order("a/b"), error if isinstance(error, RuntimeError) else outer, tmp_path)
    assert isinstance(told, wanted)
    with pytest.raises(wanted, match=words):
        raise told


def test_files_of_an_export() -> None:
    names = [
        "Qwen3-0.6B/merges.txt",
        "Qwen3-0.6B/model.safetensors",
        "README.md",
        "config.yaml",
        "example/zh.mp3",
        "model.pt",
        "other.tiktoken",
    ]
    files = [RemoteFile(name, 1, None) for name in names]
    wanted = [file.path for file in needed_files(Order("a/b"), files)]
    assert wanted == ["Qwen3-0.6B/merges.txt", "config.yaml", "model.pt", "other.tiktoken"]
    with pytest.raises(ModelError, match=r"no config.yaml and no model.pt \(it has README.md\)"):
        needed_files(Order("a/b"), files[2:3])


@pytest.mark.parametrize(
    ("hub", "package"), [(MODELSCOPE, "modelscope-hub"), (HUGGING_FACE, "huggingface_hub")]
)
def test_a_client_that_is_not_installed(
    hub: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("modelscope", "hugging_face"):
        monkeypatch.setattr(f"funasr_cli.export.{module}.find_spec", lambda _: None)
    client = client_of(hub, print)
    asked = (client.files, client.cached, client.cache)
    for method in asked:
        with pytest.raises(UnusableError, match=rf"{package}: pip install 'funasr-cli\[export\]'"):
            method(Order("a/b", hub))


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["export", *arguments])
    return result.exit_code, result.stderr


def test_options_of_a_hub_need_a_repository(tmp_path: Path) -> None:
    code, told = run(str(tmp_path), "-o", "model", "--revision", "v1")
    assert code == 2
    assert "are for a checkpoint on a hub" in told


def test_a_download_that_could_not_be_used_does_not_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("funasr_cli.export.hub.client_of", lambda *_: pytest.fail("asked"))
    monkeypatch.setattr(util, "find_spec", lambda _: None)
    code, told = run("a/b", "-o", str(tmp_path / "model"))
    assert code == 3
    assert "an export needs torch" in told
    monkeypatch.setattr(exporter, "_NEEDED", ())
    (tmp_path / "tokens.txt").touch()
    code, told = run("a/b", "-o", str(tmp_path))
    assert code == 3
    assert "--force" in told
    code, told = run("a/b", "-o", str(tmp_path / "model"), "--hub", "mss")
    assert code == 2
    assert "did you mean ms" in told
