"""The losses of the three training phases."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from demo.augment import disturb, gather_wave, mask_features
from demo.batches import Batch
from demo.frontend import HOP, WINDOW, Frontend, stack_frames
from demo.model import Size, SpeechModel
from demo.pool import Pool
from demo.prompts import SUFFIX
from tokenizers import Tokenizer

MIDDLE_WEIGHT = 0.4
ADAPTOR_CTC_WEIGHT = 0.3
JOINT_CTC_WEIGHT = 0.3


class Losses:
    """Steps batch -> losses, with the auxiliary heads that only training needs.

    ``middle_head``: CTC on the encoder's ``after_norm``. ``adaptor_blank``: blank of a CTC loss
    that makes each row of the adaptor resemble the LLM's embedding of the token that is being
    said; with it the LLM finds the audio within a minute.
    """

    def __init__(
        self,
        model: SpeechModel,
        llm: nn.Module,
        text: Tokenizer,
        pool: Pool,
        size: Size,
        pieces: int,
    ) -> None:
        self.model, self.llm, self.pool = model, llm, pool
        self.device = pool.wave.device
        self.middle_head = nn.Linear(size.width, pieces + 1).to(self.device)
        self.adaptor_blank = nn.Parameter(torch.zeros(size.llm_width, device=self.device))
        self.frontend = Frontend().to(self.device)
        self.suffix = torch.tensor(text.encode(SUFFIX).ids, device=self.device)
        self.easy = True
        """undisturbed audio (the beginning of the CTC phase)"""

    def to_device(self, array: np.ndarray) -> Tensor:
        """A host array on the training device."""
        return torch.from_numpy(array).to(self.device, non_blocking=True)

    @torch.no_grad()
    def features(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Disturbed LFR features [B, L, 560] and lengths [B]."""
        samples = self.to_device(batch.samples)
        wave = gather_wave(
            self.pool.wave,
            self.to_device(batch.offset),
            self.to_device(batch.source),
            self.to_device(batch.speed),
            self.to_device(batch.lead),
            batch.longest,
        )
        frames = 1 + (samples - WINDOW) // HOP
        if self.easy:
            mel = self.frontend(wave)
        else:
            mel = mask_features(self.frontend(disturb(wave, samples)), frames)
        return stack_frames(mel, frames), self.to_device(batch.frames)

    def half(self) -> torch.autocast:
        """bf16 autocast, on a GPU."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda")

    def ctc_loss(
        self, logits: Tensor, frames: np.ndarray, targets: np.ndarray, lengths: np.ndarray
    ) -> Tensor:
        """Mean CTC loss per target token; the blank is the last class."""
        log_probs = logits.float().log_softmax(-1).transpose(0, 1)
        loss = F.ctc_loss(
            log_probs,
            self.to_device(targets),
            torch.from_numpy(frames),
            torch.from_numpy(lengths),
            blank=logits.shape[-1] - 1,
            reduction="sum",
            zero_infinity=True,
        )
        return loss / float(lengths.sum() + 1)

    def ctc_step(self, batch: Batch) -> dict[str, Tensor]:
        """Losses of the CTC phase."""
        features, lengths = self.features(batch)
        with self.half():
            encoded, middle = self.model.audio_encoder(features, lengths)
            return self._ctc_losses(encoded, middle, lengths, batch)

    def _ctc_losses(
        self, encoded: Tensor, middle: Tensor, lengths: Tensor, batch: Batch
    ) -> dict[str, Tensor]:
        final = self.model.ctc(self.model.ctc_decoder(encoded, lengths))
        return {
            "ctc": self.ctc_loss(final, batch.frames, batch.ctc, batch.ctc_length),
            "middle": MIDDLE_WEIGHT
            * self.ctc_loss(self.middle_head(middle), batch.frames, batch.ctc, batch.ctc_length),
        }

    def llm_step(self, batch: Batch) -> dict[str, Tensor]:
        """Losses of adaptor and LLM over a frozen encoder."""
        features, lengths = self.features(batch)
        with self.half():
            with torch.no_grad():
                encoded, _ = self.model.audio_encoder(features, lengths)
            return self._llm_losses(encoded, lengths, batch)

    def joint_step(self, batch: Batch) -> dict[str, Tensor]:
        """All losses."""
        features, lengths = self.features(batch)
        with self.half():
            encoded, middle = self.model.audio_encoder(features, lengths)
            ctc = self._ctc_losses(encoded, middle, lengths, batch)
            return self._llm_losses(encoded, lengths, batch) | {
                k: JOINT_CTC_WEIGHT * v for k, v in ctc.items()
            }

    def _llm_losses(self, encoded: Tensor, lengths: Tensor, batch: Batch) -> dict[str, Tensor]:
        audio = self.model.audio_adaptor(encoded, lengths)
        table = self.llm.model.embed_tokens.weight
        count, suffix = len(batch.frames), len(self.suffix)
        embed = self.llm.model.embed_tokens
        parts = torch.cat(
            [
                embed(self.to_device(batch.prefix)),
                audio.float(),
                embed(self.suffix).expand(count, -1, -1),
                embed(self.to_device(batch.target)),
            ],
            dim=1,
        )
        index, label_at, labels = layout(batch, audio.shape[1], suffix)
        inputs = parts.gather(1, self.to_device(index)[..., None].expand(-1, -1, parts.shape[2]))
        hidden = self.llm.model(inputs_embeds=inputs, use_cache=False).last_hidden_state
        logits = hidden.flatten(0, 1)[self.to_device(label_at)] @ table.T.to(hidden.dtype)
        losses = {"llm": F.cross_entropy(logits.float(), self.to_device(labels))}
        heads = torch.cat([table, self.adaptor_blank[None]])
        scores = F.layer_norm(audio.float(), audio.shape[-1:]) @ heads.T
        losses["adaptor"] = ADAPTOR_CTC_WEIGHT * self.ctc_loss(
            scores, batch.frames, batch.spoken, batch.spoken_length
        )
        return losses


def layout(batch: Batch, audio_rows: int, suffix: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where each LLM input row lies in [prefix | audio | suffix | target]; label positions and ids.

    Returns index [B, W], flat positions [M] that predict, and the labels [M].
    """
    prefix, audio, target = (
        z[:, None] for z in (batch.prefix_length, batch.frames, batch.target_length)
    )
    place = np.arange(-(-int((prefix + audio + suffix + target).max()) // 32) * 32)[None]
    after_prefix, after_audio, after_suffix = (
        place - prefix,
        place - prefix - audio,
        place - prefix - audio - suffix,
    )
    p_width = batch.prefix.shape[1]
    index = np.where(place < prefix, place, p_width + after_prefix)
    index = np.where(after_audio >= 0, p_width + audio_rows + after_audio, index)
    index = np.where(after_suffix >= 0, p_width + audio_rows + suffix + after_suffix, index)
    index = np.where(after_suffix < target - 1, index, 0)
    rows, columns = np.nonzero(np.arange(batch.target.shape[1])[None] < target)
    first = (prefix + audio + suffix - 1)[:, 0]
    return index, rows * place.shape[1] + first[rows] + columns, batch.target[rows, columns]


def use_fused_norm(llm: nn.Module) -> None:
    """Let every RMSNorm of the LLM run as one kernel."""
    for module in llm.modules():
        if type(module).__name__ == "Qwen3RMSNorm":
            module.forward = lambda x, m=module: F.rms_norm(  # type: ignore[method-assign]
                x, m.weight.shape, m.weight.to(x.dtype), m.variance_epsilon
            )
