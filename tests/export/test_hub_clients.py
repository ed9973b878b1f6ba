"""Downloads by the hubs' own clients, from a server on this machine that speaks both protocols."""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from loopback_hub import Repo, serving

from funasr_cli.errors import FunasrError, InputError, ModelError, UsageError
from funasr_cli.export import known as table
from funasr_cli.export.hub import Plan, fetch
from funasr_cli.export.hugging_face import HuggingFace
from funasr_cli.export.known import Known
from funasr_cli.export.modelscope import ModelScope
from funasr_cli.export.remote import HUGGING_FACE, MODELSCOPE, Client, Order

pytestmark = pytest.mark.export

REPO = "Some.Body/Fun-ASR-Nano"
WEIGHTS = b"".join(hashlib.sha256(bytes([i])).digest() * 400 for i in range(256))
"""3.3 MB: the clients write pieces of 1 MB."""
CLIENTS: dict[str, Callable[[Callable[[str], None], str], Client]] = {
    MODELSCOPE: ModelScope,
    HUGGING_FACE: HuggingFace,
}


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    folder = tmp_path / "there"
    for name, content in {
        "config.yaml": b"model: FunASRNano",
        "model.pt": WEIGHTS,
        "multilingual.tiktoken": b"QQ== 0",
        "Qwen3-0.6B/config.json": b"{}",
        "Qwen3-0.6B/tokenizer.json": b"{}",
        "README.md": b"words",
        "example/zh.mp3": b"sound",
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return Repo(REPO, folder)


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from huggingface_hub import constants

    monkeypatch.setenv("MODELSCOPE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MODELSCOPE_CACHE", str(tmp_path / "own cache"))
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1 << 16)


