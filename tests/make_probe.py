"""Write funasr_cli/llama/probe.gguf and probe.npy; run by hand, and compared in test_probe.py.

python tests/make_probe.py [FOLDER]
"""

import sys
from pathlib import Path

import numpy as np
from tiny_gguf import Shape, write_tiny_gguf

from funasr_cli.llama import probe

SHAPE = Shape(width=64, layers=1, heads=2, kv_heads=1, head_width=64, hidden=64)
AUDIO_ROWS = 6


def make(folder: Path) -> None:
    """Write both files into a folder."""
    model = write_tiny_gguf(folder / probe.MODEL.name, SHAPE, quantized=True)
    asked = probe.questions(SHAPE.width, rows=AUDIO_ROWS)
    inputs = [model.embedding[asked.prefix], asked.audio, model.embedding[asked.steps]]
    logits = model.logits(np.concatenate(inputs))[-1 - len(asked.steps) :]
    np.save(folder / probe.ANSWERS.name, logits.astype(np.float32))


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else probe.MODEL.parent)
