"""English number words -> digits: twenty five -> 25, nineteen ninety eight -> 1998."""

import re
from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias


def _counted(words: str, first: int) -> dict[str, int]:
    return {word: n for n, word in enumerate(words.split(), first)}


_UNITS: Final = _counted("one two three four five six seven eight nine", 1)
_TEENS: Final = _counted(
    "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen", 10
)
_TENS: Final = {
    word: 10 * n
    for word, n in _counted("twenty thirty forty fifty sixty seventy eighty ninety", 2).items()
}
_DIGITS: Final = {word: str(n) for word, n in _UNITS.items()} | dict.fromkeys(
    ["zero", "oh", "o"], "0"
)
_ORDINALS: Final = _counted(
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth "
    "fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth",
    1,
) | {word[:-1] + "ieth": n for word, n in _TENS.items()}
_MONTHS: Final = _counted(
    "january february march april may june july august september october november december", 1
)
_LEAST_DIGITS: Final = 3
"""Fewer digits in a row are no number: one two."""
_LEAST_WRITTEN: Final = 10
"""Smaller numbers stay words unless they are part of a date, a time, a share or a decimal."""
_CENTURIES: Final = range(13, 21)
"""nineteen ninety; twelve ninety is no year, twelve thirty is a time."""

Read: TypeAlias = tuple[int, int]
"""A value and the index after its last word."""


def find(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield (begin, end, what is written) of each number, from left to right."""
    for phrase in re.finditer(r"[a-z']+(?:\s+[a-z']+)*", text):
        spans = list(re.finditer("[a-z']+", phrase[0]))
        words, at = [span[0] for span in spans], 0
        while at < len(words):
            found = _written(words, at)
            if found:
                written, stop = found
                begin, end = spans[at].start(), spans[stop - 1].end()
                yield phrase.start() + begin, phrase.start() + end, written
            at = found[1] if found else at + 1


def _written(words: Sequence[str], at: int) -> tuple[str, int] | None:
    """Read the longest form that begins here."""
    after_month = at > 0 and words[at - 1] in _MONTHS
    return (
        (_day(words, at) if after_month else None)
        or _digit_string(words, at)
        or _year_or_time(words, at)
        or _ordinal(words, at)
        or _quantity(words, at)
    )


def _day(words: Sequence[str], at: int) -> tuple[str, int] | None:
    """Read "fifth" in "march fifth", with a year if one follows: 5, 2026."""
    read = _ordinal_value(words, at) or _below_hundred(words, at)
    if read is None or read[0] > 31:  # noqa: PLR2004 - days of a month
        return None
    day, stop = read
    year = _year(words, stop) or _below_million(words, stop)
    if year and 1000 <= year[0] < 3000:  # noqa: PLR2004 - no quantity, a year
        return f"{day}, {year[0]}", year[1]
    return str(day), stop


def _digit_string(words: Sequence[str], at: int) -> tuple[str, int] | None:
    stop = at
    while stop < len(words) and words[stop] in _DIGITS:
        stop += 1
    if stop - at < _LEAST_DIGITS:
        return None
    return "".join(_DIGITS[word] for word in words[at:stop]), stop


def _year_or_time(words: Sequence[str], at: int) -> tuple[str, int] | None:
    year = _year(words, at)
    if year:
        return str(year[0]), year[1]
    hour = _UNITS.get(words[at]) or _TEENS.get(words[at], 99)
    minute = _two_digits(words, at + 1)
    if hour > 12 or minute is None or minute[0] >= 60:  # noqa: PLR2004 - a clock
        return None
    return f"{hour}:{minute[0]:02d}", minute[1]


def _year(words: Sequence[str], at: int) -> Read | None:
    century = _below_hundred(words, at)
    if century is None or century[0] not in _CENTURIES:
        return None
    rest = _two_digits(words, century[1])
    return (century[0] * 100 + rest[0], rest[1]) if rest else None


def _two_digits(words: Sequence[str], at: int) -> Read | None:
    """Read what stands for two digits: "oh five", "thirty", "forty two"."""
    if at + 1 < len(words) and words[at] in {"oh", "o"} and words[at + 1] in _UNITS:
        return _UNITS[words[at + 1]], at + 2
    read = _below_hundred(words, at)
    return read if read and read[0] >= _LEAST_WRITTEN else None


def _quantity(words: Sequence[str], at: int) -> tuple[str, int] | None:
    """Read a cardinal with its decimals and its percent."""
    read = _below_million(words, at)
    if read is None and words[at] == "zero":
        read = 0, at + 1
    if read is None:
        return None
    value, stop = read
    written, plain = str(value), True
    if words[stop : stop + 1] == ["point"]:
        last = stop + 1
        while last < len(words) and words[last] in _DIGITS:
            last += 1
        if last > stop + 1:
            written += "." + "".join(_DIGITS[word] for word in words[stop + 1 : last])
            stop, plain = last, False
    for sign in (["percent"], ["per", "cent"]):
        if words[stop : stop + len(sign)] == sign:
            return written + "%", stop + len(sign)
    return None if plain and value < _LEAST_WRITTEN else (written, stop)


def _ordinal(words: Sequence[str], at: int) -> tuple[str, int] | None:
    read = _ordinal_value(words, at)
    if read is None or read[0] < _LEAST_WRITTEN:
        return None
    value, stop = read
    ending = "th" if value in range(11, 14) else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
    return f"{value}{ending}", stop


def _ordinal_value(words: Sequence[str], at: int) -> Read | None:
    tens = _TENS.get(words[at], 0)
    if not tens:
        return (_ORDINALS[words[at]], at + 1) if words[at] in _ORDINALS else None
    one = _ORDINALS.get(words[at + 1], 99) if at + 1 < len(words) else 99
    return (tens + one, at + 2) if one < 10 else None  # noqa: PLR2004 - twenty first


def _below_million(words: Sequence[str], at: int) -> Read | None:
    head = _below_ten_thousand(words, at)
    if head is None or words[head[1] : head[1] + 1] != ["thousand"]:
        return head
    value, stop = head[0] * 1000, head[1] + 1
    rest = _below_ten_thousand(words, _skip_and(words, stop))
    return (value + rest[0], rest[1]) if rest and rest[0] < 1000 else (value, stop)  # noqa: PLR2004


def _below_ten_thousand(words: Sequence[str], at: int) -> Read | None:
    """Read up to "ninety nine hundred and ninety nine"."""
    head = _below_hundred(words, at)
    if head is None or words[head[1] : head[1] + 1] != ["hundred"]:
        return head
    value, stop = head[0] * 100, head[1] + 1
    rest = _below_hundred(words, _skip_and(words, stop))
    return (value + rest[0], rest[1]) if rest else (value, stop)


def _below_hundred(words: Sequence[str], at: int) -> Read | None:
    if at >= len(words):
        return None
    word = words[at]
    if word in _TENS:
        one = _UNITS.get(words[at + 1], 0) if at + 1 < len(words) else 0
        return _TENS[word] + one, at + (2 if one else 1)
    value = _UNITS.get(word) or _TEENS.get(word)
    return (value, at + 1) if value else None


def _skip_and(words: Sequence[str], at: int) -> int:
    return at + 1 if words[at : at + 1] == ["and"] else at
