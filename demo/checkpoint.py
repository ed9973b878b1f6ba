"""The trained weights as a directory in the official layout.

    python -m demo.checkpoint --pieces DIR --tokens DIR --out CHECKPOINT [--offset -0.1]

Training leaves pieces of fp16 tensors (small files travel better); here they become model.pt with
the official names, in fp32, beside config.yaml, configuration.json, multilingual.tiktoken and
Qwen3-0.6B/. The CTC head gets the official row order: pieces, 1678 unused special tokens, blank.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import torch
import yaml
from torch import Tensor, nn
from transformers import Qwen3Config, Qwen3ForCausalLM

from demo.config import config_yaml, llm_config
from demo.ctc_vocabulary import CTC_SPECIALS, CtcVocabulary
from demo.frontend import Frontend
from demo.model import Size, SpeechModel
from demo.recognise import Recogniser
from tokenizers import Tokenizer

PIECE_BYTES = 15_000_000
UNUSED_BIAS = -30.0


def build(size: Size, tokens: Path) -> tuple[SpeechModel, nn.Module, Tokenizer, CtcVocabulary]:
    """Fresh modules for the vocabularies in ``tokens``."""
    ctc = CtcVocabulary.read(tokens / "multilingual.tiktoken")
    text = Tokenizer.from_file(str(tokens / "Qwen3-0.6B" / "tokenizer.json"))
    config = llm_config(
        size,
        text.get_vocab_size(),
        text.token_to_id("<|im_end|>"),
        text.token_to_id("<|endoftext|>"),
    )
    llm = Qwen3ForCausalLM(Qwen3Config(**config))
    return SpeechModel(size, len(ctc.pieces)), llm, text, ctc


def write_pieces(state: dict[str, Tensor], out: Path) -> None:
    """fp16 tensors in files of at most PIECE_BYTES: piece0.pt, piece1.pt, ..."""
    out.mkdir(parents=True, exist_ok=True)
    pieces: list[dict[str, Tensor]] = [{}]
    room = PIECE_BYTES
    for name, tensor in state.items():
        half = tensor.detach().to("cpu", torch.float16).clone()
        if half.nbytes > room and pieces[-1]:
            pieces.append({})
            room = PIECE_BYTES
        pieces[-1][name] = half
        room -= half.nbytes
    for i, piece in enumerate(pieces):
        torch.save(piece, out / f"piece{i}.pt")


def load_pieces(folder: Path, model: nn.Module, llm: nn.Module) -> None:
    """Put the weights of ``write_pieces`` into both modules."""
    state: dict[str, Tensor] = {}
    for path in sorted(folder.glob("piece*.pt")):
        state |= torch.load(path, map_location="cpu", weights_only=True)
    of_llm = {k.removeprefix("llm."): v for k, v in state.items() if k.startswith("llm.")}
    llm.load_state_dict(of_llm, strict=False)
    model.load_state_dict({k: v for k, v in state.items() if not k.startswith("llm.")})


def joint_state(model: nn.Module, llm: nn.Module) -> dict[str, Tensor]:
    """Tensors of both modules under their checkpoint names; tied lm_head left out."""
    state = dict(model.state_dict())
    state |= {f"llm.{k}": v for k, v in llm.state_dict().items() if k != "lm_head.weight"}
    return state


def official_state(compact: dict[str, Tensor], pieces: int) -> dict[str, Tensor]:
    """Official names and CTC rows, fp32; lm_head stored beside the embedding."""
    state = {k: v.float().contiguous() for k, v in compact.items()}
    weight, bias = state["ctc.ctc_lo.weight"], state["ctc.ctc_lo.bias"]
    rows = pieces + CTC_SPECIALS
    full_weight, full_bias = (
        weight.new_zeros(rows, weight.shape[1]),
        bias.new_full((rows,), UNUSED_BIAS),
    )
    full_weight[:pieces], full_bias[:pieces] = weight[:-1], bias[:-1]
    full_weight[-1], full_bias[-1] = weight[-1], bias[-1]
    state["ctc.ctc_lo.weight"], state["ctc.ctc_lo.bias"] = full_weight, full_bias
    state["llm.lm_head.weight"] = state["llm.model.embed_tokens.weight"].clone()
    return state


def compact_state(official: dict[str, Tensor]) -> dict[str, Tensor]:
    """The reverse of ``official_state``."""
    state = {k: v for k, v in official.items() if k != "llm.lm_head.weight"}
    for name in ("ctc.ctc_lo.weight", "ctc.ctc_lo.bias"):
        state[name] = torch.cat([state[name][:-CTC_SPECIALS], state[name][-1:]])
    return state


def write_checkpoint(pieces: Path, tokens: Path, out: Path, offset_s: float, size: Size) -> None:
    """The whole directory."""
    out.mkdir(parents=True, exist_ok=True)
    compact: dict[str, Tensor] = {}
    for path in sorted(pieces.glob("piece*.pt")):
        compact |= torch.load(path, map_location="cpu", weights_only=True)
    _, _llm, text, ctc = build(size, tokens)
    torch.save(official_state(compact, len(ctc.pieces)), out / "model.pt")
    (out / "config.yaml").write_text(
        yaml.safe_dump(config_yaml(size, ctc.blank + 1, offset_s), sort_keys=False),
        encoding="utf-8",
    )
    (out / "configuration.json").write_text(
        json.dumps(
            {
                "framework": "pytorch",
                "task": "auto-speech-recognition",
                "model": {"type": "funasr"},
                "pipeline": {"type": "funasr-pipeline"},
                "file_path_metas": {
                    "init_param": "model.pt",
                    "config": "config.yaml",
                    "llm_conf": {"init_param_path": "Qwen3-0.6B"},
                    "tokenizer_conf": {"init_param_path": "Qwen3-0.6B"},
                    "dataset_conf": {"ctc_tokenizer_conf": {"vocab_path": "multilingual.tiktoken"}},
                },
            },
            indent=2,
        )
    )
    shutil.copy(tokens / "multilingual.tiktoken", out / "multilingual.tiktoken")
    shutil.copytree(tokens / "Qwen3-0.6B", out / "Qwen3-0.6B", dirs_exist_ok=True)
    end, pad = text.token_to_id("<|im_end|>"), text.token_to_id("<|endoftext|>")
    (out / "Qwen3-0.6B" / "config.json").write_text(
        json.dumps(llm_config(size, text.get_vocab_size(), end, pad), indent=2)
    )
    (out / "Qwen3-0.6B" / "generation_config.json").write_text(
        json.dumps(
            {
                "bos_token_id": pad,
                "eos_token_id": [end, pad],
                "pad_token_id": pad,
                "do_sample": False,
            },
            indent=2,
        )
    )


def load_checkpoint(folder: Path, size: Size, device: torch.device) -> Recogniser:
    """A recogniser from a directory that ``write_checkpoint`` made."""
    model, llm, text, ctc = build(size, folder)
    state = compact_state(torch.load(folder / "model.pt", map_location="cpu", weights_only=True))
    llm.load_state_dict(
        {k.removeprefix("llm."): v for k, v in state.items() if k.startswith("llm.")}, strict=False
    )
    model.load_state_dict({k: v for k, v in state.items() if not k.startswith("llm.")})
    return Recogniser(
        model.to(device).eval(), llm.to(device).eval(), Frontend().to(device), text, ctc, device
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pieces", type=Path, required=True)
    parser.add_argument("--tokens", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--offset", type=float, default=0.0, help="ctc_time_offset_s that demo.evaluate measured"
    )
    args = parser.parse_args()
    write_checkpoint(args.pieces, args.tokens, args.out, args.offset, Size())


if __name__ == "__main__":
    main()
