#!/usr/bin/env python3
"""Export the encoder, the adaptor and the CTC head of a checkpoint to ONNX.

The other half is export_decoder_gguf.py; `funasr export` does both.
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
    parser.add_argument("--ctc-type", choices=("int8", "fp32"), default="int8")
    parser.add_argument("--no-ctc", action="store_true", help="for checkpoints without CTC head")
    parser.add_argument("--force", action="store_true", help="replace what is there")
    options = parser.parse_args()
    try:
        manifest = export_model(
            options.checkpoint,
            options.output,
            ctc_type=options.ctc_type,
            with_ctc=not options.no_ctc,
            force=options.force,
            parts=frozenset({"encoder", "ctc"}),
        )
    except FunasrError as error:
        sys.stderr.write(f"error: {error}\n")
        return 3
    for artefact in filter(None, (manifest.encoder, manifest.ctc, manifest.tokens)):
        sys.stdout.write(f"{options.output / artefact.name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
