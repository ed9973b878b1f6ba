from pathlib import Path

import pytest

from funasr_cli import verdicts
from funasr_cli.verdicts import Verdicts, fingerprint


def test_a_verdict_comes_back_for_its_question_alone(tmp_path: Path) -> None:
    kept = Verdicts(tmp_path / "缓存")
    assert kept.get("library", "a") is None
    kept.put({"works": True, "词": "好"}, "library", "a")
    assert kept.get("library", "a") == {"works": True, "词": "好"}
    assert kept.get("library", "b") is None
    assert kept.get("library", "a", "") is None
    assert [file.suffix for file in (tmp_path / "缓存").iterdir()] == [".json"]


def test_another_version_of_this_program_asks_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Verdicts(tmp_path).put({}, "a")
    monkeypatch.setattr(verdicts, "__version__", "99")
    assert Verdicts(tmp_path).get("a") is None


@pytest.mark.parametrize("content", ["", "[]", "{", '{"question": []}', "null"])
def test_a_damaged_file_is_a_new_question(tmp_path: Path, content: str) -> None:
    kept = Verdicts(tmp_path)
    kept.put({}, "a")
    (file,) = tmp_path.iterdir()
    file.write_text(content)
    assert kept.get("a") is None


def test_clear(tmp_path: Path) -> None:
    kept = Verdicts(tmp_path)
    kept.put({}, "a")
    kept.put({}, "b")
    assert kept.clear() == 2
    assert kept.get("a") is None
    assert kept.clear() == 0


def test_a_folder_that_cannot_be_written_only_forgets(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    kept = Verdicts(tmp_path / "file" / "verdicts")
    kept.put({}, "a")
    assert kept.get("a") is None
    assert kept.clear() == 0


def test_a_fingerprint_changes_with_every_file(tmp_path: Path) -> None:
    files = [tmp_path / "a", tmp_path / "b"]
    for file in files:
        file.write_bytes(b"1")
    first = fingerprint(*files)
    assert first == fingerprint(*reversed(files))
    files[1].write_bytes(b"22")
    assert fingerprint(*files) != first
    assert fingerprint(files[0]) != fingerprint(files[1])
    files[1].unlink()
    assert fingerprint(*files) == fingerprint(files[0])
