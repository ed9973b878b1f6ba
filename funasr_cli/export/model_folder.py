"""The folder an export writes to: files appear there whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from funasr_cli.errors import ModelError, OutputError
from funasr_cli.manifest import MANIFEST, TOKENS_FILE, Manifest, read_manifest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


_ARTEFACTS = ("*.onnx", "*.gguf", TOKENS_FILE, MANIFEST)


def existing_model(output: Path, parts: frozenset[str], *, force: bool) -> Manifest | None:
    """Read the manifest of a model in `output`; refuse to overwrite one without `force`.

    Raises:
        ModelError: there is a model with one of `parts`, or one that cannot be understood.
    """
    held = [path.name for pattern in _ARTEFACTS for path in output.glob(pattern)]
    path = output / MANIFEST
    if not held:
        return None
    if not path.is_file():
        if force:
            return None
        raise ModelError(f"{output} holds {held[0]} already; choose another folder, or --force")
    try:
        manifest = read_manifest(path)
    except ModelError:
        if force:
            return None
        raise
    taken = sorted(part for part in parts if getattr(manifest, part) is not None)
    if taken and not force:
        raise ModelError(
            f"{output} holds a model already ({', '.join(taken)}); choose another folder, or "
            "--force to replace it"
        )
    return manifest


def same_checkpoint(
    before: Manifest | None, output: Path, sha256: str, *, force: bool
) -> Manifest | None:
    """Return `before` if it came from the same checkpoint: only then parts may be combined.

    Raises:
        ModelError: it came from another, and `force` is not set.
    """
    if before is None or before.source.get("sha256") == sha256:
        return before
    if force:
        return None
    raise ModelError(
        f"{output / MANIFEST} is of another checkpoint; choose another folder, or --force to "
        "replace that model"
    )


def merged(
    kept: Manifest | None, new: Manifest, parts: frozenset[str], *, with_ctc: bool
) -> Manifest:
    """Take over what an earlier export of the same checkpoint wrote."""
    if kept is None:
        return new
    facts = new.model
    if with_ctc and "ctc" not in parts:
        facts = replace(facts, ctc_vocab=kept.model.ctc_vocab, blank_id=kept.model.blank_id)
        new = replace(new, ctc=kept.ctc, tokens=kept.tokens)
    return replace(
        new,
        model=facts,
        encoder=new.encoder or kept.encoder,
        decoder=new.decoder or kept.decoder,
        audit=_merged_audit(kept.audit, new.audit),
    )


def _merged_audit(kept: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Join two audits of one checkpoint, in the order that one of everything has."""
    notes = sorted({*kept.get("notes", ()), *new["notes"]})
    whole = {**kept, **new, "notes": notes}
    order = ["audio_encoder", "audio_adaptor", "llm", "ctc", "ignored", "notes"]
    return {key: whole[key] for key in order if key in whole}


def stale_files(before: Manifest | None, after: Manifest) -> set[str]:
    """Name the files of the old manifest that the new one does not have."""

    def names(manifest: Manifest) -> set[str]:
        held = (manifest.encoder, manifest.ctc, manifest.decoder, manifest.tokens)
        return {artefact.name for artefact in held if artefact is not None}

    return set() if before is None else names(before) - names(after)


@contextmanager
def staging(output: Path) -> Iterator[Path]:
    """A new folder beside `output` to work in; gone afterwards, however the work ends.

    Raises:
        OutputError: it cannot be made, or something in it cannot be written.
    """
    folder = output.parent / f".{output.name}.{secrets.token_hex(4)}.tmp"
    try:
        if output.exists() and not output.is_dir():
            raise OutputError(f"{output} is a file; name a folder for the model")
        folder.mkdir(parents=True)
        yield folder
    except OSError as error:
        raise OutputError(
            f"{output}: the model cannot be written ({error.strerror or error}); choose a folder "
            "that you may write to, on a disk with enough space"
        ) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish(folder: Path, output: Path, stale: Iterable[str]) -> None:
    """Move everything from `folder` to `output`, the manifest last.

    Args:
        folder: the finished files.
        output: where they belong; made if it is missing.
        stale: files there that belong to what is replaced.

    Raises:
        OSError: a file cannot be moved.
    """
    names = sorted(path.name for path in folder.iterdir())
    for name in names:
        _sync(folder / name)
    if not output.exists():
        folder.replace(output)
        _sync(output.parent)
        return
    # from here to the end no manifest vouches for the folder
    (output / MANIFEST).unlink(missing_ok=True)
    for name in sorted(names, key=lambda n: n == MANIFEST):
        (folder / name).replace(output / name)
    for name in set(stale) - set(names):
        (output / name).unlink(missing_ok=True)
    _sync(output)


def _sync(path: Path) -> None:
    """Make sure it is on the disk, where the system lets us."""
    with suppress(OSError):  # Windows opens no folders, and no file for reading only to flush it
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
