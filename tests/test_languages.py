import pytest

from funasr_cli.errors import UsageError
from funasr_cli.languages import LANGUAGES, prompt_language

CHINESE = [
    *("中文", "zh", "Chinese", "cn", "zh-CN", "zh_CN", "zh_TW", "zh-Hans-CN", " ZH "),
    *("國語", "简体中文", "Mandarin", "Simplified Chinese"),
]


@pytest.mark.parametrize("name", CHINESE)
def test_names_people_type_for_chinese(name: str) -> None:
    assert prompt_language(name) == "中文"


@pytest.mark.parametrize("name", [None, "", "auto", "Auto", "None", "none", "自动"])
def test_auto_leaves_the_clause_out(name: str | None) -> None:
    assert prompt_language(name) is None


def test_every_language_answers_to_all_of_its_names() -> None:
    for name, aliases in LANGUAGES.items():
        assert all(prompt_language(alias) == name for alias in (name, *aliases))


def test_cantonese_is_not_mandarin() -> None:
    assert prompt_language("zh-HK") == "粤语"


def test_a_wrong_name_proposes_a_near_one() -> None:
    with pytest.raises(UsageError, match="did you mean english"):
        prompt_language("englich")


@pytest.mark.parametrize("name", ["fr", "French", "de-DE", "法语"])
def test_a_language_of_no_model_is_not_taken_for_a_near_one(name: str) -> None:
    with pytest.raises(UsageError, match="the models do not know it"):
        prompt_language(name)
