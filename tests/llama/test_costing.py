"""The cost curve: measured once, the same ever after."""

from pathlib import Path

import pytest

from funasr_cli.costs import TYPICAL_CPU, CostCurve
from funasr_cli.errors import DecodeError
from funasr_cli.llama import costing
from funasr_cli.llama.costing import measure_costs
from funasr_cli.llama.library import find
from funasr_cli.llama.probe import MODEL
from funasr_cli.llama.workload import Workload
from funasr_cli.trials import Outcome
from funasr_cli.verdicts import Verdicts

WORK = Workload(MODEL, 1)


def test_it_is_measured_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    verdicts = Verdicts(tmp_path)
    curve = measure_costs(find(), None, WORK, verdicts=verdicts, on_test=told.append)
    assert 0 < curve.seconds[0] <= curve.seconds[-1] < 1
    assert told == ["measuring CPU, 1 threads, once for this model and build"]
    monkeypatch.setattr(costing, "run_trial", None)
    assert measure_costs(find(), None, WORK, verdicts=verdicts) == curve


def test_what_cannot_be_remembered_or_measured_is_not_guessed_anew_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another curve would make other batches of the same input."""
    (tmp_path / "file").touch()
    forgetful = Verdicts(tmp_path / "file" / "verdicts")
    outcome = Outcome({"seconds": [1.0, 2.0, 3.0, 4.0, 5.0]})
    monkeypatch.setattr(costing, "run_trial", lambda *_, **__: outcome)
    assert measure_costs(find(), None, WORK, verdicts=forgetful) == TYPICAL_CPU
    kept = Verdicts(tmp_path / "cache")
    assert measure_costs(find(), None, WORK, verdicts=kept) == CostCurve((1.0, 2.0, 3.0, 4.0, 5.0))
    other = Workload(MODEL, 2)
    monkeypatch.setattr(costing, "run_trial", lambda *_, **__: Outcome(None, "no such file"))
    assert measure_costs(find(), None, other, verdicts=kept) == TYPICAL_CPU
    crash = Outcome(None, "it crashed with SIGABRT", crashed=True)
    monkeypatch.setattr(costing, "run_trial", lambda *_, **__: crash)
    with pytest.raises(DecodeError, match="SIGABRT"):
        measure_costs(find(), None, other, verdicts=kept)
