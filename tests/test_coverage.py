"""How much of the speech became text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funasr_cli.coverage import REACH_S, coverage
from funasr_cli.results import CharTime, DecodeStats, Segment


def segment(start: float, end: float, *times: float, text: str = "字") -> Segment:
    chars = tuple(CharTime("字", t, t + 0.2, 1.0) for t in times)
    return Segment(0, start, end, text, "", (), chars, (), DecodeStats())


def test_speech_near_a_character_is_covered() -> None:
    found = coverage([(0.0, 10.0)], [segment(0, 10, 1.0, 1.5, 3.0)])
    assert [found.speech, found.covered] == pytest.approx([10.0, 4.2])
    assert list(found.gap) == pytest.approx([4.2, 10.0])
    assert found.poor
    assert not found.failed


def test_a_text_without_times_stands_for_its_segment() -> None:
    found = coverage([(0.0, 4.0), (5.0, 9.0)], [segment(0, 4), segment(5, 9, text="")])
    assert (found.share, found.gap) == (0.5, (5.0, 9.0))


def test_subtitles_that_stop_early_are_no_success() -> None:
    speech = [(t, t + 9.0) for t in range(0, 8760, 10)]
    spoken = [segment(0, 377, *range(377))]
    found = coverage(speech, spoken)
    assert found.failed
    assert found.gap[0] == pytest.approx(378, abs=3)
    assert found.gap[1] == pytest.approx(8759, abs=3)


def test_a_cough_is_no_failure() -> None:
    found = coverage([(1.0, 1.5), (7.0, 8.0)], [])
    assert (found.share, found.poor, found.failed) == (0.0, False, False)


def test_nobody_spoke() -> None:
    assert coverage([], []).share == 1.0


@given(
    st.lists(st.tuples(st.floats(0.1, 20), st.floats(0.1, 5)), max_size=8),
    st.lists(st.floats(0, 120), max_size=12).map(sorted),
)
def test_it_is_what_counting_hundredths_gives(
    stretches: list[tuple[float, float]], times: list[float]
) -> None:
    speech, at = [], 0.0
    for length, pause in stretches:
        speech.append((at, at + length))
        at += length + pause
    found = coverage(speech, [segment(0, 120, *times)] if times else [])
    steps = [n / 100 for n in range(int(at * 100) + 1)]
    spoken = [t for t in steps if any(a <= t < b for a, b in speech)]
    near = [t for t in spoken if any(x - REACH_S <= t < x + 0.2 + REACH_S for x in times)]
    assert found.speech == pytest.approx(len(spoken) / 100, abs=0.1)
    assert found.covered == pytest.approx(len(near) / 100, abs=0.3)
    first, last = found.gap
    assert not any(first < t + 0.1 and t + 0.1 < last for t in times)
