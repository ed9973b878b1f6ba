import pytest

from funasr_cli.written import SAME_NUMBER, SAME_SOUND, labels, makes_sound, units


def keys(text: str) -> list[str]:
    return [unit.key for unit in units(text, [makes_sound(char) for char in text])]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I don't know.", ["i", "dont", "know"]),
        ("well-known", ["well", "known"]),
        ("用iPhone打", ["用", "iphone", "打"]),
        ("GPT-4 是2个", ["gpt", "4", "是", "2", "个"]),
        ("Привет, мир", ["привет", "мир"]),
        ("カタ한국", ["カ", "タ", "한", "국"]),
        ("ＡＢ c", ["ab", "c"]),
        ("'tis o' clock'", ["tis", "o", "clock"]),
        ("，。", []),
        ("", []),
    ],
)
def test_letters_make_words_and_all_else_stands_alone(text: str, expected: list[str]) -> None:
    assert keys(text) == expected


def test_units_tell_where_they_are_and_how_they_are_written() -> None:
    text = "用 Don't。a"
    found = list(units(text, [makes_sound(char) for char in text]))
    assert [(unit.text, unit.first, unit.last, unit.spaced) for unit in found] == [
        ("用", 0, 1, False), ("Dont", 1, 5, True), ("a", 5, 6, False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("written", "said"), [("7", "seven"), ("7", "seventieth"), ("1", "thirteen"), ("2", "twenty"),
                          ("0", "oh"), ("%", "percent"), (".", "point"), (".", "点"), ("2", "两")],
)  # fmt: skip
def test_digits_and_signs_share_a_number_with_their_words(written: str, said: str) -> None:
    shared = set(labels(written)) & set(labels(said))
    assert max(score for score, _ in shared) == SAME_NUMBER


def test_homophones_share_a_sound() -> None:
    assert max(score for score, _ in set(labels("在")) & set(labels("再"))) == SAME_SOUND
    assert not set(labels("in")) & set(labels("inn"))
