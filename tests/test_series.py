"""Several inputs in one run of the decoder, against one by one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sounds import read, write_sound

from funasr_cli import RuntimeOptions, TranscribeOptions, Transcriber, Transcript
from funasr_cli.costs import TYPICAL_CPU
from funasr_cli.errors import DecodeError, FunasrError, InputError, UsageError
from funasr_cli.jobs import Job
from funasr_cli.model_dir import DEMO_MODEL
from funasr_cli.recording import Recording, Written

SAMPLES = Path(__file__).resolve().parents[1] / "samples"


@pytest.fixture(scope="module", params=[0, 2], ids=["in turns", "ahead"])
def transcriber(request: pytest.FixtureRequest) -> Iterator[Transcriber]:
    runtime = RuntimeOptions(threads=1, device="cpu", slots=3, ahead=request.param)
    with Transcriber(DEMO_MODEL, runtime) as opened:
        # what a call costs is measured anew on each machine, and decides which drafts are tried;
        # one that is tried may tip a tie of two tokens
        opened._model.decoder._curve = TYPICAL_CPU
        yield opened


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Short clips, one of silence, and one of two segments."""
    folder = tmp_path_factory.mktemp("clips")
    zh, en = read(SAMPLES / "zh-01.wav"), read(SAMPLES / "en-01.m4a")
    cuts = {
        "a": zh[: 16000 * 5], "b": en[: 16000 * 4], "c": zh[:16000] * 0,
        "d": zh[16000 * 5 :], "e": en[16000 * 4 :],
    }  # fmt: skip
    made = [
        write_sound(folder / f"{name}.wav", cut, codec="pcm_s16le") for name, cut in cuts.items()
    ]
    return [*made, SAMPLES / "zh-02.mp3"]


def texts(outcomes: list[Transcript | FunasrError]) -> list[str]:
    return [one.text if isinstance(one, Transcript) else type(one).__name__ for one in outcomes]


def test_the_texts_are_those_of_one_by_one(transcriber: Transcriber, clips: list[Path]) -> None:
    alone = [transcriber.transcribe(clip) for clip in clips]
    together = list(transcriber.transcribe_all(clips))
    assert len(together) == len(clips)
    for one, other in zip(alone, together, strict=True):
        assert isinstance(other, Transcript)
        assert (other.path, other.text, other.duration) == (one.path, one.text, one.duration)
        assert [s.chars for s in other.segments] == [s.chars for s in one.segments]
        assert [s.id for s in other.segments] == [s.id for s in one.segments]
        assert other.warnings == one.warnings


def test_inputs_share_the_calls_of_the_model(transcriber: Transcriber, clips: list[Path]) -> None:
    calls = []
    llm = transcriber._model.llm
    evaluate = llm.evaluate

    def counted(rows):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
        calls.append(len(rows))
        return evaluate(rows)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(llm, "evaluate", counted)
        found = list(transcriber.transcribe_all(clips[:2]))
        shared = list(calls)
        calls.clear()
        for clip in clips[:2]:
            transcriber.transcribe(clip)
    assert max(shared) == 2
    assert max(calls) == 1
    assert len(shared) < len(calls)
    for one in found:
        assert isinstance(one, Transcript)
        assert one.timings.generate > 0
        assert one.timings.total == pytest.approx(sum(one.timings.stages().values()))


def test_an_input_that_cannot_be_read_fails_alone(
    transcriber: Transcriber, clips: list[Path], tmp_path: Path
) -> None:
    bad = tmp_path / "bad.mp3"
    bad.write_bytes(b"no sound at all" * 100)
    found = list(transcriber.transcribe_all([tmp_path / "absent", clips[0], bad, clips[1], bad]))
    assert isinstance(found[1], Transcript)
    assert isinstance(found[3], Transcript)
    for at, word in ((0, "no such file"), (2, "bad.mp3"), (4, "bad.mp3")):
        assert isinstance(found[at], InputError)
        assert word in str(found[at])


def test_an_input_on_which_the_model_fails_does_so_alone(
    transcriber: Transcriber, clips: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Recording._segment

    def segment(self: Recording, number: int, heard: object) -> Job[Written]:
        if self.source.name == str(clips[1]):
            raise DecodeError("the KV cache is full")
        if self.source.name == str(clips[3]):
            raise ZeroDivisionError("a bug")
        return (yield from write(self, number, heard))  # type: ignore[arg-type]

    monkeypatch.setattr(Recording, "_segment", segment)
    found = list(transcriber.transcribe_all(clips[:5]))
    assert [isinstance(one, Transcript) for one in found] == [True, False, True, False, True]
    assert str(found[1]) == f"{clips[1]}: the KV cache is full"
    assert str(found[3]) == f"{clips[3]}: internal error: ZeroDivisionError: a bug"


def test_each_input_is_asked_for_when_there_is_room(
    transcriber: Transcriber, clips: list[Path]
) -> None:
    """A list of ten thousand is not opened at once, and results do not wait for its end."""
    asked: list[Path] = []

    def endless() -> Iterator[Path]:
        while True:
            asked.append(clips[0])
            yield clips[0]

    outcomes = transcriber.transcribe_all(endless())
    for _ in range(3):
        assert isinstance(next(outcomes), Transcript)
    outcomes.close()
    assert len(asked) < 20
    assert transcriber.transcribe(clips[0]).text


def test_failures_come_one_by_one(transcriber: Transcriber, tmp_path: Path) -> None:
    asked: list[int] = []

    def bad() -> Iterator[Path]:
        for number in range(100):
            asked.append(number)
            yield tmp_path / str(number)

    outcomes = transcriber.transcribe_all(bad())
    assert isinstance(next(outcomes), InputError)
    assert len(asked) < 20
    outcomes.close()


def test_options_of_each_input(transcriber: Transcriber, clips: list[Path]) -> None:
    given = iter([TranscribeOptions(), TranscribeOptions(duration=1.0)])
    found = list(transcriber.transcribe_all([clips[0], clips[0]], lambda: next(given)))
    assert [one.duration for one in found if isinstance(one, Transcript)] == [5.0, 1.0]


def test_progress_tells_which_input(transcriber: Transcriber, clips: list[Path]) -> None:
    told: list[tuple[int, float, float | None]] = []
    list(
        transcriber.transcribe_all(
            clips[:3], on_progress=lambda number, done, whole: told.append((number, done, whole))
        )
    )
    assert {number for number, _, _ in told} == {0, 1, 2}
    assert (0, 5.0, 5.0) in told
    assert (1, 4.0, 4.0) in told


def test_nothing_else_meanwhile(transcriber: Transcriber, clips: list[Path]) -> None:
    outcomes = transcriber.transcribe_all(clips)
    next(outcomes)
    with pytest.raises(UsageError, match="transcribe_all is under way"):
        transcriber.transcribe(clips[0])
    with pytest.raises(UsageError, match="transcribe_all is under way"):
        next(transcriber.transcribe_all(clips))
    outcomes.close()
    assert list(transcriber.transcribe_all([])) == []
    assert transcriber.transcribe(clips[0]).text
