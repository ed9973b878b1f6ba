"""English texts -> texts of another language, by templates with placeholders.

An entry `{}: no such file` translates every message of that form. What stands in a placeholder is
translated too where it is a message itself, and kept where it is not: a path, a number, a word.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

_EDGES = " \t\n,;:"
_ENTRY = re.compile(r'^(msgid|msgstr) +((?:"(?:[^"\\]|\\.)*"\s*)+)', re.MULTILINE)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")
_PLACE = re.compile(r"\{(\d*)\}")
_SEPARATOR = re.compile(r"([;:,.?] | \()")
_FULL_WIDTH = str.maketrans({";": "；", ":": "：", ",": "，", ".": "。", "?": "？", "(": "（"})
_OWN_SPACE = tuple("，。；：！？）」")
"""Marks with their own space behind them."""
_ANCHOR = 8
"""What a fixed beginning weighs besides: what begins with a placeholder fits too much."""
_LEAST_WORDS = 3
"""Words of a text that may follow others with nothing but a space between."""
_MOST_PIECES = 60
"""Clauses and marks of what is still a message, and no log."""
_DEEPEST = 8
"""Messages in messages; a bound for what was not written by this program."""


def read_po(text: str) -> dict[str, str]:
    """Read a catalogue in the PO format of GNU gettext; of it: msgid, msgstr and comments."""
    parts = [
        (key, "".join(_unescape(piece) for piece in _QUOTED.findall(quoted)))
        for key, quoted in _ENTRY.findall(text)
    ]
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return {msgid: msgstr for (_, msgid), (_, msgstr) in pairs if msgid}


def _unescape(text: str) -> str:
    return _ESCAPED.sub(lambda match: {"n": "\n", "t": "\t"}.get(match[1], match[1]), text)


def normalise(text: str) -> str:
    """Write a line as a catalogue has it: without what joins it to others."""
    return text.strip(_EDGES)


def paragraphs(text: str) -> Iterator[tuple[bool, str]]:
    r"""Cut a help text: (whether its lines are kept, which a line with \b asks for; text)."""
    for block in re.split(r"\n[ \t]*\n", text.strip("\n")):
        lines = block.strip("\n").splitlines()
        if lines and lines[0].strip() == "\b":
            yield True, "\n".join(lines[1:])
        elif lines:
            yield False, " ".join(" ".join(lines).split())


@dataclass
class _Template:
    """An entry with placeholders."""

    msgid: str
    msgstr: str

    @cached_property
    def literals(self) -> list[str]:
        """What must stand in a message, in this order."""
        return [part for part in self.msgid.split("{}") if part]

    @cached_property
    def weight(self) -> int:
        """How much of it is fixed: the heaviest is the most specific."""
        is_anchored = not self.msgid.startswith("{}")
        return sum(map(len, self.literals)) + _ANCHOR * is_anchored

    @cached_property
    def pattern(self) -> "re.Pattern[str]":
        """Compiled when a message has all literals."""
        return re.compile("(.*)".join(map(re.escape, self.msgid.split("{}"))), re.DOTALL)

    def match(self, text: str) -> "re.Match[str] | None":
        """Find what stands in the placeholders."""
        begin = 0
        for literal in self.literals:
            begin = text.find(literal, begin)
            if begin < 0:
                return None
            begin += len(literal)
        return self.pattern.fullmatch(text)


class Catalogue:
    """All entries of a language."""

    def __init__(self, entries: Mapping[str, str]) -> None:
        known = {msgid: msgstr for msgid, msgstr in entries.items() if msgstr}
        self._exact = {msgid: text for msgid, text in known.items() if "{}" not in msgid}
        templates = (_Template(msgid, text) for msgid, text in known.items() if "{}" in msgid)
        self._templates = sorted(templates, key=lambda one: one.weight, reverse=True)

    def word(self, text: str) -> str:
        """Translate a single word, or any text as a whole."""
        return self._exact.get(text) or self.translate(text)

    def help(self, text: str) -> str:
        """Translate a help text; examples and tables keep their lines."""
        blocks = (
            "\b\n" + "\n".join(map(self._help_line, block.splitlines()))
            if is_verbatim
            else self.word(block)
            for is_verbatim, block in paragraphs(text)
        )
        return "\n\n".join(blocks)

    def translate(self, text: str) -> str:
        """Translate a message, line by line: as a whole, else the parts that are known."""
        return "\n".join(map(self._line, text.split("\n")))

    def _line(self, line: str) -> str:
        core = line.strip()
        if core.startswith("(") and core.endswith(")"):  # a remark behind another message
            whole, inner = self._whole(core, 0) or "", self._part(core[1:-1], 0)
            remark = f"（{inner}）" if inner != core[1:-1] else line
            return whole if whole.startswith("（") else remark
        return line.replace(core, self._part(core, 0)) if core else line

    def _help_line(self, line: str) -> str:
        return self._exact.get(line.strip()) or self._line(line)

    def _part(self, text: str, depth: int) -> str:
        """Translate a text without edges; what is unknown stays, its punctuation too."""
        core = text.strip(_EDGES)
        if depth > _DEEPEST or " " not in core:
            return text
        found = self._whole(core, depth) or self._after_others(core, depth)
        found = found or self._amid_others(core, depth) or self._bracketed(core, depth)
        if found is None:
            return text
        before, _, after = text.partition(core)
        return _full_width(before) + found + _full_width(after)

    def _whole(self, text: str, depth: int) -> str | None:
        """Translate what is one entry; None: it is none."""
        if exact := self._exact.get(text):
            return exact if " " in text else None
        for template in self._templates:
            if match := template.match(text):
                parts = [self._part(part, depth + 1) for part in match.groups()]
                told = [new != old for new, old in zip(parts, match.groups(), strict=True)]
                return _filled(template.msgstr, parts, told)
        return None

    def _after_others(self, text: str, depth: int) -> str | None:
        """Translate what ends with an entry: the name of a file, a space, what is wrong."""
        for space in re.finditer(" ", text):
            tail = text[space.end() :]
            if tail.count(" ") + 1 < _LEAST_WORDS:
                return None
            if found := self._whole(tail, depth):
                return self._joined(text[: space.start()], found, depth)
        return None

    def _amid_others(self, text: str, depth: int) -> str | None:
        """Translate the longest run of clauses that is an entry, then what is around it."""
        pieces = _SEPARATOR.split(text)
        if len(pieces) > _MOST_PIECES:
            return None
        starts = range(0, len(pieces), 2)
        runs = ((i, j) for i in starts for j in range(i + 1, len(pieces) + 1, 2))
        for i, j in sorted(runs, key=lambda run: run[0] - run[1]):
            if found := self._whole("".join(pieces[i:j]), depth):
                head = "".join(pieces[:i])
                rest = self._part("".join(pieces[j + 1 :]), depth + 1)
                after = _full_width(pieces[j]) if j < len(pieces) else ""
                return self._joined(head, found, depth) + after + rest
        return None

    def _joined(self, head: str, tail: str, depth: int) -> str:
        core = head.rstrip(_EDGES + "(.?")
        between = head[len(core) :]
        return self._part(core, depth + 1) + (_full_width(between) or (" " if head else "")) + tail

    def _bracketed(self, text: str, depth: int) -> str | None:
        head, bracket, inner = text.partition(" (")
        if not bracket or not inner.endswith(")"):
            return None
        parts = [self._part(head, depth + 1), self._part(inner[:-1], depth + 1)]
        return "（".join(parts) + "）" if parts != [head, inner[:-1]] else None


def _full_width(punctuation: str) -> str:
    """Turn the marks between clauses into those of Chinese, which carry their own space."""
    return punctuation.strip(" ").translate(_FULL_WIDTH)


def _filled(msgstr: str, parts: list[str], told: list[bool]) -> str:
    """Put the parts into {} in their order, or into {0}, {1} ... in any.

    Args:
        msgstr: the translation.
        parts: what goes into its places.
        told: whether a part is translated: then it needs no space beside Chinese.
    """
    order = iter(range(len(parts)))
    pieces = _PLACE.split(msgstr)
    filled = pieces[0]
    for number, literal in zip(pieces[1::2], pieces[2::2], strict=True):
        place = int(number) if number else next(order)
        part = parts[place]
        if told[place] and _meet(filled, part):
            filled = filled[:-1]
        is_marked = part.endswith(_OWN_SPACE)
        if literal[:1] == " " and (is_marked or (told[place] and _meet(f"{part} ", literal[1:]))):
            literal = literal[1:]  # noqa: PLW2901 - the same text, joined closer
        filled += part + literal
    return filled


def _meet(before: str, after: str) -> bool:
    """Whether only a space stands between two Chinese characters."""
    return before.endswith(" ") and all(map(_is_chinese, (before[-2:-1], after[:1])))


def _is_chinese(character: str) -> bool:
    return character >= "\u2e80"
