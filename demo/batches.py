"""Batches for training: which utterances, how they are disturbed, prompts and targets.

Everything that decides a shape is drawn here, on the CPU, so that the GPU never has to be asked.
``serve`` runs in its own process and fills a queue.
"""

from __future__ import annotations

import multiprocessing as mp
import pickle
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray

from demo import lexicon
from demo.corpus import fill
from demo.ctc_vocabulary import CtcVocabulary
from demo.frontend import FRAME_S, HOP, LFR_N, WINDOW, lfr_frames
from demo.hotword_lists import hotword_list
from demo.prompts import PREFIX_HEAD, SUFFIX, user_prompt
from demo.shards import Item
from demo.speech import SAMPLE_RATE
from tokenizers import Tokenizer

BUCKET_EDGES_S = [1.6, 2.4, 3.2, 4.2, 5.4, 6.8, 8.4, 10.2, 12.4, 15.1]
STRETCH, PADDING_S = 1.08, 1.2  # room for slower speech and silence: every bucket has one shape
SILENT_SHARE = 0.02
LONGEST_EDGE_S = 1.5


@dataclass
class Batch:
    """Arrays of one step; B utterances. Ragged ids are padded with 0 and come with lengths."""

    offset: NDArray[np.int64]
    """first sample in the pool"""
    source: NDArray[np.int64]
    """samples in the pool (0: silence or noise only)"""
    speed: NDArray[np.float32]
    """> 1 is faster and higher"""
    lead: NDArray[np.int64]
    """samples of silence before"""
    longest: int
    """samples of the padded batch, the same for all batches of a bucket"""
    samples: NDArray[np.int64]
    """samples after augmentation"""
    frames: NDArray[np.int64]
    """LFR frames"""
    ctc: NDArray[np.int64]
    ctc_length: NDArray[np.int64]
    spoken: NDArray[np.int64]
    """canonical spoken text in LLM tokens (auxiliary target of the adaptor)"""
    spoken_length: NDArray[np.int64]
    prefix: NDArray[np.int64]
    prefix_length: NDArray[np.int64]
    target: NDArray[np.int64]
    """text + <|im_end|>"""
    target_length: NDArray[np.int64]


