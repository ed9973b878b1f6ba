"""Language names that people type -> the word that stands in the prompt.

Source of the list: the checkpoints' model cards (Nano: 3 languages, MLT: 31).
"""

from difflib import get_close_matches

from funasr_cli.errors import UsageError

AUTO = frozenset({"", "auto", "none", "自动"})

LANGUAGES: dict[str, tuple[str, ...]] = {
    "中文": (
        *("zh", "chinese", "cn", "mandarin", "zho", "chi", "cmn"),
        *("普通话", "汉语", "华语", "国语", "汉文", "简体中文", "繁体中文"),
        *("普通話", "漢語", "華語", "國語", "簡體中文", "繁體中文", "simplified chinese"),
    ),
    "英文": ("en", "english", "英语", "英語", "eng"),
    "粤语": ("yue", "cantonese", "广东话", "粵語", "廣東話", "zh-hk", "zh-yue"),
    "日文": ("ja", "japanese", "日语", "jp", "日本語", "日語", "jpn"),
    "韩文": ("ko", "korean", "韩语", "kr", "한국어", "韓語", "韓文", "kor"),
    "越南语": ("vi", "vietnamese"),
    "印尼语": ("id", "indonesian"),
    "泰语": ("th", "thai"),
    "马来语": ("ms", "malay"),
    "菲律宾语": ("tl", "fil", "filipino", "tagalog"),
    "阿拉伯语": ("ar", "arabic"),
    "印地语": ("hi", "hindi"),
    "保加利亚语": ("bg", "bulgarian"),
    "克罗地亚语": ("hr", "croatian"),
    "捷克语": ("cs", "czech"),
    "丹麦语": ("da", "danish"),
    "荷兰语": ("nl", "dutch"),
    "爱沙尼亚语": ("et", "estonian"),
    "芬兰语": ("fi", "finnish"),
    "希腊语": ("el", "greek"),
    "匈牙利语": ("hu", "hungarian"),
    "爱尔兰语": ("ga", "irish"),
    "拉脱维亚语": ("lv", "latvian"),
    "立陶宛语": ("lt", "lithuanian"),
    "马耳他语": ("mt", "maltese"),
    "波兰语": ("pl", "polish"),
    "葡萄牙语": ("pt", "portuguese"),
    "罗马尼亚语": ("ro", "romanian"),
    "斯洛伐克语": ("sk", "slovak"),
    "斯洛文尼亚语": ("sl", "slovenian"),
    "瑞典语": ("sv", "swedish"),
}

_FOREIGN = frozenset(
    (
        *("fr", "french", "法语", "de", "german", "德语", "es", "spanish", "西班牙语"),
        *("ru", "russian", "俄语", "it", "italian", "意大利语", "tr", "turkish", "土耳其语"),
        *("uk", "ukrainian", "乌克兰语", "fa", "persian", "波斯语", "he", "hebrew", "希伯来语"),
    )
)
"""Asked for often, and in no model: a near name would be another language."""

_BY_NAME = {name: name for name in LANGUAGES} | {
    alias: name for name, aliases in LANGUAGES.items() for alias in aliases
}


def prompt_language(name: str | None) -> str | None:
    """Return the prompt's word for a language, or None where the model shall decide.

    Accepts the Chinese name, English name, ISO code and regional codes (`zh-CN`, `en_US`).

    Raises:
        UsageError: the name is unknown; the message proposes near ones.
    """
    key = (name or "").strip().lower().replace("_", "-")
    if key in AUTO:
        return None
    found = _BY_NAME.get(key) or _BY_NAME.get(key.split("-")[0])
    if found:
        return found
    near = get_close_matches(key, _BY_NAME, n=3, cutoff=0.6)
    hint = f"did you mean {', '.join(near)}?" if near else "try 中文, en, Japanese or auto"
    if key.split("-")[0] in _FOREIGN:
        hint = "the models do not know it; a wrong language spoils the text, auto does not"
    raise UsageError(f"unknown language {name!r}: {hint}")


def language_code(name: str | None) -> str | None:
    """Return the ISO code of a language (`zh` of 中文), or None where the model shall decide.

    Raises:
        UsageError: the name is unknown.
    """
    word = prompt_language(name)
    return None if word is None else LANGUAGES[word][0]
