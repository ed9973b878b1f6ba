"""Inputs one after the other, in one run of the decoder: short ones share its slots.

Part of the composition, like `recording`: it joins stages.
"""

from collections.abc import Callable, Generator, Iterable
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from funasr_cli.ahead import ahead
from funasr_cli.audio import AudioSource
from funasr_cli.ear import Ear
from funasr_cli.errors import DecodeError, FunasrError, InputError, UnusableError
from funasr_cli.jobs import Job, Parts, Stage, Work
from funasr_cli.model import Model
from funasr_cli.options import TranscribeOptions
from funasr_cli.recording import Recording, Written
from funasr_cli.results import Transcript
from funasr_cli.timings import Timings, shared_out

T = TypeVar("T")
Outcome: TypeAlias = Transcript | FunasrError
"""What became of one input."""
SeriesProgress: TypeAlias = Callable[[int, float, float | None], None]
"""Called with the number of an input, its seconds done and its seconds in all (None: unknown)."""
Task: TypeAlias = tuple[AudioSource, TranscribeOptions]


@dataclass
class _Member:
    """One input of the series."""

    number: int
    recording: Recording | None
    """None: it could not even be begun."""
    error: FunasrError | None = None
    """Why it failed; what is left of it is not read."""


@dataclass(frozen=True)
class _Part:
    """What a job leaves: a segment of an input, or the sign that there are no more."""

    member: _Member
    written: Written | None = None
    """None too where the model failed on it."""
    last: bool = False


class Series:
    """Runs inputs through one model; owns nothing.

    Args:
        model: has room for the longest prompt; the cache is not sized anew between inputs.
        ear: of the same model.
        on_progress: told after each segment.
    """

    def __init__(self, model: Model, ear: Ear, on_progress: SeriesProgress | None = None) -> None:
        self._model, self._ear = model, ear
        self._tell = on_progress or (lambda _number, _done, _whole: None)

    def run(self, tasks: Iterable[Task]) -> Generator[Outcome, None, None]:
        """Yield what became of each input, in order; one that fails does so alone.

        Raises:
            UnusableError: nothing can be transcribed here.
        """
        work = self._work(tasks)
        with closing(in_one_run(self._model, work, ahead_by=self._model.ahead)) as parts:
            for part in parts:
                recording = part.member.recording
                if part.last:
                    yield self._outcome(part.member)
                elif part.written is not None and recording is not None:
                    recording.add(part.written)
                    self._tell(part.member.number, recording.done, recording.announced)

    def _outcome(self, member: _Member) -> Outcome:
        recording = member.recording
        if member.error is not None or recording is None:
            return member.error or InputError("was not begun")
        self._tell(member.number, recording.read, recording.announced)
        return recording.transcript()

    def _work(self, tasks: Iterable[Task]) -> Generator[Work[_Part], None, None]:
        """One job a segment, and one behind the last segment of each input."""
        for number, (source, options) in enumerate(tasks):
            member = _Member(number, None)
            try:
                with Recording(self._model, self._ear, source, options) as recording:
                    member.recording = recording
                    self._tell(number, 0.0, recording.announced)
                    for timings, job in recording.jobs():
                        if member.error is not None:  # the LLM has failed on it
                            break
                        yield timings, _segment(member, job)
            except UnusableError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, it is this input's
                member.error = _told(error, source.name)
            yield Timings(), _end(member)


def in_one_run(
    model: Model, work: Generator[Work[T], None, None], *, ahead_by: int
) -> Generator[T, None, None]:
    """Run jobs through the decoder while the next ones are made; their results, in order.

    Args:
        model: decodes them.
        work: is closed in the end. The time of a call of the model is shared out by rows.
        ahead_by: how many jobs may be made ahead, in a thread; 0: in turns.
    """
    at_work: dict[int, Timings] = {}

    def jobs() -> Generator[Job[T], None, None]:
        with closing(work), ahead(work, ahead_by) as ready:
            for number, (timings, job) in enumerate(ready):
                at_work[number] = timings
                yield job

    def measure(stage: Stage, parts: Parts) -> AbstractContextManager[None]:
        return shared_out(stage, [(at_work[number], rows) for number, rows in parts])

    with closing(jobs()) as made, closing(model.decoder.run(made, measure)) as results:
        for number, result in enumerate(results):
            del at_work[number]
            yield result


def _segment(member: _Member, job: Job[Written]) -> Job[_Part]:
    """Let a job that fails fail its input alone."""
    try:
        written = yield from job
    except UnusableError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, it is this input's
        name = member.recording.source.name if member.recording else ""
        member.error = member.error or _told(error, name)
        return _Part(member)
    return _Part(member, written)


def _end(member: _Member) -> Job[_Part]:
    """Come behind the segments of an input; asks for nothing."""
    return _Part(member, last=True)
    yield


def _told(error: Exception, name: str) -> FunasrError:
    """Make one error of what an input failed with; it names the input."""
    if isinstance(error, FunasrError):
        return error if name in str(error) else DecodeError(f"{name}: {error}")
    told = DecodeError(f"{name}: internal error: {type(error).__name__}: {error}")
    told.__cause__ = error
    return told
