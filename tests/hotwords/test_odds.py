"""Which words are left out because everyday language sounds like them."""

from collections.abc import Sequence

import pytest

from funasr_cli.bench.word_lists import names
from funasr_cli.hotwords import HotwordIndex, recall, weigh
from funasr_cli.results import CtcToken

MANY = tuple(name for name in names(13_000, 7) if len(name) > 2)[:10_000]
"""Longer names, so that nothing but the words of each test is heard."""


def heard(
    text: str, confidence: float = 0.9, others: dict[int, Sequence[str]] | None = None
) -> list[CtcToken]:
    """One token a character; `others`: what else CTC thought of at a place."""
    return [
        CtcToken(
            0,
            char.encode(),
            at / 4,
            at / 4 + 0.1,
            confidence,
            tuple((other.encode(), 0.05) for other in (others or {}).get(at, ())),
        )
        for at, char in enumerate(text)
    ]


def found(tokens: Sequence[CtcToken], *words: str, threshold: float = 0.6) -> list[str]:
    index = HotwordIndex.build((*words, *MANY))
    return [hit.word for hit in recall(index, tokens, threshold=threshold, limit=10)]


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("环食", "我学了三个月还是不敢开车"),  # a common word, tones aside
        ("不宜", "每个人的感受都不一样"),  # through the middle of a word
        ("蒙药", "今天有大风出门要多穿衣服"),
        ("始江", "这个办法最好的是将来再说"),  # two common words, tones aside
        ("坊间", "这个房间朝南冬天很暖和"),  # the very sound of a common word
    ],
)
def test_everyday_language_is_no_word_of_a_long_list(word: str, text: str) -> None:
    assert found(heard(text), word) == []
    short = HotwordIndex.build((word, "张立群"))  # made for this recording
    assert [hit.word for hit in recall(short, heard(text), threshold=0.6, limit=10)] == [word]


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("李夏", "昨天里下教授来过了"),
        ("黎遂", "他问里遂什么时候回来"),
        ("褚遂", "请让除随先说一下"),
        ("房总", "房种没有来开会"),  # a near sound and a tone: 种 for 总
    ],
)
def test_what_makes_poor_sense_is_a_word_of_the_list(word: str, text: str) -> None:
    assert word in found(heard(text), word)


def test_what_ctc_wrote_itself_always_stays() -> None:
    assert found(heard("这个房间朝南"), "房间") == ["房间"]
    assert found(heard("这个坊间朝南"), "坊间") == ["坊间"]


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("5月", "我们五月去"),
        ("第2", "这是第二个"),
        ("12月", "我们十二月去"),
        ("《红楼梦》", "我看过红楼梦了"),
        ("中国 移动", "我用中国移动的手机"),
    ],
)
def test_numbers_in_words_and_marks_that_nobody_hears_make_no_difference(
    word: str, text: str
) -> None:
    assert found(heard(text), word) == [word]


def test_so_does_an_other_spoken_form() -> None:
    index = HotwordIndex.build(MANY, {"房间": "坊间茶舍"})
    hits = recall(index, heard("这个房间朝南"), threshold=0.6, limit=10)
    assert [hit.word for hit in hits] == ["坊间茶舍"]


def test_and_what_it_nearly_wrote() -> None:
    text = "这个房间朝南"
    assert found(heard(text, others={2: "坊"}), "坊间") == ["坊间"]
    assert found(heard(text, others={2: "方"}), "坊间") == []


def test_the_surer_ctc_is_the_less_is_a_word_of_the_list_believed() -> None:
    assert found(heard("这个房间朝南", 0.99), "坊间") == []
    assert found(heard("这个房间朝南", 0.1), "坊间") == ["坊间"]


def test_a_lower_threshold_asks_less() -> None:
    assert found(heard("这个房间朝南"), "坊间", threshold=0.4) == ["坊间"]


@pytest.mark.parametrize("least", [0.6, 0.4, 0.1])
def test_not_even_of_a_single_word_does_a_lower_threshold_ask_more(least: float) -> None:
    index = HotwordIndex.build(("新衣",))
    hits = recall(index, heard("一心一意地工作"), threshold=least, limit=10)
    assert [hit.word for hit in hits] == ["新衣"]


def test_other_scripts_are_left_alone() -> None:
    assert found(heard("この部屋は上面です"), "尚面") == ["尚面"]  # kana: Japanese
    assert "雙鑰" in found(heard("雙藥"), "雙鑰")  # traditional characters are no known words
    index = HotwordIndex.build(("Kubernetes", *MANY))
    hits = recall(index, heard("cubernetes"), threshold=0.6, limit=10)
    assert [hit.word for hit in hits] == ["Kubernetes"]


def test_what_is_left_out_is_told_with_what_it_was_taken_for() -> None:
    index = HotwordIndex.build(("坊间", "李夏", "理下", *MANY))
    told = weigh(index, heard("这个房间里下教授来过"), threshold=0.6, limit=10)
    assert [(hit.word, hit.taken_for) for hit in told.hits] == [("李夏", None), ("理下", None)]
    (left_out,) = told.left_out
    assert (left_out.word, left_out.similarity, left_out.taken_for) == ("坊间", 1.0, "房间")
    assert (left_out.start, left_out.end) == pytest.approx((0.5, 1.0))


def test_a_word_that_was_said_elsewhere_is_not_left_out() -> None:
    index = HotwordIndex.build(("坊间", *MANY))
    told = weigh(index, heard("这个房间有一本坊间流传的书"), threshold=0.6, limit=10)
    assert ([hit.word for hit in told.hits], told.left_out) == (["坊间"], ())


def test_a_higher_threshold_asks_more_of_the_sound_alone() -> None:
    assert found(heard("昨天里下教授来过了"), "李夏", threshold=1.0) == ["李夏"]
