"""Everything that is known of a transcript; seconds everywhere."""

import json
from dataclasses import asdict
from typing import Any

from funasr_cli.results import RESULT_SCHEMA, Segment, Transcript

MILLI = 3
"""Decimals of a time in seconds; confidence and similarity get as many."""


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
        "segments": [segment_object(s) for s in transcript.segments],
        "timings": transcript.timings.as_dict(),
        "warnings": [asdict(n) for n in transcript.warnings],
    }
    return json.dumps(value, ensure_ascii=False, indent=None if compact else 1) + "\n"


def segment_object(segment: Segment) -> dict[str, Any]:
    """One segment as it stands in the JSON."""
    value = asdict(segment)
    replaced = value["replacements"]
    value["replacements"] = [
        {"from": one.pop("before"), "to": one.pop("after"), **one} for one in replaced
    ]
    for part in (value, *value["chars"], *value["hotwords"], *value["replacements"]):
        for key in ("start", "end", "confidence", "similarity"):
            if part.get(key) is not None:
                part[key] = round(part[key], MILLI)
    return value
