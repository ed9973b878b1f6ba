"""A model directory of random weights with the real shapes: what speed and memory depend on."""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

from funasr_cli.bench.random_weights import RandomWeights
from funasr_cli.bench.sizes import (
    SIZES,
    SPECIALS,
    Size,
    branch_gains,
    encoder_config,
    qwen_config,
    told_by_tensors,
)
from funasr_cli.bench.vocabulary import Vocabulary, is_character, is_text
from funasr_cli.errors import LibraryError, UsageError
from funasr_cli.export.audit import CTC_HEAD, EMBEDDING, audit_checkpoint, expected_shapes
from funasr_cli.export.exporter import PARTS, write_model
from funasr_cli.export.model_folder import existing_model, publish, staging, stale_files
from funasr_cli.export.qwen_tokenizer import CONTROL, NORMAL, UNUSED, QwenTokenizer
from funasr_cli.export.source import Source
from funasr_cli.export.tokens import SPECIAL_TOKENS, table_text
from funasr_cli.manifest import MANIFEST

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from funasr_cli.manifest import Manifest
    from funasr_cli.protocols import Floats

_CTC_GAIN, _BLANK_BIAS, _CHARACTER_BIAS, _NEVER = 6.0, 26.0, 6.0, -100.0
"""Scale of the CTC scores and what is added to some: three frames in four are blank, most others
a Chinese character, none a tag, as with a real model and speech."""
_UNLIKELY = 0.1
"""Scale of the embeddings of control tokens: the LLM never ends by itself, whatever it hears."""


def make_model(  # noqa: PLR0913 - each is an option of the command
    output: Path,
    size: str,
    *,
    decoder_only: bool = False,
    seed: int = 0,
    force: bool = False,
    progress: Callable[[str, float], None] | None = None,
) -> Manifest:
    """Write a model directory; the same size and seed give the same numbers.

    Args:
        output: folder to write; made if it is missing.
        size: a name of SIZES.
        decoder_only: only the LLM and the manifest.
        seed: decides the weights.
        force: replace the model that `output` holds, once the new files are complete.
        progress: hears a stage's name and the fraction of it that is done.

    Returns:
        The manifest, as written.

    Raises:
        UsageError: an unknown size or a negative seed.
        LibraryError: a package that is needed is not installed.
        ModelError: `output` holds a model already and `force` is not set.
        OutputError: the files cannot be written.
    """
    if size not in SIZES:
        raise UsageError(f"size {size!r}: choose one of {', '.join(SIZES)}")
    if seed < 0:
        raise UsageError(f"seed {seed}: must not be negative")
    parts = frozenset({"decoder"}) if decoder_only else PARTS
    _check_packages(decoder_only=decoder_only)
    before = existing_model(output, PARTS, force=force)
    source = _source(size, seed, with_ctc=not decoder_only)
    with staging(output) as folder:
        manifest = write_model(source, folder, parts, ("int8", "q8_0"), progress or _silent)
        (folder / MANIFEST).write_text(manifest.to_json(), encoding="utf-8")
        publish(folder, output, stale_files(before, manifest))
    return manifest


def _check_packages(*, decoder_only: bool) -> None:
    needed = ("gguf",) if decoder_only else ("gguf", "onnx")
    missing = [name for name in needed if find_spec(name) is None]
    if missing:
        raise LibraryError(
            f"making a model needs {', '.join(missing)}: pip install 'funasr-cli[export]'"
        )


def _source(name: str, seed: int, *, with_ctc: bool) -> Source:
    """Make what an export reads of a checkpoint."""
    from pathlib import Path

    size, path = SIZES[name], Path(f"random-{name}")
    vocabulary = Vocabulary(max(size.llm_pieces, size.ctc_pieces))
    config, qwen = encoder_config(size, path), qwen_config(size, path)
    widths = RandomWeights(path, told_by_tensors(size), seed)
    shapes = {
        k: v for group in expected_shapes(widths, config, qwen).values() for k, v in group.items()
    }
    pieces = vocabulary.tokens[: size.ctc_pieces]
    weights = RandomWeights(
        path,
        shapes,
        seed,
        gains=branch_gains(size),
        given={f"{CTC_HEAD}.bias": _ctc_bias(pieces)},
        row_scales={
            EMBEDDING: _embedding_scales(vocabulary, size),
            f"{CTC_HEAD}.weight": np.full(shapes[f"{CTC_HEAD}.bias"], _CTC_GAIN, np.float32),
        },
    )
    recipe = f"funasr bench make-model --size {name} --seed {seed}"
    return Source(
        name=path.name,
        checkpoint=weights,
        config=config,
        qwen=qwen,
        tokenizer=_tokenizer(vocabulary, size),
        ctc_tokens=table_text(pieces) if with_ctc else None,
        audit=audit_checkpoint(weights, config, qwen, with_ctc=with_ctc),
        origin={"file": recipe, "sha256": hashlib.sha256(recipe.encode()).hexdigest()},
    )


def _ctc_bias(pieces: list[bytes]) -> Floats:
    own = [_CHARACTER_BIAS if is_character(p) else 0.0 if is_text(p) else _NEVER for p in pieces]
    special = [_NEVER] * (len(SPECIAL_TOKENS) - 1)
    return np.array([*own, *special, _BLANK_BIAS], np.float32)


def _embedding_scales(vocabulary: Vocabulary, size: Size) -> Floats:
    scales = np.full(size.llm_vocab, _UNLIKELY, np.float32)
    own = vocabulary.tokens[: size.llm_pieces]
    scales[: len(own)] = [1.0 if is_text(token) else _UNLIKELY for token in own]
    return scales


def _tokenizer(vocabulary: Vocabulary, size: Size) -> QwenTokenizer:
    pieces = vocabulary.spelled()[: size.llm_pieces]
    used = len(pieces) + len(SPECIALS)
    rest = size.llm_vocab - used
    return QwenTokenizer(
        tokens=[*pieces, *SPECIALS, *(f"[PAD{used + i}]" for i in range(rest))],
        types=[NORMAL] * len(pieces) + [CONTROL] * len(SPECIALS) + [UNUSED] * rest,
        merges=vocabulary.spelled_merges()[: len(pieces) - 256],
        eos=None,
        pad=None,
        usual_split=True,
    )


def _silent(_stage: str, _done: float) -> None:
    """Hear nothing."""
