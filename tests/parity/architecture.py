"""Random checkpoints in the official layout: any size, the same numbers on every machine."""

from dataclasses import asdict, dataclass
from typing import Any

CTC_SPECIALS = 1679
"""Special tokens that FunASR appends to multilingual.tiktoken."""


@dataclass(frozen=True)
class Architecture:
    """A checkpoint's sizes and habits; the defaults are small and like Fun-ASR-Nano."""

    encoder_dim: int = 32
    encoder_heads: int = 4
    linear_units: int = 64
    blocks: int = 3
    tp_blocks: int = 2
    kernel_size: int = 11
    kernel_shift: int = 0
    adaptor_blocks: int = 2
    adaptor_ffn: int = 64
    adaptor_heads: int = 8
    downsample_rate: int = 1
    low_frame_rate: bool = True
    ctc: str = "whole"
    """`whole`, `none` or `partial` (one tensor is missing)."""
    ctc_blocks: int = 2
    ctc_ffn: int = 64
    ctc_tokens: int = 340
    """Lines of multilingual.tiktoken."""
    llm_dim: int = 64
    llm_layers: int = 2
    llm_heads: int = 4
    llm_kv_heads: int = 2
    llm_head_dim: int = 32
    llm_ffn: int = 128
    llm_pieces: int = 600
    """Tokens of the byte-level BPE; the added ones come on top."""
    llm_vocab: int = 640
    """Rows of the embedding."""
    tied: bool = True
    lora: bool = False
    do_think: bool = True
    container: str = ""
    """Key that model.pt wraps the tensors in; empty: none."""
    prefix: str = ""
    """Before every tensor's name, e.g. `module.`."""
    dtype: str = "bfloat16"

    def config(self) -> dict[str, Any]:
        """config.yaml as FunASR writes it."""
        adaptor: dict[str, Any] = {
            "downsample_rate": self.downsample_rate,
            "use_low_frame_rate": True,
            "ffn_dim": self.adaptor_ffn,
            "llm_dim": self.llm_dim,
            "encoder_dim": self.encoder_dim,
            "n_layer": self.adaptor_blocks,
            "freeze": True,
        }
        if self.adaptor_heads != 8:  # 8 is the default that the official file relies on
            adaptor["attention_heads"] = self.adaptor_heads
        if not self.low_frame_rate:  # as in MLT's file
            del adaptor["use_low_frame_rate"]
        return {
            "model": "FunASRNano",
            "audio_encoder": "SenseVoiceEncoderSmall",
            "audio_encoder_conf": {
                "output_size": self.encoder_dim,
                "attention_heads": self.encoder_heads,
                "linear_units": self.linear_units,
                "num_blocks": self.blocks,
                "tp_blocks": self.tp_blocks,
                "dropout_rate": 0.1,
                "positional_dropout_rate": 0.1,
                "attention_dropout_rate": 0.1,
                "input_layer": "pe",
                "pos_enc_class": "SinusoidalPositionEncoder",
                "normalize_before": True,
                "kernel_size": self.kernel_size,
                "sanm_shfit": self.kernel_shift,
                "selfattention_layer_type": "sanm",
                "freeze": True,
            },
            "llm": "Qwen3-0.6b",
            "llm_conf": {
                "hub": "hf",
                "freeze": True,
                "llm_dtype": "fp32",
                "init_param_path": "Qwen3-0.6B",
                "use_lora": self.lora,
                "lora_conf": {"r": 4, "lora_alpha": 8},
            },
            "audio_adaptor": "Transformer",
            "audio_adaptor_conf": adaptor,
            "ctc_decoder": "Transformer",
            "ctc_vocab_size": self.ctc_tokens + CTC_SPECIALS,
            "detach_ctc_decoder": True,
            "ctc_decoder_conf": {
                "downsample_rate": 1,
                "ffn_dim": self.ctc_ffn,
                "llm_dim": self.encoder_dim,
                "encoder_dim": self.encoder_dim,
                "n_layer": self.ctc_blocks,
                "freeze": False,
            },
            "ctc_weight": 1.0,
            "ctc_conf": {"dropout_rate": 0.0, "ctc_type": "builtin", "reduce": True},
            "frontend": "WavFrontend",
            "frontend_conf": {
                "fs": 16000,
                "window": "hamming",
                "n_mels": 80,
                "frame_length": 25,
                "frame_shift": 10,
                "lfr_m": 7,
                "lfr_n": 6,
                "cmvn_file": None,
            },
            "dataset_conf": {
                "do_think": self.do_think,
                "ctc_tokenizer": "SenseVoiceTokenizer",
                "ctc_tokenizer_conf": {
                    "vocab_path": None,
                    "is_multilingual": True,
                    "num_languages": 8749,
                },
            },
            "tokenizer": "HuggingfaceTokenizer",
            "tokenizer_conf": {"init_param_path": "Qwen3-0.6B"},
        }

    def qwen(self, bos: int, eos: int) -> dict[str, Any]:
        """config.json of the language model."""
        return {
            "architectures": ["Qwen3ForCausalLM"],
            "model_type": "qwen3",
            "attention_bias": False,
            "bos_token_id": bos,
            "eos_token_id": eos,
            "head_dim": self.llm_head_dim,
            "hidden_act": "silu",
            "hidden_size": self.llm_dim,
            "intermediate_size": self.llm_ffn,
            "max_position_embeddings": 40960,
            "num_attention_heads": self.llm_heads,
            "num_hidden_layers": self.llm_layers,
            "num_key_value_heads": self.llm_kv_heads,
            "rms_norm_eps": 1e-06,
            "rope_theta": 1000000,
            "tie_word_embeddings": self.tied,
            "torch_dtype": "bfloat16",
            "vocab_size": self.llm_vocab,
        }

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Every tensor that FunASR's own classes have, in their order."""
        shapes = self._encoder() | self._llm()
        shapes |= self._transformer(
            "audio_adaptor",
            (self.encoder_dim * self.downsample_rate, self.adaptor_ffn, self.llm_dim),
            self.adaptor_blocks,
        )
        if self.ctc != "none":
            width = self.encoder_dim
            shapes |= self._transformer(
                "ctc_decoder", (width, self.ctc_ffn, width), self.ctc_blocks
            )
            shapes |= _linear("ctc.ctc_lo", self.ctc_tokens + CTC_SPECIALS, width)
        if self.ctc == "partial":
            del shapes["ctc_decoder.blocks.0.norm1.weight"]
        return shapes

    def _encoder(self) -> dict[str, tuple[int, ...]]:
        shapes: dict[str, tuple[int, ...]] = {}
        width = self.encoder_dim
        names = [("encoders0.0", 560)]
        names += [(f"encoders.{i}", width) for i in range(self.blocks - 1)]
        names += [(f"tp_encoders.{i}", width) for i in range(self.tp_blocks)]
        for name, width_in in names:
            block = f"audio_encoder.{name}"
            shapes |= _linear(f"{block}.self_attn.linear_out", width, width)
            shapes |= _linear(f"{block}.self_attn.linear_q_k_v", 3 * width, width_in)
            shapes[f"{block}.self_attn.fsmn_block.weight"] = (width, 1, self.kernel_size)
            shapes |= _linear(f"{block}.feed_forward.w_1", self.linear_units, width)
            shapes |= _linear(f"{block}.feed_forward.w_2", width, self.linear_units)
            shapes |= _norm(f"{block}.norm1", width_in) | _norm(f"{block}.norm2", width)
        return (
            shapes
            | _norm("audio_encoder.after_norm", width)
            | _norm("audio_encoder.tp_norm", width)
        )

    def _llm(self) -> dict[str, tuple[int, ...]]:
        width, vocab = self.llm_dim, self.llm_vocab
        query, key = self.llm_heads * self.llm_head_dim, self.llm_kv_heads * self.llm_head_dim
        shapes: dict[str, tuple[int, ...]] = {"llm.model.embed_tokens.weight": (vocab, width)}
        for index in range(self.llm_layers):
            layer = f"llm.model.layers.{index}"
            shapes |= {
                f"{layer}.self_attn.q_proj.weight": (query, width),
                f"{layer}.self_attn.k_proj.weight": (key, width),
                f"{layer}.self_attn.v_proj.weight": (key, width),
                f"{layer}.self_attn.o_proj.weight": (width, query),
                f"{layer}.self_attn.q_norm.weight": (self.llm_head_dim,),
                f"{layer}.self_attn.k_norm.weight": (self.llm_head_dim,),
                f"{layer}.mlp.gate_proj.weight": (self.llm_ffn, width),
                f"{layer}.mlp.up_proj.weight": (self.llm_ffn, width),
                f"{layer}.mlp.down_proj.weight": (width, self.llm_ffn),
                f"{layer}.input_layernorm.weight": (width,),
                f"{layer}.post_attention_layernorm.weight": (width,),
            }
            if self.lora:
                for name, out in (("q_proj", query), ("v_proj", key)):
                    shapes[f"{layer}.self_attn.{name}.lora_A"] = (4, width)
                    shapes[f"{layer}.self_attn.{name}.lora_B"] = (out, 4)
        return shapes | {"llm.model.norm.weight": (width,), "llm.lm_head.weight": (vocab, width)}

    def _transformer(
        self, name: str, widths: tuple[int, int, int], blocks: int
    ) -> dict[str, tuple[int, ...]]:
        width_in, middle, width = widths
        shapes = _linear(f"{name}.linear1", middle, width_in)
        shapes |= _linear(f"{name}.linear2", width, middle)
        for index in range(blocks):
            block = f"{name}.blocks.{index}"
            for part in ("q", "k", "v", "out"):
                shapes |= _linear(f"{block}.self_attn.linear_{part}", width, width)
            shapes |= _linear(f"{block}.feed_forward.w_1", width // 4, width)
            shapes |= _linear(f"{block}.feed_forward.w_2", width, width // 4)
            shapes |= _norm(f"{block}.norm1", width) | _norm(f"{block}.norm2", width)
        return shapes

    def describe(self) -> str:
        """What differs from the default, for a table."""
        plain = asdict(Architecture())
        return ", ".join(f"{k}={v}" for k, v in asdict(self).items() if plain[k] != v) or "defaults"


FULL_SIZE = Architecture(
    encoder_dim=512,
    linear_units=2048,
    blocks=50,
    tp_blocks=20,
    adaptor_ffn=2048,
    ctc_blocks=5,
    ctc_ffn=2048,
    ctc_tokens=58836,
    llm_dim=1024,
    llm_layers=28,
    llm_heads=16,
    llm_kv_heads=8,
    llm_head_dim=128,
    llm_ffn=3072,
    llm_pieces=151643,
    llm_vocab=151936,
)
"""The sizes of Fun-ASR-Nano-2512."""


def _linear(name: str, width_out: int, width_in: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (width_out, width_in), f"{name}.bias": (width_out,)}


def _norm(name: str, width: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}
