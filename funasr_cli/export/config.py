"""config.yaml of a checkpoint: what cannot be read from the tensors' shapes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from funasr_cli.errors import ModelError
from funasr_cli.manifest import DEFAULT_MAX_SEGMENT_S, DEFAULT_TIME_OFFSET_S
from funasr_cli.units import HOP, LFR_M, LFR_N, SAMPLE_RATE, WINDOW

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = "config.yaml"
DEFAULT_HEADS = 8
"""Of the adaptor and the CTC decoder; the official config.yaml relies on it."""
_FRONTEND = {
    "fs": SAMPLE_RATE,
    "window": "hamming",
    "n_mels": 80,
    "frame_length": WINDOW * 1000 // SAMPLE_RATE,
    "frame_shift": HOP * 1000 // SAMPLE_RATE,
    "lfr_m": LFR_M,
    "lfr_n": LFR_N,
    "cmvn_file": None,
    "snip_edges": True,
    "upsacle_samples": True,
}
"""The one front end that is built; the family has no other."""
_FRONTEND_DEFAULTS = {**_FRONTEND, "lfr_m": 1, "lfr_n": 1}
"""What FunASR's WavFrontend takes where config.yaml says nothing."""


@dataclass(frozen=True)
class CheckpointConfig:
    """The architecture. Defaults of absent keys are those of FunASR's own classes."""

    encoder_dim: int
    """H, width of the encoder."""
    encoder_heads: int
    encoder_blocks: int
    """Blocks before `after_norm`, the first one (other input width) included."""
    tp_blocks: int
    """Blocks behind it."""
    kernel_size: int
    kernel_shift: int
    """Frames the memory's kernel looks further back (`sanm_shfit`)."""
    downsample_rate: int
    use_low_frame_rate: bool
    adaptor_heads: int
    adaptor_blocks: int
    llm_dim: int
    """D, width of the language model."""
    ctc_heads: int
    ctc_blocks: int
    path: Path
    """config.yaml."""
    raw: dict[str, Any]
    """The whole of it."""

    def section(self, *path: str) -> dict[str, Any]:
        """A nested section; empty where it is absent."""
        return section(self.raw, *path)

    @property
    def kernel_left(self) -> int:
        """Frames before the current one that the memory's kernel covers."""
        return (self.kernel_size - 1) // 2 + max(0, self.kernel_shift)

    def check_ctc(self) -> None:
        """Check what only an export of the CTC head needs.

        Raises:
            ModelError: it is not one frame in, one frame out, or its heads do not fit.
        """
        key = "ctc_decoder_conf"
        step = int(self.section(key).get("downsample_rate", 2))
        if step != 1:
            raise ModelError(f"{self.path}: {key}.downsample_rate is {step}, only 1 is supported")
        if self.ctc_heads < 1 or self.encoder_dim % self.ctc_heads:
            raise ModelError(
                f"{self.path}: {key}.attention_heads is {self.ctc_heads}, which does not "
                f"divide the width {self.encoder_dim}"
            )

    @property
    def time_offset_s(self) -> float:
        """Seconds that CTC times are off (`ctc_time_offset_s`)."""
        return float(self.raw.get("ctc_time_offset_s", DEFAULT_TIME_OFFSET_S))

    @property
    def max_segment_s(self) -> float:
        """Longest segment the model was trained on (`max_segment_s`)."""
        return float(self.raw.get("max_segment_s", DEFAULT_MAX_SEGMENT_S))


