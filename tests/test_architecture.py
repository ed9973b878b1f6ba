"""The house's promises about imports, held by fresh interpreters."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import funasr_cli

PACKAGE = Path(funasr_cli.__file__).parent
HEAVY = ("numpy", "onnxruntime", "av", "pypinyin", "xllamacpp")
EXPORT_ONLY = (
    "torch",
    "onnx",
    "transformers",
    "yaml",
    "gguf",
    "modelscope_hub",
    "huggingface_hub",
    "tqdm",
)


def modules() -> Iterator[str]:
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def python(code: str, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    result = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-W", "error", "-c", code, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_every_module_imports_first_and_alone() -> None:
    """Cycles hide behind the order of imports: each module goes first once."""
    code = """
import importlib, os, sys
for name in sys.argv[1:]:
    child = os.fork()
    if not child:
        try:
            importlib.import_module(name)
        except BaseException as error:
            print(name, type(error).__name__, error, flush=True)
            os._exit(1)
        heavy = sorted({m.split('.')[0] for m in sys.modules} & set(%r))
        if heavy:
            print(name, 'imports', heavy, flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""
    assert python(code % (EXPORT_ONLY,), *modules()) == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["transcribe", "--help"],
        ["batch", "--help"],
        ["runtime", "install", "--help"],
        ["config", "show"],
        ["trnscribe"],
    ],
)
def test_help_loads_only_typer_and_rich(arguments: list[str]) -> None:
    code = """
import sys
from funasr_cli.__main__ import main
try:
    main()
except SystemExit:
    pass
print('LOADED', *sorted({m.split('.')[0] for m in sys.modules}))
"""
    loaded = python(code, *arguments).rpartition("LOADED")[2].split()
    assert "typer" in loaded
    assert not {*HEAVY, *EXPORT_ONLY, "tarfile", "http"} & set(loaded)


def test_importing_the_package_does_nothing() -> None:
    loaded = python("import sys, funasr_cli; print(*sys.modules)").split()
    assert not {*HEAVY, *EXPORT_ONLY, "typer", "rich"} & set(loaded)
    assert {name for name in loaded if name.startswith("funasr_cli")} == {
        "funasr_cli",
        "funasr_cli.version",
    }


def test_all_public_names_exist_and_have_docstrings() -> None:
    for name in funasr_cli.__all__:
        value = getattr(funasr_cli, name)
        assert name == "__version__" or value.__doc__
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        funasr_cli.nonsense  # noqa: B018


def test_all_is_complete() -> None:
    errors = {
        name
        for name, value in vars(__import__("funasr_cli.errors").errors).items()
        if isinstance(value, type) and issubclass(value, Exception)
    }
    results = {
        name
        for name, value in vars(__import__("funasr_cli.results").results).items()
        if getattr(value, "__module__", "") == "funasr_cli.results"
    } - {"CtcToken"}
    assert errors | results <= set(funasr_cli.__all__)


def test_modules_fit_the_house() -> None:
    for name in modules():
        path = PACKAGE.parent / Path(*name.split("."))
        file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        lines = file.read_text(encoding="utf-8").splitlines()
        assert len(lines) <= 300, f"{name} has {len(lines)} lines"
        assert name.split(".")[-1] not in {"utils", "helpers", "common", "manager"}
