"""Providers that pass and fail; none but the CPU's is at hand, so trials are scripted."""

from collections.abc import Callable
from pathlib import Path

import pytest

from funasr_cli import ort, providers
from funasr_cli.device_names import parse_device
from funasr_cli.errors import LibraryError
from funasr_cli.model_dir import DEMO_MODEL, open_model_dir
from funasr_cli.onnx import CPU_PROVIDER, Session
from funasr_cli.providers import ProviderChoice, choose_provider
from funasr_cli.trials import Outcome
from funasr_cli.verdicts import Verdicts

CUDA, DML = "CUDAExecutionProvider", "DmlExecutionProvider"
ENCODER = open_model_dir(DEMO_MODEL).encoder
Choose = Callable[..., ProviderChoice]


@pytest.fixture
def choose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Choose:
    def choose_scripted(
        device: str, *outcomes: Outcome, installed: tuple[str, ...]
    ) -> ProviderChoice:
        script = list(outcomes)
        monkeypatch.setattr(providers, "available_providers", lambda: (*installed, CPU_PROVIDER))
        monkeypatch.setattr(providers, "run_trial", lambda *_, **__: script.pop(0))
        chosen = choose_provider(ENCODER, parse_device(device), 1, verdicts=Verdicts(tmp_path))
        assert not script
        return chosen

    return choose_scripted


def outcome(deviation: float, provider_s: float = 0.1) -> Outcome:
    return Outcome({"deviation": deviation, "provider_s": provider_s, "cpu_s": 0.5})


def test_what_is_not_installed_is_not_tried(choose: Choose) -> None:
    assert choose("auto", installed=()) == ProviderChoice()
    assert choose("auto", installed=("AzureExecutionProvider",)) == ProviderChoice()
    assert choose("metal", installed=(CUDA, DML)) == ProviderChoice()


def test_a_provider_proves_itself_once(choose: Choose) -> None:
    assert choose("auto", outcome(1e-4), installed=(CUDA,)).provider == CUDA
    assert choose("auto", installed=(CUDA,)).provider == CUDA


def test_the_device_number(choose: Choose) -> None:
    assert choose("cuda:1", outcome(1e-4), installed=(CUDA,)) == ProviderChoice(CUDA, 1)
    # Vulkan's numbers are not DirectML's
    assert choose("vulkan:1", outcome(1e-4), installed=(DML,)) == ProviderChoice(DML, 0)


def test_the_cpu_asks_nobody(choose: Choose) -> None:
    assert choose("cpu", installed=(CUDA,)) == ProviderChoice()


@pytest.mark.parametrize("wrong", [0.5, float("inf"), float("nan")])
def test_wrong_numbers(choose: Choose, wrong: float) -> None:
    chosen = choose("auto", outcome(wrong), outcome(1e-4), installed=(CUDA, DML))
    assert chosen.provider == DML
    assert "CUDAExecutionProvider is not used for the encoder" in chosen.warnings[0]
    assert "its numbers are" in chosen.warnings[0]


def test_a_crash(choose: Choose) -> None:
    crash = Outcome(None, "it crashed with SIGSEGV (Segmentation fault)", crashed=True)
    chosen = choose("gpu", crash, installed=(CUDA,))
    assert chosen.provider == CPU_PROVIDER
    assert "SIGSEGV" in chosen.warnings[0]


def test_a_slower_one(choose: Choose) -> None:
    chosen = choose("auto", outcome(1e-4, provider_s=0.6), installed=(DML,))
    assert chosen == ProviderChoice()


def test_the_trial_itself() -> None:
    job = {"encoder": str(ENCODER), "provider": CPU_PROVIDER, "device_id": 0, "threads": 1}
    found = providers.try_encoder(job)
    assert found["deviation"] == 0
    assert found["provider_s"] > 0


def test_timing_in_a_child() -> None:
    seconds = providers.time_encoder(ENCODER, 1)
    assert isinstance(seconds, float)
    assert 0 < seconds < 30
    assert "absent" in str(providers.time_encoder(Path("absent.onnx"), 1))


def test_a_provider_that_does_not_start_is_not_the_cpu_in_silence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """onnxruntime falls back by itself, and says so in its log alone."""
    real = ort.load()

    class Module:
        SessionOptions, ExecutionMode = real.SessionOptions, real.ExecutionMode
        __version__ = "1.2.3"

        @staticmethod
        def InferenceSession(path: str, options: object, providers: list[object]) -> object:  # noqa: N802
            assert providers == [(CUDA, {"device_id": 2}), CPU_PROVIDER]
            return real.InferenceSession(path, options, providers=[CPU_PROVIDER])

    monkeypatch.setattr(ort, "load", Module)
    with pytest.raises(LibraryError, match=r"1\.2\.3 cannot start CUDAExecutionProvider"):
        Session(ENCODER, threads=1, provider=CUDA, device_id=2)
