"""What stands behind an option in its help: a word for the value, not a type of Python."""

from funasr_cli.cli.names.options import Kind, Option, Options

_OF_NAMES = {
    "context": "TEXT",
    "device": "DEVICE",
    "from_file": "FILE",
    "hotword_replace": "SCORE",
    "hotword_threshold": "SCORE",
    "hotwords": "LIST",
    "language": "LANGUAGE",
    "llama_bin": "FOLDER",
    "max_duration": "SECONDS",
    "min_duration": "SECONDS",
    "model": "FOLDER",
    "name": "NAME",
    "output_dir": "FOLDER",
    "output_format": "FORMATS",
    "output_template": "TEMPLATE",
    "overlap": "SECONDS",
    "progress": "KIND",
    "report": "FILE",
    "start": "TIME",
    "duration": "TIME",
    "subtitle_preset": "PRESET",
    "threshold": "SCORE",
    "time_offset": "SECONDS",
    "vad_threshold": "SCORE",
    "words": "LIST",
}
"""Parameter -> word, where its kind says too little."""
_OF_ENDINGS = {"_ms": "MILLISECONDS", "_s": "SECONDS"}
_OF_KINDS = {Kind.INTEGER: "N", Kind.NUMBER: "NUMBER", Kind.TEXT: "TEXT", Kind.PATH: "PATH"}


def name_values(options: Options) -> None:
    """Give the options of a command their words, before its help is written."""
    for option in options.all:
        if option.kind is not Kind.FLAG and option.parameter.metavar is None:
            option.parameter.metavar = _word(option)


def _word(option: Option) -> str:
    if option.choices:
        return "|".join(option.choices)
    if option.kind is Kind.INTEGER and not option.name.endswith("_ms"):
        return _OF_KINDS[option.kind]
    ending = next((word for end, word in _OF_ENDINGS.items() if option.name.endswith(end)), None)
    return _OF_NAMES.get(option.name) or ending or _OF_KINDS[option.kind]


def without_type(*_args: object, **_kwargs: object) -> str:
    """Stand in for what Typer writes behind an argument: `<list[str]>`."""
    return ""
