from collections.abc import Iterator

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from funasr_cli.protocols import Floats
from funasr_cli.units import SAMPLE_RATE
from funasr_cli.vad import cut


@given(
    st.lists(st.integers(1, 30_000), max_size=8),
    st.floats(0.3, 3.0),
    st.booleans(),
    st.floats(0, 100),
)
def test_pieces_join_to_the_stream(
    sizes: list[int], max_s: float, at_quiet: bool, start: float
) -> None:
    rng = np.random.default_rng(0)
    chunks = [rng.normal(size=size).astype(np.float32) for size in sizes]
    pieces = list(cut(chunks, max_s=max_s, at_quiet=at_quiet, start=start))
    whole = np.concatenate(chunks) if chunks else np.zeros(0, np.float32)
    joined = np.concatenate([p.samples for p in pieces]) if pieces else whole
    assert np.array_equal(joined, whole)
    assert all(0 < p.samples.size <= max_s * SAMPLE_RATE for p in pieces)
    at = start
    for piece in pieces:
        assert abs(piece.start - at) < 1e-6
        at = piece.end


def test_the_cut_falls_into_the_pause() -> None:
    rng = np.random.default_rng(1)
    sound = rng.normal(size=20 * SAMPLE_RATE).astype(np.float32) * 0.1
    sound[int(8.0 * SAMPLE_RATE) : int(8.4 * SAMPLE_RATE)] *= 0.01
    first = next(cut([sound], max_s=10.0, at_quiet=True))
    assert 8.1 < first.end < 8.3
    assert next(cut([sound], max_s=10.0, at_quiet=False)).end == 10.0


def test_nothing_is_read_before_it_is_needed() -> None:
    taken = []

    def chunks() -> Iterator[Floats]:
        for number in range(100):
            taken.append(number)
            yield np.ones(SAMPLE_RATE, np.float32)

    next(cut(chunks(), max_s=5.0, at_quiet=True))
    assert len(taken) <= 7
