# ruff: noqa: FBT003 - by position, as scripts written for the other project do
import inspect
import shutil
import warnings
from pathlib import Path
from typing import Any

import pytest

from funasr_cli import (
    CharTime,
    DecodeStats,
    HotwordHit,
    ModelError,
    ModelInfo,
    Notice,
    RuntimeOptions,
    Segment,
    Timings,
    TranscribeOptions,
    Transcriber,
    Transcript,
    UsageError,
    compat,
    create_asr_engine,
)
from funasr_cli.compat import AsrEngine
from funasr_cli.model_dir import DEMO_MODEL, ModelFiles
from funasr_cli.timings import EngineTimings

ZH = Path(__file__).resolve().parents[1] / "samples" / "zh-01.wav"
FOREIGN = Notice("foreign-model", "exported by another tool")


class FakeTranscriber:
    """Remembers what it was asked for; answers with one segment."""

    notices: tuple[Notice, ...] = ()
    calls: list[tuple[str, TranscribeOptions]]
    closed = 0

    def __init__(self, model: ModelFiles, runtime: RuntimeOptions) -> None:
        self.model, self.runtime = model, runtime
        self.calls = []

    def transcribe(self, source: Path | str, options: TranscribeOptions) -> Transcript:
        self.calls.append((str(source), options))
        hits = (
            HotwordHit("北京", 0.9, in_prompt=True),
            HotwordHit("北京", 0.8, in_prompt=True),
            HotwordHit("南京", 0.7, 1.0, 1.4),
        )
        chars = (CharTime("你", 0.1, 0.3, 1.0), CharTime("好", 0.3, 0.6, 1.0))
        segment = Segment(0, 0.0, 1.0, "你好", "泥好", hits, chars, (), DecodeStats())
        return Transcript(
            path=str(source),
            start=0.0,
            duration=1.0,
            sample_rate=16000,
            language=None,
            text="你好",
            segments=(segment,),
            model=ModelInfo("m", "p", "", "d", "l"),
            timings=Timings(
                load=7, decode_audio=1, encode=2, ctc=3, hotwords=4, prompt=5, prefill=6,
                generate=8, align=9, total=50,
            ),
            warnings=(*self.notices, Notice("truncated", "cut short", 0)),
        )  # fmt: skip

    def close(self) -> None:
        type(self).closed += 1


@pytest.fixture(autouse=True)
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compat, "Transcriber", FakeTranscriber)
    monkeypatch.setattr(FakeTranscriber, "closed", 0)


def parts() -> tuple[str, str, str, str]:
    """Return the demo model's files in the order that the other project wants them."""
    found = {p.name.split(".")[0].rsplit("-", 1)[-1]: str(p) for p in DEMO_MODEL.iterdir()}
    return found["Adaptor"], found["CTC"], found["Decoder"], found["tokens"]


def opened(engine: AsrEngine) -> FakeTranscriber:
    inside: Any = engine._loaded(caller=1)
    assert isinstance(inside, FakeTranscriber)
    return inside


def test_every_argument_goes_by_position(tmp_path: Path) -> None:
    words = tmp_path / "hot.txt"
    words.write_text("北京\n", encoding="utf-8")
    engine = create_asr_engine(*parts(), str(words), True, 0.7, 5, False)
    assert engine.initialize(False) is True
    engine.transcribe("a.wav", "zh", "news", False, 60.0, 4.0, 1.5, 2.5, False, 0.4)
    ((source, options),) = opened(engine).calls
    assert source == "a.wav"
    assert options == TranscribeOptions(
        language="zh",
        context="news",
        hotwords=("北京",),
        hotword_threshold=0.7,
        max_hotwords=5,
        start=1.5,
        duration=2.5,
    )


def test_the_order_is_that_of_the_other_project() -> None:
    assert list(inspect.signature(create_asr_engine).parameters)[:9] == [
        "encoder_onnx_path", "ctc_onnx_path", "decoder_gguf_path", "tokens_path",
        "hotwords_path", "enable_ctc", "similar_threshold", "max_hotwords", "verbose",
    ]  # fmt: skip
    assert list(inspect.signature(AsrEngine.transcribe).parameters)[1:11] == [
        "audio_path", "language", "context", "verbose", "segment_size", "overlap",
        "start_second", "duration", "srt", "temperature",
    ]  # fmt: skip


def test_older_calls_and_none_for_times() -> None:
    engine = create_asr_engine(
        *parts(), n_predict=99, n_threads=3, n_threads_batch=4, n_ubatch=512, sample_rate=16000
    )
    engine.initialize(verbose=False)
    engine.transcribe("a.wav", start_second=None, duration=None, top_p=1.0, top_k=50)
    ((_, options),) = opened(engine).calls
    assert (options.start, options.duration, options.max_new_tokens) == (0.0, None, 99)
    assert opened(engine).runtime.threads == 3


