"""One transcriber and several threads."""

from pathlib import Path
from threading import Thread

import pytest

from funasr_cli import RuntimeOptions, Transcriber
from funasr_cli.errors import DecodeError, InputError
from funasr_cli.model_dir import DEMO_MODEL

SAMPLE = Path(__file__).resolve().parents[1] / "samples" / "zh-02.mp3"


@pytest.mark.parametrize("ahead", [0, 2])
def test_closing_waits_for_what_another_thread_transcribes(ahead: int) -> None:
    """It would free what llama.cpp is computing with."""
    runtime = RuntimeOptions(threads=1, device="cpu", slots=2, ahead=ahead)
    transcriber = Transcriber(DEMO_MODEL, runtime)
    texts: list[str] = []
    thread = Thread(target=lambda: texts.append(transcriber.transcribe(SAMPLE).text))
    thread.start()
    transcriber.close()
    thread.join()
    assert not texts or "2026" in texts[0]
    with pytest.raises(DecodeError, match="closed"):
        transcriber.transcribe(SAMPLE)


def test_a_failed_input_does_not_take_the_load_with_it(tmp_path: Path) -> None:
    with Transcriber(DEMO_MODEL, RuntimeOptions(threads=1, device="cpu")) as transcriber:
        with pytest.raises(InputError):
            transcriber.transcribe(tmp_path / "absent.wav")
        assert transcriber.transcribe(SAMPLE).timings.load > 0
        assert transcriber.transcribe(SAMPLE).timings.load == 0


def test_encoding_ahead_changes_no_text() -> None:
    texts = []
    for ahead, slots in ((0, 1), (3, 4)):
        runtime = RuntimeOptions(threads=1, device="cpu", ahead=ahead, slots=slots)
        with Transcriber(DEMO_MODEL, runtime) as transcriber:
            texts.append(transcriber.transcribe(SAMPLE).text)
    assert texts[0] == texts[1]
