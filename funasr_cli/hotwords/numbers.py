"""Digits -> the words that people say for them."""

from typing import Final

_CHINESE: Final = "零一二三四五六七八九"
_ENGLISH: Final = (  # noqa: SIM905 - thirty quotes would hide the words
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
).split()
_TENS: Final = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_PAIRS: Final = ("2万", "2千", "2百")
"""Where two is said 两."""
_SAYABLE: Final = 5
"""Longest run that is read as one number; longer ones are read digit by digit."""


def say_digits(number: str, *, chinese: bool) -> str:
    """Read digit by digit: 1004 -> 一零零四, or one zero zero four; "." is a point."""
    if chinese:
        return "".join("点" if char == "." else _CHINESE[int(char)] for char in number)
    return " ".join("point" if char == "." else _ENGLISH[int(char)] for char in number)


def say_number(number: str, *, chinese: bool) -> str:
    """Read as one number: 20 -> 二十, or twenty; what nobody says so is read digit by digit."""
    whole, dot, fraction = number.partition(".")
    if len(whole) > _SAYABLE or (len(whole) > 1 and whole.startswith("0")):
        return say_digits(number, chinese=chinese)
    said = _chinese(int(whole)) if chinese else _english(int(whole))
    separator = "" if chinese else " "
    return said + (separator + say_digits(dot + fraction, chinese=chinese) if dot else "")


def _chinese(value: int) -> str:
    said, gap = "", False
    for unit, name in ((10_000, "万"), (1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, value = divmod(value, unit)
        if digit:
            word = "两" if f"{digit}{name}" in _PAIRS else _CHINESE[digit]
            said += ("零" if gap and said else "") + word + name
        gap = not digit
    # 十五, not 一十五
    return (said[1:] if said.startswith("一十") else said) or _CHINESE[0]


def _english(value: int) -> str:
    if value < len(_ENGLISH):
        return _ENGLISH[value]
    for unit, name in ((1000, "thousand"), (100, "hundred")):
        if value >= unit:
            head, rest = divmod(value, unit)
            return f"{_english(head)} {name}" + (f" {_english(rest)}" if rest else "")
    head, rest = divmod(value, 10)
    return _TENS[head - 2] + (f" {_ENGLISH[rest]}" if rest else "")
