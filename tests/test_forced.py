from itertools import groupby, product
from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from funasr_cli.ctc import greedy_tokens
from funasr_cli.forced import UNLISTED, Evidence, emissions, force
from funasr_cli.protocols import CtcFrames, Floats
from funasr_cli.spelling import Pieces

BLANK = -1


def every_path(frames: int, tokens: list[int]) -> list[tuple[int, ...]]:
    """All paths of `frames` that spell the tokens, as indices into them or BLANK; by trying all."""
    found = []
    for path in product([BLANK, *range(len(tokens))], repeat=frames):
        spelled = [at for at, _ in groupby(path) if at != BLANK]
        # a repeated token needs a blank between: else both are one run of the same token
        runs = [key for key, _ in groupby(tokens[at] if at != BLANK else BLANK for at in path)]
        collapsed = [token for token in runs if token != BLANK]
        if spelled == list(range(len(tokens))) and collapsed == tokens:
            found.append(path)
    return found


def plain_best(blank: Floats, scores: Floats, tokens: list[int]) -> float:
    """The likeliest path's score: every cell of the programme by its definition, in Python."""
    labels = [BLANK, *(part for token in tokens for part in (token, BLANK))]

    def gain(frame: int, state: int) -> float:
        return float(scores[frame, state // 2] if state % 2 else blank[frame])

    before = [gain(0, state) if state < 2 else -inf for state in range(len(labels))]
    for frame in range(1, len(blank)):
        now = []
        for state, label in enumerate(labels):
            reach = before[max(0, state - 1) : state + 1]
            if state > 1 and label not in {BLANK, labels[state - 2]}:
                reach = [*reach, before[state - 2]]
            now.append(max(reach) + gain(frame, state))
        before = now
    return max(before[-2:])


def path_score(blank: Floats, scores: Floats, path: tuple[int, ...]) -> float:
    return float(sum(blank[t] if at == BLANK else scores[t, at] for t, at in enumerate(path)))


def log_probs(draw: st.DrawFn, *shape: int) -> Floats:
    """Of one generator, so that no two scores are equal but by chance."""
    seed = draw(st.integers(0, 2**32 - 1))
    return np.log(np.random.default_rng(seed).random(shape) + 1e-9).astype(np.float32)


@st.composite
def problems(draw: st.DrawFn, frames: int, most: int) -> tuple[Floats, Floats, list[int]]:
    tokens = draw(st.lists(st.integers(0, 2), min_size=1, max_size=most))
    every = log_probs(draw, draw(st.integers(1, frames)), len(tokens) + 1)
    return every[:, 0], every[:, 1:], tokens


@given(problems(6, 3))
def test_the_path_is_the_best_of_all_paths(problem: tuple[Floats, Floats, list[int]]) -> None:
    blank, scores, tokens = problem
    paths = every_path(len(blank), tokens)
    found = force(blank, scores, tokens)
    if not paths:
        assert found is None
        return
    best = max(paths, key=lambda path: path_score(blank, scores, path))
    assert found is not None
    frames = [[t for t, at in enumerate(best) if at == token] for token in range(len(tokens))]
    assert [(span.first, span.last) for span in found] == [(f[0], f[-1] + 1) for f in frames]
    for token, span in enumerate(found):
        assert span.log_posterior == scores[span.first : span.last, token].max()


@given(problems(60, 20))
def test_long_paths_score_as_those_of_the_plain_programme(
    problem: tuple[Floats, Floats, list[int]],
) -> None:
    blank, scores, tokens = problem
    found, best = force(blank, scores, tokens), plain_best(blank, scores, tokens)
    if found is None:
        assert best == -inf
        return
    path = [BLANK] * len(blank)
    for token, span in enumerate(found):
        path[span.first : span.last] = [token] * (span.last - span.first)
    assert path_score(blank, scores, tuple(path)) == pytest.approx(best, rel=1e-5)


def test_the_same_token_twice_needs_a_blank_between() -> None:
    certain = np.zeros((2, 2), np.float32)
    assert force(np.zeros(2, np.float32), certain, [5, 5]) is None
    found = force(np.full(3, -9, np.float32), np.zeros((3, 2), np.float32), [5, 5])
    assert found is not None
    assert [(span.first, span.last) for span in found] == [(0, 1), (2, 3)]


def test_nothing_to_find_and_too_little_room() -> None:
    blank = np.zeros(2, np.float32)
    assert force(blank, np.zeros((2, 0), np.float32), []) == []
    assert force(blank, np.zeros((2, 3), np.float32), [1, 2, 3]) is None


def test_posteriors_are_looked_up_by_token() -> None:
    ids = np.array([[4, 7], [9, 4]], np.int32)
    log_posteriors = np.array([[-0.1, -2.0], [-0.3, -1.0]], np.float32)
    found = emissions(ids, log_posteriors, [7, 4, 7, 1])
    first, second = -2.0 - UNLISTED, -1.0 - UNLISTED
    assert found == pytest.approx(
        np.array([[-2.0, -0.1, -2.0, first], [second, -1.0, second, second]])
    )


TABLE = (b"a", b"b", b"c", b"d", b"e", b"")


@st.composite
def heads(draw: st.DrawFn) -> CtcFrames:
    """Posteriors of a head that lists three tokens of six."""
    scores = log_probs(draw, draw(st.integers(1, 40)), len(TABLE)) * 4
    scores -= np.log(np.exp(scores).sum(axis=1, keepdims=True))
    ids = np.argsort(-scores, axis=1, kind="stable")[:, :3].astype(np.int32)
    listed = np.take_along_axis(scores, ids, axis=1)
    return CtcFrames(ids[:, 0], listed[:, 0], ids, listed)


@given(heads(), st.floats(0, 9), st.floats(-0.3, 0.3))
def test_what_ctc_heard_is_found_where_it_heard_it(
    frames: CtcFrames, start: float, offset: float
) -> None:
    end = start + 0.06 * len(frames.token_ids)
    heard = greedy_tokens(frames, TABLE, start=start, end=end, offset=offset)
    evidence = Evidence.of(frames, Pieces(TABLE), start=start, end=end, offset=offset)
    assert evidence is not None
    found = evidence.force([token.id for token in heard])
    if not heard:
        assert found is None
        return
    assert found is not None
    assert [token.id for token in found] == [token.id for token in heard]
    for one, other in zip(found, heard, strict=True):
        assert (one.start, one.end) == pytest.approx((other.start, other.end))
        assert one.confidence == pytest.approx(other.confidence, rel=1e-5)
        assert one.piece == other.piece


def test_a_head_that_tells_only_its_best_token_is_no_evidence() -> None:
    bare = CtcFrames(np.zeros(4, np.int32), np.zeros(4, np.float32))
    assert Evidence.of(bare, Pieces(TABLE), start=0, end=1, offset=0) is None
    none = np.zeros((0, 3))
    empty = CtcFrames(
        np.zeros(0, np.int32), np.zeros(0, np.float32), none.astype(np.int32),
        none.astype(np.float32),
    )  # fmt: skip
    assert Evidence.of(empty, Pieces(TABLE), start=0, end=0, offset=0) is None


def test_more_tokens_than_frames_are_not_looked_for() -> None:
    frames = CtcFrames(
        np.zeros(1, np.int32), np.zeros(1, np.float32), np.array([[0, 1]], np.int32),
        np.array([[-0.1, -3.0]], np.float32),
    )  # fmt: skip
    evidence = Evidence.of(frames, Pieces(TABLE), start=0, end=1, offset=0)
    assert evidence is not None
    assert evidence.force([0, 1]) is None
    assert evidence.force([]) is None
    assert evidence.force([1]) is not None
