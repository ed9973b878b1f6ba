"""config.yaml and the LLM's config.json of the demo checkpoint."""

from __future__ import annotations

from demo.model import Size

MAX_SEGMENT_S = 15.0


def config_yaml(size: Size, ctc_rows: int, offset_s: float) -> dict[str, object]:
    """config.yaml; the last two keys are ours (official code ignores them)."""
    return {
        "model": "FunASRNano",
        "audio_encoder": "SenseVoiceEncoderSmall",
        "audio_encoder_conf": {
            "output_size": size.width,
            "attention_heads": size.heads,
            "linear_units": size.ffn,
            "num_blocks": size.blocks,
            "tp_blocks": size.tp_blocks,
            "dropout_rate": 0.1,
            "positional_dropout_rate": 0.1,
            "attention_dropout_rate": 0.1,
            "input_layer": "pe",
            "pos_enc_class": "SinusoidalPositionEncoder",
            "normalize_before": True,
            "kernel_size": size.kernel,
            "sanm_shfit": 0,
            "selfattention_layer_type": "sanm",
            "freeze": True,
        },
        "llm": "Qwen3-0.6b",
        "llm_conf": {
            "hub": "hf",
            "freeze": True,
            "llm_dtype": "fp32",
            "init_param_path": "Qwen3-0.6B",
            "use_lora": False,
        },
        "audio_adaptor": "Transformer",
        "audio_adaptor_conf": {
            "downsample_rate": 1,
            "ffn_dim": size.adaptor_ffn,
            "llm_dim": size.llm_width,
            "encoder_dim": size.width,
            "n_layer": size.adaptor_layers,
            "freeze": True,
        },
        "ctc_decoder": "Transformer",
        "ctc_vocab_size": ctc_rows,
        "detach_ctc_decoder": True,
        "ctc_decoder_conf": {
            "downsample_rate": 1,
            "ffn_dim": size.ctc_ffn,
            "llm_dim": size.width,
            "encoder_dim": size.width,
            "n_layer": size.ctc_layers,
            "freeze": False,
        },
        "ctc_weight": 1.0,
        "ctc_conf": {
            "dropout_rate": 0.0,
            "ctc_type": "builtin",
            "reduce": True,
            "ignore_nan_grad": True,
        },
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
            "ctc_tokenizer": "SenseVoiceTokenizer",
            "ctc_tokenizer_conf": {
                "vocab_path": None,
                "is_multilingual": True,
                "num_languages": 8749,
            },
        },
        "tokenizer": "HuggingfaceTokenizer",
        "tokenizer_conf": {"init_param_path": "Qwen3-0.6B"},
        "ctc_time_offset_s": offset_s,
        "max_segment_s": MAX_SEGMENT_S,
    }


def llm_config(size: Size, vocabulary: int, end: int, pad: int) -> dict[str, object]:
    """config.json of the Qwen3 part; ``vocabulary`` is padded to a multiple of 32."""
    return {
        "architectures": ["Qwen3ForCausalLM"],
        "model_type": "qwen3",
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": pad,
        "eos_token_id": end,
        "head_dim": size.llm_head_dim,
        "hidden_act": "silu",
        "hidden_size": size.llm_width,
        "initializer_range": 0.02,
        "intermediate_size": size.llm_ffn,
        "max_position_embeddings": 40960,
        "max_window_layers": size.llm_layers,
        "num_attention_heads": size.llm_heads,
        "num_hidden_layers": size.llm_layers,
        "num_key_value_heads": size.llm_kv_heads,
        "rms_norm_eps": 1e-06,
        "rope_scaling": None,
        "rope_theta": 1000000,
        "sliding_window": None,
        "tie_word_embeddings": True,
        "torch_dtype": "float32",
        "use_cache": True,
        "use_sliding_window": False,
        "vocab_size": -(-(vocabulary + 5) // 32) * 32,
    }
