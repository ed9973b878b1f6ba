"""What is proposed, over a tokenizer of characters; anything at all: test_draft_anything.py."""

import pytest
from heard import END, characters, drafter, hear, spell

from funasr_cli.draft import CtcDraft, no_draft
from funasr_cli.results import HotwordHit


def follow(heard: str, written: str, *, itn: bool = True, limit: int = 99) -> str:
    """Say what is proposed behind `written`; ■ is the end."""
    found = drafter(heard, itn=itn).propose(characters(written), limit)
    return "".join("■" if token == END else chr(token) for token in found)


def test_what_was_heard_is_proposed_to_the_end() -> None:
    assert follow("今天天气很好", "") == "今天天气很好。■"
    assert follow("今天天气很好", "今天") == "天气很好。■"
    assert follow("今天天气很好", "今天天气很好") == "。■"
    assert follow("今天天气很好", "今天天气很好。") == "■"
    assert follow("今天天气很好", "今天天气很好！") == "■"


def test_limits_and_no_end() -> None:
    assert follow("今天天气很好", "", limit=3) == "今天天"
    assert follow("今天天气很好", "", limit=0) == ""
    endless = CtcDraft(hear("好"), tokenize=characters, piece=spell, end=None, itn=True)
    assert endless.propose([], 9) == characters("好。")
    assert list(no_draft(characters("今天"), 9)) == []


def test_a_homophone_does_not_lose_the_place() -> None:
    assert follow("在那教授认为技术", "再娜教授认") == "为技术。■"
    assert follow("在那教授认为技术", "再") == "那教授认为技术。■"


@pytest.mark.parametrize(
    "written", ["我们今天开会", "我们都今天开会", "我今天开会", "窝门金天开会"]
)
def test_added_and_left_out_characters(written: str) -> None:
    assert follow("我们今天开会讨论经济问题", written).startswith("讨论经济")


def test_a_clause_left_out_is_found_again() -> None:
    heard = "我们今天开会" + "没有人说过的一句很长很长的话" + "讨论经济问题和社会发展"
    assert follow(heard, "我们今天开会讨论经济问题").startswith("和社会")


def test_a_text_of_something_else_gets_no_proposal() -> None:
    assert follow("我们今天开会讨论经济问题", "春眠不觉晓处处闻啼鸟夜来风雨声") == ""
    assert follow("", "春眠") == ""


def test_pauses_become_punctuation() -> None:
    assert follow("今天开会|明天休息‖再见", "今天") == "开会，明天休息。再见。■"
    assert follow("你们会来吗", "你们") == "会来吗？■"
    assert (
        follow("we met today| she left‖ it is late", "We") == " met today, she left. It is late.■"
    )


def test_other_punctuation_than_the_guessed() -> None:
    assert follow("今天开会明天休息", "今天开会，") == "明天休息。■"
    assert follow("今天开会|明天休息", "今天开会。") == "明天休息。■"
    assert follow("今天开会|明天休息", "今天开会明") == "天休息。■"
    assert follow("we met today she left", "We met today.") == " She left.■"
    assert follow("we met today she left", "We met today, ") == "she left.■"
    assert follow("we met today‖ she left", "We met today,") == " she left.■"
    assert follow("he said yes", 'He said "') == "yes.■"


def test_stray_spaces_are_not_written() -> None:
    assert follow("今天 开会", "") == "今天开会。■"
    assert follow(" we  met ", "") == "We met.■"


def test_capitals() -> None:
    assert follow("then i met dr lee on monday", "") == "Then I met Dr lee on Monday.■"


def test_another_spelling_of_a_word() -> None:
    assert follow("is there time now", "Is their") == " time now.■"
    assert follow("by now no different way", "By now, know") == " different way.■"
    assert follow("mark came home", "Marc") == " came home.■"
    assert follow("the um cat sat", "The cat") == " sat.■"


def test_numbers_are_written_with_digits() -> None:
    assert follow("二零二五年增长百分之五", "") == "2025年增长5%。■"
    assert follow("二零二五年增长百分之五", "20") == "25年增长5%。■"
    assert follow("增长三点一四倍", "增长3.") == "14倍。■"
    assert follow("at eight thirty we met", "At 8") == ":30 we met.■"
    assert follow("二零二五年", "", itn=False) == "二零二五年。■"


def test_a_model_that_keeps_number_words_is_followed() -> None:
    assert follow("共一千二百人参加", "共一千") == "二百人参加。■"
    assert follow("共一千二百人参加", "共一千二百") == "人参加。■"
    assert follow("i saw twenty five people", "I saw twenty ") == "five people.■"
    assert follow("i saw twenty five people", "I saw twenty five") == " people.■"


def test_doubtful_characters_end_a_proposal() -> None:
    unsure = drafter(hear("今天天气很好", unsure="气"))
    assert unsure.propose([], 9) == characters("今天天")
    assert unsure.propose(characters("今天天"), 9) == []
    assert unsure.propose(characters("今天天器"), 9) == [*characters("很好。"), END]


def test_a_hotword_replaces_what_sounds_like_it() -> None:
    heard = hear("欢迎里下先生")
    likely = HotwordHit("李夏", 1.0, heard[2].start, heard[4].start)
    assert drafter(heard, hits=[likely]).propose([], 4) == characters("欢迎李夏")
    assert drafter(heard, hits=[likely]).propose(characters("欢迎里"), 3) == characters("下先生")
    unlikely = HotwordHit("李夏", 0.6, likely.start, likely.end)
    unheard = HotwordHit("李夏", 0.0)
    assert drafter(heard, hits=[unlikely, unheard]).propose([], 4) == characters("欢迎里下")


def test_characters_cut_into_bytes() -> None:
    draft = CtcDraft(
        hear("今天|开会"),
        tokenize=lambda text: list(text.encode()),
        piece=lambda token: bytes([token]),
        end=None,
        itn=True,
    )
    whole = list("今天，开会。".encode())
    for at in range(len(whole)):
        assert draft.propose(whole[:at], 99) == whole[at:]
    assert draft.propose([0xE4, 0x41], 2)  # invalid UTF-8 is passed over


def test_very_long_texts() -> None:
    assert len(drafter("今天开会").propose(characters("今天开会" * 5000), 4)) <= 4


def test_a_tokenizer_that_rewrites_its_text() -> None:
    draft = CtcDraft(
        hear("今天开会"), tokenize=lambda t: characters(f" {t}"), piece=spell, end=END, itn=True
    )
    assert draft.propose([], 9) == [*characters(" 今天开会。"), END]
