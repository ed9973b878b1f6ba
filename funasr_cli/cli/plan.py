"""What a batch has to do: inputs and the state of the last run -> tasks, and what is done."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from funasr_cli.cli.arguments import FORMATS
from funasr_cli.cli.gathering import Input
from funasr_cli.cli.state import Entry, State, content_of
from funasr_cli.cli.targets import BESIDE, parse_targets

TEMPORARY_LETTERS = 8
"""Of `tempfile`, in the names of files that are being written."""


@dataclass(frozen=True)
class Task:
    """One input to be transcribed."""

    number: int
    path: str
    key: str
    size: int
    """Bytes."""
    changed: int
    """Time of change, nanoseconds."""
    outputs: tuple[tuple[str, Path], ...]
    """(format, file)."""
    asked: str
    """Digest of model and options."""
    kept: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Format -> (path, digest) of what the same question has been answered with before."""


@dataclass
class Plan:
    """What is to be done, and what is not."""

    tasks: list[Task] = field(default_factory=list)
    done: list[Task] = field(default_factory=list)
    failed_before: list[tuple[Task, str]] = field(default_factory=list)
    """With the reason."""
    missing: list[tuple[str, str]] = field(default_factory=list)
    """(name, reason) of what cannot be looked at."""


@dataclass(frozen=True)
class Wish:
    """How a run chooses."""

    kinds: tuple[str, ...]
    folder: str
    """-o; `source`: beside each input."""
    template: str | None
    asked: str
    """Digest of model and options."""
    overwrite: bool = False
    retry_failed: bool = False


def make_plan(inputs: Sequence[Input], state: State, wish: Wish, *, tidy: bool) -> Plan:
    """Tell what is done from what is to do.

    Args:
        inputs: the recordings.
        state: what earlier runs have left.
        wish: what this one asks for.
        tidy: confirm or drop what a run that was killed has left half done.

    Raises:
        UsageError: the outputs cannot be named.
        OutputError: the state cannot be read.
    """
    known = state.entries()
    for one in inputs:  # those of others may be under way
        entry = known.get(one.key)
        if entry is not None and entry.status == "writing":
            known[one.key] = _settled(one.key, entry, state, tidy=tidy)
    plan = Plan()
    names = _names(inputs, known, state, wish)
    for number, one in enumerate(inputs):
        try:
            found = os.stat(one.path)  # noqa: PTH116 - ten thousand of them
        except OSError as error:
            plan.missing.append((one.path, error.strerror or str(error)))
            continue
        task = Task(
            number,
            one.path,
            one.key,
            found.st_size,
            found.st_mtime_ns,
            names[one.path],
            wish.asked,
        )
        before = None if wish.overwrite else known.get(one.key)
        if before is None or before.asked != wish.asked or not _same_input(task, before):
            plan.tasks.append(task)
            continue
        if tidy and before.changed != task.changed:  # touched: not to be read again each time
            state.put(one.key, replace(before, changed=task.changed))
        task = replace(task, kept=before.outputs or {})
        if before.status == "failed" and not _wants_more(task, before):
            if wish.retry_failed:
                plan.tasks.append(task)
            else:
                plan.failed_before.append((task, before.reason))
        elif before.status == "done" and _all_there(task, before, state):
            plan.done.append(task)
        else:
            plan.tasks.append(task)
    return plan


def _same_input(task: Task, entry: Entry) -> bool:
    """Whether an input is what it was; one that was only touched or copied is read to tell."""
    if task.size != entry.size:
        return False
    return task.changed == entry.changed or (
        entry.content != "" and content_of(task.path) == entry.content
    )


def _wants_more(task: Task, entry: Entry) -> bool:
    """Whether a failure left files (too little coverage), and others are asked for now."""
    outputs = entry.outputs or {}
    return bool(outputs) and any(kind not in outputs for kind, _ in task.outputs)


def _all_there(task: Task, entry: Entry, state: State) -> bool:
    outputs = entry.outputs or {}
    return all(
        kind in outputs and os.path.exists(state.place(outputs[kind][0]))  # noqa: PTH110
        for kind, _ in task.outputs
    )


def _settled(key: str, entry: Entry, state: State, *, tidy: bool) -> Entry:
    """Judge an input whose run was killed while its files were written, by their digests."""
    outputs = entry.outputs or {}
    whole = all(content_of(state.place(told)) == expected for told, expected in outputs.values())
    settled = replace(entry, status="failed" if entry.reason else "done")
    settled = settled if whole else replace(settled, status="writing", asked="")
    if tidy:
        for told, _ in outputs.values():
            _remove_drafts(state.place(told))
        state.put(key, settled)
    return settled


def _remove_drafts(path: Path) -> None:
    """Remove what `writers.write_text` leaves when it is killed."""
    start = f".{path.name[:40]}."
    try:
        names = os.listdir(path.parent)  # noqa: PTH208 - names are all that is needed
    except OSError:
        return
    for name in names:
        if name.startswith(start) and len(name) == len(start) + TEMPORARY_LETTERS:
            (path.parent / name).unlink(missing_ok=True)


def _names(
    inputs: Sequence[Input], known: Mapping[str, Entry], state: State, wish: Wish
) -> dict[str, tuple[tuple[str, Path], ...]]:
    """Choose the files of each input: those it had, and none that another one has."""
    roots = None
    if wish.folder != BESIDE:
        roots = {one.path: Path(wish.folder, one.below) for one in inputs}
    targets = parse_targets(
        [one.path for one in inputs], wish.kinds, wish.folder, wish.template, roots=roots
    )
    owners = {
        _folded(state.place(told)): key
        for key, entry in known.items()
        for told, _ in (entry.outputs or {}).values()
    }
    names: dict[str, tuple[tuple[str, Path], ...]] = {}
    for one in inputs:
        entry = known.get(one.key)
        had = (entry.outputs or {}) if entry else {}
        chosen: list[tuple[str, Path]] = []
        for kind, path in targets.of(one.path):
            own = path
            if wish.template is None:
                own = state.place(had[kind][0]) if kind in had else _free(one, path, kind, owners)
            owners[_folded(own)] = one.key
            chosen.append((kind, own))
        names[one.path] = tuple(chosen)
    return names


def _free(one: Input, path: Path, kind: str, owners: Mapping[str, str]) -> Path:
    """Find a name that is not the file of another input which is still there."""
    number, free = 1, path
    while True:
        owner = owners.get(_folded(free), one.key)
        if owner == one.key or not os.path.lexists(owner):
            return free
        more = "" if number == 1 else f"-{number}"
        free = path.with_name(f"{Path(one.path).name}{more}.{FORMATS[kind]}")
        number += 1


def _folded(path: Path) -> str:
    """Compare as Windows and macOS do: A.srt and a.srt would be one file."""
    return os.path.abspath(path).casefold()  # noqa: PTH100 - ten thousand of them
