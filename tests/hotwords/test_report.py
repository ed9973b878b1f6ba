import pytest

from funasr_cli.hotwords import report
from funasr_cli.hotwords.report import occurs
from funasr_cli.results import HotwordHit

HEARD = HotwordHit("张立群", 0.9, 1.0, 1.6)
UNHEARD = HotwordHit("北京", 0.0)


def test_prompt_and_text_are_told_apart() -> None:
    (heard, unheard) = report([HEARD, UNHEARD], ["张立群", "北京"], "我找张立群去。")
    assert (heard.in_prompt, heard.in_text) == (True, True)
    assert (unheard.in_prompt, unheard.in_text) == (True, False)
    assert (heard.similarity, heard.start, heard.end) == (0.9, 1.0, 1.6)


def test_what_was_heard_is_listed_although_the_prompt_lost_it() -> None:
    """After a retry without hints, or cut for room."""
    (heard,) = report([HEARD, UNHEARD], [], "我找章丽裙去。")
    assert (heard.word, heard.in_prompt, heard.in_text) == ("张立群", False, False)


def test_the_best_of_several_hits_of_a_word_counts() -> None:
    """A segment that was split is searched as a whole and in halves."""
    half = HotwordHit("张立群", 1.0, 2.0, 2.6)
    assert [hit.start for hit in report([HEARD, half], ["张立群"], "")] == [2.0]
    assert [hit.start for hit in report([half, HEARD], ["张立群"], "")] == [2.0]


@pytest.mark.parametrize(
    ("word", "text", "there"),
    [
        ("Ann", "I met Ann.", True),
        ("Ann", "I met Anna.", False),
        ("Ann", "我见了Ann他", True),
        ("ann", "I met Ann.", False),
        ("C++", "learn C++, C", True),
        ("GPT-4", "gpt-4", False),
        ("北京", "去北京大学", True),
        ("1004", "21004", False),
        ("Jose\u0301", "with Jos\u00e9.", True),
    ],
)
def test_a_word_stands_for_itself(word: str, text: str, there: bool) -> None:
    assert occurs(word, text) is there
