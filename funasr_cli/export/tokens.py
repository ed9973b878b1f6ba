"""multilingual.tiktoken -> tokens.txt: the vocabulary of the CTC head."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from funasr_cli.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

VOCABULARY = "multilingual.tiktoken"
BLANK = "<blk>"
_LANGUAGES = (  # noqa: SIM905 - 105 quoted words would hide their order
    "en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th "
    "ur hr bg lt la mi ml cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr "
    "pa si km sn yo so af oc ka be tg sd gu am yi lo uz fo ht ps tk nn mt sa lb my bo tl mg as tt "
    "haw ln ha ba jw su yue minnan wuyu dialect zh/en en/zh"
).split()
_EVENTS = ["ASR", "AED", "SER"]
_EVENTS += [
    f"{end}{event}" for event in ("Speech", "BGM", "Laughter", "Applause") for end in ("", "/")
]
_EMOTIONS = ["HAPPY", "SAD", "ANGRY", "NEUTRAL"]
_TASKS = ["translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps"]
_RESERVED = [f"SPECIAL_TOKEN_{i}" for i in range(1, 51)]
_TIMESTAMPS = [f"{i * 0.02:.2f}" for i in range(1501)]
SPECIAL_TOKENS = tuple(
    f"<|{name}|>"
    for name in (
        "endoftext",
        "startoftranscript",
        *_LANGUAGES,
        *_EVENTS,
        *_EMOTIONS,
        *_TASKS,
        *_RESERVED,
        *_TIMESTAMPS,
    )
)
"""What FunASR's tokenizer appends to the file's own tokens. The CTC head has no slot beyond them:
its blank sits in the last one's."""


def find_vocabulary(checkpoint: Path, hint: str | None) -> Path:
    """Find the vocabulary file beside model.pt; `hint` is what the configuration calls it.

    Raises:
        ModelError: there is none.
    """
    name = (hint or "").replace("\\", "/").rsplit("/", 1)[-1]
    candidates = [checkpoint / n for n in (name, VOCABULARY) if n]
    if checkpoint.is_dir():
        candidates += sorted(checkpoint.glob("*.tiktoken"))
    for path in candidates:
        if path.is_file():
            return path
    raise ModelError(
        f"{checkpoint / VOCABULARY} is missing: the CTC head needs its vocabulary; download the "
        "checkpoint again, or export with --no-ctc"
    )


def read_vocabulary(path: Path) -> list[bytes]:
    """Read `base64 rank` lines.

    Returns:
        The tokens' bytes by rank.

    Raises:
        ModelError: a line is malformed, or the ranks do not run 0, 1, 2 ...
    """
    tokens: list[bytes] = []
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            if not line.strip():
                continue
            token, rank = line.split()
            if int(rank) != len(tokens):
                raise ModelError(f"{path}: rank {rank} where {len(tokens)} should stand")
            tokens.append(base64.b64decode(token, validate=True))
    except (OSError, ValueError, binascii.Error) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(
            f"{path}: not a tiktoken vocabulary ({error}); download the checkpoint again"
        ) from error
    return tokens


def tokens_text(path: Path, outputs: int) -> str:
    """Write tokens.txt: `base64 id` lines, the blank last.

    Args:
        path: the vocabulary file.
        outputs: width of the CTC head, which the table must have.

    Raises:
        ModelError: the vocabulary is not readable or belongs to another model.
    """
    own = read_vocabulary(path)
    if len(own) + len(SPECIAL_TOKENS) != outputs:
        raise ModelError(
            f"{path}: {len(own)} tokens and {len(SPECIAL_TOKENS)} special ones make "
            f"{len(own) + len(SPECIAL_TOKENS)}, but the CTC head has {outputs} outputs: "
            "the file belongs to another model; download the checkpoint again"
        )
    return table_text(own)


def table_text(own: list[bytes]) -> str:
    """Write the lines of tokens.txt: a vocabulary's own tokens, the special ones, the blank."""
    table = own + [token.encode() for token in SPECIAL_TOKENS[:-1]]
    lines = [f"{base64.b64encode(t).decode()} {i}" for i, t in enumerate(table)]
    return "\n".join([*lines, f"{BLANK} {len(table)}"]) + "\n"
