"""Train the demo model: synthesis in the background, then CTC, LLM and both together.

    python -m demo.train --work DIR --out DIR [--ctc-minutes 9 --llm-minutes 8 --joint-minutes 4]

DIR of ``--work`` holds shards and tokenizers; ``--out`` receives tokenizers.tar, pieces of weights
after each phase, and log.txt. Phases are given in minutes, the learning rate follows the clock.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing as mp
import os
import tarfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from demo import evaluate
from demo.augment import disturb, gather_wave, mask_features
from demo.batches import BUCKET_EDGES_S, Batch, serve
from demo.checkpoint import build, joint_state, write_pieces
from demo.frontend import HOP, WINDOW, Frontend, stack_frames
from demo.model import Size
from demo.recognise import Recogniser
from demo.shards import Workers
from demo.speech import SAMPLE_RATE, VALIDATION_VOICES
from demo.tokenizers import SUFFIX, build_ctc_vocabulary, write_qwen_tokenizer

MIDDLE_WEIGHT = 0.4
ADAPTOR_CTC_WEIGHT = 0.3
JOINT_CTC_WEIGHT = 0.3
EMA_DECAY = 0.998
LOG_EVERY = 100
EASY_BUCKETS, EASY_SHARE = 4, 0.12  # the CTC phase begins with short, undisturbed utterances


class Pool:
    """All training waveforms, int16, on the device; filled as synthesis goes on."""

    def __init__(self, shards: Path, count: int, slot_samples: int, device: torch.device) -> None:
        self.shards, self.slot = shards, slot_samples
        self.wave = torch.zeros(count * slot_samples + 1, dtype=torch.int16, device=device)
        self.loaded = mp.get_context("spawn").Array("i", [-1] * count)
        self.filled = 0

    def take_up(self) -> None:
        """Copy finished shards into the next slots and drop their waveform files."""
        for path in sorted(self.shards.glob("*.npy")):
            if not path.with_suffix(".pkl").exists():
                continue
            samples = torch.from_numpy(np.load(path))
            self.wave[self.filled * self.slot:][:len(samples)].copy_(samples)
            path.unlink()
            self.loaded[self.filled] = int(path.stem)
            self.filled += 1


class Trainer:
    """Model, data and optimisation state."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.start = time.monotonic()
        self.log_file = (args.out / "log.txt").open("a", encoding="utf-8")
        tokens = args.work / "tokens"
        write_qwen_tokenizer(tokens / "Qwen3-0.6B")
        build_ctc_vocabulary().write(tokens / "multilingual.tiktoken")
        with tarfile.open(args.out / "tokenizers.tar", "w") as tar:
            tar.add(tokens, arcname="tokens")
        slot = int(args.shard_seconds * SAMPLE_RATE)
        self.workers = Workers(args.work / "shards", args.workers, args.shards, args.shard_seconds)
        size = Size()
        torch.manual_seed(args.seed)
        model, llm, text, ctc = build(size, tokens)
        self.model, self.llm = model.to(self.device), llm.to(self.device)
        self.middle_head = nn.Linear(size.width, len(ctc.pieces) + 1).to(self.device)
        self.adaptor_blank = nn.Parameter(torch.zeros(size.llm_width, device=self.device))
        self.frontend = Frontend().to(self.device)
        self.recogniser = Recogniser(self.model, self.llm, self.frontend, text, ctc, self.device)
        self.suffix = torch.tensor(text.encode(SUFFIX).ids, device=self.device)
        use_fused_norm(self.llm)
        if args.compile:
            for layer in self.llm.model.layers:
                layer.compile(dynamic=True)
        self.pool = Pool(args.work / "shards", args.shards, slot, self.device)
        context = mp.get_context("spawn")
        self.queue: mp.Queue[Batch] = context.Queue(maxsize=3 * args.loaders)
        self.clips = evaluate.make_all(args.clips, 7, VALIDATION_VOICES)
        while self.pool.filled < min(args.first_shards, args.shards):
            time.sleep(0.2)
            self.workers.tend()
            self.pool.take_up()
        self.say(f"{self.pool.filled} shards; pieces {len(ctc.pieces)}, LLM tokens {text.get_vocab_size()}, "
                 f"parameters {[sum(p.numel() for p in m.parameters()) for m in (*model.children(), llm)]}")
        self.buckets = context.Value("i", EASY_BUCKETS)
        self.easy = True
        self.loaders = [
            context.Process(target=serve, daemon=True, args=(
                self.queue, self.pool.loaded, args.work / "shards", tokens, self.buckets, args.batch_seconds,
                args.seed + k, slot))
            for k in range(args.loaders)]
        for loader in self.loaders:
            loader.start()

    def say(self, text: str) -> None:
        """To the log file and stdout, with the time in s."""
        line = f"[{time.monotonic() - self.start:7.1f}] {text}"
        print(line, flush=True)
        print(line, file=self.log_file, flush=True)

    def to_device(self, array: np.ndarray) -> Tensor:
        """A host array on the training device."""
        return torch.from_numpy(array).to(self.device, non_blocking=True)

    @torch.no_grad()
    def features(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Disturbed LFR features [B, L, 560] and lengths [B]."""
        samples = self.to_device(batch.samples)
        wave = gather_wave(self.pool.wave, self.to_device(batch.offset), self.to_device(batch.source),
                           self.to_device(batch.speed), self.to_device(batch.lead), batch.longest)
        frames = 1 + (samples - WINDOW) // HOP
        if self.easy:
            mel = self.frontend(wave)
        else:
            mel = mask_features(self.frontend(disturb(wave, samples)), frames)
        return stack_frames(mel, frames), self.to_device(batch.frames)

    def half(self) -> torch.autocast:
        """bf16 autocast, on a GPU."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda")

    def ctc_loss(self, logits: Tensor, frames: np.ndarray, targets: np.ndarray, lengths: np.ndarray) -> Tensor:
        """Mean CTC loss per target token; the blank is the last class."""
        log_probs = logits.float().log_softmax(-1).transpose(0, 1)
        loss = F.ctc_loss(
            log_probs, self.to_device(targets), torch.from_numpy(frames), torch.from_numpy(lengths),
            blank=logits.shape[-1] - 1, reduction="sum", zero_infinity=True)
        return loss / float(lengths.sum() + 1)

    def ctc_step(self, batch: Batch) -> dict[str, Tensor]:
        """Losses of the CTC phase."""
        features, lengths = self.features(batch)
        with self.half():
            encoded, middle = self.model.audio_encoder(features, lengths)
            return self._ctc_losses(encoded, middle, lengths, batch)

    def _ctc_losses(self, encoded: Tensor, middle: Tensor, lengths: Tensor, batch: Batch) -> dict[str, Tensor]:
        final = self.model.ctc(self.model.ctc_decoder(encoded, lengths))
        return {"ctc": self.ctc_loss(final, batch.frames, batch.ctc, batch.ctc_length),
                "middle": MIDDLE_WEIGHT * self.ctc_loss(self.middle_head(middle), batch.frames, batch.ctc, batch.ctc_length)}

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
            return self._llm_losses(encoded, lengths, batch) | {k: JOINT_CTC_WEIGHT * v for k, v in ctc.items()}

    def _llm_losses(self, encoded: Tensor, lengths: Tensor, batch: Batch) -> dict[str, Tensor]:
        audio = self.model.audio_adaptor(encoded, lengths)
        table = self.llm.model.embed_tokens.weight
        count, suffix = len(batch.frames), len(self.suffix)
        embed = self.llm.model.embed_tokens
        parts = torch.cat([
            embed(self.to_device(batch.prefix)), audio.float(), embed(self.suffix).expand(count, -1, -1),
            embed(self.to_device(batch.target))], dim=1)
        index, label_at, labels = layout(batch, audio.shape[1], suffix)
        inputs = parts.gather(1, self.to_device(index)[..., None].expand(-1, -1, parts.shape[2]))
        hidden = self.llm.model(inputs_embeds=inputs, use_cache=False).last_hidden_state
        logits = hidden.flatten(0, 1)[self.to_device(label_at)] @ table.T.to(hidden.dtype)
        losses = {"llm": F.cross_entropy(logits.float(), self.to_device(labels))}
        heads = torch.cat([table, self.adaptor_blank[None]])
        scores = F.layer_norm(audio.float(), audio.shape[-1:]) @ heads.T
        losses["adaptor"] = ADAPTOR_CTC_WEIGHT * self.ctc_loss(
            scores, batch.frames, batch.spoken, batch.spoken_length)
        return losses

    def phase(
        self, name: str, minutes: float, step: Callable[[Batch], dict[str, Tensor]], modules: Iterable[nn.Module],
        peak: Callable[[float], float], check: Callable[[], str],
    ) -> None:
        """Run one phase by the clock; keeps and finally adopts the mean (EMA) of the weights."""
        parameters = [p for m in modules for p in m.parameters()] + [self.adaptor_blank]
        for p in [*self.model.parameters(), *self.llm.parameters()]:
            p.requires_grad_(any(p is q for q in parameters))
        optimizer = torch.optim.AdamW(parameters, lr=1e-3, betas=(0.9, 0.98), weight_decay=0.01,
                                      fused=self.device.type == "cuda")
        mean = [p.detach().clone() for p in parameters]
        safe = [p.detach().clone() for p in parameters]
        begin = checked = time.monotonic()
        done, waited = 0, 0.0
        while (gone := (time.monotonic() - begin) / 60 / minutes) < 1:
            if self.easy and gone > EASY_SHARE:
                self.easy, self.buckets.value = False, len(BUCKET_EDGES_S)
            if done % 20 == 0:
                self.workers.tend()
                self.pool.take_up()
            rate = peak(gone) * min(1.0, (done + 1) / 400)
            for group in optimizer.param_groups:
                group["lr"] = rate
            asked = time.monotonic()
            batch = self.queue.get(timeout=120)
            waited += time.monotonic() - asked
            losses = step(batch)
            torch.stack(list(losses.values())).sum().backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            with torch.no_grad():
                torch._foreach_lerp_(mean, parameters, 1 - min(EMA_DECAY, done / (done + 10)))
            done += 1
            if done % LOG_EVERY == 0 or done == 10:
                values = {k: round(v.item(), 4) for k, v in losses.items()}
                speed = done / (time.monotonic() - begin)
                self.say(f"{name} {done} lr {rate:.2e} {values} {speed:.1f} steps/s, waited {waited:.0f} s, "
                         f"shards {self.pool.filled}, crashes {self.workers.crashes}")
                if not all(math.isfinite(v) for v in values.values()):
                    self.say("not finite: back to the last good weights")
                    with torch.no_grad():
                        torch._foreach_copy_(parameters, safe)
                        torch._foreach_copy_(mean, safe)
                    optimizer.state.clear()
            if time.monotonic() - checked > 60 * self.args.check_minutes:
                checked = time.monotonic()
                self._with_mean(parameters, mean, check, name)
                torch._foreach_copy_(safe, mean)
        with torch.no_grad():
            torch._foreach_copy_(parameters, mean)
        write_pieces(joint_state(self.model, self.llm), self.args.out / f"after-{name}")
        memory = torch.cuda.max_memory_allocated() / 1e9 if self.device.type == "cuda" else 0.0
        with torch.compiler.set_stance("force_eager"):
            self.say(f"{name} done after {done} steps, {memory:.1f} GB: {check()}")

    def _with_mean(self, parameters: list[nn.Parameter], mean: list[Tensor], check: Callable[[], str], name: str) -> None:
        with torch.no_grad():
            kept = [p.detach().clone() for p in parameters]
            torch._foreach_copy_(parameters, mean)
            with torch.compiler.set_stance("force_eager"):
                self.say(f"{name} check: {check()}")
            torch._foreach_copy_(parameters, kept)

    def check_ctc(self) -> str:
        """CTC CER on validation clips."""
        out = []
        for language in ("zh", "en"):
            clips = self.clips[language]
            heard: list[str] = []
            for start in range(0, len(clips), 50):
                encoded, lengths = self.recogniser.encode([c.wave for c in clips[start:start + 50]])
                heard += [self.recogniser.ctc.decode([t for t, _ in row]) for row in self.recogniser.spikes(encoded, lengths)]
            out.append(f"{language} {evaluate.error_rate([c.sentence.spoken for c in clips], heard):.2f} %")
        return "CTC CER " + ", ".join(out)

    def check_main(self) -> str:
        """The main figures of demo.evaluate."""
        return ", ".join(f"{k} {v:.2f}" for k, v in evaluate.score(self.recogniser, self.clips, brief=True).items())

    def check_all(self) -> str:
        """All figures of demo.evaluate."""
        figures = evaluate.score(self.recogniser, self.clips)
        return ", ".join(f"{k} {v:.2f}" for k, v in figures.items())

    def run(self) -> None:
        """The three phases."""
        args, model = self.args, self.model
        ctc_modules = [model.audio_encoder, model.ctc_decoder, model.ctc, self.middle_head]
        self.phase("ctc", args.ctc_minutes, self.ctc_step, ctc_modules, cosine(2e-3, 1e-4), self.check_ctc)
        self.phase("llm", args.llm_minutes, self.llm_step, [model.audio_adaptor, self.llm],
                   cosine(1.5e-3, 6e-4), self.check_main)
        self.phase("joint", args.joint_minutes, self.joint_step, [model, self.llm, self.middle_head],
                   cosine(6e-4, 1e-5), self.check_main)
        with torch.compiler.set_stance("force_eager"):
            self.say(f"finished: {self.check_all()}")
        self.workers.stop()
        for process in self.loaders:
            process.terminate()


