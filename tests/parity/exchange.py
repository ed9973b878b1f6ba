"""Make checkpoints, run the reference on them, and keep what it says."""

import json
import os
import subprocess
import venv
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from parity.cases import CASES, MAX_NEW_TOKENS, WORDINGS, Case, Sound, sound
from parity.checkpoints import write_checkpoint

GOLDEN = Path(__file__).parents[1] / "data" / "parity"
"""What the reference said of seed 0."""
Numbers = dict[str, np.ndarray]
_SHARED = "/lfr"
"""The front end is the same in every checkpoint: `golden` keeps it once."""


def make_environment(folder: Path) -> Path:
    """Install the reference into an environment of its own.

    Returns:
        Its Python.
    """
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.is_file():
        venv.create(folder, with_pip=True)
        needed = Path(__file__).with_name("requirements.txt")
        command = [str(python), "-m", "pip", "install", "-q", "-r", str(needed)]
        subprocess.run(command, check=True)  # noqa: S603 - our own list
    return python


def sounds_of(case: Case, seed: int, more: Sequence[str] = ()) -> dict[str, Sound]:
    """Make a case's sounds."""
    return {name: sound(name, seed) for name in (*case.sounds, *more)}


def run_reference(
    python: Path, checkpoint: Path, sounds: Mapping[str, Sound], work: Path
) -> Numbers:
    """Run the official package; `work` is a folder for the exchange."""
    np.savez(work / "sounds.npz", **sounds)  # type: ignore[arg-type]
    script, out = Path(__file__).with_name("reference.py"), work / "said.npz"
    wordings = json.dumps([asdict(w) for w in WORDINGS])
    arguments = [checkpoint, work / "sounds.npz", wordings, MAX_NEW_TOKENS, out]
    done = subprocess.run(  # noqa: S603 - our own script
        [str(python), str(script), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    if done.returncode:
        raise RuntimeError(f"the reference failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    with np.load(out) as file:
        return dict(file)


def write_golden(python: Path, work: Path) -> None:
    """Write tests/data/parity afresh."""
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for case in CASES:
        folder = write_checkpoint(work / case.name, case.architecture, 0, case.change)
        said = run_reference(python, folder, sounds_of(case, 0), work)
        kept = {k: v for k, v in said.items() if not k.endswith(_SHARED)}
        np.savez_compressed(GOLDEN / f"{case.name}.npz", **kept)  # type: ignore[arg-type]
        if case is CASES[0]:
            shared = {k: v for k, v in said.items() if k.endswith(_SHARED)}
            np.savez_compressed(GOLDEN / "frontend.npz", **shared)  # type: ignore[arg-type]


def read_golden(case: Case) -> Numbers:
    """Read what `write_golden` kept of a case."""
    said: Numbers = {}
    for name in ("frontend", case.name):
        with np.load(GOLDEN / f"{name}.npz") as file:
            said |= dict(file)
    return said