def bucket_samples(edge_s: float) -> int:
    """Padded length of a bucket: a multiple of 8 LFR frames."""
    frames = -(-int((edge_s * STRETCH + PADDING_S) / FRAME_S) // 8) * 8
    return (LFR_N * frames - 1) * HOP + WINDOW


def ragged(rows: list[list[int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pad with 0: [B, longest] and lengths [B]."""
    lengths = np.array([len(r) for r in rows], np.int64)
    out = np.zeros((len(rows), max(1, int(lengths.max()))), np.int64)
    for i, row in enumerate(rows):
        out[i, : len(row)] = row
    return out, lengths


class BatchMaker:
    """Draws batches from the shards that it was told of."""

    def __init__(self, tokens: Path, batch_seconds: float, seed: int, slot_samples: int) -> None:
        self.ctc = CtcVocabulary.read(tokens / "multilingual.tiktoken")
        self.text = Tokenizer.from_file(str(tokens / "Qwen3-0.6B" / "tokenizer.json"))
        self.end = self.text.token_to_id("<|im_end|>")
        self.rng = Random(seed)
        self.batch_seconds = batch_seconds
        self.slot_samples = slot_samples
        self.buckets: list[list[tuple[int, Item]]] = [[] for _ in BUCKET_EDGES_S]

    def add_shard(self, slot: int, items: list[Item]) -> None:
        """Items whose waveforms lie at pool position ``slot * slot_samples``."""
        for item in items:
            seconds = item.samples / SAMPLE_RATE
            bucket = next(i for i, edge in enumerate(BUCKET_EDGES_S) if seconds <= edge)
            self.buckets[bucket].append((slot * self.slot_samples + item.offset, item))

    def draw(self, buckets: int) -> Batch:
        """One batch of one of the first ``buckets`` buckets; every item is equally likely."""
        longest = [bucket_samples(edge) for edge in BUCKET_EDGES_S]
        sizes = [max(1, int(self.batch_seconds * SAMPLE_RATE / n)) for n in longest]
        weights = [len(b) / n for b, n in zip(self.buckets, sizes, strict=True)]
        bucket = self.rng.choices(range(buckets), weights[:buckets])[0]
        chosen = self.rng.choices(self.buckets[bucket], k=sizes[bucket])
        return self.assemble(chosen, longest[bucket])

    def assemble(self, chosen: list[tuple[int, Item]], longest: int) -> Batch:
        """Prompts, targets and augmentation for ``chosen`` (pool offset, item)."""
        rng = self.rng
        offset, source, speed, lead, samples = [], [], [], [], []
        spoken: list[str] = []
        prompts: list[str] = []
        targets: list[str] = []
        for at, item in chosen:
            sentence = item.sentence
            silent = rng.random() < SILENT_SHARE
            itn = rng.random() < 0.75
            words, spellings = hotword_list(sentence, rng)
            prompts.append(
                user_prompt(sentence.language if rng.random() < 0.5 else None, itn, words)
            )
            written = fill(sentence.itn if itn else sentence.plain, spellings)
            spoken.append("" if silent else sentence.spoken)
            targets.append("" if silent else written)
            count = 0 if silent else item.samples
            factor = 1.0 if rng.random() < 0.35 else rng.triangular(0.84, 1.2, 1.0)
            factor = max(factor, count / (longest - 1600))
            heard = int((count - 1) / factor) if count else int(item.samples * rng.random())
            before, after = (
                int(
                    min(
                        rng.uniform(0, 1) ** 2 * LONGEST_EDGE_S * SAMPLE_RATE, (longest - heard) / 2
                    )
                )
                if rng.random() < 0.75
                else 0
                for _ in range(2)
            )
            length = max(before + heard + after, SAMPLE_RATE // 4)
            offset.append(at), source.append(count), speed.append(factor)
            lead.append(before), samples.append(length)
        ctc, ctc_length = ragged([self.ctc.encode(s) if s else [] for s in spoken])
        encode = self.text.encode_batch
        cased = [
            "".join(" " + lexicon.CASED.get(w, w) for w in s.split()) if s.isascii() else s
            for s in spoken
        ]
        rows, lengths = ragged([e.ids for e in encode(cased)])
        prefix, prefix_length = ragged([e.ids for e in encode([PREFIX_HEAD + p for p in prompts])])
        target, target_length = ragged([[*e.ids, self.end] for e in encode(targets)])
        return Batch(
            np.array(offset),
            np.array(source),
            np.array(speed, np.float32),
            np.array(lead),
            longest,
            np.array(samples),
            np.array([lfr_frames(n) for n in samples]),
            ctc,
            ctc_length,
            rows,
            lengths,
            prefix,
            prefix_length,
            target,
            target_length,
        )

    def suffix(self) -> list[int]:
        """Ids of SUFFIX."""
        return self.text.encode(SUFFIX).ids


def serve(
    queue: mp.Queue[Batch],
    loaded: mp.sharedctypes.SynchronizedArray[int],
    shards: Path,
    tokens: Path,
    buckets: mp.sharedctypes.Synchronized[int],
    batch_seconds: float,
    seed: int,
    slot_samples: int,
) -> None:
    """Process body: batches for ever; ``loaded`` holds each pool slot's shard number or -1."""
    maker = BatchMaker(tokens, batch_seconds, seed, slot_samples)
    known = 0
    while True:
        while known < len(loaded) and loaded[known] >= 0:
            maker.add_shard(known, pickle.loads((shards / f"{loaded[known]}.pkl").read_bytes()))
            known += 1
        queue.put(maker.draw(buckets.value))
