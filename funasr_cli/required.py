"""What a value of an option must be: one that means nothing is refused, by the field's name."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from funasr_cli.errors import UsageError

T = TypeVar("T")


def require(field: str, value: T, holds: Callable[[T], bool], expected: str) -> None:
    """Refuse a value of an option.

    Raises:
        UsageError: it does not hold; the message names the field and what was expected.
    """
    try:
        good = holds(value)
    except TypeError:  # text, or a fraction where a count belongs
        good = False
    if not good:
        raise UsageError(f"{field} is {value!r}; expected {expected}")


def words_once(words: Iterable[object]) -> tuple[str, ...]:
    """Take each word once, in order; empty ones are left out.

    Raises:
        UsageError: these are not words.
    """
    if isinstance(words, (str, bytes)) or not isinstance(words, Iterable):
        raise UsageError(f'hotwords is {words!r}; expected a tuple of words, e.g. ("北京",)')
    found: dict[str, None] = {}
    for word in words:
        if not isinstance(word, str):
            raise UsageError(f"hotwords contains {word!r}; expected words")
        if word.strip():
            found[word] = None
    return tuple(found)


def pairs_once(aliases: Iterable[object]) -> tuple[tuple[str, str], ...]:
    """Take each pair (spoken form, written form) once, in order; half-empty ones are left out.

    Raises:
        UsageError: these are not pairs.
    """
    if isinstance(aliases, (str, bytes)) or not isinstance(aliases, Iterable):
        raise UsageError(f"hotword_aliases is {aliases!r}; expected (spoken, written) pairs")
    found: dict[tuple[str, str], None] = {}
    for pair in aliases:
        match pair:
            case [str(spoken), str(written)]:
                if spoken.strip() and written.strip():
                    found[spoken, written] = None
            case _:
                raise UsageError(
                    f"hotword_aliases contains {pair!r}; expected a pair (spoken, written)"
                )
    return tuple(found)
