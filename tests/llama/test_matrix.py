"""What `make abi-matrix` makes of the ends of command lines; the builds need a network."""

import platform
from dataclasses import replace
from pathlib import Path

import pytest
from llama.builds import VULKAN, WHEEL, Build, look
from llama.matrix import judge
from llama.matrix_page import CRASHED, DIFFERS, FAILED, NO_WHEEL, REFUSED, RIGHT, Run, page

from funasr_cli.llama.library import find

NEW = Build(WHEEL, "2026.4.8672.1", Path("new"), "b8672", "2026-04")
OLD = Build(WHEEL, "0.2.8", Path("old"), "b7551", "2025-12")


@pytest.mark.parametrize(
    ("code", "stdout", "stderr", "expected"),
    [
        (0, "好。\n", "", (RIGHT, "")),
        (0, "好。\n", "warning: odd\n", (RIGHT, "warning: odd")),
        (0, "坏。\n", "", (DIFFERS, "坏。")),
        (3, "", "funasr: not this one\n", (REFUSED, "not this one")),
        (3, "", "funasr: not this one\nnor that\n", (FAILED, "funasr: not this one nor that")),
        (3, "", "", (FAILED, "")),
        (1, "", "funasr: internal error\n", (FAILED, "funasr: internal error")),
        (-11, "", "", (CRASHED, "SIGSEGV")),
    ],
)
def test_ends(code: int, stdout: str, stderr: str, expected: tuple[str, str]) -> None:
    assert judge(code, stdout, stderr, "好。\n") == expected


def test_builds_from_2026_on() -> None:
    assert NEW.is_recent
    assert not OLD.is_recent
    assert replace(NEW, release="").is_recent  # its date tells
    assert Build(VULKAN, "3.22.1", Path("x"), "v0.5.0").is_recent
    assert Build(VULKAN, "3.15.0", Path("x"), "b7698").is_recent
    assert not Build(WHEEL, "9.9", None).is_recent


def test_what_fails_the_matrix() -> None:
    assert Run(OLD, outcome=CRASHED).is_bad
    for outcome in (DIFFERS, FAILED):
        assert Run(NEW, outcome=outcome).is_bad
        assert not Run(OLD, outcome=outcome).is_bad
    for outcome in (RIGHT, REFUSED, NO_WHEEL):
        assert not Run(NEW, outcome=outcome).is_bad


def test_the_page_counts_builds_and_runs() -> None:
    runs = [
        Run(OLD, "", "M1+C1/C2", 0.0161, RIGHT, "", 0, 1.5),
        Run(NEW, "cpu", "", None, REFUSED, "a | b", 3, 0.5),
        Run(NEW, "vulkan", "M1+C1/C2", 0.02, RIGHT, "", 0, 25.0, "a GPU"),
    ]
    text = page(runs, "samples/a.wav", "2026-01-02", "a machine")
    old = "| xllamacpp 0.2.8 | b7551 | 2025-12 | M1+C1/C2 | 1.61% | right text | 0 | 1.5 |"
    assert old in text
    assert r"`--device cpu` | b8672 | 2026-04 |  |  | refused: a \| b | 3 | 0.5 |" in text
    fine = "all work or are refused in one sentence with exit code 3, none crashed the process"
    assert f"**1 builds from January 2026 on: {fine} (2 runs: 1 with the right text, 1 ref" in text
    assert f"2 builds: {fine} (3 runs: 2 with the right text, 1 refused)" in text
    text = page([replace(runs[0], outcome=CRASHED), *runs], "a.wav", "2026-01-02", "a machine")
    assert "2 builds, 4 runs: 2 with the right text, 1 refused in one sentence" in text
    assert "1 crashed the process, 0 ended otherwise" in text


@pytest.mark.skipif(platform.machine() not in {"x86_64", "AMD64"}, reason="needs its convention")
def test_a_library_tells_its_default_parameters() -> None:
    """In their real size: the page's --record writes them to default_params.json."""
    said = look(find())
    assert said["context"][:4] == [512, 2048, 512, 1]
    assert len(said["model"]) == len(said["model_mask"]) <= 24
    assert said["context_mask"][:4] == [0xFFFFFFFF] * 4
