"""`funasr batch` as a user meets it, with the demo model."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sounds import read, write_sound
from test_cli import ROOT, SAMPLES, funasr, one_line

from funasr_cli.cli.state import FILE, FOLDER, State

CLIPS = 6


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of short recordings."""
    folder = tmp_path_factory.mktemp("clips")
    sound = read(SAMPLES / "zh-01.wav")
    for number in range(CLIPS):
        at = number * 32000
        write_sound(folder / f"录音{number}.wav", sound[at : at + 48000], codec="pcm_s16le")
    return folder


@pytest.fixture
def tree(clips: Path, tmp_path: Path) -> Path:
    """Recordings in folders, two of one stem, and what is no recording."""
    where = tmp_path / "in"
    (where / "b" / "c").mkdir(parents=True)
    (where / ".hidden").mkdir()
    shutil.copy(clips / "录音0.wav", where / "a.wav")
    shutil.copy(clips / "录音1.wav", where / "a.MP3")
    shutil.copy(clips / "录音2.wav", where / "b" / "a.wav")
    shutil.copy(clips / "录音3.wav", where / "b" / "c" / "d.wav")
    shutil.copy(clips / "录音3.wav", where / ".hidden" / "d.wav")
    (where / "notes.txt").write_text("no recording")
    return where


def files(folder: Path) -> list[str]:
    """Everything written, the state aside."""
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and ".funasr" not in path.parts
    )


def times(folder: Path) -> dict[str, int]:
    return {name: (folder / name).stat().st_mtime_ns for name in files(folder)}


def test_a_tree_is_kept_and_done_once(tree: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = funasr("batch", tree, "-r", "-o", out, "-f", "srt,txt")
    assert result.returncode == 0, result.stderr
    assert result.stdout == ""
    assert files(out) == [
        "a.MP3.srt", "a.MP3.txt", "a.wav.srt", "a.wav.txt",
        "b/a.srt", "b/a.txt", "b/c/d.srt", "b/c/d.txt",
    ]  # fmt: skip
    assert "transcribed   4 files, 12 s of sound" in result.stderr
    alone = funasr("transcribe", tree / "a.wav").stdout
    assert (out / "a.wav.txt").read_text("utf-8") == alone
    before = times(out)
    again = funasr("batch", tree, "-r", "-o", out, "-f", "srt,txt")
    assert again.returncode == 0
    assert "skipped       4 files" in again.stderr
    assert times(out) == before


def test_what_is_done_depends_on_input_options_and_files(clips: Path, tmp_path: Path) -> None:
    where, out = tmp_path / "in", tmp_path / "out"
    shutil.copytree(clips, where)

    def done(*options: str) -> set[str]:
        """Name the inputs that a run transcribed."""
        before = times(out) if out.exists() else {}
        result = funasr("batch", where, "-o", out, *options)
        assert result.returncode == 0, result.stderr
        return {name for name, at in times(out).items() if before.get(name) != at}

    everything = {f"录音{n}.txt" for n in range(CLIPS)}
    assert done() == everything
    (out / "录音0.txt").unlink()
    os.utime(where / "录音1.wav")  # touched only
    shutil.copy(where / "录音3.wav", where / "录音2.wav")  # another sound, as long
    assert done() == {"录音0.txt", "录音2.txt"}
    assert done("-f", "txt,srt") == {f"录音{n}.srt" for n in range(CLIPS)}  # what is there stays
    assert done("-f", "srt") == set()
    assert done("--hotwords", "北京,会议") == everything
    assert done("--hotwords", "北京,会议") == set()
    assert done("--hotwords", "北京,会议", "--overwrite") == everything
    # a recording that comes later keeps away from the files of another
    shutil.copy(where / "录音1.wav", where / "录音0.flac")
    assert done("--hotwords", "北京,会议") == {"录音0.flac.txt"}


def test_a_bad_file_is_one_line(clips: Path, tmp_path: Path) -> None:
    where, out = tmp_path / "in", tmp_path / "out"
    shutil.copytree(clips, where)
    (where / "bad.mp3").write_bytes(b"no sound" * 99)
    (where / "empty.wav").touch()
    report = tmp_path / "r.csv"
    result = funasr("batch", where, tmp_path / "absent", "-o", out, "--report", report)
    assert result.returncode == 5
    assert len(files(out)) == CLIPS
    lines = [line for line in result.stderr.splitlines() if line.startswith("funasr: ")]
    assert len(lines) == 3
    assert "Traceback" not in result.stderr
    with report.open(encoding="utf-8-sig", newline="") as file:
        rows = {Path(row["path"]).name: row for row in csv.DictReader(file)}
    assert rows["empty.wav"]["status"] == "failed"
    assert rows["empty.wav"]["reason"] == "is empty (0 bytes)"
    assert rows["absent"]["status"] == "missing"
    assert rows["录音0.wav"]["status"] == "done"
    assert float(rows["录音0.wav"]["rtf"]) > 0
    assert rows["录音0.wav"]["outputs"] == str(out / "录音0.txt")

    again = funasr("batch", where, "-o", out)
    assert again.returncode == 5
    assert "2 of them before: --retry-failed" in again.stderr
    assert [line for line in again.stderr.splitlines() if line.startswith("funasr: ")] == []
    shutil.copy(where / "录音1.wav", where / "empty.wav")  # mended
    retried = funasr("batch", where, "-o", out, "--retry-failed", "--report", tmp_path / "r.jsonl")
    found = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text("utf-8").splitlines()]
    kinds = {Path(one["path"]).name: one["status"] for one in found}
    assert retried.returncode == 5
    assert kinds.pop("bad.mp3") == "failed"
    assert kinds.pop("empty.wav") == "done"
    assert set(kinds.values()) == {"skipped"}


