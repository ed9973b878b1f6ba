"""What is searched for in the posteriors, and what stays as CTC heard it."""

from collections.abc import Sequence

import numpy as np
import pytest

from funasr_cli.ctc import greedy_tokens
from funasr_cli.forced import Evidence
from funasr_cli.matching import Sounds, hear_again, match
from funasr_cli.protocols import CtcFrames
from funasr_cli.results import CtcToken
from funasr_cli.spelling import Pieces
from funasr_cli.written import makes_sound, units

WORDS = ["the", " cat", " sat", " mat", " seven", " hundred", " and", "今", "天", "田", "七", "百"]
PARTS = {word.encode()[:at] for word in WORDS for at in range(2, len(word.encode()) + 1)}
TABLE = (*(bytes([at]) for at in range(256)), *sorted(PARTS, key=len), b"")
BLANK = len(TABLE) - 1
EVERY = 4
"""Frames from one token to the next."""


def listen(
    heard: Sequence[str], others: Sequence[str] = (), doubt: float = 0.1
) -> tuple[tuple[CtcToken, ...], Evidence]:
    """A head that heard these pieces, and thought of the others at the same places."""
    length = EVERY * (max(len(heard), len(others)) + 1)
    ids = np.tile(np.array([BLANK, 0, 1], np.int32), (length, 1))
    posteriors = np.tile(np.array([0.98, 1e-5, 1e-6]), (length, 1))
    for at, piece in enumerate(heard):
        frame = EVERY * (at + 1)
        ids[frame] = [TABLE.index(piece.encode()), BLANK, 1]
        posteriors[frame] = [1 - doubt - 0.01, 0.01, 1e-6]
    for at, piece in enumerate(others):
        frame = EVERY * (at + 1)
        if piece:
            ids[frame, 2], posteriors[frame, 2] = TABLE.index(piece.encode()), doubt
    scores = np.log(posteriors).astype(np.float32)
    order = np.argsort(-scores, axis=1, kind="stable")
    ids, scores = np.take_along_axis(ids, order, 1), np.take_along_axis(scores, order, 1)
    frames = CtcFrames(ids[:, 0], scores[:, 0], ids, scores)
    span = {"start": 0.0, "end": length * 0.06, "offset": 0.0}
    evidence = Evidence.of(frames, Pieces(TABLE), **span)
    assert evidence is not None
    return greedy_tokens(frames, TABLE, **span), evidence


def again(text: str, heard: Sequence[str], others: Sequence[str] = ()) -> list[tuple[str, float]]:
    """What was found: pieces and the places where they were heard; [] where nothing is forced."""
    tokens, evidence = listen(heard, others)
    sounds = Sounds.read(tokens)
    written = list(units(text, [makes_sound(char) for char in text]))
    found = hear_again(match(written, sounds.units), sounds, evidence)
    return [(t.piece.decode(), round(t.start / 0.06 / EVERY, 2)) for t in found or []]


def test_a_text_that_was_heard_is_not_searched_for() -> None:
    assert again("The cat sat.", ["the", " cat", " sat"]) == []
    assert again("今田", ["今", "天"]) == [], "nor one that sounds alike"
    assert again("the 7%", ["the", " seven"]) == [], "nor a number, whose words are others"


def test_a_word_heard_otherwise_is_found_where_ctc_doubted() -> None:
    table_word = again("今百天", ["今", "七", "天"], ["", "百"])
    assert table_word == [("今", 1), ("百", 2), ("天", 3)]


def test_a_word_that_was_not_heard_is_found_between_its_neighbours() -> None:
    found = again("今百天", ["今", "天"])
    assert [piece for piece, _ in found] == ["今", "百", "天"]
    assert found[0][1] == 1
    assert found[2][1] == 2
    assert 1 < found[1][1] < 2


def test_homophones_and_numbers_stay_as_heard() -> None:
    found = again("今田7百", ["今", "天", "七"])
    assert [piece for piece, _ in found] == ["今", "天", "七", "百"]
    found = again("the 700 cat mat", ["the", " seven", " hundred", " and", " cat"])
    assert [piece for piece, _ in found][:5] == ["the", " seven", " hundred", " and", " cat"]
    assert "".join(piece for piece, _ in found[5:]) == " mat"


def test_what_the_text_lacks_is_left_out() -> None:
    assert again("the sat", ["the", " cat", " sat"]) == [("the", 1), (" sat", 3)]


def test_letters_are_as_large_as_ctc_writes_them() -> None:
    assert "".join(p for p, _ in again("The DOG cat", ["the", " cat"])) == "the dog cat"
    large = [*"The"]
    tokens, evidence = listen([*large, " cat"])
    sounds = Sounds.read(tokens)
    written = list(units("The DOG cat", [char != " " for char in "The DOG cat"]))
    found = hear_again(match(written, sounds.units), sounds, evidence)
    assert b"".join(t.piece for t in found or []) == b"The DOG cat"


def test_a_token_of_two_units_is_asked_for_once() -> None:
    table = (*TABLE[:-1], "今天".encode(), b"")
    tokens, evidence = listen(["今", "七"])
    both = CtcToken(len(table) - 2, "今天".encode(), 0.24, 0.3, 0.9)
    sounds = Sounds.read([both, *tokens[1:]])
    written = list(units("今天百", [True] * 3))
    stretches = match(written, sounds.units)
    wanted: list[int] = []

    class Spy(Evidence):
        def force(self, tokens: Sequence[int]) -> list[CtcToken] | None:
            wanted.extend(tokens)
            return None

    spy = Spy(Pieces(table), evidence.top_ids, evidence.top_log_probs, evidence.times)
    assert hear_again(stretches, sounds, spy) is None
    assert wanted == [both.id, TABLE.index("百".encode())]


def test_a_text_that_does_not_fit_is_given_up() -> None:
    tokens, evidence = listen(["今"])
    sounds = Sounds.read(tokens)
    text = "百" * 50
    written = list(units(text, [True] * 50))
    assert hear_again(match(written, sounds.units), sounds, evidence) is None


@pytest.mark.parametrize("text", ["", "，", "今"])
def test_texts_with_little_in_them(text: str) -> None:
    assert again(text, []) == [] or text == "今"
