"""Leaves the export's tests out where torch is not installed; CI installs it (extra `dev`)."""

from collections.abc import Iterator
from importlib.util import find_spec

import pytest

HAS_TORCH = find_spec("torch") is not None and find_spec("onnx") is not None
collect_ignore = [] if HAS_TORCH else ["export"]


def pytest_report_header() -> str:
    """Say plainly what will not run."""
    return "export tests: on" if HAS_TORCH else "export tests: left out (no torch; extra `dev`)"


@pytest.fixture(scope="session", autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What is remembered, installed and set is the tests' own.

    So is the language: English, whatever the developer speaks.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LC_ALL", "C.UTF-8")
        patch.delenv("FUNASR_LANG", raising=False)
        for variable in ("XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "LOCALAPPDATA"):
            patch.setenv(variable, str(tmp_path_factory.mktemp(variable)))
        yield
