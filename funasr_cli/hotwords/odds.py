"""Was a word of the list said, or the everyday words that CTC wrote in its place?

Sound alone cannot tell 坊间 from 房间, and of thousands of short words some sound like every
sentence. Language can: what was misheard makes poor sense, what was said makes good sense. So what
CTC wrote is weighed, in its sentence, against a word from the list (Bayes, with the likelihoods of
`chinese_words.py`).
"""

from collections.abc import Iterable, Iterator, Sequence
from math import isclose, log
from typing import Final

from funasr_cli.characters import HeardChar, readings
from funasr_cli.chinese_words import costs_before, costs_behind
from funasr_cli.hotwords.index import HotwordIndex
from funasr_cli.hotwords.phonemes import Phoneme, numbers_in_words
from funasr_cli.hotwords.search import USUAL_THRESHOLD, Match

ONE_WORD: Final = -2.9
PER_E_FOLD: Final = 2.0
"""What a word of a list costs: more, the longer the list, because each word of it is said less.
Beyond the share of one in a list (1.0): the longer a list, the less was it made for this recording.
Fitted, like the next two, to lists of 2,000 and 10,000 words (docs/HOTWORDS.md)."""
NEARLY_ALIKE: Final = 3.0
"""What it costs that the sound is not quite the word's."""
WORD_FOR_WORD: Final = 2.0
"""What speaks for a word whose sound is exactly that of whole words: so CTC writes a name that it
does not know (理想 for 李想)."""
_LEAST_POSTERIOR: Final = 0.01
_FIRST_KANA, _LAST_KANA = "\u3041", "\u30ff"


def likely(  # noqa: PLR0913 - what was found, where, and what decides
    index: HotwordIndex,
    matches: Sequence[Match],
    heard: Sequence[HeardChar],
    phonemes: Sequence[Phoneme],
    threshold: float,
    *,
    listed: int | None = None,
) -> Iterator[Match]:
    """Leave out the words that were heard only because everyday language sounds like them.

    What CTC wrote, or nearly wrote, stays; so does what it wrote without any Chinese. Of Japanese
    and of traditional characters nothing is known, and all stay.

    Args:
        index: the list.
        matches: where its words were heard.
        heard: the characters that CTC wrote.
        phonemes: how they sound.
        threshold: least similarity that the user asked for; a lower one asks less here, too;
            a higher one asks more of the sound alone.
        listed: words of the whole list; None: those of the index.
    """
    text = "".join(char.text if len(char.text) == 1 else " " for char in heard)
    doubtful: list[tuple[Match, int, int]] = []
    for match in matches:
        first, last = phonemes[match.first].first, phonemes[match.last - 1].last + 1
        if _wrote(index, match.word, heard[first:last]) or not any(map(readings, text[first:last])):
            yield match
        else:
            doubtful.append((match, first, last))
    if not doubtful:
        return
    if any(_FIRST_KANA <= char <= _LAST_KANA for char in text):
        yield from (match for match, _, _ in doubtful)
        return
    before, behind = costs_before(text), costs_behind(text)
    price = ONE_WORD + PER_E_FOLD * log(listed or len(index.words))
    if price > 0:  # of a few words it is not, and a share of it would be more
        price *= min(1.0, threshold / USUAL_THRESHOLD)
    for match, first, last in doubtful:
        gain = before[-1] - before[first] - behind[last] + _doubts(heard[first:last])
        if match.similarity < 1:
            gain -= NEARLY_ALIKE
        elif all(isclose(before[at] + behind[at], before[-1]) for at in (first, last)):
            gain += WORD_FOR_WORD
        if gain >= price:
            yield match


def _wrote(index: HotwordIndex, word: int, heard: Sequence[HeardChar]) -> bool:
    """Whether CTC wrote the word itself, or every character of it was among its best guesses.

    五月 is 5月, and 论语 is 《论语》.
    """
    text = "".join(char.text for char in heard)
    written = index.words[word]
    if index.spells(text, word) or _letters(text) in map(_letters, numbers_in_words(written)):
        return True
    return len(written) == len(heard) and all(
        char == guess.text or any(char == other for other, _ in guess.alternatives)
        for char, guess in zip(written, heard, strict=True)
    )


def _letters(text: str) -> str:
    """What is heard of a text: not marks and spaces, and 幺 is another 一."""
    return "".join(filter(str.isalnum, text.casefold())).replace("幺", "一")


def _doubts(heard: Iterable[HeardChar]) -> float:
    """What it costs to believe CTC: minus the logarithm of its posteriors."""
    return -sum(log(max(char.confidence, _LEAST_POSTERIOR)) for char in heard)
