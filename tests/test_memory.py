"""How much memory is free, in containers too."""

import sys
from pathlib import Path

import pytest

from funasr_cli import memory


def test_free_memory_can_be_told() -> None:
    free = memory.available_bytes()
    assert free is not None
    assert free > 10**7


@pytest.mark.skipif(sys.platform != "linux", reason="control groups are Linux's")
@pytest.mark.parametrize(
    ("stat", "free"),
    [
        ("anon 5\nfile 3000\ninactive_file 2500\nactive_file 500\n", 3_500),
        ("anon 5\n", 1_000),
        (None, 1_000),
    ],
)
def test_what_a_container_only_caches_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stat: str | None, free: int
) -> None:
    (tmp_path / "memory.max").write_text("10000\n")
    (tmp_path / "memory.current").write_text("9000\n")
    if stat is not None:
        (tmp_path / "memory.stat").write_text(stat)
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    assert memory.available_bytes() == free


@pytest.mark.skipif(sys.platform != "linux", reason="control groups are Linux's")
def test_a_container_without_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "memory.max").write_text("max\n")
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    free = memory.available_bytes()
    assert free is not None
    assert free > 10**7
