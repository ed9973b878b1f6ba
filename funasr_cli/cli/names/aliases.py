"""Options of other tools -> ours: the one table.

An alias counts in the commands that have the option it leads to. What whisper, whisper.cpp,
whisper-ctranslate2, FunASR, sherpa-onnx and CrispASR call their options was read in their help.
"""

from dataclasses import dataclass
from enum import Enum


class Form(Enum):
    """How an alias becomes one of our options."""

    RENAMED = "renamed"
    CONSTANT = "constant"
    """A flag that stands for a value of ours: `note`."""
    MILLISECONDS = "milliseconds"
    """Its bare numbers are milliseconds, ours are seconds."""
    FORMAT = "format"
    """A flag that asks for one more format: `note`."""
    INPUT = "input"
    """Names a recording; ours stand alone."""
    WINDOW = "window"
    """`FROM,TO` in seconds."""
    NUMBER = "number"
    """The number of a device; ours stands behind its kind."""
    ALWAYS = "always"
    """A flag for what we do anyway."""
    REFUSED = "refused"
    """There is no such thing here: `note` says why. Values in `fine` ask for what we do anyway."""
    REFUSED_FLAG = "refused-flag"
    """Likewise, and takes no value but True and False; what False asks for we do anyway."""


@dataclass(frozen=True)
class Alias:
    """One line of the table."""

    names: tuple[str, ...]
    """Spellings in kebab-case; snake_case is read too."""
    option: str
    """Ours."""
    form: Form = Form.RENAMED
    note: str = ""
    fine: frozenset[str] = frozenset()


def _a(names: str, option: str, form: Form = Form.RENAMED, note: str = "", fine: str = "") -> Alias:
    return Alias(tuple(names.split()), option, form, note, frozenset(fine.split()))


_GREEDY = "decoding is greedy, with no chance in it; leave it out"
_EXPORTED = "number types are chosen when a model is exported: funasr export --help"

_NO_FALLBACK = "nothing is decoded again by a threshold; loops are found by --guard; leave it out"
_SPEAKERS = "speakers are not told apart here; leave it out"
_FORMATS = (
    ("-otxt --output-txt", "txt"),
    ("-osrt --output-srt", "srt"),
    ("-ovtt --output-vtt", "vtt"),
    ("-olrc --output-lrc", "lrc"),
    ("-ocsv --output-csv", "csv"),
    ("-oj --output-json -ojf --output-json-full", "json"),
)
"""Flags of whisper.cpp; without them `-osrt` would be the folder `srt`."""

