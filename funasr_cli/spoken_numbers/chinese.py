"""Chinese number words -> digits: 二零二五年 -> 2025年, 百分之五 -> 5%, 九点半 -> 9点半."""

import re
from collections.abc import Iterator
from typing import Final

DIGITS: Final = {
    char: str(digit)
    for digit, chars in enumerate(
        ("零〇", "一幺", "二两", "三", "四", "五", "六", "七", "八", "九"),
    )
    for char in chars
}
_UNITS: Final = {"十": 10, "百": 100, "千": 1000}
_MYRIADS: Final = {"万": 10_000, "亿": 100_000_000}
_LEAST_DIGITS: Final = 3
"""Fewer digits without a unit are no number: 三四 is about three, 一一 one by one."""
_NOT_TEN: Final = frozenset("分足字全几")
"""十分 is very, 十几 a dozen or so."""
_VAGUE: Final = frozenset("几数")
"""几十, 数百: some."""

_DIGIT: Final = "(?:[零〇幺二三四五六七八九]|一(?![样起些切定般直]))"
_RUN: Final = f"(?:[两十]|{_DIGIT})(?:[两十百千万亿]|{_DIGIT})*"
_HOUR: Final = "(?:[三四五六七八九]|二?十[一二三四五六七八九]?)"
_FORMS: Final = re.compile(
    f"{_RUN}(?<![百千])分之{_RUN}"  # 三分之一 stays, and so do its parts
    f"|(?P<of>[百千])分之(?P<share>百|{_RUN}(?:点{_DIGIT}+)?)"
    f"|(?P<year>{_DIGIT}{{2,4}})(?=年)"
    f"|(?P<month>{_RUN})月(?:(?P<day>{_RUN})(?=[日号]))?"
    f"|(?P<hour>{_RUN})点(?:(?P<minute>{_RUN})(?=分)|(?P<bare>[二三四五]?十{_DIGIT}?)|(?=[半整钟]))"
    f"|(?P<decimal>{_RUN}点{_DIGIT}+)"
    # 一点 is a little, 两点 often two points
    f"|(?P<clock>(?<=[午晚晨上]){_RUN}|{_HOUR})点"
    f"|(?P<plain>{_RUN})(?!分之)"
)


def find(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield (begin, end, what is written) of each number, from left to right."""
    at = 0
    while match := _FORMS.search(text, at):
        written = _write(match, text)
        if written is not None:
            yield match.start(), match.end(), written
        # 一三月五日 holds 三月五日, but not so 三分之一
        again = written is None and match.lastgroup and not _about(match[0])
        at = match.start() + 1 if again else match.end()


def _about(run: str) -> bool:
    """Whether it begins like 七八十: about seventy or eighty."""
    digits = [int(DIGITS[char]) for char in run[:2] if char in DIGITS]
    return len(digits) == 2 and digits[0] + 1 == digits[1]  # noqa: PLR2004 - a pair


def _write(match: re.Match[str], text: str) -> str | None:
    """Write what `_FORMS` found; None: it stays as it is."""
    kind, run = match.lastgroup, match[match.lastgroup or 0]
    if kind == "share":
        share = "100" if run == "百" else _decimal(run)
        return None if share is None else share + ("%" if match["of"] == "百" else "‰")
    if kind == "year":
        return _digits(run)
    if kind == "decimal":
        return _decimal(run)
    if kind == "plain":
        vague = match.start() > 0 and text[match.start() - 1] in _VAGUE
        return None if vague else _plain(run, text[match.end() : match.end() + 2])
    if match["month"]:
        return _pair(match["month"], "月", match["day"])
    first = match["hour"] or match["clock"]
    return _pair(first, "点", match["minute"] or match["bare"]) if first else None


def _pair(first: str, name: str, second: str | None) -> str | None:
    """Write month and day, or hour and minute: 3月5, 8点05."""
    value = _value(first)
    if value is None or second is None:
        return None if value is None else f"{value}{name}"
    zero = second[0] in "零〇" and len(second) > 1
    rest = _value(second[1:] if zero else second)
    return None if rest is None else f"{value}{name}{'0' if zero else ''}{rest}"


def _plain(run: str, after: str) -> str | None:
    if all(char in DIGITS for char in run):
        return _digits(run) if len(run) >= _LEAST_DIGITS and "两" not in run else None
    if run == "十" and after[:1] in _NOT_TEN and after != "分钟":
        return None
    value, written = _value(run), ""
    if value is None or run[-1] not in _MYRIADS:
        return None if value is None else str(value)
    for name, unit in reversed(_MYRIADS.items()):  # 23万, 3亿5000万
        if value >= unit:
            written += f"{value // unit}{name}"
            value %= unit
    return written


def _decimal(run: str) -> str | None:
    whole, point, fraction = run.partition("点")
    value = _value(whole)
    return None if value is None else str(value) + ("." + _digits(fraction) if point else "")


def _digits(run: str) -> str:
    return "".join(DIGITS[char] for char in run)


def _value(run: str) -> int | None:
    """Read one number, 一千零五 or 三万五; None where it is none (三五十, 二零二五)."""
    total, scale = 0, 1
    for name, unit in reversed(_MYRIADS.items()):
        head, found, rest = run.partition(name)
        if found:
            section = _section(head, 1)
            if not section:
                return None
            total, scale, run = total + section * unit, unit, rest
    if not run:
        return total
    section = _section(run, scale)
    return None if section is None else total + section


def _section(run: str, scale: int) -> int | None:
    """Read less than 10,000; `scale`: the unit before it, so that 五 after 三万 is 5000."""
    total, ceiling, digit, last = 0, 10_000, "", scale
    for char in run:
        if char in DIGITS:
            if digit and digit not in "零〇":
                return None
            digit, last = char, (1 if digit else last)
        else:
            unit = _UNITS.get(char, ceiling)  # another 万 is none
            # 十五, but 一百一十五; 百 alone is no number
            if unit >= ceiling or not (digit or (char == "十" and not total)):
                return None
            total, ceiling, digit, last = total + int(DIGITS.get(digit, "1")) * unit, unit, "", unit
    if not digit:
        return total or None
    return total + int(DIGITS[digit]) * max(1, last // 10)
