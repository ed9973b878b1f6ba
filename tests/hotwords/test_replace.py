from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funasr_cli.align import align
from funasr_cli.hotwords import Replaced, replace_words
from funasr_cli.results import CtcToken, Replacement

STEP = 0.2


def speak(text: str) -> list[CtcToken]:
    """One token a character, every 0.2 s."""
    return [
        CtcToken(7, char.encode(), at * STEP, at * STEP + 0.06, 0.9) for at, char in enumerate(text)
    ]


def put(  # noqa: PLR0913 - as replace_words
    words: Sequence[str],
    text: str,
    said: str = "",
    *,
    least: float = 0.85,
    aliases: dict[str, str] | None = None,
    listed: int = 0,
) -> Replaced:
    tokens = speak(said or text)
    chars = align(text, tokens, start=0, end=len(said or text) * STEP)
    return replace_words(
        text, chars, tokens, words, aliases or {}, least=least, heard=0.6, listed=listed
    )


def test_a_homophone_gives_way_in_its_place() -> None:
    found = put(["张立群"], "我找，章丽裙去！", "我找章力群去")
    assert found.text == "我找，张立群去！"
    (one,) = found.replacements
    assert (one.before, one.after, one.similarity) == ("章丽裙", "张立群", 1.0)
    assert (one.start, one.end) == pytest.approx((0.4, 1.0))
    assert "".join(char.text for char in found.chars) == found.text
    assert [char.start for char in found.chars[3:6]] == pytest.approx([0.4, 0.6, 0.8])


@pytest.mark.parametrize(
    ("words", "text", "result"),
    [
        (["DeepSeek"], "we use deep sick today", "we use DeepSeek today"),
        (["DeepSeek"], "We use deepseek.", "We use DeepSeek."),
        (["GPT-4"], "问gpt 4吧", "问GPT-4吧"),
        (["Emma", "API"], "请ema看a p i", "请Emma看API"),  # three sounds, but no one syllable
        (["张立群"], "张力群和章利群", "张立群和张立群"),
        (["北京大学", "北京"], "在北京大雪上课", "在北京大学上课"),
    ],
)
def test_words_are_written_as_in_the_list(words: list[str], text: str, result: str) -> None:
    assert put(words, text).text == result


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["张立群"], "我找张立群去"),
        (["章丽裙", "张立群"], "我找张立群去"),  # another word of the list stands there
        (["apple"], "Apple pie. Apple tart"),  # a sentence begins with it
        (["GPT-4"], "ask gpt 45 now"),
        (["GPT-4"], "ask gpt 4.5 now"),
        (["Ann"], "I met anna"),
        (["鑫"], "中心"),
        (["张立群"], "有章，丽裙"),
        (["呼和浩特"], "今天下午开会"),
        ([], "今天下午开会"),
    ],
)
def test_what_is_left_alone(words: list[str], text: str) -> None:
    found = put(words, text)
    assert (found.text, found.replacements) == (text, ())


def test_a_span_that_ctc_did_not_hear_stays() -> None:
    said = "我们今天下午开会讨论这个项目张立群"
    text = "章丽裙今天下午开会讨论这个项目完毕"
    assert put(["张立群"], text, said).text == text


def test_a_word_of_a_long_list_is_put_where_language_speaks_for_it_alone() -> None:
    text = "昨天里下教授来过了他立下大功"
    assert put(["李夏"], text, listed=10_000).text == "昨天李夏教授来过了他立下大功"
    assert put(["李夏"], text, listed=10).text == "昨天李夏教授来过了他李夏大功"


def test_the_similarity_decides() -> None:
    assert put(["陈志红"], "请程志红来", least=0.85).text == "请陈志红来"
    assert put(["陈志红"], "请程志红来", least=0.95).text == "请程志红来"


def test_spoken_forms_count() -> None:
    found = put(["DeepSeek"], "我用迪普西克写", aliases={"迪普西克": "DeepSeek"})
    assert found.text == "我用DeepSeek写"
    assert [char.text for char in found.chars[2:10]] == list("DeepSeek")
    assert (found.chars[2].start, found.chars[9].end) == pytest.approx((0.4, 1.2))


def explains(old: str, new: str, replacements: Sequence[Replacement]) -> bool:
    """Whether these replacements, in this order, and nothing else make a new text of an old."""
    if not replacements:
        return old == new
    (one, *others) = replacements
    for at in range(len(old)):
        if old[:at] != new[:at]:
            return False
        matches = old.startswith(one.before, at) and new.startswith(one.after, at)
        rest = old[at + len(one.before) :], new[at + len(one.after) :]
        if matches and explains(*rest, others):
            return True
    return False


ANYTHING = st.text(
    st.sampled_from("张章立丽群裙北背京景大学雪ab deepsick4.，。-é\u0301🙂"), max_size=30
)


@given(ANYTHING, ANYTHING, st.floats(0.3, 1.0))
def test_text_outside_the_spans_never_changes(text: str, said: str, least: float) -> None:
    words = ["北京大学", "张立群", "背景", "DeepSeek", "GPT-4"]
    found = put(words, text, said or text, least=least)
    assert explains(text, found.text, found.replacements)
    assert "".join(char.text for char in found.chars) == "".join(found.text.split())
    starts = [char.start for char in found.chars]
    assert starts == sorted(starts)
    assert all(one.similarity >= least - 1e-4 for one in found.replacements)
    assert all(one.before != one.after for one in found.replacements)
