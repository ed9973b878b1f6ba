"""The product on real sound: the demo model that comes along, the samples, the command line."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sounds import write_sound
from test_cli import ROOT, funasr

from funasr_cli import (
    RuntimeOptions,
    TranscribeOptions,
    Transcriber,
    UsageError,
    create_asr_engine,
)
from funasr_cli.audio import AudioReader, AudioSource
from funasr_cli.cli.arguments import FORMATS
from funasr_cli.model_dir import DEMO_MODEL
from funasr_cli.results import Transcript

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
MEDIA = sorted(p for p in SAMPLES.iterdir() if p.suffix in {".wav", ".mp3", ".m4a", ".mp4"})
ZH = SAMPLES / "zh-01.wav"


def errors(expected: str, found: str) -> float:
    """Character error rate, punctuation, spaces and case aside."""
    a, b = (re.sub(r"[\W_]", "", text).lower() for text in (expected, found))
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1] / len(a)


def text_of(sample: Path) -> str:
    return sample.with_suffix(".txt").read_text(encoding="utf-8").strip()


@pytest.fixture(scope="module")
def transcriber() -> Any:  # noqa: ANN401 - a generator of one
    with Transcriber(DEMO_MODEL) as opened:
        yield opened


@pytest.fixture(scope="module")
def result(transcriber: Transcriber) -> Transcript:
    return transcriber.transcribe(ZH)


def test_there_are_samples_of_every_kind() -> None:
    assert len(MEDIA) >= 4
    assert {p.suffix for p in MEDIA} >= {".wav", ".mp3", ".mp4"}
    assert all(p.with_suffix(".txt").is_file() for p in MEDIA)


@pytest.mark.parametrize("sample", MEDIA, ids=lambda p: p.name)
def test_samples_say_what_their_texts_say(transcriber: Transcriber, sample: Path) -> None:
    assert errors(text_of(sample), transcriber.transcribe(sample).text) <= 0.1


def test_every_character_has_its_time(result: Transcript) -> None:
    for segment in result.segments:
        assert "".join(c.text for c in segment.chars) == segment.text.replace(" ", "")
        assert all(segment.start <= c.start <= c.end <= segment.end for c in segment.chars)
        assert all(a.start <= b.start for a, b in pairwise(segment.chars))
        assert all(0 <= c.confidence <= 1 for c in segment.chars)
    sounded = [c for s in result.segments for c in s.chars if c.text.isalnum()]
    assert np.mean([c.confidence for c in sounded]) > 0.5
    assert sounded[-1].end > 0.7 * result.duration


def test_the_same_input_gives_the_same_output(transcriber: Transcriber, result: Transcript) -> None:
    transcriber.transcribe(MEDIA[0], TranscribeOptions(language="en", itn=False))
    again = transcriber.transcribe(ZH)
    assert [s.chars for s in again.segments] == [s.chars for s in result.segments]
    assert again.segments[0].token_ids == result.segments[0].token_ids


def test_silence_gives_no_text(transcriber: Transcriber, tmp_path: Path) -> None:
    silence = write_sound(tmp_path / "s.wav", np.zeros(64000, np.float32), codec="pcm_s16le")
    found = transcriber.transcribe(silence)
    assert (found.text, found.segments) == ("", ())
    assert [notice.code for notice in found.warnings] == ["no-speech"]
    blind = transcriber.transcribe(silence, TranscribeOptions(vad=False))
    assert (blind.text, blind.segments[0].chars) == ("", ())


def test_long_sound_is_cut_at_pauses_and_times_stay_right(
    transcriber: Transcriber, result: Transcript, tmp_path: Path
) -> None:
    with AudioReader(AudioSource(str(ZH))) as reader:
        once = np.concatenate(list(reader))
    gap = np.zeros(16000, np.float32)
    path = write_sound(tmp_path / "long.wav", np.concatenate([once, gap] * 6), codec="pcm_s16le")
    found = transcriber.transcribe(path)
    assert len(found.segments) > 1
    assert errors(result.text * 6, found.text) <= 0.1
    first, second = (s for s in found.segments[:2])
    assert second.start == pytest.approx(first.end)
    starts = [c.start for s in found.segments for c in s.chars]
    assert starts == sorted(starts)


def test_start_and_duration_choose_a_part(transcriber: Transcriber, result: Transcript) -> None:
    part = transcriber.transcribe(ZH, TranscribeOptions(start=1.0, duration=2.0))
    assert part.duration == pytest.approx(2.0)
    assert all(1.0 <= c.start <= c.end <= 3.0 for s in part.segments for c in s.chars)
    assert 0 < len(part.text) < len(result.text)


def test_of_a_short_list_too_only_what_was_heard_goes_in(
    transcriber: Transcriber, result: Transcript
) -> None:
    heard = re.sub(r"[\W\d]", "", result.segments[0].ctc_text)[:3]
    found = transcriber.transcribe(ZH, TranscribeOptions(hotwords=("琉璃鲲鹏", heard)))
    assert [h.word for h in found.segments[0].hotwords] == [heard]
    options = TranscribeOptions(hotwords=("琉璃鲲鹏", heard), hotword_recall=False)
    found = transcriber.transcribe(ZH, options)
    assert [h.word for h in found.segments[0].hotwords] == ["琉璃鲲鹏", heard]


def test_of_a_long_list_only_what_was_heard_goes_in(
    transcriber: Transcriber, result: Transcript
) -> None:
    heard = re.sub(r"[\W\d]", "", result.segments[0].ctc_text)[:3]
    others = tuple(f"{a}{b}{c}" for a in "龟鹤麟凤" for b in "鳌鲲鹏" for c in "翡翠琉璃")
    found = transcriber.transcribe(ZH, TranscribeOptions(hotwords=(*others, heard)))
    (best, *_rest) = found.segments[0].hotwords
    assert (best.word, best.similarity) == (heard, 1.0)
    assert best.start is not None
    assert len(found.segments[0].hotwords) <= 10


def test_text_goes_to_stdout_and_everything_else_to_stderr() -> None:
    one = funasr("transcribe", ZH)
    assert one.returncode == 0
    assert one.stdout.count("\n") == 1
    assert "demo model" in one.stderr
    assert "generate" in one.stderr
    quiet = funasr("transcribe", ZH, "-q")
    assert (quiet.stdout, quiet.stderr) == (one.stdout, "")


def test_several_inputs_go_on_after_a_bad_one(tmp_path: Path) -> None:
    bad = tmp_path / "坏.mp3"
    bad.write_bytes(b"no sound" * 100)
    found = funasr("transcribe", ZH, bad, ZH, "-q")
    assert found.returncode == 4
    lines = [line.split("\t") for line in found.stdout.splitlines()]
    assert [name for name, _ in lines] == [str(ZH), str(ZH)]
    assert "坏.mp3" in found.stderr


def test_a_result_that_cannot_be_written_does_not_stop_the_others(tmp_path: Path) -> None:
    (tmp_path / "zh-01.txt").mkdir()
    found = funasr("transcribe", ZH, MEDIA[0], "-o", tmp_path, "-q")
    assert found.returncode == 4
    assert "zh-01.txt: cannot be written" in found.stderr
    assert (tmp_path / f"{MEDIA[0].stem}.txt").read_text(encoding="utf-8").strip()


def test_a_recording_is_never_overwritten(tmp_path: Path) -> None:
    recording = tmp_path / "talk.txt"
    shutil.copy(ZH, recording)
    found = funasr("transcribe", recording, "-f", "txt", "-o", tmp_path)
    assert found.returncode == 2
    assert "would be overwritten" in found.stderr
    assert recording.read_bytes() == ZH.read_bytes()


def test_odd_names_keep_one_line_per_input(tmp_path: Path) -> None:
    odd = tmp_path / "tab\there\nline.wav"
    shutil.copy(ZH, odd)
    found = funasr("transcribe", odd, ZH, "-q")
    assert found.stdout.count("\n") == 2
    assert found.stdout.startswith(f"{tmp_path}/tab\\there\\nline.wav\t")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_full_stdout_is_one_line() -> None:
    with Path("/dev/full").open("w") as full:
        found = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "funasr_cli", "transcribe", str(ZH), "-q"],
            stdout=full,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
    assert found.returncode == 4
    assert found.stderr.startswith("funasr: stdout: cannot be written (No space left")
    assert found.stderr.count("\n") == 1


def test_a_package_that_cannot_be_imported_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "av").mkdir()
    (tmp_path / "av" / "__init__.py").write_text("raise ImportError('broken')")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    found = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "funasr_cli", "transcribe", str(ZH), "--hotwords", "北京", "-q"],
        capture_output=True,
        encoding="utf-8",
        check=False,
        env=environment,
    )
    assert found.returncode == 3
    assert "Traceback" not in found.stderr
    assert "pip install --force-reinstall" in found.stderr


def test_several_threads_may_share_a_transcriber(
    transcriber: Transcriber, result: Transcript
) -> None:
    with ThreadPoolExecutor(4) as pool:
        texts = list(pool.map(lambda _: transcriber.transcribe(ZH).text, range(4)))
    assert texts == [result.text] * 4


def test_what_is_no_recording_is_refused(transcriber: Transcriber) -> None:
    with pytest.raises(UsageError, match="cannot transcribe a ndarray"):
        transcriber.transcribe(np.zeros(16000))  # type: ignore[arg-type]


def test_json_lines_are_for_programs() -> None:
    found = funasr("transcribe", ZH, MEDIA[0], "--json", "-q")
    values = [json.loads(line) for line in found.stdout.splitlines()]
    assert [v["audio"]["path"] for v in values] == [str(ZH), str(MEDIA[0])]
    for value in values:
        assert value["schema"] == "funasr-transcript/1"
        assert value["timings"]["total"] > 0
        assert value["segments"][0]["chars"][0].keys() == {"text", "start", "end", "confidence"}


def test_a_stream_on_stdin() -> None:
    with ZH.open("rb") as stream:
        found = subprocess.run(
            [sys.executable, "-m", "funasr_cli", "transcribe", "-", "-q"],
            stdin=stream,
            capture_output=True,
            encoding="utf-8",
            check=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
    assert errors(text_of(ZH), found.stdout) <= 0.1


def test_files_are_written_where_asked(tmp_path: Path) -> None:
    found = funasr("transcribe", ZH, "-f", "all", "-o", tmp_path / "字幕", "-q")
    assert (found.returncode, found.stdout) == (0, "")
    names = sorted(p.name for p in (tmp_path / "字幕").iterdir())
    assert names == sorted(f"zh-01.{suffix}" for suffix in FORMATS.values())
    assert all(p.stat().st_size for p in (tmp_path / "字幕").iterdir())
    srt = (tmp_path / "字幕" / "zh-01.srt").read_text(encoding="utf-8")
    assert srt.startswith("1\n00:00:0")


def test_files_are_written_beside_each_input(tmp_path: Path) -> None:
    (tmp_path / "子").mkdir()
    copy = tmp_path / "子" / "a.wav"
    shutil.copy(ZH, copy)
    found = funasr("transcribe", copy, "-f", "VTT,Lrc", "-o", "source", "-q")
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")
    assert sorted(p.name for p in copy.parent.iterdir()) == ["a.lrc", "a.vtt", "a.wav"]


def test_a_template_names_the_files(tmp_path: Path) -> None:
    template = "{date:%Y}/{index:02}-{filename}.zh.{ext}"
    options = ("-o", tmp_path, "--output-template", template, "-f", "ass", "-q")
    assert funasr("transcribe", ZH, MEDIA[0], *options).returncode == 0
    names = sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.ass"))
    assert [name[4:] for name in names] == [
        "/01-zh-01.zh.ass",
        f"/02-{MEDIA[0].stem}.zh.ass",
    ]


def test_text_with_times() -> None:
    found = funasr("transcribe", ZH, MEDIA[0], "--timestamps", "-q")
    lines = [line.split("\t") for line in found.stdout.splitlines()]
    assert {name for name, _ in lines} == {str(ZH), str(MEDIA[0])}
    assert len(lines) > 2
    clock = r"\[\d\d:\d\d\.\d{3} --> \d\d:\d\d\.\d{3}\] \S"
    assert all(re.match(clock, text) for _, text in lines)
    spoken = "".join(text.partition("] ")[2] for name, text in lines if name == str(ZH))
    assert errors(text_of(ZH), spoken) <= 0.1


def test_a_reader_that_has_enough_is_no_error() -> None:
    command = f"'{sys.executable}' -m funasr_cli transcribe '{ZH}' '{ZH}' -q | head -c 3"
    found = subprocess.run(  # noqa: S602 - the shell's pipe is what is tested
        command,
        shell=True,
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert found.stderr == b""
    assert found.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="signals are another matter there")
@pytest.mark.parametrize("delay", [0.0, 0.1, 0.2, 0.3, 0.5, 0.8, 1.5])
def test_an_interrupt_ends_at_once_and_leaves_no_half_file(tmp_path: Path, delay: float) -> None:
    process = subprocess.Popen(  # noqa: S603 - our own program
        [
            sys.executable,
            "-m",
            "funasr_cli",
            "transcribe",
            *([str(ZH)] * 50),
            "-o",
            str(tmp_path),
            "-f",
            "json",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stderr is not None
    process.stderr.readline()  # our own code runs: before that, Python itself would die
    time.sleep(delay)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130, stderr
    assert "Traceback" not in stderr
    assert all(json.loads(p.read_text(encoding="utf-8")) for p in tmp_path.iterdir())


def test_scripts_written_for_the_other_project_run(result: Transcript) -> None:
    parts = {p.name.split(".")[0].rsplit("-", 1)[-1]: p for p in DEMO_MODEL.iterdir()}
    engine = create_asr_engine(
        encoder_onnx_path=str(parts["Adaptor"]),
        ctc_onnx_path=str(parts["CTC"]),
        decoder_gguf_path=str(parts["Decoder"]),
        tokens_path=str(parts["tokens"]),
        hotwords_path=str(SAMPLES / "hot.txt"),
        verbose=False,
    )
    assert engine.initialize()
    found = engine.transcribe(str(ZH), language=None, context=None, verbose=False)
    engine.cleanup()
    assert errors(result.text, found.text) <= 0.1
    assert found.segments[0].keys() == {"char", "start", "end"}
    assert found.timings.total > 0


def test_a_broken_model_file_is_named(tmp_path: Path) -> None:
    for part in DEMO_MODEL.iterdir():
        shutil.copy(part, tmp_path)
    (decoder,) = tmp_path.glob("*.gguf")
    data = bytearray(decoder.read_bytes())
    data[:4] = b"JUNK"
    decoder.write_bytes(bytes(data))
    found = funasr("transcribe", ZH, "-m", tmp_path)
    assert found.returncode == 3
    assert decoder.name in found.stderr


def test_threads_and_runtime_options_reach_the_runtimes() -> None:
    with Transcriber(DEMO_MODEL, RuntimeOptions(threads=1)) as one:
        assert one.transcribe(ZH).text