def test_the_first_failure_may_end_it(clips: Path, tmp_path: Path) -> None:
    where, out = tmp_path / "in", tmp_path / "out"
    shutil.copytree(clips, where)
    (where / "0.mp3").write_bytes(b"no sound" * 99)
    result = funasr("batch", where, "-o", out, "--fail-fast")
    assert result.returncode == 5
    assert f"left          {CLIPS} files" in result.stderr
    assert files(out) == []


def test_little_coverage_is_a_failure_with_its_files(tmp_path: Path) -> None:
    out, cut = tmp_path / "out", ("--no-guard", "-n", "1")  # a token a segment
    for word in ("only 15% of 20 s of speech became text", "1 of them before: --retry-failed"):
        result = funasr("batch", SAMPLES / "zh-02.mp3", "-o", out, "-f", "json", *cut)
        assert result.returncode == 5
        assert word in result.stderr
        assert json.loads((out / "zh-02.json").read_text("utf-8"))["text"]
    # other files of it may still be wanted
    result = funasr("batch", SAMPLES / "zh-02.mp3", "-o", out, "-f", "txt", *cut)
    assert result.returncode == 5
    assert files(out) == ["zh-02.json", "zh-02.txt"]


def test_beside_each_input(tree: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    state = {"XDG_DATA_HOME": str(data), "LOCALAPPDATA": str(data), "HOME": str(tmp_path)}
    for word in ("transcribed   4 files", "skipped       4 files"):
        result = funasr(
            "batch", tree, "-r", "-o", "source", "-f", "srt", cwd=None, stdin=None, **state
        )
        assert result.returncode == 0, result.stderr
        assert word in result.stderr
    assert [name for name in files(tree) if name.endswith("srt")] == [
        "a.MP3.srt", "a.wav.srt", "b/a.srt", "b/c/d.srt",
    ]  # fmt: skip


def test_lists_and_patterns(tree: Path, tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text(f"\ufeff{tree / 'a.wav'}\n\n{tree / 'b' / 'a.wav'}\r\n", encoding="utf-8")
    out = tmp_path / "out"
    result = funasr("batch", "--from-file", "-", "-o", out, "-q", stdin=listed)
    assert (result.returncode, result.stderr) == (0, "")
    assert files(out) == ["a.txt", "b/a.txt"]
    listed.write_bytes(os.fsencode(tree / "a.wav") + b"\0" + os.fsencode(tree / "b"))
    told = funasr("batch", str(tree / "*" / "c" / "d.*"), "--from-file", listed, "-o", out,
                  "--dry-run")  # fmt: skip
    lines = [line.split("\t") for line in told.stdout.splitlines()]
    assert told.returncode == 0
    assert {(line[0], Path(line[1]).name) for line in lines[1:]} == {
        ("skip", "a.wav"), ("do", "d.wav"),
    }  # fmt: skip
    assert files(out) == ["a.txt", "b/a.txt"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 2, "name folders or files: funasr batch recordings -r -o OUT"),
        (["-o", "out"], 2, "name folders or files"),
        (["in", "-r"], 2, "say where the files go: funasr batch in -r -o OUT (or -o source"),
        (["a b", "2", "3", "4"], 2, "funasr batch 'a b' 2 3 ... -o OUT"),
        (["--from-file", "l"], 2, "funasr batch --from-file l -o OUT"),
        (["--from-file", os.devnull, "-o", "out"], 4, "nothing to do"),
        (["nowhere", "-o", "out"], 4, "nowhere: no such file"),
        (["*.mp3", "-o", "out"], 4, "*.mp3: no file matches this pattern"),
        ([".", "-o", "out"], 4, "no recordings in this folder; -r looks into"),
        (["--from-file", "nowhere", "-o", "out"], 4, "--from-file nowhere: cannot be read"),
        ([".", "-o", "out", "--report", "x.pdf"], 2, "name it .jsonl or .csv"),
        ([".", "-o", "out", "--progress", "much"], 2, "known are auto, bars"),
        (["in", "-o", "in/a.wav"], 2, "is a file, not a folder"),
        (["in", "-o", "out", "-m", "nowhere"], 3, "nowhere: no such model directory"),
    ],
)
def test_wrong_usage_is_one_line(
    clips: Path, tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    (tmp_path / "in").mkdir()
    shutil.copy(clips / "录音0.wav", tmp_path / "in" / "a.wav")
    assert words in one_line(funasr("batch", *arguments, cwd=tmp_path), code)
    assert not (tmp_path / "out").exists()


def test_programs_get_events(clips: Path, tmp_path: Path) -> None:
    result = funasr("batch", clips, "-o", tmp_path / "out", "--progress", "json")
    events = [json.loads(line) for line in result.stderr.splitlines()]
    assert events[-1]["event"] == "end"
    assert events[-1]["done"] == CLIPS
    assert [e["status"] for e in events if e["event"] == "file"] == ["done"] * CLIPS
    assert any(e["event"] == "progress" and 0 <= e["share"] <= 1 for e in events)


def test_an_all_done_folder_loads_nothing_heavy(clips: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert funasr("batch", clips, "-o", out).returncode == 0
    code = (
        "import sys; from funasr_cli.__main__ import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print(*{m.split('.')[0] for m in sys.modules})"
    )
    loaded = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", code, "batch", clips, "-o", out],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        check=True,
    ).stdout.split()
    assert "sqlite3" in loaded
    assert not {"numpy", "av", "onnxruntime", "xllamacpp", "multiprocessing"} & set(loaded)


def test_two_batches_do_not_share_a_folder(clips: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with State(out / FOLDER / FILE) as state:
        state.claim()
        message = one_line(funasr("batch", clips, "-o", out), 2)
        assert "another batch is at work here" in message
        assert funasr("batch", clips, "-o", out, "--dry-run").returncode == 0
    assert funasr("batch", clips, "-o", out).returncode == 0


@pytest.mark.skipif(sys.platform == "win32" or os.getuid() == 0, reason="nothing is forbidden")
def test_a_folder_that_may_not_be_written_is_told_at_once(clips: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir(mode=0o500)
    message = one_line(funasr("batch", clips, "-o", out), 4)
    assert "what is done cannot be kept" in message


def test_patterns_that_the_shell_left(clips: Path) -> None:
    found = funasr("transcribe", clips / "录音[01].*", "-q")
    assert [Path(line.split("\t")[0]).name for line in found.stdout.splitlines()] == [
        "录音0.wav", "录音1.wav",
    ]  # fmt: skip
    message = one_line(funasr("transcribe", clips / "x*.wav"), 4)
    assert "x*.wav: no such file" in message


def test_names_are_utf_8_whatever_the_locale(clips: Path, tmp_path: Path) -> None:
    plain = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}
    out = tmp_path / "out"
    told = funasr("batch", clips, tmp_path / "没有.wav", "-o", out, cwd=None, stdin=None, **plain)
    assert "没有.wav: no such file" in told.stderr
    assert files(out) == [f"录音{n}.txt" for n in range(CLIPS)]


def test_a_reader_that_has_enough_ends_it_quietly(clips: Path) -> None:
    names = sorted(map(str, clips.glob("*.wav")))
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "funasr_cli", "transcribe", *names, "--json", "-q"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert json.loads(process.stdout.readline())["text"]
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_several_processes(clips: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    options = ("-f", "txt", "--workers", "2", "-t", "1")
    result = funasr("batch", clips, "-o", out, *options)
    assert result.returncode == 0, result.stderr
    assert len(files(out)) == CLIPS
    assert "skipped" in funasr("batch", clips, "-o", out, *options).stderr
    told = one_line(funasr("batch", clips, "-o", tmp_path / "x", "--workers", "64",
                           "--fail-fast", "-m", big_model(tmp_path)), 3)  # fmt: skip
    assert "are free; at most --workers" in told


def big_model(where: Path) -> Path:
    """A model whose files look larger than any memory."""
    folder = where / "big"
    folder.mkdir()
    (folder / "Fun-ASR-Nano-Encoder-Adaptor.fp32.onnx").touch()
    with (folder / "Fun-ASR-Nano-Decoder.q8_0.gguf").open("wb") as file:
        file.truncate(1 << 42)  # no bytes behind it
    return folder


# what ends a run from outside


def begin(*arguments: str | Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "funasr_cli", "batch", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    )


@pytest.fixture
def many(clips: Path, tmp_path: Path) -> Path:
    where = tmp_path / "many"
    where.mkdir()
    for number in range(40):
        shutil.copy(clips / f"录音{number % CLIPS}.wav", where / f"{number:02}.wav")
    return where


def wait_for(out: Path, count: int, process: "subprocess.Popen[str]") -> None:
    for _ in range(3000):
        if process.poll() is not None or (out.exists() and len(list(out.iterdir())) > count):
            return
        time.sleep(0.01)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_run_that_is_ended_goes_on(
    many: Path, tmp_path: Path, number: signal.Signals, workers: str
) -> None:
    out = tmp_path / "out"
    arguments = (many, "-o", out, "-f", "json,srt", "--workers", workers)
    done: dict[str, int] = {}
    for count in (2, 20):
        process = begin(*arguments)
        wait_for(out, count, process)
        process.send_signal(number)
        _, told = process.communicate(timeout=60)
        assert process.returncode == (130 if number == signal.SIGINT else -number), told
        if number == signal.SIGINT:
            assert told.rstrip().endswith("funasr: interrupted")
            assert "the same command goes on" in told
        found = times(out)
        assert {name: found[name] for name in done} == done
        for name in files(out):
            if name.endswith("json"):
                json.loads((out / name).read_text("utf-8"))  # whole
        # both files of an input: it is finished, and is never touched again
        done = {n: at for n, at in found.items() if (out / n).with_suffix(".srt").exists()
                and (out / n).with_suffix(".json").exists()}  # fmt: skip
    assert done
    last = funasr("batch", *arguments)
    assert last.returncode == 0, last.stderr
    found = times(out)
    assert {name: found[name] for name in done} == done
    assert files(out) == sorted(f"{n:02}.{kind}" for n in range(40) for kind in ("json", "srt"))


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(
    ("number", "workers"), [(signal.SIGTERM, "1"), (signal.SIGHUP, "1"), (signal.SIGTERM, "2")]
)
def test_a_service_that_is_stopped_sums_up(
    many: Path, tmp_path: Path, number: signal.Signals, workers: str
) -> None:
    if signal.getsignal(number) is signal.SIG_IGN:
        pytest.skip("ignored by whoever started the tests (nohup), and so by the batch")
    out, report = tmp_path / "out", tmp_path / "r.jsonl"
    process = begin(many, "-o", out, "--report", report, "--workers", workers)
    wait_for(out, 2, process)
    os.killpg(process.pid, number)  # the workers get it, too
    _, told = process.communicate(timeout=60)
    assert process.returncode == 128 + number, told
    assert "the same command goes on" in told
    assert told.rstrip().endswith("funasr: interrupted")
    statuses = {json.loads(line)["status"] for line in report.read_text("utf-8").splitlines()}
    assert statuses == {"done", "left"}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    where = tmp_path / "disk"
    where.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=260k", "tmpfs", str(where)]
    tried = sys.platform == "linux" and subprocess.run(mount, capture_output=True, check=False)  # noqa: S603
    if not tried or tried.returncode:
        pytest.skip("no small disk can be mounted here")
    yield where
    subprocess.run(["umount", str(where)], check=True)  # noqa: S603, S607


def test_a_full_disk_ends_the_run_and_the_next_goes_on(many: Path, small_disk: Path) -> None:
    out = small_disk / "out"
    result = funasr("batch", many, "-o", out, "-f", "json")
    assert result.returncode == 4
    assert "No space left" in result.stderr or "disk is full" in result.stderr
    assert "the same command goes on" in result.stderr
    done = times(out)
    assert 0 < len(done) < 40
    for name in done:
        json.loads((out / name).read_text("utf-8"))
    assert funasr("batch", many, "-o", out, "-f", "json").returncode == 4
    subprocess.run(["mount", "-o", "remount,size=20M", str(small_disk)], check=True)  # noqa: S603, S607
    result = funasr("batch", many, "-o", out, "-f", "json")
    assert result.returncode == 0, result.stderr
    found = times(out)
    assert len(found) == 40
    assert {name: found[name] for name in done} == done
