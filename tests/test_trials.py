"""Children that answer, refuse, crash, hang and chatter; their functions are in `trial_jobs`."""

import os
import signal
import sys
from pathlib import Path

import pytest

from funasr_cli import trials
from funasr_cli.trials import Outcome, run_trial

JOBS = "trial_jobs"


@pytest.fixture(autouse=True)
def _path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


def trial(function: str, **job: object) -> Outcome:
    return run_trial(f"{JOBS}:{function}", job, timeout_s=30)


def test_an_answer() -> None:
    outcome = trial("answer", 词="热词", number=1.5)
    assert outcome == Outcome({"got": {"词": "热词", "number": 1.5}})


def test_what_a_driver_prints_is_no_answer() -> None:
    assert trial("chatter").result == {"fine": True}


def test_a_refusal() -> None:
    assert trial("refuse") == Outcome(None, "no such thing: 拿别的")


def test_a_bug_of_ours_is_a_crash_with_its_last_line() -> None:
    outcome = trial("bug")
    assert outcome.crashed
    assert "ZeroDivisionError" in outcome.failure


@pytest.mark.parametrize("name", ["SIGILL", "SIGSEGV", "SIGABRT"])
def test_a_signal_is_named(name: str) -> None:
    outcome = trial("die", signal=getattr(signal, name))
    assert outcome.crashed
    assert f"it crashed with {name}" in outcome.failure
    assert outcome.failure.endswith("the last it said: loading the shaders")


def test_a_reason_is_told_rather_than_its_place_in_the_source() -> None:
    assert trial("abort").failure.endswith(
        "the last it said: CUDA error: the provided PTX was compiled with an unsupported toolchain."
    )


def test_a_hang_is_ended(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    outcome = run_trial(f"{JOBS}:hang", {"note": str(note)}, timeout_s=3)
    assert outcome.crashed
    assert "did not answer within 3 s" in outcome.failure
    with pytest.raises(ProcessLookupError):
        os.kill(int(note.read_text()), 0)


def test_windows_crashes_are_named() -> None:
    assert "illegal instruction" in trials._end_of(0xC000001D)
    assert "access violation" in trials._end_of(-1073741819 & 0xFFFFFFFF)
    assert trials._end_of(7) == "it ended with code 7"


def test_the_environment_is_what_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUNASR_WORD", "outer")
    assert trial("variable").result == {"value": "outer"}
    given = {**os.environ, "FUNASR_WORD": "inner"}
    outcome = run_trial(f"{JOBS}:variable", {}, environment=given, timeout_s=30)
    assert outcome.result == {"value": "inner"}


def test_a_python_without_an_executable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "")
    assert "cannot start another Python" in trial("answer").failure
    monkeypatch.setattr(sys, "executable", "/absent/python")
    assert "no process could be started" in trial("answer").failure


def test_modules_of_the_current_folder_are_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('mine')\n")
    monkeypatch.chdir(tmp_path)
    assert trial("answer").result == {"got": {}}


def test_frozen_programs_and_children_start_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frozen program's executable is itself: it would start itself without end."""
    assert trials.can_run()
    assert trial("can_run").result == {"can": False}
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert not trials.can_run()
    assert "cannot start" in trial("answer").failure


def test_the_package_is_found_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clone that is not installed, from `python -c`: the current folder was its way in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", Path("relative"), *sys.path])
    assert trial("answer", n=1).result == {"got": {"n": 1}}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows writes no core files")
def test_a_crash_leaves_no_core_file() -> None:
    assert trial("core").result == {"limit": 0}


def test_escape_sequences_do_not_reach_the_terminal() -> None:
    assert "\x1b" not in trial("colours").failure
    assert "red alert" in trial("colours").failure


def test_an_answer_of_another_shape() -> None:
    assert "means nothing" in trial("nonsense").failure