ALIASES = (
    _a("--file -a --audio --audio-in --input", "--language", Form.INPUT),
    _a("--output", "--output-dir"),
    _a("--output-name -of --output-file", "--output-template"),
    *(_a(names, "--format", Form.FORMAT, name) for names, name in _FORMATS),
    _a(
        "-owts --output-words",
        "--format",
        Form.REFUSED_FLAG,
        "there is no karaoke script here; --format elrc has the time of each character",
    ),
    _a("-nt", "--no-timestamps"),
    _a("--lang", "--language"),
    _a("--model-dir --model-directory", "--model"),
    _a("--hotword --hotword-file --hotwords-file", "--hotwords"),
    _a("--similar-threshold", "--hotword-threshold"),
    _a("--prompt --initial-prompt", "--context"),
    _a("--use-itn", "--itn"),
    _a("--vad-filter", "--vad"),
    _a("-vt", "--vad-threshold"),
    _a("-vspd", "--vad-min-speech-duration-ms"),
    _a("-vsd", "--vad-min-silence-duration-ms"),
    _a("-vmsd", "--vad-max-speech-duration-s"),
    _a("-vp", "--vad-speech-pad-ms"),
    _a(
        "--chunk-size --chunk --chunk-duration --segment-size --chunk-length",
        "--vad-max-speech-duration-s",
    ),
    _a("--overlap-duration", "--overlap"),
    _a("--word-timestamps", "--language", Form.ALWAYS),
    _a("-ml --max-len", "--max-line-width"),
    _a("-sp --split-on-punct", "--subtitle-preset", Form.ALWAYS),
    _a("--standard", "--subtitle-preset", Form.CONSTANT, "latin"),
    _a("--standard-asia", "--subtitle-preset", Form.CONSTANT, "zh"),
    _a("--gpu-backend --backend", "--device"),
    _a("--device-index -dev", "--device", Form.NUMBER),
    _a("-ng --no-gpu", "--device", Form.CONSTANT, "cpu"),
    _a("-ngl", "--n-gpu-layers"),
    _a("--num-threads --n-threads", "--threads"),
    _a("--batch-size", "--slots"),
    _a("--batched", "--slots", Form.ALWAYS),
    _a(
        "--batch-size-s",
        "--slots",
        Form.REFUSED,
        "segments side by side are counted, not their seconds: --slots N",
    ),
    _a("--max-tokens", "--max-new-tokens"),
    _a("--temperature -tp", "--max-new-tokens", Form.REFUSED, _GREEDY, "0 0.0"),
    _a("--top-k --beam-size -bs --best-of -bo", "--max-new-tokens", Form.REFUSED, _GREEDY, "1"),
    _a("--top-p", "--max-new-tokens", Form.REFUSED, _GREEDY, "1 1.0"),
    _a("--quant --compute-type --model-quant --outtype", "--decoder-type"),
    _a("--compute-type --model-quant", "--language", Form.REFUSED, _EXPORTED, "default auto"),
    _a("--fp16", "--language", Form.REFUSED, _EXPORTED, "False false"),
    _a(
        "--task",
        "--language",
        Form.REFUSED,
        "these models write down what is said; they do not translate",
        "transcribe",
    ),
    _a(
        "--condition-on-previous-text",
        "--language",
        Form.REFUSED_FLAG,
        "each segment is decoded by itself; what the model is to know goes into --context",
    ),
    _a(
        "--highlight-words",
        "--language",
        Form.REFUSED_FLAG,
        "cues do not follow single words; --format elrc has the time of each character",
    ),
    _a(
        "--max-words-per-line",
        "--language",
        Form.REFUSED,
        "lines are measured in characters: --max-line-width N",
        "None",
    ),
    _a("--compression-ratio-threshold", "--language", Form.REFUSED, _NO_FALLBACK, "2.4 None"),
    _a("--entropy-thold -et", "--language", Form.REFUSED, _NO_FALLBACK, "2.4 2.40"),
    _a(
        "--logprob-threshold --log-prob-threshold --logprob-thold -lpt",
        "--language",
        Form.REFUSED,
        _NO_FALLBACK,
        "-1 -1.0 -1.00 None",
    ),
    _a(
        "--no-speech-threshold --no-speech-thold -nth",
        "--language",
        Form.REFUSED,
        "what is no speech is found before decoding: --vad-threshold",
        "0.6 0.60 None",
    ),
    _a(
        "--temperature-increment-on-fallback --temperature-inc -tpi",
        "--language",
        Form.REFUSED,
        _NO_FALLBACK,
        "0 0.0 0.2 0.20 None",
    ),
    _a("--no-fallback -nf", "--language", Form.ALWAYS),
    _a(
        "--vad-model",
        "--language",
        Form.REFUSED,
        "speech is found by a model that comes along, and cannot be exchanged; leave it out",
        "fsmn-vad",
    ),
    _a(
        "--punc-model",
        "--language",
        Form.REFUSED,
        "the model writes punctuation itself; leave it out",
        "ct-punc",
    ),
    _a("--spk-model", "--language", Form.REFUSED, _SPEAKERS, "None"),
    _a("--diarize -di --tinydiarize -tdrz", "--language", Form.REFUSED_FLAG, _SPEAKERS),
    _a("-ot --offset-t", "--start", Form.MILLISECONDS),
    _a("-d", "--duration", Form.MILLISECONDS),
    _a("--clip-timestamps", "--start", Form.WINDOW),
    _a("--skip --skip-existing --resume", "--overwrite", Form.ALWAYS),
    _a("-br --batch-recursive", "--recursive"),
    _a("--print-colors -pc", "--print-confidence"),
    _a("--no-progress -np --no-prints", "--quiet"),
    _a("-pp --print-progress", "--quiet", Form.ALWAYS),
    _a("-H", "--hub"),
)
"""The first that fits a command counts; the options of the command itself come before all."""
