"""Load a GGUF file and make a context: parameters written, results verified."""

import ctypes
import os
from dataclasses import dataclass, replace
from pathlib import Path

from funasr_cli.errors import (
    TOO_LITTLE_MEMORY,
    LibraryError,
    ModelError,
    UsageError,
    tells_of_memory,
)
from funasr_cli.llama import abi
from funasr_cli.llama.process import Backend

_MAGIC = b"GGUF"
_META_BYTES = 128
_CELLS = 256  # llama.cpp rounds the positions of a sequence up to this
_MAX_CELLS = 2**31  # n_ctx is a u32; half of it is more than any machine has room for
_MAX_SEQUENCES = 256  # LLAMA_MAX_SEQ; above it the context is refused
_FLASH_ATTN_DISABLED = 0  # LLAMA_FLASH_ATTN_TYPE_DISABLED
_F32 = 0  # GGML_TYPE_F32
_NO_VOCAB = 0  # LLAMA_VOCAB_TYPE_NONE: tokenising would abort the process
# without n_outputs_max the compute buffer holds logits for every row of a micro-batch
_UBATCH_UNLIMITED_OUTPUTS = 128


@dataclass(frozen=True)
class Settings:
    """What a context must offer."""

    n_ctx: int
    """Positions that each sequence must be able to hold."""
    n_seq: int
    """Sequences that are evaluated side by side."""
    n_batch: int
    """Most rows in one call of llama.cpp; longer runs are split."""
    n_ubatch: int
    """Most rows that it computes at once."""
    n_outputs: int
    """Most rows of one call that may ask for logits; more are split. The compute buffer holds
    this many rows of V floats where the build lets us say so."""
    threads: int
    """Most threads of the computation; see `pace`."""
    exact_cache: bool = False
    """Keep keys and values in float32, as the reference does, where the build lets us; llama.cpp's
    half precision moves logits by up to 0.4 % (300 rows)."""
    max_cache_bytes: int | None = None
    """Most bytes of the cache; fewer sequences are made where n_seq of them take more."""

    def __post_init__(self) -> None:
        """Refuse what would make llama.cpp abort or fall back to something else.

        Raises:
            UsageError: a number is out of its range.
        """
        for name, value in vars(self).items():
            if value is not None and not isinstance(value, bool) and value < 1:
                raise UsageError(f"{name} must be at least 1, not {value}")
        if self.n_seq > _MAX_SEQUENCES:
            raise UsageError(f"n_seq must be at most {_MAX_SEQUENCES}, not {self.n_seq}")
        if self.cells > _MAX_CELLS:
            raise UsageError(f"{self.n_seq} x {self.n_ctx} positions are more than llama.cpp has")

    @property
    def cells(self) -> int:
        """Cells of the KV cache: every sequence gets n_ctx of them, rounded up."""
        return self.n_seq * (-(-self.n_ctx // _CELLS) * _CELLS)

    def fitted(self, bytes_per_cell: int | None) -> "Settings":
        """The same with as many sequences as `max_cache_bytes` has room for, one at least."""
        if self.max_cache_bytes is None or bytes_per_cell is None:
            return self
        each = self.cells // self.n_seq * bytes_per_cell
        room = max(1, self.max_cache_bytes // each)
        return replace(self, n_seq=min(self.n_seq, room))


@dataclass(frozen=True)
class Placement:
    """Which devices hold the model.

    The default is the CPU alone. Both fields are needed for that: without the empty list a
    GPU still gets a compute buffer and large batches.
    """

    devices: tuple[int, ...] = ()
    """ggml_backend_dev_t of each."""
    n_gpu_layers: int = 0


CPU = Placement()


def load_model(backend: Backend, path: Path, placement: Placement = CPU) -> int:
    """Load a GGUF file.

    Returns:
        llama_model *, to be freed by the caller.

    Raises:
        ModelError: not a GGUF file, or one that this llama.cpp cannot use.
        LibraryError: this process is a fork of the one that opened the library.
    """
    backend.check_process()
    _check_magic(path)
    api = backend.api
    params = api.llama_model_default_params()
    devices = (ctypes.c_void_p * (len(placement.devices) + 1))(*placement.devices, None)
    params.write_pointer(abi.MODEL_DEVICES, ctypes.addressof(devices))
    params.write_u32(abi.MODEL_N_GPU_LAYERS, placement.n_gpu_layers & 0xFFFFFFFF)
    backend.log.clear()
    model = api.llama_model_load_from_file(os.fsencode(path.absolute()), params)
    if not model:
        told = backend.log.reason()
        raise ModelError(f"{path}: llama.cpp cannot load it: {told}; {_remedy(told)}")
    if reason := _why_not_usable(backend, model):
        api.llama_model_free(model)
        raise ModelError(f"{path}: {reason}; export the decoder again")
    return int(model)


def _remedy(told: str) -> str:
    if tells_of_memory(told):
        return TOO_LITTLE_MEMORY
    return "take a newer llama.cpp (`funasr runtime install --help`), or export the decoder again"


def load_context(
    backend: Backend, path: Path, model: int, settings: Settings, placement: Placement = CPU
) -> int:
    """Make a context, and verify that it is what was asked for.

    Returns:
        llama_context *, to be freed by the caller before the model.

    Raises:
        ModelError: too little memory, or a model without a KV cache.
        LibraryError: the library understood other numbers than we wrote.
    """
    api, s = backend.api, settings
    n_batch = min(s.n_batch, s.cells)
    n_ubatch = min(s.n_ubatch, n_batch)
    layout = backend.layout.context
    params = api.llama_context_default_params()
    if layout is not None and layout.n_outputs_max is not None:
        params.write_u32(layout.n_outputs_max, max(s.n_outputs, s.n_seq))
    else:
        n_ubatch = min(n_ubatch, _UBATCH_UNLIMITED_OUTPUTS)
    if layout is not None and placement == CPU:
        # On the CPU flash attention rounds more and gains nothing: over 300 rows the worst
        # logit was off by 0.9 % of the largest instead of 0.15 %, differently for batches
        # than for single rows, so that drafts could change a greedy text.
        params.write_u32(layout.flash_attn_type, _FLASH_ATTN_DISABLED)
    if layout is not None and s.exact_cache:
        params.write_u32(layout.type_k, _F32)
        params.write_u32(layout.type_v, _F32)
    params.write_u32(abi.CONTEXT_N_CTX, s.cells)
    params.write_u32(abi.CONTEXT_N_BATCH, n_batch)
    params.write_u32(abi.CONTEXT_N_UBATCH, n_ubatch)
    params.write_u32(abi.CONTEXT_N_SEQ_MAX, s.n_seq)
    backend.log.clear()
    context = api.llama_init_from_model(model, params)
    if not context:
        told = backend.log.reason()
        raise ModelError(
            f"{path}: llama.cpp cannot make a context of {s.n_seq} x {s.n_ctx} positions: "
            f"{told}; {_remedy(told)}"
        )
    got = [
        api.llama_n_ctx(context) >= s.cells,
        1 <= api.llama_n_batch(context) <= n_batch,
        1 <= api.llama_n_ubatch(context) <= n_ubatch,
        api.llama_n_seq_max(context) == s.n_seq,
        api.llama_n_ctx_seq is None or api.llama_n_ctx_seq(context) >= s.n_ctx,
    ]
    if not all(got) or not api.llama_get_memory(context):
        api.llama_free(context)
        if all(got):
            raise ModelError(f"{path}: this model has no KV cache; export the decoder again")
        raise LibraryError(
            f"{backend.path}: llama.cpp took other settings than it was given "
            f"({backend.version}): take another build"
        )
    api.llama_set_n_threads(context, s.threads, s.threads)
    return int(context)


def cache_bytes_per_cell(backend: Backend, model: int, *, exact: bool) -> int | None:
    """Bytes that one position takes in the KV cache; None: the model does not tell."""
    architecture = _meta(backend, model, "general.architecture")
    names = ("block_count", "attention.head_count_kv", "attention.key_length")
    found = [_meta(backend, model, f"{architecture}.{name}") for name in names]
    value_length = _meta(backend, model, f"{architecture}.attention.value_length") or found[-1]
    try:
        layers, heads, keys = (int(text or "") for text in found)
        return layers * heads * (keys + int(value_length or "")) * (4 if exact else 2)
    except ValueError:
        return None


def _meta(backend: Backend, model: int, key: str) -> str | None:
    """A value of the GGUF's header, as text."""
    function = backend.api.llama_model_meta_val_str
    if function is None:
        return None
    buffer = ctypes.create_string_buffer(_META_BYTES)
    n = function(model, key.encode(), buffer, _META_BYTES)
    return buffer.value.decode("utf-8", "replace") if n >= 0 else None


def _check_magic(path: Path) -> None:
    """Keep files that are no GGUF at all away from the C library."""
    try:
        with path.open("rb") as file:
            magic = file.read(len(_MAGIC))
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror or error}") from error
    if magic != _MAGIC:
        raise ModelError(f"{path}: not a GGUF file; download or export it again")


def _why_not_usable(backend: Backend, model: int) -> str | None:
    api = backend.api
    vocab = api.llama_model_get_vocab(model)
    has_vocab = api.llama_vocab_type is None or api.llama_vocab_type(vocab) != _NO_VOCAB
    if not has_vocab or api.llama_vocab_n_tokens(vocab) < 1:
        return "a GGUF file without a tokenizer"
    if api.llama_model_has_encoder is not None and api.llama_model_has_encoder(model):
        return "an encoder-decoder model, not a causal language model"
    return None
