"""Texts that cannot be what was heard are told from those that only write it differently."""

import time
from itertools import product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from funasr_cli.characters import readings, toneless
from funasr_cli.guards import LEAST_SOUNDS, _edits, _sounds, disagreement, disagrees

SAME = [
    ("开放时间：早上9点至下午5点。", "开放时间早上九点至下午五点"),
    ("開放時間早上9點至下午5點。", "开放时间早上九点至下午五点"),
    ("2026年3月5日，增长了23.5%。", "二零二六年三月五日增长了百分之二十三点五"),
    ("电话138-0013-8000。", "电话幺三八零零幺三八零零零"),
    ("他们的权利在那里。", "她们的权力在哪里"),
    ("Hello, World! It's 8:30 on March 5.", "hello world it's eight thirty on march fifth"),
    ("Ｈｅｌｌｏ，ＷＯＲＬＤ", "hello world"),
    ("今日はいい天気ですね。", "今日はいい天気ですね"),
    ("안녕하세요, 여러분!", "안녕하세요 여러분"),
    ("ภาษาไทย", "ภาษา ไทย"),
    ("", ""),
]
"""A text and the CTC text that it may have been made of: they sound the same."""
NEAR = [
    # what the demo model makes of clean and of noisy speech
    ("告诉合伊建立当地认识作齐置818美元，77.7%造成。",
     "告诉和一建立当地认识做其之八百一十八美元百分之七十七点七造成"),
    ("Sara Victor Nicolas America Sara seen, I on the Mary.",
     "sarah victor nicholas america sarah se i on the ay"),
    ("宪法一切方式，支持没在因为不主任具有我。", "宪法一切上时只在没在迎听如主任具由我"),
    ("是但家6691元，了军事因为最下吗？", "十办下六千六百九十一元了军事因为会下那"),
    # what is written otherwise than it is said
    ("Revenue was $3.2 billion, up 15% from $2.8 billion in Q3.",
     "revenue was three point two billion dollars up fifteen percent from two point eight in q 3"),
    ("It's 5'11\", 180 lbs.", "it's five foot eleven one hundred eighty pounds"),
    ("The price is €1,299.99.",
     "the price is one thousand two hundred ninety nine euros and ninety nine cents"),
    ("2026-03-05 14:30:00", "二零二六年三月五日十四点三十分零秒"),
    ("今天3°C~5°C。", "今天三摄氏度到五摄氏度"),
    ("1/3的人2:30到。", "三分之一的人两点半到"),
    ("我们用GPT-4和Kubernetes。", "我们用 g p t four 和 cubenetis"),
    ("嗯，那我们开始吧。", "嗯那个那个就是那我们就开始吧"),
    ("佢哋话听日去睇戏，你去唔去呀？", "佢哋话听日去睇戏你去唔去啊"),
]  # fmt: skip
WRONG = [
    # invented over noise; another sentence; half of it; nothing; twice as much
    ("谢谢观看，请不吝点赞订阅转发打赏支持明镜与点点栏目。", "嗯"),
    ("请不吝点赞、订阅。", "今天我们在北京讨论经济问题"),
    ("Thank you for watching, please subscribe to my channel.", "six myself power i let to be"),
    ("知识照片今天那样要阶段学习看见，不仅联合就当时，失败我国今日去。",
     "知的照片十怎们幺师完化精欢三年合活当志最阶规我我听验区最会欢印度种自者"),
    ("今天我们在北京讨论经济问题，",
     "今天我们在北京讨论经济问题会议三月五日上午开始欢迎各位专家参加讨论"),
    ("Thank you all, the game was great.",
     "thank you all the game was great many people came and the team is very happy"),
    ("", "今天我们在北京讨论经济问题"),
    ("今天我们在北京讨论经济问题。" * 3, "今天我们在北京讨论经济问题"),
]  # fmt: skip
TEXTS = st.text(alphabet="今天我们在北京讨论经济问题会议长行0259.,%abcdeXYZ，。 \n", max_size=60)
SEQUENCES = st.lists(st.sampled_from("abcd"), max_size=70)


