"""Hit rates on simulated CTC errors, as docs/HOTWORDS.md states them; and the benchmark itself."""

import builtins
import json
import sys
from collections.abc import Callable
from random import Random

import pytest
from typer.testing import CliRunner

from funasr_cli.bench.hotwords import bench_hotwords, brute_force, false_hits, measure_rates
from funasr_cli.bench.mishearing import KINDS, NEAR, heard, insert, mishear
from funasr_cli.bench.word_lists import SHARES, names, phrases, sentences, word_list
from funasr_cli.characters import readings
from funasr_cli.cli.app import app
from funasr_cli.hotwords import HotwordIndex
from funasr_cli.hotwords.phonemes import sound_out

LIST = 10_000


def rng(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - a fixed sample, not a secret


def mixed(seed: int) -> list[str]:
    return word_list(LIST, seed)


def idioms(seed: int) -> list[str]:
    """Another kind of list: ten thousand of pypinyin's phrases."""
    return rng(seed).sample(phrases(), LIST)


def people(seed: int) -> list[str]:
    return [name for name in names(LIST * 5 // 4, seed) if len(name) > 2][:LIST]


@pytest.mark.parametrize(("make", "seed"), [(mixed, 1), (mixed, 2), (idioms, 3), (people, 4)])
def test_misheard_words_are_among_the_first_ten(
    make: Callable[[int], list[str]], seed: int
) -> None:
    rates = measure_rates(make(seed), samples=100, seed=7)
    assert rates.hits["homophones"] >= 0.97
    assert min(rates.hits[kind] for kind in NEAR) >= 0.90
    # a whole syllable too many or too few is more than a short word forgives: not promised
    assert 0 < rates.hits["insertion"] < 0.9


@pytest.mark.parametrize("seed", [1, 2])
def test_words_of_three_characters_are_hardly_ever_heard_where_nobody_said_them(seed: int) -> None:
    total = minutes = 0.0
    for number in range(3):
        found, spoken = false_hits(people(10 * seed + number))
        total += len(found)
        minutes += spoken
    assert minutes > 15
    assert total / minutes <= 0.5


def test_nor_are_words_of_two_characters_where_language_tells() -> None:
    total = minutes = 0.0
    for seed in range(20, 26):
        found, spoken = false_hits(mixed(seed))
        total += len(found)
        minutes += spoken
    assert total / minutes <= 0.5


def test_short_lists_are_hardly_ever_heard_where_nobody_said_them() -> None:
    total = minutes = 0.0
    for seed in range(6):
        found, spoken = false_hits(word_list(100, seed))
        total += len(found)
        minutes += spoken
    assert total / minutes <= 0.5


def test_lists_are_made_of_all_kinds_and_decided_by_the_seed() -> None:
    listed = word_list(2000, 5)
    assert len(set(listed)) == 2000
    assert listed == word_list(2000, 5)
    assert listed != word_list(2000, 6)
    latin = [word for word in listed if word.isascii()]
    assert len(latin) == 2000 * SHARES["latin"] // 100
    assert len({len(word) for word in listed if all(map(readings, word))}) >= 4


@pytest.mark.parametrize(
    ("word", "kind", "sounds"),
    [
        ("长沙", "homophones", "ch ang2 sh a1"),
        ("张三", "zh/z", "z ang1 s an1"),
        ("张三", "sh/s", "zh ang1 sh an1"),
        ("南京", "n/l", "l an2 j ing1"),
        ("金门", "in/ing", "j ing1 m en2"),
        ("福州", "f/h", "h u2 zh ou1"),
    ],
)
def test_a_mishearing_sounds_as_it_says(word: str, kind: str, sounds: str) -> None:
    from hotwords.test_phonemes import spelled

    for seed in range(5):
        wrong = mishear(word, kind, rng(seed))
        assert wrong
        heard_so = [spelled((p.place,)).split("/") for p in sound_out(wrong)]
        assert len(heard_so) == 4
        for sound, ways in zip(sounds.split(), heard_so, strict=True):
            assert sound in ways, wrong


def test_what_cannot_be_misheard_so_is_left_alone() -> None:
    assert mishear("北京", "f/h", rng(1)) is None
    assert mishear("北京", "dropped", rng(1)) is None
    assert len(mishear("北京大学", "dropped", rng(1)) or "") == 3
    assert len(mishear("北京", "insertion", rng(1)) or "") == 3
    assert set(NEAR) < set(KINDS)


def test_words_are_put_between_sentences() -> None:
    text = insert("张三", sentences(), rng(1), 40)
    assert len(text) == 40
    assert "张三" in text
    tokens = heard(text)
    assert b"".join(token.piece for token in tokens).decode() == text
    assert tokens[-1].start == pytest.approx(39 / 4.5)


def test_the_plain_search_finds_what_sounds_exactly_alike() -> None:
    pytest.importorskip("rapidfuzz")
    listed = ["葡萄牙", "诸葛亮", "呼和浩特"]
    find = brute_force(HotwordIndex.build(listed))
    assert find
    assert listed[find("他住在呼何号特市")[0]] == "呼和浩特"


def test_the_benchmark_reports_times_and_rates() -> None:
    runner = CliRunner()
    asked = ["bench", "hotwords", "--words", "1000", "--samples", "3", "--json"]
    result = runner.invoke(app, asked)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["words"] == 1000
    assert 0 < found["cached_s"] < found["index_s"] < 10
    assert 0 < found["search_ms"] < found["recall_worst_ms"] < 1000
    assert found["hits"].keys() == set(KINDS)


def test_the_benchmark_does_without_rapidfuzz(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("rapidfuzz")]:
        monkeypatch.delitem(sys.modules, name)
    real = builtins.__import__

    def without(name: str, *rest: object) -> object:
        if name.startswith("rapidfuzz"):
            raise ImportError(name)
        return real(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    found = bench_hotwords(100, samples=0, seed=1)
    assert found["brute_force_ms"] is None
    assert found["cached_s"] is None
    assert "near" not in found
