"""The part of llama.h and ggml-backend.h that we call, declared one to one.

Only functions whose signatures are the same from b5640 (2025-06) to b11739 are here. The
parameter structs are opaque blobs (`abi` says which bytes mean what): larger than any real
one, so that a callee never writes or reads past them. That is sound as an argument because
each stands last in its call, and as a result because all 64-bit ABIs return a struct of more
than 16 bytes through a pointer. The samplers are left out on purpose: their structs are small
enough to travel in registers, and their signatures changed.
"""

from ctypes import (
    CFUNCTYPE,
    Structure,
    c_bool,
    c_char_p,
    c_int,
    c_int8,
    c_int32,
    c_size_t,
    c_uint32,
    c_uint64,
    c_void_p,
)
from typing import Any, TypeAlias

from funasr_cli.errors import LibraryError
from funasr_cli.llama.abi import KNOWN_BUILDS, PARAMS_BYTES
from funasr_cli.llama.opening import Library

CFunction: TypeAlias = Any
"""A foreign function: ctypes gives it no type that mypy could check."""

LogCallback = CFUNCTYPE(None, c_int, c_void_p, c_void_p)
"""void (*ggml_log_callback)(enum ggml_log_level, const char * text, void * user_data)."""


class Params(Structure):
    """`llama_model_params` or `llama_context_params`, whatever their layout.

    Whole words, never floats: a struct of floats would travel in registers on arm64.
    """

    _fields_ = (("words", c_uint64 * (PARAMS_BYTES // 8)),)

    def write_u32(self, offset: int, value: int) -> None:
        """Set a 32-bit field, signed or not, at a byte offset."""
        c_uint32.from_buffer(self, offset).value = value

    def write_bool(self, offset: int, *, value: bool) -> None:
        """Set a C bool at a byte offset."""
        c_int8.from_buffer(self, offset).value = value

    def write_pointer(self, offset: int, address: int) -> None:
        """Set a pointer at a byte offset; the caller keeps the target alive."""
        c_uint64.from_buffer(self, offset).value = address


class Batch(Structure):
    """`llama_batch`: 56 bytes, the same in every build; then a tail of zeros for growth."""

    _fields_ = (
        ("n_tokens", c_int32),
        ("token", c_void_p),  # int32 [N]; exactly one of token and embd is set
        ("embd", c_void_p),  # float32 [N, D], row by row; its size is not checked
        ("pos", c_void_p),  # int32 [N]
        ("n_seq_id", c_void_p),  # int32 [N]
        ("seq_id", c_void_p),  # int32 * [N]
        ("logits", c_void_p),  # int8 [N]: whether the row's logits are wanted
        ("tail", c_uint64 * 32),
    )


class Api:
    """Every function that we call, as an attribute of its C name.

    An optional function that the library lacks is None.

    Raises:
        LibraryError: the library lacks functions that we need; names up to three of them.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._missing: list[str] = []
        self._declare_process()
        self._declare_devices()
        self._declare_model()
        self._declare_context()
        if self._missing:
            some = ", ".join(self._missing[:3])
            raise LibraryError(
                f"{library.path}: not a usable llama.cpp library, it lacks "
                f"{len(self._missing)} functions, {some} among them; take one of {KNOWN_BUILDS} "
                "(`funasr runtime install --help`), or `pip install xllamacpp`"
            )

    def _need(self, name: str, result: Any, *arguments: Any) -> CFunction:  # noqa: ANN401
        function = self._optional(name, result, *arguments)
        if function is None:
            self._missing.append(name)
        return function

    def _optional(self, name: str, result: Any, *arguments: Any) -> CFunction:  # noqa: ANN401
        function = self._library.symbol(name)
        if function is not None:
            function.restype, function.argtypes = result, list(arguments)
        return function

    def _declare_process(self) -> None:
        need, optional = self._need, self._optional
        self.llama_backend_init = need("llama_backend_init", None)
        self.llama_log_set = need("llama_log_set", None, LogCallback, c_void_p)
        self.llama_print_system_info = optional("llama_print_system_info", c_char_p)
        self.llama_version = optional("llama_version", c_char_p)
        self.ggml_version = optional("ggml_version", c_char_p)
        self.ggml_commit = optional("ggml_commit", c_char_p)

    def _declare_devices(self) -> None:
        need = self._need
        # reg * (path), NULL on failure; single-file builds have all their backends inside
        self.ggml_backend_load = self._optional("ggml_backend_load", c_void_p, c_char_p)
        self.ggml_backend_dev_count = need("ggml_backend_dev_count", c_size_t)
        self.ggml_backend_dev_get = need("ggml_backend_dev_get", c_void_p, c_size_t)
        self.ggml_backend_dev_name = need("ggml_backend_dev_name", c_char_p, c_void_p)
        self.ggml_backend_dev_description = need("ggml_backend_dev_description", c_char_p, c_void_p)
        # 0 CPU, 1 GPU, 2 integrated GPU (accelerator before 2025-09), 3 accelerator
        self.ggml_backend_dev_type = need("ggml_backend_dev_type", c_int, c_void_p)
        # takes a device, and where to put the bytes that are free and in all
        self.ggml_backend_dev_memory = need(
            "ggml_backend_dev_memory", None, c_void_p, c_void_p, c_void_p
        )

    def _declare_model(self) -> None:
        need, optional = self._need, self._optional
        self.llama_model_default_params = need("llama_model_default_params", Params)
        # model * (path, params); the path is UTF-8 on Windows, the system's bytes elsewhere
        self.llama_model_load_from_file = need(
            "llama_model_load_from_file", c_void_p, c_char_p, Params
        )
        self.llama_model_free = need("llama_model_free", None, c_void_p)
        self.llama_model_n_embd = need("llama_model_n_embd", c_int32, c_void_p)
        self.llama_model_n_embd_inp = optional("llama_model_n_embd_inp", c_int32, c_void_p)
        # takes model, key, buffer, room; gives the text's length, or -1
        self.llama_model_meta_val_str = optional(
            "llama_model_meta_val_str", c_int32, c_void_p, c_char_p, c_char_p, c_size_t
        )
        self.llama_model_has_encoder = optional("llama_model_has_encoder", c_bool, c_void_p)
        self.llama_model_get_vocab = need("llama_model_get_vocab", c_void_p, c_void_p)
        self.llama_vocab_type = optional("llama_vocab_type", c_int, c_void_p)
        self.llama_vocab_n_tokens = need("llama_vocab_n_tokens", c_int32, c_void_p)
        self.llama_vocab_eos = need("llama_vocab_eos", c_int32, c_void_p)
        # takes vocab, text, bytes, ids, room, add_special, parse_special; gives n or -needed
        self.llama_tokenize = need(
            "llama_tokenize", c_int32, c_void_p, c_char_p, c_int32, c_void_p, c_int32, c_bool,
            c_bool,
        )  # fmt: skip
        # takes vocab, token, buffer, room, lstrip, special; gives n or -needed
        self.llama_token_to_piece = need(
            "llama_token_to_piece", c_int32, c_void_p, c_int32, c_char_p, c_int32, c_int32, c_bool
        )

    def _declare_context(self) -> None:
        need, optional = self._need, self._optional
        self.llama_context_default_params = need("llama_context_default_params", Params)
        self.llama_init_from_model = need("llama_init_from_model", c_void_p, c_void_p, Params)
        self.llama_free = need("llama_free", None, c_void_p)
        self.llama_set_n_threads = need("llama_set_n_threads", None, c_void_p, c_int32, c_int32)
        self.llama_n_ctx = need("llama_n_ctx", c_uint32, c_void_p)
        self.llama_n_ctx_seq = optional("llama_n_ctx_seq", c_uint32, c_void_p)
        self.llama_n_batch = need("llama_n_batch", c_uint32, c_void_p)
        self.llama_n_ubatch = need("llama_n_ubatch", c_uint32, c_void_p)
        self.llama_n_seq_max = need("llama_n_seq_max", c_uint32, c_void_p)
        # 0, 1: no room in the cache, 2: aborted, < 0: error
        self.llama_decode = need("llama_decode", c_int32, c_void_p, Batch)
        # float [V] of the batch's i-th row, or NULL if they were not asked for
        self.llama_get_logits_ith = need("llama_get_logits_ith", c_void_p, c_void_p, c_int32)
        self.llama_get_memory = need("llama_get_memory", c_void_p, c_void_p)
        self.llama_memory_clear = need("llama_memory_clear", None, c_void_p, c_bool)
        # (memory, sequence, from, to): -1 stands for "everything" at either end
        self.llama_memory_seq_rm = need(
            "llama_memory_seq_rm", c_bool, c_void_p, c_int32, c_int32, c_int32
        )
        # (memory, source, target, from, to); a partial range aborts the process
        self.llama_memory_seq_cp = need(
            "llama_memory_seq_cp", None, c_void_p, c_int32, c_int32, c_int32, c_int32
        )
        self.llama_memory_seq_pos_max = need("llama_memory_seq_pos_max", c_int32, c_void_p, c_int32)
        # what a sequence holds, as bytes: (context, sequence), (context, to, room, sequence) and
        # (context, from, size, sequence); each gives a number of bytes, 0 for a failure
        self.llama_state_seq_get_size = optional(
            "llama_state_seq_get_size", c_size_t, c_void_p, c_int32
        )
        self.llama_state_seq_get_data = optional(
            "llama_state_seq_get_data", c_size_t, c_void_p, c_void_p, c_size_t, c_int32
        )
        self.llama_state_seq_set_data = optional(
            "llama_state_seq_set_data", c_size_t, c_void_p, c_void_p, c_size_t, c_int32
        )
