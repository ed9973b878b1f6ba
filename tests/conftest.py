"""Leaves the export's tests out where torch is not installed; CI installs it (extra `dev`)."""

from importlib.util import find_spec

HAS_TORCH = find_spec("torch") is not None and find_spec("onnx") is not None
collect_ignore = [] if HAS_TORCH else ["export"]


def pytest_report_header() -> str:
    """Say plainly what will not run."""
    return "export tests: on" if HAS_TORCH else "export tests: left out (no torch; extra `dev`)"
