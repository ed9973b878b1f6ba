from math import inf, nan
from typing import Any

import pytest

import funasr_cli
from funasr_cli import RuntimeOptions, TranscribeOptions, UsageError
from funasr_cli.options import MAX_THREADS


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("start", -0.1),
        ("start", nan),
        ("start", inf),
        ("start", "1:30"),
        ("start", None),
        ("duration", 0),
        ("duration", -1.0),
        ("duration", nan),
        ("duration", inf),
        ("max_new_tokens", 0),
        ("max_new_tokens", -5),
        ("max_new_tokens", 2.5),
        ("hotwords", "北京"),
        ("hotwords", b"ab"),
        ("hotwords", None),
        ("hotwords", ("北京", 3)),
        ("hotword_aliases", "ab"),
        ("hotword_aliases", ("ab",)),
        ("hotword_aliases", (("a", "b", "c"),)),
        ("hotword_aliases", 7),
        ("hotword_threshold", -0.1),
        ("hotword_threshold", 1.1),
        ("hotword_replace", 0.0),
        ("hotword_replace", 1.1),
        ("hotword_replace", "yes"),
        ("hotword_threshold", nan),
        ("max_hotwords", -1),
        ("max_hotwords", 1.5),
        ("time_offset", 5.1),
        ("time_offset", -inf),
        ("time_offset", nan),
        ("time_offset", "0.1"),
    ],
)
def test_a_meaningless_option_is_refused_by_name(field: str, value: object) -> None:
    options: dict[str, Any] = {field: value}
    with pytest.raises(UsageError, match=rf"^{field}\b.*expected"):
        TranscribeOptions(**options)


@pytest.mark.parametrize("threads", [0, -1, MAX_THREADS + 1, 100_000, 1.5, "4"])
def test_meaningless_threads_are_refused(threads: Any) -> None:  # noqa: ANN401 - wrong on purpose
    with pytest.raises(UsageError, match=r"^threads \(--threads\) is .*1 to 1024"):
        RuntimeOptions(threads=threads)


def test_the_error_shows_what_was_meant() -> None:
    options: dict[str, Any] = {"hotwords": "北京"}
    with pytest.raises(UsageError, match=r'e\.g\. \("北京",\)'):
        TranscribeOptions(**options)


def test_the_edges_are_accepted() -> None:
    TranscribeOptions(start=0, duration=1e-3, max_new_tokens=1, max_hotwords=0)
    TranscribeOptions(hotword_threshold=0, duration=None, max_new_tokens=None)
    TranscribeOptions(hotword_threshold=1, time_offset=-5)
    assert RuntimeOptions(threads=1) != RuntimeOptions(threads=MAX_THREADS)
    assert RuntimeOptions().threads is None


def test_any_sequence_of_words_becomes_a_tuple_without_repetitions() -> None:
    lists: dict[str, Any] = {
        "hotwords": ["北京", "", "上海", "北京", " "],
        "hotword_aliases": [["peking", "北京"], ("", "x"), ("peking", "北京"), ("hu", "上海")],
    }
    options = TranscribeOptions(**lists)
    assert options.hotwords == ("北京", "上海")
    assert options.hotword_aliases == (("peking", "北京"), ("hu", "上海"))
    assert options == TranscribeOptions(
        hotwords=("北京", "上海"), hotword_aliases=(("peking", "北京"), ("hu", "上海"))
    )
    assert isinstance(hash(options), int)


def test_completion_shows_the_lazy_names() -> None:
    assert set(funasr_cli.__all__) <= set(dir(funasr_cli))
    assert {"__doc__", "__path__"} <= set(dir(funasr_cli))
