"""Hotwords and context -> the tokens of a prompt, as far as there is room for them.

Part of the composition, like `answer`: it joins the prompt with the model.
"""

from collections.abc import Sequence

from funasr_cli.llm import PROMPT_ROOM
from funasr_cli.model import Model
from funasr_cli.prompt import build_prompt
from funasr_cli.results import Notice


def fit_prompt(
    model: Model, hints: tuple[Sequence[str], str], *, language: str | None, itn: bool
) -> tuple[list[int], list[int], tuple[str, ...], tuple[Notice, ...]]:
    """Tokenise the prompt; what does not fit is left out, the last hotwords first.

    Args:
        model: whose form of prompt, and tokens.
        hints: hotwords, and the context.
        language: as the prompt names it.
        itn: whether numbers are to be written as digits.

    Returns:
        Ids before and after the audio rows, the words that stayed, and what had to go.
    """
    words, context = list(hints[0]), hints[1]
    while True:
        prompt = build_prompt(
            hotwords=words,
            language=language,
            context=context,
            itn=itn,
            system=model.system_prompt,
            think_block=model.think_block,
        )
        prefix, suffix = model.llm.tokenize(prompt.prefix), model.llm.tokenize(prompt.suffix)
        if len(prefix) + len(suffix) <= PROMPT_ROOM or not (words or context):
            break
        if words:
            words = words[: len(words) * 3 // 4]
        else:
            context = context[: len(context) * 3 // 4]
    notices = []
    if lost := len(hints[0]) - len(words):
        message = f"{lost} of {len(hints[0])} hotwords did not fit into the prompt"
        notices.append(Notice("hotwords-cut", message))
    if len(context) < len(hints[1]):
        notices.append(Notice("context-cut", "the context was too long and has been shortened"))
    return prefix, suffix, tuple(words), tuple(notices)
