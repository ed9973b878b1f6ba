"""Bring the Chinese catalogue up to date with the source: `python tests/make_catalogue.py`.

New texts are added with an empty translation, to be filled in; texts that no source has any more
are dropped; translations are kept. With `--list` nothing is written: it prints the new and the
dropped texts. PO files named behind it lend their translations: the other side of a merge, or what
somebody translated ahead. The package must be importable (installed, or PYTHONPATH).
"""

import sys
from pathlib import Path

from shown_texts import PACKAGE, Shown, shown_texts

from funasr_cli.cli.messages.catalogue import read_po

PO = PACKAGE / "cli" / "messages" / "zh.po"
HEAD = """\
# What funasr-cli says, in Chinese. `python tests/make_catalogue.py` adds what is new in the source.
# {} is filled in at run time, in this order; {0}, {1} ... put it into another.
msgid ""
msgstr "Language: zh\\nContent-Type: text/plain; charset=UTF-8\\n"
"""


def entry(text: str, translation: str, shown: Shown) -> str:
    """Write one entry, with what translators need to know."""
    comments = [f"#: {' '.join(shown.files)}\n"] if shown.files else []
    if shown.parts:
        comments.append(f"#. {{}}: {'; '.join(shown.parts)}\n")
    return f"\n{''.join(comments)}msgid {_quoted(text)}\nmsgstr {_quoted(translation)}\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def main(arguments: list[str]) -> int:
    """List or write; the exit code tells whether something is left to translate."""
    lenders = [Path(name) for name in arguments if name != "--list"]
    known: dict[str, str] = {}
    for file in [*lenders, PO]:
        own = read_po(file.read_text(encoding="utf-8"))
        known |= {text: translation for text, translation in own.items() if translation}
    texts = shown_texts()
    new = {text: shown for text, shown in texts.items() if not known.get(text)}
    dropped = [text for text in read_po(PO.read_text(encoding="utf-8")) if text not in texts]
    if "--list" not in arguments:
        entries = (entry(text, known.get(text, ""), shown) for text, shown in texts.items())
        PO.write_text(HEAD + "".join(entries), encoding="utf-8", newline="\n")
    sys.stdout.write("".join(entry(text, "", shown) for text, shown in new.items()))
    sys.stdout.write("".join(f"\n# dropped: {text}" for text in dropped))
    sys.stderr.write(f"{PO}: {len(texts)} texts, {len(new)} to translate, {len(dropped)} dropped\n")
    return bool(new)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    raise SystemExit(main(sys.argv[1:]))