@pytest.mark.parametrize(("text", "ctc_text"), SAME)
def test_the_same_sounds(text: str, ctc_text: str) -> None:
    assert disagreement(text, ctc_text) <= 0.06
    assert not disagrees(text, ctc_text)


@pytest.mark.parametrize(("text", "ctc_text"), NEAR)
def test_what_spelling_and_poor_hearing_explain(text: str, ctc_text: str) -> None:
    assert not disagrees(text, ctc_text)


@pytest.mark.parametrize(("text", "ctc_text"), WRONG)
def test_what_was_not_heard(text: str, ctc_text: str) -> None:
    assert disagrees(text, ctc_text)
    assert disagreement(text, ctc_text) > 0.4


def test_a_few_words_are_never_called_wrong() -> None:
    few = [
        "",
        "好",
        "嗯嗯",
        "你好吗朋友",
        "OK",
        "one two",
        "2026",
        "1, 2, 3, 4, 5",
        "hello world",
    ]
    assert max(len(_sounds(text)) for text in few) < LEAST_SOUNDS
    assert not any(disagrees(*pair) for pair in product(few, few))


def test_only_what_is_missing_counts_that_much() -> None:
    whole = "我们需要讨论新的项目计划请在星期五之前联系我的办公室然后再做决定"
    half = whole[: len(whole) // 2]
    assert disagrees(half, whole)
    assert not disagrees(whole, half)  # in noise the CTC head hears too little


def test_numbers_are_one_sound() -> None:
    assert _sounds("2026年") == _sounds("二零二六年")
    assert len(_sounds("1, 2, 3")) == len(_sounds("12345678901234567890")) == 1
    assert _sounds("长#") == ["ch", "ang"]


@given(SEQUENCES, SEQUENCES)
def test_edits_are_those_of_the_table(one: list[str], other: list[str]) -> None:
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        above, row = row, [i]
        for j, b in enumerate(other):
            row.append(min(above[j] + (a != b), above[j + 1] + 1, row[j] + 1))
    assert _edits(one, other) == row[-1]


@given(TEXTS, TEXTS)
def test_it_is_a_distance(one: str, other: str) -> None:
    found = disagreement(one, other)
    assert 0 <= found <= 1
    assert found == disagreement(other, one)
    assert disagreement(one, one) == 0
    assert not disagrees(one, one)
    assert disagrees(one, other) <= (found > 0.3)


@settings(deadline=None)
@given(st.lists(st.sampled_from("天田添实时石事是市新心欣行星型"), max_size=40), st.randoms())
def test_homophones_change_nothing(chars: list[str], random: Random) -> None:
    alike: dict[str, list[str]] = {}
    for char in "天田添实时石事是市新心欣行星型":
        alike.setdefault(toneless(readings(char)[0]), []).append(char)
    swapped = [random.choice(alike[toneless(readings(char)[0])]) for char in chars]
    assert disagreement("".join(chars), "，".join(swapped)) == 0


def test_it_takes_no_time() -> None:
    text = ("今天我们在北京讨论经济问题会议上午九点三十分开始联系电话" * 6)[:150]
    disagrees(text, text)
    best = 1.0
    for _ in range(5):
        begin = time.perf_counter()
        disagrees(text, text[::-1])
        best = min(best, time.perf_counter() - begin)
    assert best < 0.01  # 0.4 ms on an idle machine


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        (
            "组织足球阶段双方比赛，这是一个地方，只要空间吗？",
            "组织足球阶段双方比赛这是一个地方只要空间吗一七七五一二九三六八二幺确定你我们一",
        ),
        (
            "We need to talk about the new project and the team is very happy.",
            "we need to talk about the new project and the team is very happy please call me",
        ),
    ],
)
def test_a_text_that_breaks_off(text: str, heard: str) -> None:
    assert disagrees(text, heard)
    assert not disagrees(heard, heard)
