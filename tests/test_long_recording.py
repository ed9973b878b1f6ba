"""Hours of sound take the memory of minutes."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).with_name("long_recording.py")


def transcribed(hours: float) -> dict[str, Any]:
    found = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, str(SCRIPT), str(hours)], capture_output=True, check=False, text=True
    )
    assert found.returncode == 0, found.stderr
    value: dict[str, Any] = json.loads(found.stdout)
    return value


@pytest.mark.skipif(sys.platform == "win32", reason="no `resource` there")
def test_ten_hours_take_the_memory_of_minutes() -> None:
    short, long = transcribed(0.1), transcribed(10)
    assert long["seconds"] == 36_000
    assert long["speech"] == pytest.approx(24_000, rel=0.03)
    assert long["segments"] >= 2_400
    assert long["text"] == 2 * long["segments"]
    # what is kept of each segment is its text; 36,000 s of sound alone would be 2.3 GB
    assert long["peak"] < short["peak"] + 25
