"""CTC tokens and drafters for tests, over a tokenizer whose tokens are characters."""

from collections.abc import Sequence

from funasr_cli.draft import CtcDraft
from funasr_cli.likely.units import is_ideograph
from funasr_cli.results import CtcToken, HotwordHit

END = 0x110000
PAUSE, LONG = "|", "‖"


def hear(text: str, *, unsure: str = "") -> list[CtcToken]:
    """CTC tokens of a text at a steady pace; `|` is a pause of 0.4 s, `‖` one of 1 s."""
    tokens: list[CtcToken] = []
    at = 0.0
    for char in text:
        if char in PAUSE + LONG:
            at += 0.4 if char == PAUSE else 1.0
            continue
        confidence = 0.3 if char in unsure else 0.95
        tokens.append(CtcToken(1, char.encode(), at, at + 0.06, confidence))
        at += 0.24 if is_ideograph(char) else 0.06
    return tokens


def characters(text: str) -> list[int]:
    return [ord(char) for char in text]


def spell(token: int) -> bytes:
    return b"" if token == END else chr(token).encode("utf-8", "replace")


def drafter(
    heard: Sequence[CtcToken] | str, *, itn: bool = True, hits: Sequence[HotwordHit] = ()
) -> CtcDraft:
    heard = hear(heard) if isinstance(heard, str) else heard
    return CtcDraft(heard, tokenize=characters, piece=spell, end=END, itn=itn, hits=hits)
