"""Hot-word lists of any length for one language, as a user might keep them."""

from __future__ import annotations

from random import Random

from demo import lexicon
from demo.corpus import make_name, near_name
from demo.lexicon import Name

_NEAR_SHARE = 0.1  # of the list: names that share all but one part with a right one
_PATIENCE = 50  # draws for each word wanted before the names count as used up


def long_list(language: str, right: list[Name], size: int, rng: Random) -> list[str]:
    """``size`` words with the right ones among them, in random order.

    No other word has the sound of a right one: of two such words nobody can say which was meant.
    Where the names run out, pairs of words fill the list.
    """
    heard = {n.key for n in right}
    words = {n.spelled: None for n in right}
    draws = 0
    while len(words) < size and draws < _PATIENCE * size:
        draws += 1
        near = right and rng.random() < _NEAR_SHARE
        name = near_name(language, rng.choice(right).key, rng) if near else make_name(language, rng)
        if name.key not in heard:
            words.setdefault(name.spelled)
    vocabulary = lexicon.ZH_WORDS if language == "zh" else lexicon.EN_WORDS
    while len(words) < size:
        joint = "" if language == "zh" else " "
        words.setdefault(joint.join(rng.sample(vocabulary, 2)))
    found = list(words)
    rng.shuffle(found)
    return found
