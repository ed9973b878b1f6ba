"""Text and character times -> the pieces that are never cut: what stands on one line.

A Latin word; a number with its unit (`23.5%`, `100公里`, `三百块`, `5 km`); else one character.
Each together with the punctuation that opens and closes it.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Final

from funasr_cli.captions.words import BREAKABLE, inner_offsets
from funasr_cli.characters import graphemes
from funasr_cli.results import CharTime, Segment
from funasr_cli.script import Script, half_widths, is_wide, spaced_between

_OPENING: Final = re.escape("《〈（“‘「『【〔［｛([{<¿¡$¥￥€£#@")
_MARKS: Final = (
    r"\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0963\u0966-\u0dff"
)
_LETTER: Final = rf"(?:[^\W_{BREAKABLE}]|[{_MARKS}\u200c\u200d])"
_INSIDE: Final = rf"(?:['’._/&@+\-](?={_LETTER})|(?<=\d)[,:~～–](?=\d))"
"""What may stand between two letters of a word."""
_LATIN_UNITS: Final = (
    r"(?:[kcmn]?m|[km]?g|mi|ft|in|lbs?|oz|[kM]?W|[km]?V|[kMG]?Hz|[kKMGT]i?B|[mk]?[lL]|km/h|mph|kmh|fps|dB"
    r"|hrs?|h|mins?|secs?|s|ms|[ap]\.?m\.?|%|°[CF]?|percent|degrees|hundred|thousand|million|billion"
    r"|trillion|dollars?|euros?|pounds?|yuan|yen|cents?|seconds?|minutes?|hours?|days?|weeks?|months?"
    r"|years?|meters?|metres?|miles?|feet|inches|kilometers?|kilometres?|kilos?|kilograms?|grams?"
    rf"|tons?|tonnes?|times)(?!{_LETTER})"
)
_MEASURES: Final = (
    "(?:平方公里|平方千米|平方米|立方米|个百分点|百分点|公里|公斤|千米|千克|千瓦|厘米|毫米|毫升|海里|英里"
    "|英尺|英寸|小时|分钟|秒钟|点钟|世纪|年代|年级|年度|季度|个月|個月|か月|ヶ月|カ月|星期|周年|周岁|月份|美元|欧元"
    "|日元|韩元|英镑|港币|块钱|毛钱|時間|分間|秒間|年間|週間|か所|ヶ所|摄氏度|小時|分鐘"
    "|[个個位名只隻条條本张張块塊元角分年月日号號点點时時秒天周岁歲次度米克斤吨升倍人家台辆輛层層楼"
    "届期集章节節页頁项項种種类類件套双雙对對把支枝颗粒片瓶杯碗盒箱包袋座所间間栋场場遍趟轮站路世代"
    "级級股份等折成亩顷寸尺丈里磅円枚回階匹冊杯番歩話社校通着足軒つ])"
)
_COUNTED: Final = rf"[十百千万亿萬億兆多余餘几]*(?:{_MEASURES}|[\uac00-\ud7af]{{1,4}})?"
"""What follows a number in digits without a space."""
_NUMERALS: Final = "〇零一二两兩三四五六七八九十百千万亿萬億半几"
_SPOKEN_NUMBER: Final = (
    rf"(?:百分之|千分之)[{_NUMERALS}点]+"
    rf"|第?(?:[{_NUMERALS}]+点)?[{_NUMERALS}]+{_MEASURES}"
    rf"|第?[{_NUMERALS}]{{2,}}"
)
_SMALL_KANA: Final = "ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶー々ゝゞヽヾ"
"""Never begin a line (kinsoku)."""
_UNIT: Final = re.compile(
    rf"(?:[{_OPENING}]|[+\-−±](?=\d)|(?<![^\s{_OPENING}])[\"'](?=\S))*"
    r"(?:第?(?=\d)|)"
    rf"(?:{_SPOKEN_NUMBER}|{_LETTER}(?:{_LETTER}|{_INSIDE})*(?:[%‰℃℉+#]|°[CF]?)*"
    rf"(?:(?<=\d)(?:(?: {_LATIN_UNITS}){{1,2}}|{_COUNTED}))?|\S[{_SMALL_KANA}]*)"
    rf"(?:[ \u00a0\u202f]?(?:(?![{_OPENING}]|[+\-−±]\d|(?<=\s)[\"'])[^\w\s])+)*"
)
_CLOSING: Final = re.compile(r"[^\w\s]+")


@dataclass(frozen=True)
class Unit:
    """A piece of text that is never cut; times in seconds."""

    text: str
    chars: tuple[CharTime, ...]
    start: float
    end: float
    spaced: bool
    """Whether a space stands before it."""
    starts_word: bool
    """False: it goes on a word that has no space inside, such as one of Chinese."""


def find_units(segments: Sequence[Segment], script: Script) -> list[Unit]:
    """Cut the texts of consecutive segments into units, as one text.

    The characters of a segment without times share its time evenly.
    """
    units: list[Unit] = []
    for segment in segments:
        for at, unit in enumerate(_of_segment(segment, script)):
            last = units[-1] if units else None
            if last and (not unit.chars or (not at and _CLOSING.fullmatch(unit.text))):
                units[-1] = replace(last, text=last.text + unit.text, chars=last.chars + unit.chars)
            elif last and not at:
                units.append(replace(unit, spaced=spaced_between(last.text, unit.text)))
            else:
                units.append(unit)
    return units


def _of_segment(segment: Segment, script: Script) -> Iterator[Unit]:
    text = segment.text.strip()
    chars = segment.chars or _spread(segment)
    stops = list(accumulate(len(char.text) for char in chars))
    inner = inner_offsets(text, script)
    begin = behind = done = 0  # a character, an offset and how many of the letters before it
    for match in _UNIT.finditer(text):
        done += len("".join(match.group().split()))
        stop = min(len(chars), bisect_right(stops, done))
        own = chars[begin:stop]
        yield Unit(
            match.group(),
            tuple(own),
            own[0].start if own else segment.start,
            max((char.end for char in own), default=segment.start),
            spaced=match.start() > behind,
            starts_word=match.start() not in inner,
        )
        begin, behind = stop, match.end()


def _spread(segment: Segment) -> tuple[CharTime, ...]:
    texts = graphemes(segment.text)
    step = max(0.0, segment.end - segment.start) / max(1, len(texts))
    return tuple(
        CharTime(text, segment.start + at * step, segment.start + (at + 1) * step, 0.0)
        for at, text in enumerate(texts)
    )


def taken_apart(units: Sequence[Unit], width: float) -> list[Unit]:
    """Cut what is wider than a line, as far as it holds characters that may be cut anywhere."""
    cut: list[Unit] = []
    for unit in units:
        if half_widths(unit.text) > width and any(map(is_wide, unit.text)):
            cut.extend(_pieces(unit))
        else:
            cut.append(unit)
    return cut


def _pieces(unit: Unit) -> Iterator[Unit]:
    """Cut beside each wide character; what is narrow between two stays whole."""
    groups: list[list[CharTime]] = []
    for char in unit.chars:
        if groups and not is_wide(char.text) and not is_wide(groups[-1][-1].text):
            groups[-1].append(char)
        else:
            groups.append([char])
    for at, group in enumerate(groups):
        yield Unit(
            "".join(char.text for char in group),
            tuple(group),
            group[0].start,
            group[-1].end,
            spaced=unit.spaced and not at,
            starts_word=unit.starts_word and not at,
        )
