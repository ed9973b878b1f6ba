import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funasr_cli.hotwords.numbers import say_number
from funasr_cli.spoken_numbers import find_numbers


def written(text: str) -> str:
    for number in reversed(find_numbers(text)):
        text = text[: number.begin] + number.written + text[number.end :]
    return text


@pytest.mark.parametrize(
    ("spoken", "expected"),
    [
        ("二零二五年", "2025年"),
        ("九八年", "98年"),
        ("三月五日上午九点三十分开始", "3月5日上午9点30分开始"),
        ("八点零五分", "8点05分"),
        ("九点半", "9点半"),
        ("八点三十", "8点30"),
        ("晚上两点", "晚上2点"),
        ("十一点", "11点"),
        ("三点一四", "3.14"),
        ("百分之五", "5%"),
        ("百分之二十三点五", "23.5%"),
        ("百分之百", "100%"),
        ("千分之三", "3‰"),
        ("十五", "15"),
        ("一千二百", "1200"),
        ("两百", "200"),
        ("两千三", "2300"),
        ("两千零三", "2003"),
        ("三万五", "35000"),
        ("一万两千三百", "12300"),
        ("二十三万人", "23万人"),
        ("三亿五千万", "3亿5000万"),
        ("第二十名", "第20名"),
        ("十分钟", "10分钟"),
        ("电话幺三八零零幺三八零零零", "电话13800138000"),
        # what stands before a number, heard wrongly, does not hide it
        ("会一三月五日", "会一3月5日"),
        ("看来十六百分之七十", "看来1670%"),
        ("五七三千七百次", "五七3700次"),
    ],
)
def test_chinese_numbers(spoken: str, expected: str) -> None:
    assert written(spoken) == expected


@pytest.mark.parametrize(
    "text",
    "一样 一起 一些 一下 星期一 第一 三个 两个月 一个小时 十分高兴 十几个 几十个 数百 七八十 "  # noqa: SIM905
    "三分之一 千万 万一 三四个 一一列举 一点也不 两点建议 五年".split(),
)
def test_chinese_words_that_stay(text: str) -> None:
    assert written(text) == text


def test_a_number_ends_where_a_word_begins() -> None:
    assert written("一百一样") == "100一样"
    assert written("八点一起去") == "8点一起去"


@pytest.mark.parametrize(
    ("spoken", "expected"),
    [
        ("twenty five people", "25 people"),
        ("two thousand twenty six", "2026"),
        ("two thousand and twenty six", "2026"),
        ("two hundred and forty one current", "241 current"),
        ("twenty five hundred", "2500"),
        ("ninety nine thousand nine hundred ninety nine", "99999"),
        ("in nineteen ninety eight", "in 1998"),
        ("nineteen oh five", "1905"),
        ("twenty twenty six", "2026"),
        ("call five five five zero one two three", "call 5550123"),
        ("two nine oh", "290"),
        ("at eight thirty we", "at 8:30 we"),
        ("eleven oh eight", "11:08"),
        ("ten thirty", "10:30"),
        ("before march fifth my", "before march 5 my"),
        ("march twenty first", "march 21"),
        ("june thirtieth twenty thirty two to", "june 30, 2032 to"),
        ("eighty three point eight", "83.8"),
        ("zero point five", "0.5"),
        ("two percent", "2%"),
        ("ninety six point nine per cent", "96.9%"),
        ("the twenty first century", "the 21st century"),
        ("the thirteenth", "the 13th"),
    ],
)
def test_english_numbers(spoken: str, expected: str) -> None:
    assert written(spoken) == expected


@pytest.mark.parametrize(
    "text",
    ["two people", "the first", "one two", "a hundred", "no one", "may i", "and", "point", "oh oh"],
)
def test_english_words_that_stay(text: str) -> None:
    assert written(text) == text


@given(st.integers(10, 9_999))
def test_what_is_said_of_a_number_gives_it_back(number: int) -> None:
    assert written(say_number(str(number), chinese=True)) == str(number)
    assert written(say_number(str(number), chinese=False)) == str(number)


PIECES = st.sampled_from(
    [*"零一二三四五六七八九十百千万亿两幺点分之年月日号半第几个样 ", "百分之", "千分之", "的"]
    + [f"{word} " for word in re.findall("[a-z]+", "one ten twenty hundred thousand oh zero and")]
    + ["point ", "percent ", "may ", "fifth ", "thirteen ", "first ", "a ", "o", "𠀀", "İ"]
)


@given(st.one_of(st.text(), st.lists(PIECES, max_size=16).map("".join)))
def test_any_text_gives_rising_numbers_inside_it(text: str) -> None:
    at = 0
    for number in find_numbers(text):
        assert at <= number.begin < number.end <= len(text)
        assert number.written
        at = number.end