def read_config(checkpoint: Path, raw: dict[str, Any], llm_dim: int) -> CheckpointConfig:
    """Read the architecture out of config.yaml.

    Args:
        checkpoint: folder of the checkpoint.
        raw: what `load_yaml` returned.
        llm_dim: width of its language model, which FunASR takes over config.yaml's.

    Raises:
        ModelError: it asks for something that is not supported.
    """
    path = checkpoint / CONFIG
    try:
        return _parse(raw, path, llm_dim)
    except (TypeError, ValueError, AttributeError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(f"{path}: a value is not what FunASR writes there ({error})") from error


def load_yaml(checkpoint: Path) -> dict[str, Any]:
    """Load config.yaml as it is.

    Raises:
        ModelError: the file is missing or is not YAML.
    """
    import yaml

    path = checkpoint / CONFIG
    if not path.is_file():
        raise ModelError(
            f"{path} is missing: give the folder of a complete checkpoint, as downloaded from "
            "ModelScope (FunAudioLLM/Fun-ASR-Nano-2512) or Hugging Face"
        )
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        reason = " ".join(str(error).split())
        raise ModelError(f"{path} cannot be read ({reason}); download it again") from error
    if not isinstance(raw, dict):
        raise ModelError(f"{path} does not hold a configuration; download it again")
    return raw


def _parse(raw: dict[str, Any], path: Path, llm_dim: int) -> CheckpointConfig:
    encoder = section(raw, "audio_encoder_conf")
    adaptor = section(raw, "audio_adaptor_conf")
    ctc = section(raw, "ctc_decoder_conf")
    _expect(path, "audio_encoder", raw.get("audio_encoder"), "SenseVoiceEncoderSmall")
    _expect(path, "audio_adaptor", raw.get("audio_adaptor"), "Transformer")
    _expect(path, "ctc_decoder", raw.get("ctc_decoder", "Transformer"), "Transformer")
    before = encoder.get("normalize_before", True)
    _expect(path, "audio_encoder_conf.normalize_before", before, wanted=True)
    frontend = {**_FRONTEND_DEFAULTS, **section(raw, "frontend_conf")}
    for key, wanted in _FRONTEND.items():
        _expect(path, f"frontend_conf.{key}", frontend[key], wanted)
    config = CheckpointConfig(
        encoder_dim=int(encoder.get("output_size", 256)),
        encoder_heads=int(encoder.get("attention_heads", 4)),
        encoder_blocks=int(encoder.get("num_blocks", 6)),
        tp_blocks=int(encoder.get("tp_blocks", 0)),
        kernel_size=int(encoder.get("kernel_size", 11)),
        kernel_shift=int(encoder.get("sanm_shfit", 0)),
        downsample_rate=int(adaptor.get("downsample_rate", 2)),
        use_low_frame_rate=bool(adaptor.get("use_low_frame_rate", False)),
        adaptor_heads=int(adaptor.get("attention_heads", DEFAULT_HEADS)),
        adaptor_blocks=int(adaptor.get("n_layer", 2)),
        llm_dim=llm_dim,
        ctc_heads=int(ctc.get("attention_heads", DEFAULT_HEADS)),
        ctc_blocks=int(ctc.get("n_layer", 2)),
        path=path,
        raw=raw,
    )
    _check(path, config)
    return config


def _check(path: Path, config: CheckpointConfig) -> None:
    widths = (
        ("audio_encoder_conf.attention_heads", config.encoder_heads, config.encoder_dim),
        ("audio_adaptor_conf.attention_heads", config.adaptor_heads, config.llm_dim),
    )
    for key, heads, width in widths:
        if heads < 1 or width % heads:
            raise ModelError(f"{path}: {key} is {heads}, which does not divide the width {width}")
    if config.kernel_left > config.kernel_size - 1:
        raise ModelError(
            f"{path}: audio_encoder_conf.sanm_shfit {config.kernel_shift} is too large for "
            f"kernel_size {config.kernel_size}"
        )
    counts = (config.encoder_blocks, config.kernel_size, config.downsample_rate)
    if min(counts) < 1:
        raise ModelError(f"{path}: num_blocks, kernel_size and downsample_rate must be positive")


def _expect(path: Path, key: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise ModelError(
            f"{path}: {key} is {found!r}, only {wanted!r} is supported; this exporter is for "
            "checkpoints of the Fun-ASR-Nano family"
        )


def section(raw: dict[str, Any], *path: str) -> dict[str, Any]:
    """Descend into nested sections; empty where one is absent.

    Raises:
        ModelError: a value stands where a section belongs.
    """
    for key in path:
        raw = raw.get(key) or {}
        if not isinstance(raw, dict):
            raise ModelError(f"{CONFIG}: {key} is not a section; download the checkpoint again")
    return raw
