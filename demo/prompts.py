"""The prompts, exactly as the official code builds them."""

from __future__ import annotations

PREFIX_HEAD = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n"
SUFFIX = "<|im_end|>\n<|im_start|>assistant\n"
CONTEXT = (
    "请结合上下文信息，更加准确地完成语音转写任务。如果没有相关信息，我们会留空。"
    "\n\n\n**上下文信息：**\n\n\n热词列表：[{}]\n"
)
LANGUAGE_WORDS = {"zh": "中文", "en": "英文"}


def user_prompt(language: str | None, itn: bool, hotwords: list[str]) -> str:
    """USER of the model's prompt; ``language`` "zh", "en" or None for auto."""
    context = CONTEXT.format(", ".join(hotwords)) if hotwords else ""
    target = "成" + LANGUAGE_WORDS[language] if language else ""
    return f"{context}语音转写{target}{'' if itn else '，不进行文本规整'}："
