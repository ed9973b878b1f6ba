"""Graphs with the names, ranks and types of Fun-ASR-GGUF's exports, made small here.

The real files cannot be had; what is tested is that each variant is recognised, fed what its
inputs ask for, and cut to the rows that belong to the sound.
"""

import re
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import onnx
import pytest
from onnx import NodeProto, TensorProto, helper
from sounds import tone

from funasr_cli.errors import InputError, ModelError
from funasr_cli.export import encoder_onnx
from funasr_cli.fbank import fbank, low_frame_rate
from funasr_cli.foreign import ForeignCtc, ForeignEncoder
from funasr_cli.manifest import LOW_FRAME_RATE
from funasr_cli.model import open_model
from funasr_cli.model_dir import DEMO_MODEL, named_files
from funasr_cli.options import RuntimeOptions

pytestmark = pytest.mark.export

H, D, V = 4, 6, 9
NUMPY: dict[int, type[np.floating[Any]]] = {
    TensorProto.FLOAT: np.float32,
    TensorProto.FLOAT16: np.float16,
}
SOUND = tone(2.0)

Value: TypeAlias = tuple[str, int, Sequence[Any]]
"""Name, type and shape of a graph's input or output."""


def save(
    path: Path,
    nodes: Sequence[NodeProto],
    inputs: Sequence[Value],
    outputs: Sequence[Value],
    constants: Sequence[TensorProto] = (),
) -> Path:
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(*i) for i in inputs],
        [helper.make_tensor_value_info(*o) for o in outputs],
        list(constants),
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, str(path))
    return path


def encoder(path: Path, inputs: Sequence[Value], frames: int, first: float = 0) -> Path:
    """Answer with constants [1, frames, ...], from `first` on, after touching every input."""
    kind = inputs[0][1]
    values = {
        "enc_output": (np.arange(frames * H) + first).reshape(1, frames, H),
        "adaptor_output": np.arange(frames * D).reshape(1, frames, D),
    }
    constants = [
        helper.make_tensor(f"c_{n}", kind, v.shape, v.astype(NUMPY[kind]).ravel())
        for n, v in values.items()
    ]
    nodes = []
    for number, (name, *_) in enumerate(inputs):
        nodes.append(helper.make_node("Shape", [name], [f"s{number}"]))
        nodes.append(helper.make_node("Cast", [f"s{number}"], [f"f{number}"], to=kind))
        nodes.append(helper.make_node("ReduceSum", [f"f{number}"], [f"t{number}"], keepdims=0))
        nodes.append(helper.make_node("Sub", [f"t{number}", f"t{number}"], [f"z{number}"]))
    total = "z0"
    for number in range(1, len(inputs)):
        nodes.append(helper.make_node("Add", [total, f"z{number}"], [f"a{number}"]))
        total = f"a{number}"
    nodes += [helper.make_node("Add", [f"c_{n}", total], [n]) for n in values]
    outputs = [(n, kind, list(v.shape)) for n, v in values.items()]
    return save(path, nodes, inputs, outputs, constants)


FRAMES = 34
"""60 ms frames in two seconds, as those graphs count them."""


def test_the_oldest_graph_cuts_its_rows_itself(tmp_path: Path) -> None:
    path = encoder(tmp_path / "e.onnx", [("audio", TensorProto.FLOAT, [1, 1, "n"])], FRAMES)
    (encoded,) = ForeignEncoder(path, threads=1).encode([SOUND])
    assert encoded.encoder_out.shape == (FRAMES, H)
    assert encoded.audio_embeds.shape == (FRAMES, D)


