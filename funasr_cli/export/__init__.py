"""Export: a checkpoint in the official layout -> ONNX, GGUF, tokens and manifest.

The only part of the package that needs torch and onnx; both are imported when they are used.
"""

from funasr_cli.export.exporter import export_model

__all__ = ["export_model"]
