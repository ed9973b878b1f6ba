"""Default parameters recorded from a real library of every known family, and changed ones.

`default_params.json` holds the words (hex) of both structs, in their real size, padding
included; behind them stands garbage, as in what ctypes hands back.
"""

import json
import struct
from pathlib import Path

import pytest

from funasr_cli.errors import LibraryError
from funasr_cli.llama.abi import ContextLayout, Layout, ModelLayout, recognise
from funasr_cli.llama.process import start

GARBAGE = 0xDEADBEEF
WORDS = 256


def recorded_params() -> dict[str, tuple[list[int], list[int]]]:
    """By build: the words of the model's struct, and of the context's."""
    file = Path(__file__).with_name("default_params.json")
    return {
        entry["build"]: (
            [int(word, 16) for word in entry["model"].split()],
            [int(word, 16) for word in entry["context"].split()],
        )
        for entry in json.loads(file.read_text("utf-8"))
    }


RECORDED = recorded_params()
NEWEST = RECORDED["xllamacpp 2026.10.11549"]  # M3+C7


def blob(words: list[int]) -> bytes:
    return struct.pack(f"={WORDS}I", *words, *[GARBAGE] * (WORDS - len(words)))


def layout(model: list[int], context: list[int]) -> Layout:
    return recognise(blob(model), blob(context))


def changed(words: list[int], at: int, value: int) -> list[int]:
    return [*words[:at], value, *words[at + 1 :]]


M1 = ModelLayout("M1", vocab_only=64, main_gpu=24)
M2 = ModelLayout("M2", vocab_only=64, main_gpu=28)
M3 = ModelLayout("M3", vocab_only=72, main_gpu=32)


# family, then bytes of n_threads, n_outputs_max, flash_attn_type, type_k, the first boolean
@pytest.mark.parametrize(
    ("build", "model", "context"),
    [
        ("xllamacpp 0.1.22", M1, None),  # C0
        ("xllamacpp 0.2.0", M1, None),  # C0, b6301
        ("xllamacpp 0.2.1", M1, None),  # like C1, but other defaults of yarn: b6451
        ("xllamacpp 0.2.2", M1, ("C1/C2", 16, None, 36, 88, 112)),  # b6628
        ("xllamacpp 0.2.8", M1, ("C1/C2", 16, None, 36, 88, 112)),
        ("llama.cpp b7698, node-llama-cpp 3.15.0", M1, ("C1/C2", 16, None, 36, 88, 112)),
        ("llama.cpp b7836, node-llama-cpp 3.15.1", M1, ("C1/C2", 16, None, 36, 88, 112)),
        ("xllamacpp 2026.4.8672.1", M1, ("C1/C2", 16, None, 36, 88, 112)),
        ("xllamacpp 2026.5.9093", M1, ("C1/C2", 16, None, 36, 88, 112)),
        ("xllamacpp 2026.5.9294", M1, ("C3", 20, None, 44, 96, 120)),
        ("xllamacpp 2026.6.9538", M1, ("C4/C5", 24, 20, 48, 104, 128)),
        ("xllamacpp 2026.6.9713", M1, ("C4/C5", 24, 20, 48, 104, 128)),
        ("llama.cpp b10068, node-llama-cpp 3.19.1", M1, ("C4/C5", 24, 20, 48, 104, 128)),
        ("xllamacpp 2026.8.10229", M2, ("C4/C5", 24, 20, 48, 104, 128)),
        ("llama.cpp b10361, node-llama-cpp 3.20.0", M2, ("C6", 28, 20, 52, 104, 128)),
        ("xllamacpp 2026.8.10566", M2, ("C6", 28, 20, 52, 104, 128)),
        ("xllamacpp 2026.9.10809", M3, ("C6", 28, 20, 52, 104, 128)),
        ("llama.cpp 0.5.0, node-llama-cpp 3.22.1", M3, ("C6", 28, 20, 52, 104, 128)),
        ("xllamacpp 2026.10.11549", M3, ("C7", 28, 20, 52, 104, 136)),
    ],
)
def test_families(
    build: str, model: ModelLayout, context: tuple[str, int, int | None, int, int, int] | None
) -> None:
    found = layout(*RECORDED[build])
    assert found.model == model
    if context is None:
        assert found.context is None
        assert not found.is_known
        assert found.name == f"{model.family}+?"
        return
    family, threads, outputs, flash, type_k, bools = context
    assert found.context == ContextLayout(
        family=family,
        n_threads=threads,
        n_outputs_max=outputs,
        flash_attn_type=flash,
        type_k=type_k,
        type_v=type_k + 4,
        offload_kqv=bools + 1,
        op_offload=bools + 3,
        swa_full=bools + 4,
        kv_unified=bools + 5,
    )
    assert found.is_known
    assert found.name == f"{model.family}+{family}"


