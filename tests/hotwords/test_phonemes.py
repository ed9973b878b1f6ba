import numpy as np
import pytest

from funasr_cli.hotwords.numbers import say_digits, say_number
from funasr_cli.hotwords.phonemes import pronunciations, sound_out
from funasr_cli.hotwords.similarity import (
    FINALS,
    INITIALS,
    NO_TONE,
    SCALE,
    SIMILAR,
    SYMBOLS,
    TONE,
    TONES,
    ZERO_GAP,
    final_symbol,
    gap_costs,
    initial_symbol,
    substitution_costs,
)


def name(symbol: int) -> str:
    if symbol < len(INITIALS):
        return INITIALS[symbol] or "-"
    final, tone = divmod(symbol - len(INITIALS), TONES)
    return FINALS[final] + (str(tone) if tone else "")


def spelled(places: tuple[tuple[int, ...], ...]) -> str:
    return " ".join("/".join(map(name, place)) for place in places)


def heard(text: str) -> str:
    return spelled(tuple(phoneme.place for phoneme in sound_out(text)))


@pytest.mark.parametrize(
    ("text", "sounds"),
    [
        ("北京", "b ei3 j ing1"),
        ("女娲", "n v3 - ua1"),
        ("长", "zh/ch ang2/ang3"),
        ("deep seek", "d i p s i k"),
        ("Deep Sick", "d i p s i k"),
        ("g p t", "g p t"),
        ("G.P.T", "g p t"),
        ("ＧＰＴ", "g p t"),
        ("phone make city école", "f o n m a k s i t i e k o l"),
        ("ABCs!", "a b k s"),
        ("さくら", "s a k u r a"),
        ("サクラ", "s a k u r a"),
        ("한글", "h a n g e u l"),
        ("嗯……，🙂", ""),  # 嗯 has no vowel
        ("", ""),
    ],
)
def test_reading(text: str, sounds: str) -> None:
    assert heard(text) == sounds


def test_digits_are_chinese_beside_chinese_and_english_elsewhere() -> None:
    assert heard("第4") == "d i4 s i4"
    assert heard("gpt4") == "g p t f ou r"
    assert heard("房1") == "f ang2 - i1/i2/i4/iao1"


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("GPT-4", ["gpt四", "gpt four"]),
        ("RTX5050", ["rtx五零五零", "rtx五千零五十", "rtx five zero five zero"]),
        ("1004", ["一千零四", "one zero zero four"]),
        ("3.5", ["三点五", "three point five"]),
        ("DeepSeek", ["deepseek", "deep seek"]),
        ("TopHat", ["top hat", "tophat"]),
        ("单田芳", ["善田方", "丹田方"]),
    ],
)
def test_a_word_is_known_by_all_its_pronunciations(word: str, said: list[str]) -> None:
    ways = [spelled(way) for way in pronunciations(word)]
    for text in said:
        tones = str.maketrans("", "", "12345")
        assert heard(text).translate(tones) in [way.translate(tones) for way in ways], text


def test_a_word_without_sound_has_no_pronunciation() -> None:
    assert pronunciations("++") == []


def test_windows_open_and_close_at_tokens_only() -> None:
    phonemes = sound_out("张 deep")
    assert [p.opens for p in phonemes] == [True, False, True, False, False]
    assert [p.closes for p in phonemes] == [False, True, False, False, True]
    assert [(p.first, p.last) for p in phonemes] == [(0, 0)] * 2 + [(2, 5)] * 3


@pytest.mark.parametrize(
    ("number", "digits", "chinese", "english"),
    [
        ("20", "二零", "二十", "twenty"),
        ("15", "一五", "十五", "fifteen"),
        ("105", "一零五", "一百零五", "one hundred five"),
        ("200", "二零零", "两百", "two hundred"),
        ("1004", "一零零四", "一千零四", "one thousand four"),
        ("10050", "一零零五零", "一万零五十", "ten thousand fifty"),
        ("0", "零", "零", "zero"),
        ("007", "零零七", "零零七", "zero zero seven"),
        ("3.14", "三点一四", "三点一四", "three point one four"),
        ("123456", "一二三四五六", "一二三四五六", "one two three four five six"),
    ],
)
def test_numbers(number: str, digits: str, chinese: str, english: str) -> None:
    assert say_digits(number, chinese=True) == digits
    assert say_number(number, chinese=True) == chinese
    assert say_number(number, chinese=False) == english


def test_the_costs_are_a_symmetric_table() -> None:
    costs = substitution_costs()
    assert costs.shape == (SYMBOLS, SYMBOLS)
    assert np.array_equal(costs, costs.T)
    assert not costs.diagonal().any()
    assert costs.max() == SCALE
    assert costs[costs > 0].min() == NO_TONE


@pytest.mark.parametrize(
    ("one", "other", "cost"),
    [
        (initial_symbol("zh"), initial_symbol("z"), SIMILAR),
        (initial_symbol("n"), initial_symbol("l"), SIMILAR),
        (initial_symbol("b"), initial_symbol("sh"), SCALE),
        (final_symbol("an", 1), final_symbol("an", 4), TONE),
        (final_symbol("an", 0), final_symbol("an", 4), NO_TONE),
        (final_symbol("an", 2), final_symbol("ang", 2), SIMILAR),
        (final_symbol("an", 2), final_symbol("ang", 3), SIMILAR + TONE),
        (final_symbol("an", 2), initial_symbol("n"), SCALE),
    ],
)
def test_similar_sounds_cost_less(one: int, other: int, cost: int) -> None:
    assert substitution_costs()[one, other] == cost


def test_a_missing_initial_is_the_cheapest_gap() -> None:
    assert gap_costs().min() == gap_costs()[initial_symbol("")] == ZERO_GAP
    assert gap_costs().max() == SCALE
