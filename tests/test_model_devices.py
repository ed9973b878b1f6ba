"""Which device a model is opened on, through the whole pipeline; the GPU is scripted."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from funasr_cli import RuntimeOptions, Transcriber, UsageError, llm
from funasr_cli.errors import LibraryError, ModelError
from funasr_cli.llama.choice import Choice
from funasr_cli.llama.devices import Device
from funasr_cli.llama.loading import CPU, Placement
from funasr_cli.llama.proving import LibraryReport
from funasr_cli.llama.runtime import open_language_model
from funasr_cli.model import open_model
from funasr_cli.model_dir import DEMO_MODEL, open_model_dir
from funasr_cli.onnx import CPU_PROVIDER

SAMPLE = Path(__file__).resolve().parents[1] / "samples" / "zh-01.wav"
GPU = Device("Vulkan0", "Intel(R) Arc(TM)", "gpu")
REPORT = LibraryReport("ggml 1", "M3+C7", (GPU,))
ON_GPU = Placement((7,), 999)


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> list[Placement]:
    """A GPU is chosen, and has no room when the model is opened: the placements tried."""
    tried: list[Placement] = []
    real = open_language_model

    def refuse_gpus(*args: Any, placement: Placement, **rest: Any) -> Any:  # noqa: ANN401
        tried.append(placement)
        if placement != CPU:
            raise ModelError("model.gguf: llama.cpp cannot load it: out of device memory")
        return real(*args, placement=placement, **rest)

    monkeypatch.setattr(llm, "open_language_model", refuse_gpus)
    monkeypatch.setattr(llm, "open_chosen", lambda *_, **__: (Choice(REPORT, GPU, 999), ON_GPU))
    return tried


def test_a_gpu_without_room_leaves_the_cpu_with_a_warning(chosen: list[Placement]) -> None:
    with Transcriber(DEMO_MODEL, RuntimeOptions(threads=1)) as transcriber:
        transcript = transcriber.transcribe(SAMPLE)
    assert chosen == [ON_GPU, CPU]
    assert transcript.model.device == "CPU"
    assert "3月5日" in transcript.text
    (notice,) = [n for n in transcript.warnings if n.code == "device-dropped"]
    assert "Vulkan0 (Intel(R) Arc(TM)) is not used" in notice.message
    assert "out of device memory" in notice.message


def test_a_model_that_nothing_can_load_is_an_error(
    monkeypatch: pytest.MonkeyPatch, chosen: list[Placement]
) -> None:
    monkeypatch.setattr(llm, "open_chosen", lambda *_, **__: (Choice(REPORT), ON_GPU))
    with ExitStack() as stack, pytest.raises(ModelError, match="out of device memory"):
        open_model(open_model_dir(DEMO_MODEL), RuntimeOptions(threads=1), stack)
    assert chosen == [ON_GPU]


def test_what_a_transcript_says_of_its_devices() -> None:
    with Transcriber(DEMO_MODEL, RuntimeOptions(threads=1, device="cpu")) as transcriber:
        info = transcriber.transcribe(SAMPLE).model
    assert (info.device, info.encoder_provider) == ("CPU", CPU_PROVIDER)


def test_a_gpu_that_is_not_there_is_an_error() -> None:
    with pytest.raises(LibraryError, match=r"--device sycl: .* sees no GPU"):
        Transcriber(DEMO_MODEL, RuntimeOptions(threads=1, device="sycl"))
    with pytest.raises(UsageError, match="did you mean vulkan"):
        RuntimeOptions(device="vulcan")
    with pytest.raises(UsageError, match="n_gpu_layers"):
        RuntimeOptions(n_gpu_layers=-2)
