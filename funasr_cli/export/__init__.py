"""Export: a checkpoint in the official layout -> ONNX, GGUF, tokens and manifest.

The only part of the package that needs torch and onnx, or asks a hub; all are imported when they
are used.
"""

from funasr_cli.export.exporter import check_output, export_model

__all__ = ["check_output", "export_model"]
