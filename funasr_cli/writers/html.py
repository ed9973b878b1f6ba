"""One page that plays the sound and lights up each character as it is spoken.

Nothing in it asks the network: style, scripts, the other formats and small inputs are inside. Its
policy lets no script run but its own, whatever stands in a transcript.
"""

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from functools import cache
from hashlib import sha256
from html import escape
from pathlib import Path

from funasr_cli.captions import DEFAULT_CAPTIONS, CaptionOptions
from funasr_cli.languages import LANGUAGES
from funasr_cli.results import Transcript
from funasr_cli.units import clock
from funasr_cli.version import __version__
from funasr_cli.writers.json import to_json
from funasr_cli.writers.page.sound import sound_url
from funasr_cli.writers.page.words import Word, paragraphs
from funasr_cli.writers.srt import to_srt
from funasr_cli.writers.txt import to_txt
from funasr_cli.writers.vtt import to_vtt

SCRIPTS = ("strings", "light", "player", "search", "source", "page")
"""In this order, in one scope; `page` starts them."""
_FOLDER = Path(__file__).parent / "page"
_POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; "
    "media-src 'self' file: data: blob:"
)
_SCRIPT_TYPES = (
    ("[\u3040-\u30ff]", "ja"),
    ("[\uac00-\ud7a3]", "ko"),
    ("[\u4e00-\u9fff]", "zh-Hans"),
)


def to_html(
    transcript: Transcript,
    folder: Path = Path(),
    captions: CaptionOptions = DEFAULT_CAPTIONS,
) -> str:
    """Write the page.

    Args:
        transcript: what was heard.
        folder: where the page will lie: a link to a large input starts there.
        captions: what cues look like in the subtitles that the page hands out.
    """
    found = paragraphs(transcript)
    style = _asset("page.css")
    script = f'(() => {{\n"use strict";\n{"".join(_asset(f"{s}.js") for s in SCRIPTS)}}})();\n'
    name = Path(transcript.path).name.strip("<>") or transcript.path
    files = {
        "txt": to_txt(transcript),
        "srt": to_srt(transcript, captions),
        "vtt": to_vtt(transcript, captions),
        "json": to_json(transcript),
    }
    data = {
        "name": name,
        "start": _milliseconds(transcript.start),
        "end": _milliseconds(transcript.start + transcript.duration),
        "times": _times(word for words in found for word in words if word.chars),
    }
    parts = {
        "policy": f"{_POLICY}; style-src '{_hash(style)}'; script-src '{_hash(script)}'",
        "title": escape(name),
        "about": escape(
            " · ".join(filter(None, (clock(transcript.duration), transcript.model.name)))
        ),
        "language": _language(transcript),
        "notices": "".join(f"<li>{escape(n.message)}</li>" for n in transcript.warnings),
        "text": _text(found),
        "sure": "" if any(word.doubt for words in found for word in words) else " hidden",
        "sound": f' src="{escape(url)}"' if (url := sound_url(transcript.path, folder)) else "",
        "version": escape(__version__),
        "style": style,
        "data": _json(data),
        "files": _json(files),
        "script": script,
    }
    # in one pass: what is put in is not looked at again
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], _asset("page.html"))


def _text(found: Iterable[Iterable[Word]]) -> str:
    """Write paragraphs; the n-th `span` of the page is the n-th entry of its times."""
    lines = []
    for words in found:
        parts = list(words)
        start = next((w.chars[0].start for w in parts if w.chars), None)
        at = "" if start is None else f'<button type="button" class="at">{clock(start)}</button>'
        lines.append(f'<p dir="auto">{at}{"".join(map(_word, parts))}</p>\n')
    return "".join(lines)


def _word(word: Word) -> str:
    if not word.chars:
        return escape(word.text)
    attributes = ""
    if word.doubt:
        least = min(c.confidence for c in word.chars if any(map(str.isalnum, c.text)))
        attributes = f' class="doubt{word.doubt}" title="{least:.0%}"'
    return f"<span{attributes}>{escape(word.text)}</span>"


def _times(words: Iterable[Word]) -> list[list[int]]:
    """List the start of each letter of a word and its end: milliseconds, starts in order."""
    rows = []
    floor = 0
    for word in words:
        row = []
        for char in word.chars:
            floor = max(floor, _milliseconds(char.start))
            row.append(floor)
        rows.append([*row, max(floor, _milliseconds(word.chars[-1].end))])
    return rows


def _json(value: Mapping[str, object]) -> str:
    """Write JSON that no HTML parser can take for the end of its script."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _language(transcript: Transcript) -> str:
    """Name the text's language for fonts and speech: as asked for, else by its script."""
    if transcript.language in LANGUAGES:
        code = LANGUAGES[transcript.language][0]
        return "zh-Hans" if code == "zh" else code
    return next((code for script, code in _SCRIPT_TYPES if re.search(script, transcript.text)), "")


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode('ascii')}"


@cache
def _asset(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