def layout(batch: Batch, audio_rows: int, suffix: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where each LLM input row lies in [prefix | audio | suffix | target]; label positions and ids.

    Returns index [B, W], flat positions [M] that predict, and the labels [M].
    """
    prefix, audio, target = (z[:, None] for z in (batch.prefix_length, batch.frames, batch.target_length))
    place = np.arange(-(-int((prefix + audio + suffix + target).max()) // 32) * 32)[None]
    after_prefix, after_audio, after_suffix = place - prefix, place - prefix - audio, place - prefix - audio - suffix
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
                x, m.weight.shape, m.weight.to(x.dtype), m.variance_epsilon)


def cosine(high: float, low: float) -> Callable[[float], float]:
    """Learning rate by progress 0..1."""
    return lambda gone: low + (high - low) * 0.5 * (1 + math.cos(math.pi * min(gone, 1.0)))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--work", type=Path, required=True)
    add("--out", type=Path, required=True)
    add("--ctc-minutes", type=float, default=9.0)
    add("--llm-minutes", type=float, default=8.0)
    add("--joint-minutes", type=float, default=4.0)
    add("--check-minutes", type=float, default=1.5)
    add("--shards", type=int, default=700)
    add("--first-shards", type=int, default=60)
    add("--shard-seconds", type=float, default=1000.0)
    add("--workers", type=int, default=max(1, (os.cpu_count() or 2) - 3))
    add("--loaders", type=int, default=4)
    add("--batch-seconds", type=float, default=2000.0)
    add("--clips", type=int, default=100, help="validation clips of each of four kinds")
    add("--seed", type=int, default=0)
    add("--compile", action="store_true")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    torch.backends.cuda.enable_cudnn_sdp(False)  # it plans anew for every shape
    torch._dynamo.config.suppress_errors = True
    Trainer(args).run()


if __name__ == "__main__":
    main()
