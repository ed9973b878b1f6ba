import os
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest

from funasr_cli.bench.word_lists import word_list
from funasr_cli.hotwords import HotwordIndex, open_index, store
from funasr_cli.hotwords.store import LEAST_WORDS, MOST_FILES

WORDS = ["++", *word_list(LEAST_WORDS + 10, 1)]
ALIASES = {"迪普西克": "DeepSeek", "老张": "张三丰"}


def same(one: HotwordIndex, other: HotwordIndex) -> bool:
    arrays = [
        (i.places.symbols, i.places.offsets, i.pairs, *(a for g in i.groups for a in astuple(g)))
        for i in (one, other)
    ]
    return one.words == other.words and all(
        np.array_equal(a, b) and a.dtype == b.dtype for a, b in zip(*arrays, strict=True)
    )


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts how often an index is built."""
    calls: list[int] = []
    build = HotwordIndex.build

    def counted(words: Sequence[str], aliases: Mapping[str, str]) -> HotwordIndex:
        calls.append(len(words))
        return build(words, aliases)

    monkeypatch.setattr(HotwordIndex, "build", counted)
    return calls


def test_a_second_start_reads_what_the_first_one_built(tmp_path: Path, built: list[int]) -> None:
    first = open_index(WORDS, ALIASES, tmp_path)
    again = open_index(WORDS, ALIASES, tmp_path)
    assert len(built) == 1
    assert same(first, again)
    assert again.silent == ("++",)
    assert [file.suffix for file in tmp_path.iterdir()] == [".index"]


def test_any_change_of_the_list_is_another_index(tmp_path: Path, built: list[int]) -> None:
    joined = [WORDS[1] + WORDS[2], *WORDS[3:]]
    variants = [
        (WORDS, ALIASES),
        (WORDS[::-1], ALIASES),
        (WORDS, {}),
        (WORDS, {"老章": "张三丰"}),
        (joined, {}),
        ([WORDS[1], WORDS[2], *WORDS[3:]], {}),
    ]
    for words, aliases in variants:
        open_index(words, aliases, tmp_path)
    assert len(built) == len(list(tmp_path.iterdir())) == len(variants)


@pytest.mark.parametrize("what", ["version", "sources"])
def test_another_program_builds_anew(
    tmp_path: Path, built: list[int], monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    open_index(WORDS, {}, tmp_path)
    name = {"version": "__version__", "sources": "fingerprint"}[what]
    monkeypatch.setattr(store, name, "0" if what == "version" else lambda *_: "other")
    open_index(WORDS, {}, tmp_path)
    assert len(built) == 2


def test_a_damaged_or_foreign_file_is_replaced(tmp_path: Path, built: list[int]) -> None:
    whole = open_index(WORDS, ALIASES, tmp_path)
    (file,) = tmp_path.iterdir()
    data = file.read_bytes()
    # inside an array: only the checksum can tell
    middle = data.index(whole.groups[1].words.tobytes()[:64])
    flipped = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
    for number, wrong in enumerate([b"", data[:-9], data[:4000], b"x" * 99, flipped, data[32:]], 2):
        file.write_bytes(wrong)
        assert same(open_index(WORDS, ALIASES, tmp_path), whole)
        assert len(built) == number
        assert file.read_bytes() == data or same(open_index(WORDS, ALIASES, tmp_path), whole)
        assert len(built) == number, "what was built has replaced the damaged file"


def test_a_folder_that_cannot_be_written_is_no_obstacle(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    assert open_index(WORDS, {}, blocked / "below").words == tuple(WORDS)
    assert blocked.read_text() == "in the way"


def test_short_lists_are_not_kept(tmp_path: Path) -> None:
    open_index(WORDS[: LEAST_WORDS - 1], {}, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_old_indices_are_removed(tmp_path: Path) -> None:
    for number in range(MOST_FILES):
        file = tmp_path / f"{number}.index"
        file.touch()
        os.utime(file, (number, number))
    open_index(WORDS, {}, tmp_path)
    left = {file.name for file in tmp_path.iterdir()}
    assert len(left) == MOST_FILES
    assert "0.index" not in left
