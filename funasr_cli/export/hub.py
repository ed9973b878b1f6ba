"""A checkpoint from a hub: named `owner/name`, downloaded, compared with what is known of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from funasr_cli.errors import ModelError, UsageError
from funasr_cli.export.checkpoint import MODEL
from funasr_cli.export.downloaded import check_cached, check_files
from funasr_cli.export.known import refuse_without_ctc, what_is_known
from funasr_cli.export.remote import (
    HUGGING_FACE,
    MODELSCOPE,
    not_cached,
)
from funasr_cli.export.room import check_room, model_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from funasr_cli.export.remote import Client, Order, RemoteFile, Say

    Progress = Callable[[str, float], None]

HUB_NAMES = {
    "ms": MODELSCOPE,
    "modelscope": MODELSCOPE,
    "hf": HUGGING_FACE,
    "huggingface": HUGGING_FACE,
}
"""What people type -> the hub."""
NEEDED = (
    "config.yaml",
    MODEL,
    "*.tiktoken",
    "*/config.json",
    "*/tokenizer.json",
    "*/tokenizer_config.json",
    "*/vocab.json",
    "*/merges.txt",
)
"""What an export reads; examples, pictures and other programs' weights stay where they are."""
_REPO = re.compile(r"\w[\w.-]{0,95}/\w[\w.-]{0,95}", re.ASCII)


@dataclass(frozen=True)
class Plan:
    """What is to become of a checkpoint, as far as a download must know."""

    output: Path
    """Folder of the model."""
    ctc_type: str | None
    """Numbers of the CTC head; None: exported without."""
    decoder_type: str


def hub_of(name: str) -> str:
    """Read a hub's name.

    Raises:
        UsageError: there is no such hub.
    """
    hub = HUB_NAMES.get(name.strip().lower().replace("_", "").replace(" ", ""))
    if hub is None:
        near = get_close_matches(name.lower(), HUB_NAMES, n=1)
        guess = f"did you mean {near[0]}? " if near else ""
        raise UsageError(f"--hub {name}: {guess}known are {', '.join(HUB_NAMES)}")
    return hub


def repo_of(argument: str) -> str | None:
    """Return the repository that an argument names; None: it is a path.

    What exists is a path. So is what cannot be `owner/name`: `./x`, `x`, `a/b/c`, `/x`.
    """
    return argument if _REPO.fullmatch(argument) and not Path(argument).exists() else None


def client_of(hub: str, say: Say) -> Client:
    """Return a hub's client; its library is imported when it is used, and warns through `say`."""
    if hub == HUGGING_FACE:
        from funasr_cli.export.hugging_face import HuggingFace

        return HuggingFace(say)
    from funasr_cli.export.modelscope import ModelScope

    return ModelScope(say)


def fetch(
    order: Order, plan: Plan, *, progress: Progress, say: Say, client: Client | None = None
) -> Path:
    """Get a checkpoint's folder: from the cache, or by downloading what is missing there.

    Args:
        order: which checkpoint.
        plan: what will be made of it.
        progress: hears `download` and `verify`, and the fraction that is done.
        say: hears sentences for people.
        client: None: the hub's own.

    Raises:
        UnusableError: the hub's client is not installed.
        UsageError: no such repository or revision.
        MissingCtcError: this copy is known to have no CTC head, and the plan wants one.
        ModelError: the repository holds no such checkpoint, the cache holds it in part, or a
            file's content is not what it should be.
        InputError: the hub cannot be reached, or the download broke off.
        OutputError: there is not enough room, or the cache cannot be written.
    """
    client = client or client_of(order.hub, say)
    if order.local_only:
        return _from_cache(order, client, progress, say)
    files = needed_files(order, client.files(order))
    model = next(file for file in files if file.path == MODEL)
    if plan.ctc_type is not None:
        refuse_without_ctc(order, model.sha256)
    cache, held = client.cache(order), _held(client.cached(order), files)
    total = sum(file.bytes for file in files)
    left = total - sum(held.values())
    say(
        f"{order.asked} from {order.title}: {len(files)} files, {total / 1e6:,.1f} MB, of which "
        f"{left / 1e6:,.1f} MB are to come; kept in {cache}"
    )
    say(what_is_known(order, model.sha256))
    size = model_bytes(model.bytes, plan.ctc_type, plan.decoder_type)
    check_room([("download", cache, left), ("model", plan.output, size)])
    # of a file that is there in part the client tells itself
    done = sum(file.bytes for file in files if held.get(file.path) == file.bytes)

    def heard(count: int) -> None:
        nonlocal done
        done += count
        progress("download", max(0.0, min(1.0, done / total)))

    folder = client.download(order, files, heard)
    progress("download", 1.0)
    check_files(order, folder, files, progress)
    return folder


def needed_files(order: Order, files: Iterable[RemoteFile]) -> list[RemoteFile]:
    """Choose what an export reads.

    Raises:
        ModelError: the repository lacks the weights or the configuration.
    """
    listed = list(files)
    wanted = [f for f in listed if _is_safe(f.path) and _is_needed(f.path)]
    missing = sorted({MODEL, "config.yaml"} - {f.path for f in wanted})
    if missing:
        names = ", ".join(f.path for f in listed[:5]) or "nothing"
        raise ModelError(
            f"{order.asked} on {order.title} has no {' and no '.join(missing)} (it has {names}): "
            "this exporter is for checkpoints in the layout of FunAudioLLM/Fun-ASR-Nano-2512"
        )
    return wanted


def _is_needed(path: str) -> bool:
    return any(fnmatchcase(path, pattern) for pattern in NEEDED)


def _is_safe(path: str) -> bool:
    """Whether a path stays inside the folder that it is joined to."""
    return not path.startswith("/") and not {"..", ""} & set(re.split(r"[\\/]", path))


def _held(folder: Path | None, files: Sequence[RemoteFile]) -> dict[str, int]:
    """Count what the cache holds of each file; parts lie beside it under a longer name."""
    held: dict[str, int] = {}
    if folder is None:
        return held
    for file in files:
        path = folder / file.path
        parts = path.parent.iterdir() if path.parent.is_dir() else ()
        sizes = [p.stat().st_size for p in parts if p.name.startswith(path.name) and p.is_file()]
        held[file.path] = min(file.bytes, sum(sizes))
    return held


def _from_cache(order: Order, client: Client, progress: Progress, say: Say) -> Path:
    folder = client.cached(order)
    if folder is None or not all((folder / name).is_file() for name in (MODEL, "config.yaml")):
        raise not_cached(order, folder or client.cache(order))
    found = check_cached(order, folder / MODEL, progress)
    say(f"{order.asked}: {folder}")
    say(what_is_known(order, found))
    return folder
