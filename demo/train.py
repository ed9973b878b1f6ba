"""Train the demo model: synthesis in the background, then CTC, LLM and both together.

    python -m demo.train --work DIR --out DIR --compile

DIR of ``--work`` holds shards and tokenizers; ``--out`` receives tokenizers.tar, pieces of weights
after each phase, and log.txt. Phases are given in minutes, the learning rate follows the clock.
"""

from __future__ import annotations

import argparse
import math
import os
import tarfile
import time
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from torch import Tensor, nn

from demo import evaluate
from demo.batches import Batch
from demo.checkpoint import build, joint_state, load_pieces, write_pieces
from demo.clips import make_all
from demo.ctc_vocabulary import build_ctc_vocabulary
from demo.losses import Losses, use_fused_norm
from demo.model import Size
from demo.pool import Feed
from demo.recognise import Recogniser
from demo.speech import VALIDATION_VOICES
from demo.tokenizers import write_qwen_tokenizer

EMA_DECAY = 0.998
LOG_EVERY = 100
EASY_SHARE = 0.12  # of the CTC phase: short, undisturbed utterances


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
        self.feed = Feed(args, tokens, self.device)
        size = Size()
        torch.manual_seed(args.seed)
        model, llm, text, ctc = build(size, tokens)
        if args.resume:
            load_pieces(args.resume, model, llm)
        self.model, self.llm = model.to(self.device), llm.to(self.device)
        use_fused_norm(self.llm)
        if args.compile:
            for layer in self.llm.model.layers:
                layer.compile(dynamic=True)
        self.losses = Losses(self.model, self.llm, text, self.feed.pool, size, len(ctc.pieces))
        self.recogniser = Recogniser(
            self.model, self.llm, self.losses.frontend, text, ctc, self.device
        )
        self.clips = make_all(args.clips, 7, VALIDATION_VOICES)
        sizes = [sum(p.numel() for p in m.parameters()) for m in (*model.children(), llm)]
        self.say(f"{self.feed.pool.filled} shards, {len(ctc.pieces)} pieces, parameters {sizes}")

    def say(self, text: str) -> None:
        """To the log file and stdout, with the time in s."""
        line = f"[{time.monotonic() - self.start:7.1f}] {text}"
        print(line, flush=True)
        print(line, file=self.log_file, flush=True)

    def phase(
        self,
        name: str,
        minutes: float,
        step: Callable[[Batch], dict[str, Tensor]],
        modules: Iterable[nn.Module],
        peak: Callable[[float], float],
        check: Callable[[], str],
    ) -> None:
        """Run one phase by the clock; keeps and finally adopts the mean (EMA) of the weights."""
        parameters = [p for m in modules for p in m.parameters()] + [self.losses.adaptor_blank]
        for p in [*self.model.parameters(), *self.llm.parameters()]:
            p.requires_grad_(any(p is q for q in parameters))
        optimizer = torch.optim.AdamW(
            parameters,
            lr=1e-3,
            betas=(0.9, 0.98),
            weight_decay=0.01,
            fused=self.device.type == "cuda",
        )
        mean = [p.detach().clone() for p in parameters]
        safe = [p.detach().clone() for p in parameters]
        begin = checked = time.monotonic()
        done = 0
        while minutes and (gone := (time.monotonic() - begin) / 60 / minutes) < 1:
            if self.losses.easy and gone > EASY_SHARE:
                self.losses.easy = False
                self.feed.all_lengths()
            if done % 20 == 0:
                self.feed.tend()
            rate = peak(gone) * min(1.0, (done + 1) / 400)
            for group in optimizer.param_groups:
                group["lr"] = rate
            losses = step(self.feed.next())
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
                self.say(
                    f"{name} {done} lr {rate:.2e} {values} {speed:.1f} steps/s, "
                    f"waited {self.feed.waited:.0f} s, "
                    f"shards {self.feed.pool.filled}, crashes {self.feed.workers.crashes}"
                )
                if not all(math.isfinite(v) for v in values.values()):
                    self.say("not finite: back to the last good weights")
                    with torch.no_grad():
                        torch._foreach_copy_(parameters, safe)
                        torch._foreach_copy_(mean, safe)
                    optimizer.state.clear()
            if time.monotonic() - checked > 60 * self.args.check_minutes:
                checked = time.monotonic()
                self._with_mean(parameters, mean, lambda: self._keep_and(check), name)
                torch._foreach_copy_(safe, mean)
        with torch.no_grad():
            torch._foreach_copy_(parameters, mean)
        write_pieces(joint_state(self.model, self.llm), self.args.out / f"after-{name}")
        memory = torch.cuda.max_memory_allocated() / 1e9 if self.device.type == "cuda" else 0.0
        with torch.compiler.set_stance("force_eager"):
            self.say(f"{name} done after {done} steps, {memory:.1f} GB: {self._safely(check)}")

    def _keep_and(self, check: Callable[[], str]) -> str:
        """Weights in the middle of a phase, should it not come to its end."""
        write_pieces(joint_state(self.model, self.llm), self.args.out / "latest")
        return self._safely(check)

    def _safely(self, check: Callable[[], str]) -> str:
        """A check that fails must not cost the training."""
        try:
            return check()
        except Exception:  # noqa: BLE001 - whatever it is, it goes to the log
            return traceback.format_exc()

    def _with_mean(
        self,
        parameters: list[nn.Parameter],
        mean: list[Tensor],
        check: Callable[[], str],
        name: str,
    ) -> None:
        with torch.no_grad():
            kept = [p.detach().clone() for p in parameters]
            torch._foreach_copy_(parameters, mean)
            with torch.compiler.set_stance("force_eager"):
                self.say(f"{name} check: {check()}")
            torch._foreach_copy_(parameters, kept)

    def check_ctc(self) -> str:
        """CTC CER on validation clips."""
        rates = evaluate.ctc_error_rates(self.recogniser, self.clips)
        return "CTC CER " + ", ".join(f"{k} {v:.2f} %" for k, v in rates.items())

    def check_text(self, *, brief: bool = True) -> str:
        """The figures of demo.evaluate."""
        figures = evaluate.score(self.recogniser, self.clips, brief)
        return ", ".join(f"{k} {v:.2f}" for k, v in figures.items())

    def run(self) -> None:
        """The three phases."""
        args, model, losses = self.args, self.model, self.losses
        ctc_modules = [model.audio_encoder, model.ctc_decoder, model.ctc, losses.middle_head]
        if args.resume:
            losses.easy = False
            self.feed.all_lengths()
            self.say(f"going on from {args.resume}: {self.check_ctc()}")
        self.phase(
            "ctc",
            args.ctc_minutes,
            losses.ctc_step,
            ctc_modules,
            cosine(2e-3, 1e-4),
            self.check_ctc,
        )
        self.phase(
            "llm",
            args.llm_minutes,
            losses.llm_step,
            [model.audio_adaptor, self.llm],
            cosine(1.5e-3, 6e-4),
            self.check_text,
        )
        self.phase(
            "joint",
            args.joint_minutes,
            losses.joint_step,
            [model, self.llm, losses.middle_head],
            cosine(6e-4, 1e-5),
            self.check_text,
        )
        with torch.compiler.set_stance("force_eager"):
            self.say(f"finished: {self._safely(lambda: self.check_text(brief=False))}")
        self.feed.stop()


def cosine(high: float, low: float) -> Callable[[float], float]:
    """Rate by progress 0..1."""
    return lambda gone: low + (high - low) * 0.5 * (1 + math.cos(math.pi * min(gone, 1.0)))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--work", type=Path, required=True)
    add("--out", type=Path, required=True)
    add("--resume", type=Path, help="pieces to go on from; 0 --ctc-minutes after after-ctc")
    add("--ctc-minutes", type=float, default=5.0)
    add("--llm-minutes", type=float, default=8.5)
    add("--joint-minutes", type=float, default=4.2)
    add("--check-minutes", type=float, default=2.6)
    add("--shards", type=int, default=600)
    add("--first-shards", type=int, default=25)
    add("--shard-seconds", type=float, default=1000.0)
    add("--workers", type=int, default=max(1, (os.cpu_count() or 2) - 5))
    add("--loaders", type=int, default=4)
    add("--batch-seconds", type=float, default=2600.0)
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
