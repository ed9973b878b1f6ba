"""Speech is found, cut in its pauses, and nothing of it is lost."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from funasr_cli.pieces import Piece
from funasr_cli.protocols import VAD_WINDOW, Floats
from funasr_cli.spans import Span, SpeechRules, find_spans, speech_rules
from funasr_cli.units import SAMPLE_RATE
from funasr_cli.vad import WINDOW_S, cut_speech

RULES = speech_rules(0.5, min_speech_ms=100, min_silence_ms=500, pad_ms=400)


def windows(seconds: float) -> int:
    return round(seconds / WINDOW_S)


def script(*parts: tuple[str, float]) -> Floats:
    """Make a sound whose windows say what they are: ("speech" | "pause", seconds)."""
    levels = {"speech": 0.9, "pause": 0.0}
    return np.concatenate(
        [np.full(windows(s) * VAD_WINDOW, levels[kind], np.float32) for kind, s in parts]
    )


def level(samples: Floats) -> Floats:
    """Detect speech by what `script` wrote."""
    return np.asarray(samples.reshape(-1, VAD_WINDOW).max(axis=1), np.float32)


def pieces_of(
    sound: Floats, *, max_s: float = 10.0, overlap_s: float = 1.0, chunk: int = 7777
) -> list[Piece]:
    chunks = (sound[at : at + chunk] for at in range(0, sound.size, chunk))
    return list(cut_speech(chunks, level, RULES, max_s=max_s, overlap_s=overlap_s))


def test_milliseconds_become_windows_that_are_long_enough() -> None:
    assert SpeechRules(0.5, min_speech=4, min_silence=16, pad=13) == RULES


def test_speech_goes_on_a_little_below_the_threshold() -> None:
    rules = SpeechRules(0.5, min_speech=2, min_silence=2, pad=0)
    found = find_spans([0.4, 0.6, 0.4, 0.4, 0.1, 0.6, 0.1, 0.1, 0.6, 0.1, 0.1, 0.7], rules)
    assert found == [Span(1, 6, open=False), Span(11, 12, open=True)]  # the single 0.6 is noise


def test_what_was_being_said_goes_on() -> None:
    rules = SpeechRules(0.5, min_speech=1, min_silence=2, pad=0)
    assert find_spans([0.9, 0.4, 0.0, 0.0], rules, speaking=True, first=1) == [
        Span(1, 2, open=False)
    ]


def test_silence_gives_nothing() -> None:
    assert pieces_of(script(("pause", 100))) == []


def test_a_short_clip_is_left_whole() -> None:
    sound = script(("pause", 0.9), ("speech", 2), ("pause", 1.5), ("speech", 3), ("pause", 0.8))
    (piece,) = pieces_of(sound)
    assert piece.start == 0
    assert np.array_equal(piece.samples, sound)
    assert piece.speech is not None
    assert sum(b - a for a, b in piece.speech) == pytest.approx(5, abs=0.1)


def test_long_silence_is_left_out_but_for_the_padding() -> None:
    found = pieces_of(
        script(("pause", 30), ("speech", 2), ("pause", 50), ("speech", 1), ("pause", 9))
    )
    spans = [(round(p.start, 1), round(p.end, 1)) for p in found]
    assert spans == [(29.6, 32.4), (81.6, 83.4)]


def test_the_longest_pause_of_the_last_half_is_chosen() -> None:
    sound = script(
        ("speech", 2), ("pause", 1.8), ("speech", 3), ("pause", 0.6), ("speech", 1),
        ("pause", 0.9), ("speech", 4), ("pause", 3),
    )  # fmt: skip
    first, second = pieces_of(sound)
    assert first.end == pytest.approx(8.4 + 0.4, abs=0.1)
    assert second.start == pytest.approx(9.3 - 0.4, abs=0.1)


def test_speech_without_a_pause_is_cut_at_the_quietest_point_and_shared() -> None:
    sound = script(("speech", 16))
    quiet = slice(int(6.9 * SAMPLE_RATE), int(7.2 * SAMPLE_RATE))
    sound[quiet] *= 0.6  # still speech
    first, second = pieces_of(sound)
    assert first.end - second.start == pytest.approx(1.0, abs=0.07)
    assert (first.end + second.start) / 2 == pytest.approx(7.05, abs=0.15)
    assert first.speech is not None
    assert second.speech is not None
    assert first.speech[0][1] == second.speech[0][0]  # nobody counts it twice


def test_a_dip_between_two_words_needs_no_sharing() -> None:
    sound = script(("speech", 7), ("pause", 0.2), ("speech", 8))
    first, second = pieces_of(sound)
    assert first.end == second.start == pytest.approx(7.1, abs=0.1)


def test_nothing_is_read_before_it_is_needed() -> None:
    taken = []

    def chunks() -> Iterator[Floats]:
        for number in range(1000):
            taken.append(number)
            yield np.full(32 * VAD_WINDOW, 0.9, np.float32)

    next(
        cut_speech(
            chunks(),
            lambda x: np.full(x.size // VAD_WINDOW, 0.9, np.float32),
            RULES,
            max_s=10.0,
            overlap_s=1.0,
        )
    )
    assert len(taken) <= 12


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["speech", "pause"]), st.floats(0.05, 14.0)),
        min_size=1,
        max_size=9,
    ),
    st.floats(2.0, 12.0),
    st.sampled_from([0.0, 1.0, 2.0]),
    st.sampled_from([500, 16_000, 80_000]),
)
def test_all_speech_is_in_exactly_one_piece_as_its_own(
    parts: list[tuple[str, float]], max_s: float, overlap_s: float, chunk: int
) -> None:
    sound = script(*parts)
    found = pieces_of(sound, max_s=max_s, overlap_s=overlap_s, chunk=chunk)
    owners = np.zeros(sound.size // VAD_WINDOW, int)
    heard = np.zeros(sound.size // VAD_WINDOW, bool)
    for piece in found:
        first = round(piece.start / WINDOW_S)
        samples = piece.samples
        assert np.array_equal(sound[first * VAD_WINDOW :][: samples.size], samples)
        assert 0 < samples.size <= max_s * SAMPLE_RATE
        heard[first : first - (-samples.size // VAD_WINDOW)] = True
        for start, end in piece.speech or ():
            assert piece.start - 1e-6 <= start < end <= piece.end + 1e-6
            owners[round(start / WINDOW_S) : round(end / WINDOW_S)] += 1
    assert owners.max(initial=0) <= 1
    for start, end in _long_speech(parts):
        assert heard[start:end].all()
        assert owners[start:end].all()
    starts = [piece.start for piece in found]
    assert starts == sorted(starts)


def _long_speech(parts: list[tuple[str, float]]) -> list[tuple[int, int]]:
    """Stretches of speech that are long enough to count."""
    found: list[tuple[int, int]] = []
    at = 0
    for kind, seconds in parts:
        size = windows(seconds)
        if kind == "speech":
            if found and found[-1][1] == at:
                found[-1] = (found[-1][0], at + size)
            else:
                found.append((at, at + size))
        at += size
    return [(first, last) for first, last in found if last - first >= RULES.min_speech]