def test_typing_errors_and_meaningless_values_are_refused() -> None:
    typo: Any = {"hotword_path": "x"}
    with pytest.raises(TypeError, match="hotword_path"):
        create_asr_engine(*parts(), **typo)
    engine = create_asr_engine(*parts())
    typo = {"langauge": "zh"}
    with pytest.raises(TypeError, match="langauge"):
        engine.transcribe("a.wav", **typo)
    with pytest.raises(UsageError, match="duration"):
        engine.transcribe("a.wav", duration=-1)
    with pytest.raises(UsageError, match="threshold"):
        create_asr_engine(*parts(), similar_threshold=60)
    with pytest.raises(ModelError, match="no such file"):
        create_asr_engine("a.onnx", "b.onnx", "c.gguf", "tokens.txt")


def test_without_ctc() -> None:
    encoder, ctc, decoder, tokens = parts()
    off = create_asr_engine(encoder, ctc, decoder, tokens, enable_ctc=False)
    none = create_asr_engine(encoder, None, decoder, None)
    assert opened(off).model.ctc is opened(none).model.ctc is None


def test_results_have_the_shape_of_the_other_project() -> None:
    found = create_asr_engine(*parts()).transcribe("a.wav")
    assert (found.text, found.ctc_text, found.hotwords) == ("你好", "泥好", ["北京"])
    assert found.segments == [
        {"char": "你", "start": 0.1, "end": 0.3},
        {"char": "好", "start": 0.3, "end": 0.6},
    ]
    assert found.warnings == ["cut short"]
    t = found.timings
    assert (t.load_audio, t.encode, t.ctc, t.prepare, t.inject) == (1, 2, 3, 9, 6)
    assert (t.llm_generate, t.align, t.total) == (8, 9, 50)
    assert (t.load, t.prefill, t.as_dict()["generate"]) == (7, 6, 8)
    assert EngineTimings().prepare == 0


def test_a_foreign_model_warns_once_where_it_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeTranscriber, "notices", (FOREIGN, Notice("no-ctc", "no times")))
    engine = create_asr_engine(*parts())
    with pytest.warns(UserWarning, match="exported by another tool") as caught:
        engine.initialize()
    assert [Path(w.filename).name for w in caught] == ["test_compat.py"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        engine.initialize()
        found = engine.transcribe("a.wav")
    assert found.warnings == ["exported by another tool", "no times", "cut short"]
    for use in (lambda: create_asr_engine(*parts()).transcribe("a.wav"), enter):
        with pytest.warns(UserWarning, match="another tool") as caught:
            use()
        assert [Path(w.filename).name for w in caught] == ["test_compat.py"]


def enter() -> None:
    with create_asr_engine(*parts()):
        pass


def test_cleanup_frees_and_the_next_call_loads_again() -> None:
    with create_asr_engine(*parts()) as engine:
        first = opened(engine)
        engine.cleanup()
        engine.cleanup()
        assert FakeTranscriber.closed == 1
        assert engine.transcribe("a.wav").text
        assert opened(engine) is not first
    assert FakeTranscriber.closed == 2


def test_subtitles_go_beside_the_input(tmp_path: Path) -> None:
    create_asr_engine(*parts()).transcribe(tmp_path / "a.wav", srt=True)
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "你好\n"
    assert "-->" in (tmp_path / "a.srt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["talk.txt", "talk.srt"])
def test_subtitles_never_overwrite_the_input(tmp_path: Path, name: str) -> None:
    recording = tmp_path / name
    shutil.copy(ZH, recording)
    engine = create_asr_engine(*parts())
    with pytest.raises(UsageError, match="over the input"):
        engine.transcribe(recording, srt=True)
    assert opened(engine).calls == []
    assert recording.read_bytes() == ZH.read_bytes()
    assert sorted(tmp_path.iterdir()) == [recording]
    assert engine.transcribe(recording).text


def test_another_name_of_the_input_is_the_input(tmp_path: Path) -> None:
    recording = tmp_path / "talk.wav"
    shutil.copy(ZH, recording)
    (tmp_path / "talk.srt").hardlink_to(recording)
    with pytest.raises(UsageError, match="over the input"):
        create_asr_engine(*parts()).transcribe(str(recording), srt=True)


def test_a_real_model_transcribes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compat, "Transcriber", Transcriber)
    with create_asr_engine(*parts()) as engine:
        found = engine.transcribe(str(ZH), None, None, False, 60.0, 4.0, None, 2.0)
    assert found.text
    assert found.timings.load_audio > 0
    assert found.timings.llm_generate > 0
    assert found.warnings == []
