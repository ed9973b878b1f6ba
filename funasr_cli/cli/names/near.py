"""Did you mean: known names that are close to what was typed."""

from collections.abc import Iterable

from funasr_cli.cli.messages import tr_word

SHOWN = 3
LEAST = 0.65
"""Similarity, 0 to 1, from which on a name is near."""
MARGIN = 0.15
"""How much less similar than the nearest a name may be to be shown beside it."""


def did_you_mean(typed: str, known: Iterable[str]) -> str:
    """Return `; did you mean A or B?`, or nothing where nothing is near."""
    from difflib import SequenceMatcher

    word = _plain(typed)
    found = {name: SequenceMatcher(None, _plain(name), word).ratio() for name in known}
    least = max(LEAST, max(found.values(), default=0.0) - MARGIN)
    near = sorted((-similarity, name) for name, similarity in found.items() if similarity >= least)
    either = f" {tr_word('or')} "
    return f"; did you mean {either.join(name for _, name in near[:SHOWN])}?" if near else ""


def _plain(name: str) -> str:
    # case, dashes and underscores are no reason to take a name for another
    return name.casefold().replace("_", "-").strip("-")
