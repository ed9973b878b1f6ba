from collections.abc import Iterator

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from funasr_cli.pieces import Piece, cut_windows, halves
from funasr_cli.protocols import Floats
from funasr_cli.units import SAMPLE_RATE


@given(
    st.lists(st.integers(1, 30_000), max_size=8),
    st.floats(0.3, 3.0),
    st.floats(0, 1.5),
    st.floats(0, 100),
)
def test_windows_cover_the_stream_and_share_what_they_should(
    sizes: list[int], max_s: float, overlap_s: float, start: float
) -> None:
    rng = np.random.default_rng(0)
    chunks = [rng.normal(size=size).astype(np.float32) for size in sizes]
    whole = np.concatenate(chunks) if chunks else np.zeros(0, np.float32)
    pieces = list(cut_windows(chunks, max_s=max_s, overlap_s=overlap_s, start=start))
    reached = 0
    for at, piece in enumerate(pieces):
        first = round((piece.start - start) * SAMPLE_RATE)
        assert np.array_equal(piece.samples, whole[first : first + piece.samples.size])
        assert 0 < piece.samples.size <= round(max_s * SAMPLE_RATE)
        shared = reached - first
        least = round(min(overlap_s, max_s / 4) * SAMPLE_RATE) if at else 0
        # the last one may begin earlier
        assert shared == least or (at == len(pieces) - 1 and overlap_s and shared > least)
        reached = first + piece.samples.size
    assert reached == whole.size


def test_nothing_is_read_before_it_is_needed() -> None:
    taken = []

    def chunks() -> Iterator[Floats]:
        for number in range(100):
            taken.append(number)
            yield np.ones(SAMPLE_RATE, np.float32)

    next(cut_windows(chunks(), max_s=5.0, overlap_s=1.0))
    assert len(taken) <= 10


def test_a_piece_is_halved_where_it_is_quietest() -> None:
    sound = np.random.default_rng(1).normal(size=10 * SAMPLE_RATE).astype(np.float32) * 0.1
    sound[int(4.0 * SAMPLE_RATE) : int(4.4 * SAMPLE_RATE)] *= 0.01
    first, second = halves(Piece(7.0, sound))
    assert 11.1 < first.end < 11.3
    assert second.start == first.end
    assert np.array_equal(np.concatenate([first.samples, second.samples]), sound)
    assert halves(Piece(0.0, sound[:SAMPLE_RATE])) == ()
