"""Everything that is known of a transcript; seconds everywhere. And back: the only reader of it."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Final, TypeVar, Union, get_args, get_origin, get_type_hints

from funasr_cli.errors import InputError
from funasr_cli.results import RESULT_SCHEMA, Segment, Transcript

T = TypeVar("T")
MILLI = 3
"""Decimals of a time in seconds; confidence and similarity get as many."""
_AUDIO: Final = ("path", "start", "duration", "sample_rate")
_RENAMED: Final = {"before": "from", "after": "to"}
"""Fields of a replacement -> what the JSON calls them."""


def to_json(transcript: Transcript, *, compact: bool = False) -> str:
    """Write one JSON object and a newline; `compact` keeps it on one line."""
    value = {
        "schema": RESULT_SCHEMA,
        "audio": {
            "path": transcript.path,
            "start": round(transcript.start, MILLI),
            "duration": round(transcript.duration, MILLI),
            "sample_rate": transcript.sample_rate,
        },
        "model": asdict(transcript.model),
        "language": transcript.language,
        "text": transcript.text,
        "speech": _rounded(transcript.speech),
        "coverage": _rounded(transcript.coverage),
        "failure": transcript.failure,
        "segments": [segment_object(s) for s in transcript.segments],
        "timings": transcript.timings.as_dict(),
        "warnings": [asdict(n) for n in transcript.warnings],
    }
    return json.dumps(value, ensure_ascii=False, indent=None if compact else 1) + "\n"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, MILLI)


def segment_object(segment: Segment) -> dict[str, Any]:
    """One segment as it stands in the JSON."""
    value = asdict(segment)
    value["replacements"] = [
        {_RENAMED.get(key, key): part for key, part in one.items()} for one in value["replacements"]
    ]
    for part in (value, *value["chars"], *value["hotwords"], *value["replacements"]):
        for key in ("start", "end", "confidence", "similarity"):
            if part.get(key) is not None:
                part[key] = round(part[key], MILLI)
    return value


def from_json(text: str, name: str) -> Transcript:
    """Read what `to_json` wrote; fields that this version does not know are left out.

    Args:
        text: the JSON.
        name: of the file, for messages.

    Raises:
        InputError: it is no JSON, not ours, of another version, or incomplete.
    """
    try:
        value = json.loads(text)
    except ValueError as error:
        hint = ""
        if re.match(r"\s*\{.*\}\s*\n\s*\{", text):
            hint = "; it has several transcripts, one a line: take one line of it"
        raise InputError(f"{name}: is not one JSON object ({error}){hint}") from error
    except RecursionError as error:
        raise InputError(f"{name}: is not a transcript: nested too deeply") from error
    schema = value.get("schema") if isinstance(value, Mapping) else None
    if schema != RESULT_SCHEMA:
        ours, version = RESULT_SCHEMA.split("/")
        if isinstance(schema, str) and re.fullmatch(rf"{ours}/\d+", schema):
            raise InputError(
                f"{name}: was written by another version of funasr-cli ({schema}; this one reads "
                f"version {version}): transcribe again, or use that version"
            )
        raise InputError(
            f"{name}: is not a transcript of funasr-cli; `funasr transcribe RECORDING -f json` "
            "writes one"
        )
    audio = _mapping(value.get("audio"), name, "audio")
    return _object(Transcript, {**value, **{key: audio.get(key) for key in _AUDIO}}, name, "")


def _mapping(value: object, name: str, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InputError(f"{name}: {where or 'the transcript'} should be an object")
    return value


def _object(kind: type[T], value: object, name: str, where: str) -> T:
    """Read a result, field by field, each as its type says."""
    given = _mapping(value, name, where)
    hints = get_type_hints(kind)
    found: dict[str, Any] = {}
    for one in fields(kind):  # type: ignore[arg-type] # only called for dataclasses
        key = _RENAMED.get(one.name, one.name)
        path = f"{where}.{key}" if where else key
        if key in given:
            found[one.name] = _value(hints[one.name], given[key], name, path)
        elif one.default is MISSING and one.default_factory is MISSING:
            raise InputError(f"{name}: {path} is missing")
    return kind(**found)


def _value(kind: Any, value: object, name: str, where: str) -> Any:  # noqa: ANN401 - a type hint
    if get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise InputError(f"{name}: {where} should be a list")
        item = get_args(kind)[0]
        return tuple(_value(item, one, name, f"{where}[{at}]") for at, one in enumerate(value))
    if get_origin(kind) in (Union, UnionType):
        (kind,) = (one for one in get_args(kind) if one is not NoneType)
        return None if value is None else _value(kind, value, name, where)
    if is_dataclass(kind):
        return _object(kind, value, name, where)  # type: ignore[arg-type] # a class, not a value
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind or (isinstance(value, float) and not math.isfinite(value)):
        raise InputError(f"{name}: {where} is {value!r}, which is not of type {kind.__name__}")
    return value
