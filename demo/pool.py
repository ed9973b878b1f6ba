"""The flow of training data: synthesis workers -> pool on the device -> loaders -> batches."""

from __future__ import annotations

import argparse
import multiprocessing as mp
import time
from pathlib import Path

import numpy as np
import torch

from demo.batches import BUCKET_EDGES_S, Batch, serve
from demo.shards import Workers
from demo.speech import SAMPLE_RATE

EASY_BUCKETS = 4
_QUEUED = 3  # batches a loader keeps ready


class Pool:
    """One int16 tensor of equal slots, a shard in each; filled as synthesis goes on."""

    def __init__(self, shards: Path, count: int, slot_samples: int, device: torch.device) -> None:
        self.shards, self.slot = shards, slot_samples
        self.wave = torch.zeros(count * slot_samples + 1, dtype=torch.int16, device=device)
        self.loaded = mp.get_context("spawn").Array("i", [-1] * count)
        """shard number in each slot, -1 while empty; shared with the loaders"""
        self.filled = 0

    def take_up(self) -> None:
        """Copy finished shards into the next slots and drop their waveform files."""
        for path in sorted(self.shards.glob("*.npy")):
            if not path.with_suffix(".pkl").exists():
                continue
            samples = torch.from_numpy(np.load(path))
            self.wave[self.filled * self.slot :][: len(samples)].copy_(samples)
            path.unlink()
            self.loaded[self.filled] = int(path.stem)
            self.filled += 1


class Feed:
    """Owns the processes that make speech and batches; ``next`` gives a batch."""

    def __init__(self, args: argparse.Namespace, tokens: Path, device: torch.device) -> None:
        slot = int(args.shard_seconds * SAMPLE_RATE)
        shards = args.work / "shards"
        self.workers = Workers(shards, args.workers, args.shards, args.shard_seconds)
        self.pool = Pool(shards, args.shards, slot, device)
        context = mp.get_context("spawn")
        self.queue: mp.Queue[Batch] = context.Queue(maxsize=_QUEUED * args.loaders)
        self.buckets = context.Value("i", EASY_BUCKETS)
        self.waited = 0.0
        """s spent waiting for batches"""
        while self.pool.filled < min(args.first_shards, args.shards):
            time.sleep(0.2)
            self.tend()
        shared = (self.queue, self.pool.loaded, shards, tokens, self.buckets, args.batch_seconds)
        self.loaders = [
            context.Process(target=serve, daemon=True, args=(*shared, args.seed + k, slot))
            for k in range(args.loaders)
        ]
        for loader in self.loaders:
            loader.start()

    def tend(self) -> None:
        """Revive crashed workers, take up finished shards."""
        self.workers.tend()
        self.pool.take_up()

    def next(self) -> Batch:
        """The next batch."""
        asked = time.monotonic()
        batch = self.queue.get(timeout=120)
        self.waited += time.monotonic() - asked
        return batch

    def all_lengths(self) -> None:
        """From now on also long utterances."""
        self.buckets.value = len(BUCKET_EDGES_S)

    def stop(self) -> None:
        """End all processes."""
        self.workers.stop()
        for process in self.loaders:
            process.terminate()
