"""Greedy recognition with the torch model, in batch: CTC and LLM."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from demo.ctc_vocabulary import CtcVocabulary
from demo.frontend import Frontend, fbank_frames, lfr_frames, stack_frames
from demo.model import SpeechModel
from demo.prompts import PREFIX_HEAD, SUFFIX
from tokenizers import Tokenizer

MAX_NEW_TOKENS = 160


@dataclass
class Recogniser:
    """The parts of one model."""

    model: SpeechModel
    llm: nn.Module
    """transformers Qwen3ForCausalLM"""
    frontend: Frontend
    text: Tokenizer
    ctc: CtcVocabulary
    device: torch.device

    def _features(self, waves: list[NDArray[np.float32]]) -> tuple[Tensor, Tensor]:
        longest = max(len(w) for w in waves)
        padded = np.stack([np.pad(w, (0, longest - len(w))) for w in waves])
        mel = self.frontend(torch.from_numpy(padded).to(self.device))
        frames = torch.tensor([fbank_frames(len(w)) for w in waves], device=self.device)
        lengths = torch.tensor([lfr_frames(len(w)) for w in waves], device=self.device)
        return stack_frames(mel, frames), lengths

    @torch.inference_mode()
    def encode(self, waves: list[NDArray[np.float32]]) -> tuple[Tensor, Tensor]:
        """encoder_out [B, L, H] and lengths [B]."""
        features, lengths = self._features(waves)
        return self.model.audio_encoder(features, lengths)[0], lengths

    @torch.inference_mode()
    def spikes(self, encoded: Tensor, lengths: Tensor) -> list[list[tuple[int, int]]]:
        """(token, first frame) of every CTC token, greedy."""
        logits = self.model.ctc(self.model.ctc_decoder(encoded, lengths))
        blank = logits.shape[-1] - 1
        best = logits.argmax(-1).cpu().numpy()
        out = []
        for row, length in zip(best, lengths.tolist(), strict=True):
            previous = blank
            found = []
            for frame, token in enumerate(row[:length].tolist()):
                if token not in (blank, previous):
                    found.append((token, frame))
                previous = token
            out.append(found)
        return out

    @torch.inference_mode()
    def write(self, encoded: Tensor, lengths: Tensor, prompts: list[str]) -> list[str]:
        """Texts by the LLM, greedy; ``prompts`` are the USER parts."""
        audio = self.model.audio_adaptor(encoded, lengths)
        embed = self.llm.get_input_embeddings()  # type: ignore[operator]
        suffix = embed(torch.tensor(self.text.encode(SUFFIX).ids, device=self.device))
        rows = []
        for i, prompt in enumerate(prompts):
            prefix = embed(
                torch.tensor(self.text.encode(PREFIX_HEAD + prompt).ids, device=self.device)
            )
            rows.append(torch.cat([prefix, audio[i, : lengths[i]], suffix]))
        longest = max(len(r) for r in rows)
        padded = torch.stack(
            [torch.cat([r.new_zeros(longest - len(r), r.shape[1]), r]) for r in rows]
        )
        mask = torch.tensor(
            [[0] * (longest - len(r)) + [1] * len(r) for r in rows], device=self.device
        )
        ids = self.llm.generate(  # type: ignore[operator]
            inputs_embeds=padded,
            attention_mask=mask,
            max_new_tokens=MAX_NEW_TOKENS,
            do_sample=False,
            eos_token_id=self.text.token_to_id("<|im_end|>"),
            pad_token_id=self.text.token_to_id("<|endoftext|>"),
        )
        return [self.text.decode(row, skip_special_tokens=True) for row in ids.tolist()]
