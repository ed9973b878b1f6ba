"""Recognise the layout of llama.cpp's two parameter structs from their default values.

The structs carry no version and their size repeats between layouts, so neither a version
string nor `sizeof` tells where a field lies. The defaults do: a run of -1, the two f16 cache
types and the pattern of the booleans stand at one place each. These tests need the bytes
alone and hold on every 64-bit platform; they were checked on 39 libraries, b4234 (2024-11)
to b11549 (2026-10).

Known families, first and last build seen (all offsets in bytes):

    model    M1 b5640..b10069   M2 b10229..b10566   M3 b10809..b11739
    context  C0 b5640..b6133    C1/C2 b6628..b9093  C3 b9209..b9294    C4/C5 b9538..b10229
             C6 b10361..b11063  C7 b11548..b11739

C0 has no run of four -1 and nothing in it that we need: it counts as unknown, and unknown
tails are used with the fields that never moved. C1 and C2, C4 and C5 differ only behind the
last field that we touch.
"""

import struct
from dataclasses import dataclass

from funasr_cli.errors import LibraryError

KNOWN_BUILDS = "llama.cpp b5640 (2025-06) to b11739 (2026-10)"
"""Whose layouts were seen; a later build may share them, and tells so by its defaults."""
PARAMS_BYTES = 1024
"""Room that we give to either struct; the largest known one needs 168 bytes."""

# fields that stand at one offset in every build since b5640
MODEL_DEVICES = 0
MODEL_N_GPU_LAYERS = 16
CONTEXT_N_CTX = 0
CONTEXT_N_BATCH = 4
CONTEXT_N_UBATCH = 8
CONTEXT_N_SEQ_MAX = 12

_MINUS_1 = 0xFFFFFFFF
_MINUS_1F = 0xBF800000  # -1.0f, "take it from the model" of the rope and yarn fields
_CONTEXT_START = (512, 2048, 512, 1)  # n_ctx, n_batch, n_ubatch, n_seq_max
_ROPE_AND_YARN = (0, 0, _MINUS_1F, _MINUS_1F, _MINUS_1F, _MINUS_1F, 0, _MINUS_1F)
_DEFAULT_THREADS = 4
_F16 = 1
# the booleans' defaults as words: little-endian, so the first field is the lowest byte
_USE_MMAP = 0x0100  # M1: vocab_only, use_mmap; what follows them varies
_USE_EXTRA_BUFTS = 0x00010000  # M2, M3: vocab_only, check_tensors, use_extra_bufts, no_host
_OFFLOAD_NO_PERF_OP = 0x01010100  # embeddings, offload_kqv, no_perf, op_offload
_SWA_FULL = 0x0001  # swa_full, kv_unified


@dataclass(frozen=True)
class ModelLayout:
    """Byte offsets in `llama_model_params` that move between builds."""

    family: str
    vocab_only: int
    main_gpu: int


@dataclass(frozen=True)
class ContextLayout:
    """Byte offsets in `llama_context_params` that move between builds."""

    family: str
    n_threads: int
    n_outputs_max: int | None
    """None: the build has no such field."""
    flash_attn_type: int
    type_k: int
    type_v: int
    offload_kqv: int
    op_offload: int
    swa_full: int
    kv_unified: int


@dataclass(frozen=True)
class Layout:
    """What may be written into the parameter structs, besides the stable fields."""

    model: ModelLayout | None
    context: ContextLayout | None

    @property
    def name(self) -> str:
        """For reports: `M3+C7`, with `?` for a half that is not known."""
        halves = (self.model, self.context)
        return "+".join(half.family if half else "?" for half in halves)

    @property
    def is_known(self) -> bool:
        """Whether both structs are of a known family."""
        return self.model is not None and self.context is not None