@pytest.fixture(params=CLIENTS)
def hub(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


class Person:
    """Asks for a checkpoint, and listens."""

    def __init__(self, repo: Repo, url: str, tmp_path: Path, hub: str) -> None:
        self.repo, self.url, self.tmp_path, self.hub = repo, url, tmp_path, hub
        self.said: list[str] = []
        self.shares: list[tuple[str, float]] = []

    def fetch(
        self, *, revision: str | None = None, local_only: bool = False, name: str = REPO
    ) -> Path:
        order = Order(name, self.hub, revision, self.tmp_path / "缓存", local_only)
        return fetch(
            order,
            Plan(self.tmp_path / "model", "int8", "q8_0"),
            progress=lambda stage, share: self.shares.append((stage, share)),
            say=self.said.append,
            client=CLIENTS[self.hub](self.said.append, self.url),
        )


@pytest.fixture
def person(repo: Repo, tmp_path: Path, hub: str) -> Iterator[Person]:
    with serving(repo) as url:
        yield Person(repo, url, tmp_path, hub)


def listing(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def test_what_an_export_needs_is_downloaded_and_no_more(
    person: Person, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = person.fetch()
    assert listing(folder) == {
        "config.yaml",
        "model.pt",
        "multilingual.tiktoken",
        "Qwen3-0.6B/config.json",
        "Qwen3-0.6B/tokenizer.json",
    }
    assert (folder / "model.pt").read_bytes() == WEIGHTS
    assert (person.tmp_path / "缓存") in folder.parents
    assert not (person.tmp_path / "own cache").exists()
    assert "5 files, 3.3 MB, of which 3.3 MB are to come" in person.said[0]
    assert "nothing is known here" in person.said[1]
    assert len(person.said) == 2
    downloads = [share for stage, share in person.shares if stage == "download"]
    assert downloads == sorted(downloads)
    assert downloads[-1] == 1.0
    assert any(0 < share < 1 for share in downloads)
    assert person.shares[-1] == ("verify", 1.0)
    assert capfd.readouterr() == ("", "")


def test_the_second_time_nothing_is_downloaded(person: Person) -> None:
    folder = person.fetch()
    assert person.fetch() == folder
    assert person.repo.ranges == [""]
    assert "0.0 MB are to come" in person.said[2]


def test_a_transfer_that_breaks_goes_on_where_it_was(person: Person) -> None:
    person.repo.cut_at = [2_200_000, 300_000]
    folder = person.fetch()
    assert (folder / "model.pt").read_bytes() == WEIGHTS
    starts = [int(asked[6:-1]) for asked in person.repo.ranges[1:]]
    assert len(starts) == 2
    assert 1_000_000 < starts[0] <= starts[1] <= 2_500_000
    assert any("retry" in said or "resume" in said for said in person.said)
    assert person.shares[-1] == ("verify", 1.0)


def test_what_was_sent_is_not_what_is_listed(person: Person) -> None:
    person.repo.wrong = True
    with pytest.raises(FunasrError) as caught:
        person.fetch()
    # ModelScope's client compares hashes and gives up after three; Hugging Face's does not compare
    wanted = InputError if person.hub == MODELSCOPE else ModelError
    assert isinstance(caught.value, wanted)
    assert "model.pt" in str(caught.value)
    person.repo.wrong = False
    assert (person.fetch() / "model.pt").read_bytes() == WEIGHTS


@pytest.mark.parametrize("hub", [MODELSCOPE])  # the other tells that of every large file
def test_the_table_is_asked_where_the_hub_tells_no_hash(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Known(person.hub, REPO, len(WEIGHTS), "0" * 64, has_ctc=True, source="here")
    monkeypatch.setattr(table, "KNOWN", (known,))
    person.repo.tells_sha256 = False
    with pytest.raises(ModelError, match="should have 0000") as caught:
        person.fetch()
    assert "it is deleted" in str(caught.value)
    assert not list(person.tmp_path.glob("缓存/**/model.pt"))


def test_a_known_version_is_called_by_its_name(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = hashlib.sha256(WEIGHTS).hexdigest()
    known = Known(person.hub, REPO, len(WEIGHTS), digest, has_ctc=True, source="here")
    monkeypatch.setattr(table, "KNOWN", (known,))
    person.fetch()
    person.fetch(local_only=True)
    assert f"a known version, with CTC head (sha256 {digest[:8]}...)" in person.said[1]
    assert person.said[-1] == person.said[1]


@pytest.mark.parametrize("hub", [MODELSCOPE])
def test_what_funasr_has_downloaded_is_used(person: Person) -> None:
    """`modelscope` before 1.38 kept its downloads here; FunASR asks it for them."""
    old = person.tmp_path / "缓存" / "hub" / "models" / REPO
    shutil.copytree(person.repo.folder, old)
    assert person.fetch() == old
    assert person.repo.ranges == []
    assert "0.0 MB are to come" in person.said[0]
    assert person.fetch(local_only=True) == old


@pytest.mark.parametrize(("name", "revision"), [("no/body", None), (REPO, "v9")])
def test_what_is_not_there(person: Person, name: str, revision: str | None) -> None:
    with pytest.raises(UsageError, match="check the spelling") as caught:
        person.fetch(name=name, revision=revision)
    assert (revision or name) in str(caught.value)


def test_a_revision_that_is_there(person: Person) -> None:
    folder = person.fetch(revision="master" if person.hub == MODELSCOPE else "main")
    assert (folder / "model.pt").is_file()


def test_without_network_the_cache_is_enough(person: Person) -> None:
    with pytest.raises(ModelError, match="without --local-files-only it is downloaded"):
        person.fetch(local_only=True)
    folder = person.fetch()
    asked = len(person.repo.asked)
    assert person.fetch(local_only=True) == folder
    assert len(person.repo.asked) == asked
    (folder / "model.pt").unlink()
    with pytest.raises(ModelError, match="no whole copy"):
        person.fetch(local_only=True)


def test_a_damaged_cache_is_noticed_without_network(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Known(person.hub, REPO, len(WEIGHTS), "0" * 64, has_ctc=True, source="here")
    folder = person.fetch()
    monkeypatch.setattr(table, "KNOWN", (known,))
    with pytest.raises(ModelError, match="it is damaged"):
        person.fetch(local_only=True)
    assert (folder / "model.pt").is_file()


def test_a_listing_cannot_lead_out_of_the_cache(person: Person) -> None:
    person.repo.extra = ["../../config.json", "/tmp/config.json", "a/../../vocab.json"]  # noqa: S108
    folder = person.fetch()
    assert len(listing(folder)) == 5
    assert not [asked for asked in person.repo.asked if ".." in asked]


def test_something_else_is_not_downloaded(person: Person) -> None:
    (person.repo.folder / "model.pt").unlink()
    with pytest.raises(ModelError, match=r"has no model\.pt"):
        person.fetch()
    assert not list(person.tmp_path.glob("缓存/**/config.yaml"))


def test_nobody_answers(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    person.url = "http://127.0.0.1:9"
    with pytest.raises(InputError, match=r"refused.*check the network"):
        person.fetch()
    if person.hub == MODELSCOPE:  # the other's older versions give up at once
        assert any("retry" in said for said in person.said)
