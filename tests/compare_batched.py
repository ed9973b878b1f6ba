"""Texts of many segments at once, with drafts, against one segment and one token at a time.

    python tests/compare_batched.py FOLDER [--device vulkan] [--llama-bin DIR] [--curve 1,1,1,1,1]

Transcribes every recording of a folder, alone and all of them in one long file, with the demo
model (or -m DIR), both ways, and counts the texts that differ. `--curve` replaces the measured
costs (1,1,1,1,1: drafts always pay), so that drafts are tried on any machine.
"""

import argparse
import dataclasses
import sys
import tempfile
import wave
from pathlib import Path

import numpy as np

from funasr_cli import RuntimeOptions, Transcriber, Transcript
from funasr_cli.costs import CostCurve
from funasr_cli.decode import BatchDecoder
from funasr_cli.model_dir import DEMO_MODEL

KINDS = (".wav", ".mp3", ".m4a", ".mp4")
PAUSE_S = 0.6


def main() -> int:
    """Compare; the exit code is 1 where more than one text of a hundred differs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("-m", "--model", type=Path, default=DEMO_MODEL)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--llama-bin", type=Path)
    parser.add_argument("--slots", type=int, default=8)
    parser.add_argument("--curve", default="1,1,1,1,1")
    given = parser.parse_args()
    names = sorted(p for p in given.folder.iterdir() if p.suffix in KINDS)
    curve = CostCurve(tuple(float(n) for n in given.curve.split(",")))
    common = {"device": given.device, "llama_bin": given.llama_bin}
    slow = RuntimeOptions(slots=1, drafts=False, ahead=0, **common)
    fast = RuntimeOptions(slots=given.slots, ahead=4, **common)
    with tempfile.TemporaryDirectory() as folder:
        joined = Path(folder) / "joined.wav"
        _join([n for n in names if n.suffix == ".wav"], joined)
        inputs = [*names, joined]
        with Transcriber(given.model, slow) as transcriber:
            expected = [transcriber.transcribe(name) for name in inputs]
        with Transcriber(given.model, fast) as transcriber:
            model = transcriber._model
            decoder = BatchDecoder(model.llm, curve)
            transcriber._model = dataclasses.replace(model, decoder=decoder)
            transcriber._ear._model = transcriber._model
            found = [transcriber.transcribe(name) for name in inputs]
    return _report(inputs, expected, found)


def _join(names: list[Path], target: Path) -> None:
    pause = np.zeros(round(PAUSE_S * 16000), "<i2").tobytes()
    with wave.open(str(target), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16000)
        for name in names:
            with wave.open(str(name), "rb") as file:
                if file.getframerate() == 16000 and file.getnchannels() == 1:
                    out.writeframes(file.readframes(file.getnframes()) + pause)


def _report(inputs: list[Path], expected: list[Transcript], found: list[Transcript]) -> int:
    segments = different = drafted = accepted = calls = tokens = 0
    for name, one, other in zip(inputs, expected, found, strict=True):
        for a, b in zip(one.segments, other.segments, strict=True):
            segments += 1
            drafted += b.decode.drafted
            accepted += b.decode.accepted
            calls += b.decode.calls
            tokens += len(b.token_ids)
            if a.token_ids != b.token_ids:
                different += 1
                sys.stdout.write(f"{name.name} segment {a.id}\n  - {a.text}\n  + {b.text}\n")
    sys.stdout.write(
        f"{segments} segments, {different} differ; {tokens} tokens in {calls} turns; "
        f"{accepted} of {drafted} drafted tokens right; {found[0].model.device}\n"
    )
    return 1 if different * 100 > segments else 0


if __name__ == "__main__":
    sys.exit(main())
