"""What Qwen3's tokenizer takes for a control token: never allowed in what users write."""

import re

MARKUP = re.compile(r"<\||\|>|</?(?:think|tool_call|tool_response)>")
"""A control token, or half of one: `<|im_end|>` needs both `<|` and `|>`."""


def without_markup(text: str) -> str:
    """Remove it, and what would become it once the rest closes up."""
    while MARKUP.search(text):
        text = MARKUP.sub("", text)
    return text