def recognise(model: bytes, context: bytes) -> Layout:
    """Tell the layout from what the library's two default-params functions return.

    Args:
        model: `llama_model_default_params()`, PARAMS_BYTES bytes; those behind the real
            struct and in its padding are garbage and are not looked at.
        context: `llama_context_default_params()`, likewise.

    Raises:
        LibraryError: not even the fields that never moved are where they should be; the
            message is the reason alone.
    """
    m = struct.unpack_from(f"={PARAMS_BYTES // 4}I", model)
    c = struct.unpack_from(f"={PARAMS_BYTES // 4}I", context)
    if any(m[0:4]):
        raise LibraryError("llama_model_params does not start with two null pointers")
    # n_gpu_layers: 0 up to b6133, 999 up to b7551, -1 since b7698; split_mode: by layer
    if m[4] not in {0, 999, _MINUS_1} or m[5] != 1:
        raise LibraryError("n_gpu_layers and split_mode are not at bytes 16 and 20")
    if c[0:4] != _CONTEXT_START:
        raise LibraryError("llama_context_params does not start with 512, 2048, 512, 1")
    return Layout(_model_layout(m), _context_layout(c))


def _model_layout(m: tuple[int, ...]) -> ModelLayout | None:
    """Find the booleans: they stand behind four or five null pointers."""
    if m[6] == 0 and not any(m[8:16]) and m[16] & 0xFFFF == _USE_MMAP:
        return ModelLayout("M1", vocab_only=64, main_gpu=24)
    load_mode_known = m[6] in {_MINUS_1, 1}  # auto, or mmap in the first builds that had it
    if load_mode_known and not any(m[7:16]) and m[16] == _USE_EXTRA_BUFTS:
        return ModelLayout("M2", vocab_only=64, main_gpu=28)
    # m[7] is lazy_mode, whose default may change; m[9] is padding
    if load_mode_known and m[8] == 0 and not any(m[10:18]) and m[18] == _USE_EXTRA_BUFTS:
        return ModelLayout("M3", vocab_only=72, main_gpu=32)
    return None


def _context_layout(c: tuple[int, ...]) -> ContextLayout | None:
    """Anchor at the only run of four -1: rope, pooling, attention and flash attention."""
    runs = [i for i in range(4, 16) if c[i : i + 4] == (_MINUS_1,) * 4]
    if len(runs) != 1 or runs[0] not in _BY_RUN:
        return None
    run = runs[0]
    threads, n_outputs_max, families = _BY_RUN[run]
    callback = run + 12 + run % 2  # cb_eval is a pointer: aligned to 8 bytes
    types = callback + 4
    if (
        c[threads : threads + 2] != (_DEFAULT_THREADS,) * 2
        or c[run + 4 : run + 12] != _ROPE_AND_YARN
        or any(c[callback:types])
        or c[types : types + 2] != (_F16, _F16)
    ):
        return None
    # behind the types: two pointers, and in C7 moe_cache_size before them
    for family, bools in zip(families, (types + 6, types + 8), strict=False):
        defaults_match = c[bools] == _OFFLOAD_NO_PERF_OP and c[bools + 1] & 0xFFFF == _SWA_FULL
        if defaults_match and not any(c[types + 2 : bools]):
            return ContextLayout(
                family=family,
                n_threads=4 * threads,
                n_outputs_max=n_outputs_max,
                flash_attn_type=4 * run + 12,
                type_k=4 * types,
                type_v=4 * types + 4,
                offload_kqv=4 * bools + 1,
                op_offload=4 * bools + 3,
                swa_full=4 * bools + 4,
                kv_unified=4 * bools + 5,
            )
    return None


# word of the run of -1 -> word of n_threads, byte of n_outputs_max, families without and with
# moe_cache_size
_BY_RUN: dict[int, tuple[int, int | None, tuple[str, ...]]] = {
    6: (4, None, ("C1/C2",)),
    8: (5, None, ("C3",)),
    9: (6, 20, ("C4/C5",)),
    10: (7, 20, ("C6", "C7")),
}
