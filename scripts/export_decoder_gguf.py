#!/usr/bin/env python3
"""Export the language model of a checkpoint to GGUF.

The other half is export_encoder_ctc.py; `funasr export` does both.
"""

import argparse
import sys
from pathlib import Path

from funasr_cli.errors import FunasrError
from funasr_cli.export import export_model


def main() -> int:
    """Run the export; 0 when it succeeded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path, help="folder with config.yaml and model.pt")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to write")
    parser.add_argument("--decoder-type", choices=("q8_0", "f16", "bf16", "f32"), default="q8_0")
    parser.add_argument("--force", action="store_true", help="replace what is there")
    options = parser.parse_args()
    try:
        manifest = export_model(
            options.checkpoint,
            options.output,
            decoder_type=options.decoder_type,
            force=options.force,
            parts=frozenset({"decoder"}),
        )
    except FunasrError as error:
        sys.stderr.write(f"error: {error}\n")
        return 3
    for artefact in filter(None, (manifest.decoder,)):
        sys.stdout.write(f"{options.output / artefact.name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