def test_every_recorded_build_is_in_the_table() -> None:
    (table,) = (mark for mark in test_families.pytestmark if mark.name == "parametrize")  # type: ignore[attr-defined]
    told = {build for build, *_ in table.args[1]}
    assert told == RECORDED.keys() - {"xllamacpp 0.1.0"}  # that one is refused, below


def test_the_two_structs_are_recognised_independently() -> None:
    pairs = [words for build, words in RECORDED.items() if build != "xllamacpp 0.1.0"]
    for model, own_context in pairs:
        for _, context in pairs:
            mixed = layout(model, context)
            assert mixed.model == layout(model, own_context).model


def test_a_build_before_2025_06_is_refused() -> None:
    with pytest.raises(LibraryError, match="two null pointers"):
        layout(*RECORDED["xllamacpp 0.1.0"])  # M0: n_gpu_layers at byte 8


@pytest.mark.parametrize(("word", "reason"), [(0, "null pointers"), (4, "16 and 20"), (5, "20")])
def test_an_unknown_start_of_the_model_struct_is_refused(word: int, reason: str) -> None:
    model, context = NEWEST
    with pytest.raises(LibraryError, match=reason):
        layout(changed(model, word, 33), context)


@pytest.mark.parametrize("word", range(4))
def test_an_unknown_start_of_the_context_struct_is_refused(word: int) -> None:
    model, context = NEWEST
    with pytest.raises(LibraryError, match="512, 2048, 512, 1"):
        layout(model, changed(context, word, 33))


@pytest.mark.parametrize("n_gpu_layers", [0, 999, 0xFFFFFFFF])
def test_every_default_of_n_gpu_layers_is_accepted(n_gpu_layers: int) -> None:
    model, context = NEWEST
    assert layout(changed(model, 4, n_gpu_layers), context).is_known


@pytest.mark.parametrize("lazy_mode", [0, 1, 0xFFFFFFFF])
def test_the_default_of_lazy_mode_may_change(lazy_mode: int) -> None:
    model, context = NEWEST
    assert layout(changed(model, 7, lazy_mode), context).model == M3


@pytest.mark.parametrize("word", [6, 8, 10, 14, 17, 18])
def test_a_model_tail_with_other_defaults_is_not_used(word: int) -> None:
    model, context = NEWEST
    found = layout(changed(model, word, 0x0101), context)
    assert found.model is None
    assert found.context is not None


@pytest.mark.parametrize("word", [7, 8, *range(10, 23), 24, 26, 27, 28, 30, 32, 34, 35])
def test_a_context_tail_with_other_defaults_is_not_used(word: int) -> None:
    model, context = NEWEST
    found = layout(model, changed(context, word, 0x0202))
    assert found.model is not None
    assert found.context is None


@pytest.mark.parametrize("build", RECORDED)
@pytest.mark.parametrize("at", [4, 8, 12, 16, 20])
@pytest.mark.parametrize("words", [3, 4])
def test_fields_that_a_future_build_inserts_are_noticed(build: str, at: int, words: int) -> None:
    """Nothing is then written at a wrong place; one or two words make another known family."""
    model, context = NEWEST[0], RECORDED[build][1]
    found = layout(model, [*context[:at], *[0] * words, *context[at:]]).context
    assert found is None


def test_the_installed_library_is_known() -> None:
    """Its bytes as they come, not as recorded."""
    backend = start()
    assert backend.layout.is_known
    assert backend.warning is None
    assert f"layout {backend.layout.name}" in backend.version