@pytest.mark.parametrize("kind", [TensorProto.FLOAT, TensorProto.FLOAT16])
def test_the_graph_with_lengths_is_cut_by_the_caller(tmp_path: Path, kind: int) -> None:
    inputs: list[Value] = [("audio", kind, [1, 1, "n"]), ("ilens", TensorProto.INT64, [1])]
    path = encoder(tmp_path / "e.onnx", inputs, FRAMES)
    (encoded,) = ForeignEncoder(path, threads=1).encode([SOUND])
    assert encoded.encoder_out.dtype == np.float32
    assert encoded.audio_embeds.shape == (-(-FRAMES // 8), D)


def test_the_graph_that_wants_features_gets_the_exact_ones(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Identity", ["lfr_feat"], ["enc_output"]),
        helper.make_node("Unsqueeze", ["mask", "two"], ["m"]),
        helper.make_node("Mul", ["lfr_feat", "m"], ["adaptor_output"]),
    ]
    path = save(
        tmp_path / "e.onnx",
        nodes,
        [
            ("lfr_feat", TensorProto.FLOAT, [1, "T", 560]),
            ("mask", TensorProto.FLOAT, [1, "T"]),
        ],
        [(n, TensorProto.FLOAT, [1, "T", 560]) for n in ("enc_output", "adaptor_output")],
        [helper.make_tensor("two", TensorProto.INT64, [1], [2])],
    )
    (encoded,) = ForeignEncoder(path, threads=1).encode([SOUND])
    features = low_frame_rate(fbank(SOUND))
    assert np.array_equal(encoded.encoder_out, features)
    assert np.array_equal(encoded.audio_embeds, features[: -(-len(features) // 8)])


def test_an_unknown_graph_is_refused_with_its_names(tmp_path: Path) -> None:
    inputs: list[Value] = [
        ("audio", TensorProto.FLOAT, [1, 1, "n"]),
        ("query_embed", TensorProto.FLOAT, [1]),
    ]
    path = encoder(tmp_path / "e.onnx", inputs, FRAMES)
    with pytest.raises(ModelError, match="query_embed"):
        ForeignEncoder(path, threads=1)
    with pytest.raises(ModelError, match="unknown make"):
        ForeignCtc(path, threads=1)


def ctc(path: Path, kind: str, dtype: int = TensorProto.FLOAT) -> Path:
    """Score states [1, T, V] as they come: the states are the logits."""
    outputs: list[Value]
    if kind == "logits":
        nodes = [helper.make_node("Identity", ["enc_output"], ["logits"])]
        outputs = [("logits", dtype, [1, "T", V])]
    elif kind == "indices":
        nodes = [
            helper.make_node("ArgMax", ["enc_output"], ["i"], axis=2, keepdims=0),
            helper.make_node("Cast", ["i"], ["indices"], to=TensorProto.INT32),
        ]
        outputs = [("indices", TensorProto.INT32, [1, "T"])]
    else:
        nodes = [
            helper.make_node("LogSoftmax", ["enc_output"], ["l"], axis=2),
            helper.make_node("TopK", ["l", "k"], ["topk_log_probs", "topk_indices"], axis=2),
        ]
        outputs = [
            ("topk_log_probs", dtype, [1, "T", 3]),
            ("topk_indices", TensorProto.INT64, [1, "T", 3]),
        ]
    constants = [helper.make_tensor("k", TensorProto.INT64, [1], [3])] if kind == "topk" else []
    return save(path, nodes, [("enc_output", dtype, [1, "T", V])], outputs, constants)


@pytest.mark.parametrize("kind", ["logits", "indices", "topk"])
def test_every_ctc_variant_gives_the_same_path(tmp_path: Path, kind: str) -> None:
    logits = np.random.default_rng(0).normal(size=(11, V)).astype(np.float32)
    frames = ForeignCtc(ctc(tmp_path / "c.onnx", kind), threads=1).run(logits)
    assert np.array_equal(frames.token_ids, logits.argmax(axis=1))
    expected = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    if kind != "indices":
        assert np.allclose(frames.log_probs, expected.max(axis=1), atol=1e-5)


def test_a_half_precision_head_is_fed_halves(tmp_path: Path) -> None:
    logits = np.random.default_rng(1).normal(size=(5, V)).astype(np.float32)
    path = ctc(tmp_path / "c.onnx", "logits", TensorProto.FLOAT16)
    frames = ForeignCtc(path, threads=1).run(logits)
    assert frames.log_probs.dtype == np.float32
    assert np.array_equal(frames.token_ids, logits.astype(np.float16).argmax(axis=1))


def test_widths_are_told_where_the_graph_has_them(tmp_path: Path) -> None:
    path = encoder(tmp_path / "e.onnx", [("audio", TensorProto.FLOAT, [1, 1, "n"])], FRAMES)
    graph = ForeignEncoder(path, threads=1)
    assert (graph.encoder_dim, graph.llm_dim) == (H, D)
    head = ForeignCtc(ctc(tmp_path / "c.onnx", "logits"), threads=1)
    assert (head.encoder_dim, head.vocab) == (V, V)
    assert ForeignCtc(ctc(tmp_path / "c.onnx", "topk"), threads=1).vocab is None


def test_numbers_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    inputs: list[Value] = [("audio", TensorProto.FLOAT, [1, 1, "n"])]
    path = encoder(tmp_path / "e.onnx", inputs, FRAMES, first=np.inf)
    with pytest.raises(ModelError, match=r"e\.onnx: gives numbers that are not finite"):
        ForeignEncoder(path, threads=1).encode([SOUND])
    with pytest.raises(InputError, match="infinite"):
        ForeignEncoder(path, threads=1).encode([np.full_like(SOUND, np.inf)])
    for kind in ("logits", "topk"):
        head = ForeignCtc(ctc(tmp_path / "c.onnx", kind), threads=1)
        with pytest.raises(ModelError, match=r"c\.onnx: gives numbers that are not finite"):
            head.run(np.full((5, V), np.nan, np.float32))
        with pytest.raises(ModelError, match=r"c\.onnx: onnxruntime cannot run it"):
            head.run(np.zeros((5, V + 1), np.float32))


def test_a_graph_of_ours_says_that_its_manifest_is_missing(model: Path) -> None:
    (head,) = model.glob("*CTC*.onnx")
    with pytest.raises(ModelError, match=r"manifest\.json is missing"):
        ForeignCtc(head, threads=1)


def test_files_of_two_models_are_refused_at_once(model: Path) -> None:
    """A demo encoder, the CTC head of another checkpoint."""
    demo = {p.suffix: p for p in DEMO_MODEL.iterdir() if "CTC" not in p.name}
    (head,) = model.glob("*CTC*.onnx")
    files = named_files(demo[".onnx"], head, demo[".gguf"], model / "tokens.txt")
    with (
        ExitStack() as stack,
        pytest.raises(ModelError, match=f"192 encoder columns, but {re.escape(str(head))} 32"),
    ):
        open_model(files, RuntimeOptions(threads=1), stack)


def test_export_and_runtime_halve_alike() -> None:
    assert encoder_onnx.LOW_FRAME_RATE == LOW_FRAME_RATE
