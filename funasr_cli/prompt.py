"""Hotwords, language, context and ITN -> the two texts around the audio rows.

The wording is the reference's `get_prompt` (funasr 1.4.16), character for character. Free
context is not in the reference; it stands where its header 上下文信息 announces it.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from funasr_cli.markup import without_markup

SYSTEM = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
USER = "<|im_start|>user\n"
ANSWER = "<|im_end|>\n<|im_start|>assistant\n"
NO_THINKING = "<think>\n\n</think>\n\n"
CONTEXT = (
    "请结合上下文信息，更加准确地完成语音转写任务。如果没有相关信息，我们会留空。"
    "\n\n\n**上下文信息：**\n\n\n"
)


@dataclass(frozen=True)
class Prompt:
    """Tokenised separately; the audio rows go between."""

    prefix: str
    suffix: str


def build_prompt(  # noqa: PLR0913 - the parts of one sentence
    *,
    hotwords: Sequence[str] = (),
    language: str | None = None,
    context: str = "",
    itn: bool = True,
    system: bool = True,
    think_block: bool = False,
) -> Prompt:
    """Write the prompt.

    Args:
        hotwords: words for the list, in this order.
        language: the prompt's own word (中文, 英文, ...); None leaves the clause out.
        context: free text of the user; control tokens in it are removed.
        itn: False asks for spoken numbers.
        system: whether the model was trained with a system turn.
        think_block: whether its answers start with an empty think block.
    """
    parts = []
    context, words = _plain(context), [w for w in map(_plain, hotwords) if w]
    if words or context:
        parts.append(CONTEXT)
    if context:
        parts.append(f"{context}\n")
    if words:
        parts.append(f"热词列表：[{', '.join(words)}]\n")
    parts.append("语音转写")
    if language:
        parts.append(f"成{language}")
    if not itn:
        parts.append("，不进行文本规整")
    parts.append("：")
    return Prompt(
        prefix=(SYSTEM if system else "") + USER + "".join(parts),
        suffix=ANSWER + (NO_THINKING if think_block else ""),
    )


def _plain(text: str) -> str:
    """Remove what the tokenizer would read as a control token; compose as its NFC step does."""
    return unicodedata.normalize("NFC", without_markup(text)).strip()
