"""The hot-word lists of training, and how the transcript then spells the names.

The rule that the model is to learn: a name is written as the first word of the list that sounds
like the whole of it, else canonically; nothing else in the text changes. So of two listed words
that sound the same the first wins, and that is no noise to the model: recall puts the one that CTC
wrote first, then follows the user's order.

Spellings are drawn anew each time an utterance is used. The sound of all spellings is the same, so
the transcript can only be learned from the list; with one spelling for each utterance, the model
learned 89 of 100 names from the list and some of the rest by heart.
"""

from __future__ import annotations

from random import Random

from demo import lexicon
from demo.corpus import Sentence, make_name, near_name

MAX_HOTWORDS = 10
RIGHT_SHARE, WRONG_SHARE = 0.72, 0.14
"""Of sentences with names: a list that holds names that are said; one that holds none of them."""
PLAIN_SHARE = 0.4
"""Of sentences without names: a list of which nothing is said."""
LISTED_SHARE = 0.93
TWIN_SHARE = 0.06
MISHEARD_SHARE = 0.3
"""Of Chinese lists: one word or more that sounds like ordinary words of the sentence. Recall from
a long list brings such words, and they must not replace what was said."""

Key = tuple[str, ...]


def hotword_list(sentence: Sentence, rng: Random) -> tuple[list[str], list[str]]:
    """A list for this sentence (maybe empty), and the spelling of each of its names."""
    canonical = [n.canonical for n in sentence.names]
    draw = rng.random()
    if draw > (RIGHT_SHARE + WRONG_SHARE if canonical else PLAIN_SHARE):
        return [], canonical
    language = sentence.language
    heard = list(dict.fromkeys(n.key for n in sentence.names))
    words: dict[str, Key | None] = {}
    if draw < RIGHT_SHARE:
        for key in heard:
            if rng.random() < LISTED_SHARE:
                for _ in range(2 if rng.random() < TWIN_SHARE else 1):
                    words[lexicon.spell(language, key, rng)] = key
    size = rng.randint(1, MAX_HOTWORDS)
    if language == "zh" and rng.random() < MISHEARD_SHARE:
        for _ in range(rng.randint(1, 3)):
            word = misheard(sentence, heard, rng)
            if word and len(words) < size:
                words.setdefault(word, None)
    while len(words) < size:
        words.setdefault(distractor(language, heard, rng), None)
    order = list(words)
    rng.shuffle(order)
    first: dict[Key | None, str] = {}
    for word in order:
        first.setdefault(words[word], word)
    spelled = [first.get(n.key, n.canonical) for n in sentence.names]
    return order, spelled


def distractor(language: str, heard: list[Key], rng: Random) -> str:
    """What is not said: a name, near one that is or not; a word; a name of the other language."""
    kind = rng.random()
    if kind < 0.1:
        return rng.choice(lexicon.ZH_WORDS if language == "zh" else lexicon.EN_WORDS)
    if kind < 0.16:
        return make_name("en" if language == "zh" else "zh", rng).spelled
    while True:
        near = heard and kind > 0.5
        name = near_name(language, rng.choice(heard), rng) if near else make_name(language, rng)
        if name.key not in heard:
            return name.spelled


def misheard(sentence: Sentence, heard: list[Key], rng: Random) -> str | None:
    """Two or three characters of the Chinese text, not of its names, in another spelling."""
    text = sentence.plain
    size = rng.choice((2, 2, 3))
    places = [
        at
        for at in range(len(text) - size + 1)
        if all(char in lexicon.SYLLABLE_OF for char in text[at : at + size])
    ]
    if not places:
        return None
    at = rng.choice(places)
    said = text[at : at + size]
    key = tuple(lexicon.SYLLABLE_OF[char] for char in said)
    word = lexicon.spell("zh", key, rng)
    return None if word == said or key in heard else word
