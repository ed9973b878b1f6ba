"""What is found, what is done, and what is to do."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from test_cli import ROOT

from funasr_cli.cli.gathering import Gathered, Input, gather
from funasr_cli.cli.plan import Plan, Wish, make_plan
from funasr_cli.cli.state import FILE, FOLDER, Entry, State, content_of, digest
from funasr_cli.errors import OutputError

TEXT = b"what was written"


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(path.name.encode("utf-8", "surrogateescape"))


def places(found: Gathered) -> dict[str, str]:
    return {Path(one.path).name: one.below.as_posix() for one in found.inputs}


def test_one_folder_gives_its_tree(tmp_path: Path) -> None:
    touch(
        tmp_path / "x.mp3", tmp_path / "d" / "y.MKV", tmp_path / "d" / "e" / "z.opus",
        tmp_path / "x.srt", tmp_path / "mp3", tmp_path / ".git" / "w.mp3", tmp_path / ".v.mp3",
    )  # fmt: skip
    folder = str(tmp_path)
    assert places(gather([folder], [], recursive=False)) == {"x.mp3": "."}
    assert places(gather([folder], [], recursive=True)) == {
        "x.mp3": ".", "y.MKV": "d", "z.opus": "d/e",
    }  # fmt: skip


def test_several_folders_have_their_names(tmp_path: Path) -> None:
    touch(tmp_path / "p" / "x.mp3", tmp_path / "q" / "r" / "y.mp3")
    found = gather([str(tmp_path / "p"), str(tmp_path / "q")], [], recursive=True)
    assert places(found) == {"x.mp3": "p", "y.mp3": "q/r"}


def test_named_files_share_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path / "p" / "x.mp3", tmp_path / "p" / "q" / "y.unknown")
    names = [str(tmp_path / "p" / "x.mp3"), str(tmp_path / "p" / "q" / "y.unknown")]
    assert places(gather(names, [], recursive=False)) == {"x.mp3": ".", "y.unknown": "q"}
    assert places(gather(names[1:], [], recursive=False)) == {"y.unknown": "."}
    monkeypatch.chdir(tmp_path)
    touch(Path("list"))
    Path("list").write_bytes(b"p/q/y.unknown\np/x.mp3\n./p/x.mp3\n")
    assert places(gather([], ["list"], recursive=False)) == {"x.mp3": ".", "y.unknown": "q"}


def test_patterns_are_expanded_where_no_shell_does(tmp_path: Path) -> None:
    touch(tmp_path / "a1.mp3", tmp_path / "a2.mp3", tmp_path / "d" / "a3.mp3")
    touch(tmp_path / "a[1].mp3")

    def names(pattern: str) -> list[str]:
        return list(places(gather([str(tmp_path / pattern)], [], recursive=False)))

    assert names("a?.mp3") == ["a1.mp3", "a2.mp3"]
    assert names("**/a3.*") == ["a3.mp3"]
    assert names("a[1].mp3") == ["a[1].mp3"]  # it exists: no pattern
    assert names("a[2-9].mp3") == ["a2.mp3"]
    missing = gather([str(tmp_path / "b*"), "a\0b"], [], recursive=False).missing
    assert [reason for _, reason in missing] == ["no file matches this pattern", "no such file"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_an_input_is_taken_once(tmp_path: Path) -> None:
    touch(tmp_path / "d" / "x.mp3")
    (tmp_path / "e").symlink_to(tmp_path / "d")
    names = [str(tmp_path / "d"), str(tmp_path / "e"), str(tmp_path / "d" / "x.mp3")]
    assert len(gather(names, [], recursive=True).inputs) == 1


WISH = Wish(("txt",), "", None, "question")


def plan(inputs: Sequence[Input], out: Path, *, tidy: bool = True, **wish: object) -> Plan:
    with State(out / FOLDER / FILE) as state:
        asked = replace(WISH, folder=str(out), **wish)  # type: ignore[arg-type]
        return make_plan(inputs, state, asked, tidy=tidy)


def entry(path: Path, outputs: dict[str, bytes], **facts: object) -> Entry:
    found = path.stat()
    made = Entry(
        found.st_size, found.st_mtime_ns, content_of(path), "question", "done",
        outputs={kind: (f"{path.stem}.{kind}", digest(data)) for kind, data in outputs.items()},
    )  # fmt: skip
    return replace(made, **facts)  # type: ignore[arg-type]


@pytest.fixture
def one(tmp_path: Path) -> Input:
    touch(tmp_path / "in" / "a.wav", tmp_path / "out" / "a.txt")
    (tmp_path / "out" / "a.txt").write_bytes(TEXT)
    return gather([str(tmp_path / "in" / "a.wav")], [], recursive=False).inputs[0]


def put(one: Input, out: Path, known: Entry) -> None:
    with State(out / FOLDER / FILE) as state:
        state.put(one.key, known)


def test_a_result_whose_confirmation_is_missing_is_judged_by_its_files(
    one: Input, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    whole = entry(Path(one.path), {"txt": TEXT}, status="writing")
    draft = out / ".a.txt.abcd1234"
    touch(draft, out / ".a.txt.keep", out / ".b.txt.abcd1234")
    put(one, out, whole)
    assert len(plan([one], out, tidy=False).done) == 1
    assert draft.exists()
    assert len(plan([one], out).done) == 1
    assert not draft.exists()
    assert (out / ".a.txt.keep").exists()
    assert (out / ".b.txt.abcd1234").exists()
    # it is confirmed now, and may be edited
    (out / "a.txt").write_bytes(b"edited by hand")
    assert len(plan([one], out).done) == 1
    put(one, out, whole)
    assert len(plan([one], out).tasks) == 1
    assert len(plan([one], out).tasks) == 1
    (out / "a.txt").write_bytes(TEXT)
    put(one, out, replace(whole, reason="too little text"))
    assert [reason for _, reason in plan([one], out).failed_before] == ["too little text"]


@pytest.mark.parametrize(
    ("changed", "wish", "is_done"),
    [
        ({}, {}, True),
        ({"changed": 1}, {}, True),  # touched, or copied: the same bytes
        ({"changed": 1, "content": "other"}, {}, False),
        ({"changed": 1, "content": ""}, {}, False),
        ({"size": 1}, {}, False),
        ({"asked": "other"}, {}, False),
        ({}, {"asked": "other"}, False),
        ({}, {"kinds": ("txt", "srt")}, False),
        ({}, {"overwrite": True}, False),
        ({}, {"retry_failed": True}, True),
        ({"outputs": {}}, {}, False),
        ({"outputs": {"txt": ("gone.txt", "")}}, {}, False),
    ],
)
def test_what_counts_as_done(
    one: Input, tmp_path: Path, changed: dict[str, object], wish: dict[str, object], is_done: bool
) -> None:
    out = tmp_path / "out"
    put(one, out, replace(entry(Path(one.path), {"txt": TEXT}), **changed))  # type: ignore[arg-type]
    found = plan([one], out, **wish)  # type: ignore[arg-type]
    assert (len(found.done), len(found.tasks)) == ((1, 0) if is_done else (0, 1))


def test_a_touched_file_is_read_once(
    one: Input, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, read = tmp_path / "out", []
    put(one, out, entry(Path(one.path), {"txt": TEXT}))
    os.utime(one.path, ns=(1, 1))

    def watched(path: str) -> str:
        read.append(path)
        return content_of(path)

    monkeypatch.setattr("funasr_cli.cli.plan.content_of", watched)
    for tidy in (False, True, True):
        assert len(plan([one], out, tidy=tidy).done) == 1
    assert read == [one.path, one.path]


def test_the_file_of_another_input_is_left_alone(one: Input, tmp_path: Path) -> None:
    out = tmp_path / "out"
    put(one, out, entry(Path(one.path), {"txt": TEXT}))
    touch(tmp_path / "in" / "a.mp3")
    other = gather([str(tmp_path / "in" / "a.mp3")], [], recursive=False).inputs[0]
    assert plan([other], out).tasks[0].outputs == (("txt", out / "a.mp3.txt"),)
    both = plan(gather([str(tmp_path / "in")], [], recursive=False).inputs, out)
    assert [task.path for task in both.done] == [str(tmp_path / "in" / "a.wav")]
    Path(one.path).unlink()
    assert plan([other], out).tasks[0].outputs == (("txt", out / "a.txt"),)


def test_an_input_that_has_gone_is_told(one: Input, tmp_path: Path) -> None:
    Path(one.path).unlink()
    found = plan([one], tmp_path / "out")
    assert found.missing == [(one.path, "No such file or directory")]
    assert not (tmp_path / "out" / FOLDER).exists()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems want names to be text")
def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/in/\xff.wav"))
    touch(path)
    one = gather([str(path)], [], recursive=False).inputs[0]
    put(one, tmp_path / "out", entry(path, {"txt": TEXT}))
    touch(tmp_path / "out" / f"{path.stem}.txt")
    assert len(plan([one], tmp_path / "out").done) == 1


def test_a_state_that_is_none(one: Input, tmp_path: Path) -> None:
    file = tmp_path / "out" / FOLDER / FILE
    touch(file)
    with pytest.raises(OutputError, match=r"state\.sqlite: what is done cannot be kept"):
        plan([one], tmp_path / "out")


@pytest.mark.skipif(sys.platform != "linux", reason="where the peak of memory is told")
def test_ten_thousand_that_are_done(tmp_path: Path) -> None:
    """At most 3 s (of the processor: others may use the machine) and 150 MB."""
    where, out = tmp_path / "in", tmp_path / "out"
    for number in range(100):
        (where / f"{number:02}").mkdir(parents=True)
        (out / f"{number:02}").mkdir(parents=True)
    command = ["batch", str(where), "-r", "-o", str(out)]
    asked = tmp_path / "asked.py"
    asked.write_text(
        "import sys\n"
        "from funasr_cli.cli import plan\n"
        "from funasr_cli.__main__ import main\n"
        "def told(inputs, state, wish, *, tidy):\n"
        "    print(wish.asked)\n"
        "    return plan.Plan()\n"
        "plan.make_plan = told\n"
        "main()\n"
    )
    touch(where / "00" / "00.mp3")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    question = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, asked, *command, "-q"],
        env=environment, capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    with State(out / FOLDER / FILE) as state:
        for number in range(10_000):
            name = Path(f"{number // 100:02}", f"{number % 100:02}.mp3")
            touch(where / name, out / name.with_suffix(".txt"))
            found = (where / name).stat()
            outputs = {"txt": (name.with_suffix(".txt").as_posix(), "")}
            known = Entry(
                found.st_size, found.st_mtime_ns, "", question, "done", outputs=outputs
            )  # fmt: skip
            state.put(str((where / name).resolve()), known)
    # not `ru_maxrss`: it begins with what the parent held
    watched = (
        "import time\n"
        "from funasr_cli.__main__ import main\n"
        "try: main()\n"
        "finally: print(time.process_time(),"
        " open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"
    )
    result = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", watched, *command],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "skipped       10000 files" in result.stderr, result.stderr
    seconds, peak = map(float, result.stdout.split())
    assert seconds < 3
    assert peak * 1024 < 150e6
