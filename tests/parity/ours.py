"""Run what we exported, and say how far it is from the reference."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from parity.cases import WORDINGS, Case, Sound, Wording
from parity.exchange import Numbers

from funasr_cli.export.frontend import FEATURES, add_frontend
from funasr_cli.export.graph import Graph
from funasr_cli.fbank import fbank, low_frame_rate
from funasr_cli.llama.runtime import LlamaModel, open_language_model
from funasr_cli.manifest import read_manifest
from funasr_cli.model_dir import open_model_dir
from funasr_cli.prompt import Prompt, build_prompt
from funasr_cli.protocols import Floats, Rows

TOLERANCE = {"lfr": 1e-3, "encoder": 1e-4, "embeds": 1e-4}
"""Worst differences allowed: of features, of encoder states, of embeddings by their scale."""

DRAW = 1e-3
"""Logits this close are equal: float32 sums differ more between two machines."""
"""ggml's number for float32."""


@dataclass
class Difference:
    """How far one case is from the reference."""

    case: str
    lfr: float = 0.0
    rounding: float = 0.0
    """How far the reference's own features are from float64's."""
    encoder: float = 0.0
    embeds: float = 0.0
    """Relative to the largest embedding."""
    ctc: str = "-"
    """CTC frames with the same token, of all."""
    log_probs: float = 0.0
    tokens: str = ""
    """Generated tokens that are the same, of all."""
    draws: int = 0
    """Texts that were compared only up to a token that won by less than DRAW."""
    prompts: bool = True
    problems: list[str] = field(default_factory=list)


def open_onnx(path: Path) -> Any:  # noqa: ANN401 - onnxruntime has no types
    """Open a graph on one CPU thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def features(folder: Path, sound: Sound) -> Floats:
    """Run the front end alone.

    Returns:
        [L, 560].
    """
    g = Graph("frontend")
    audio = g.input("audio", np.float32, ["B", "S"])
    lengths = g.input("audio_lengths", np.int64, ["B"])
    stacked, frames = add_frontend(g, audio, lengths)
    g.output("lfr", stacked, np.float32, ["B", "L", FEATURES])
    g.output("frames", frames, np.int64, ["B"])
    path = folder / "frontend.onnx"
    g.save(path, {})
    lfr: Floats = open_onnx(path).run(["lfr"], feed(sound))[0][0]
    return lfr


def feed(*sounds: Sound) -> dict[str, Any]:
    """Pad sounds to one batch, as the encoder takes it."""
    lengths = [len(s) for s in sounds]
    audio = np.zeros((len(sounds), max(lengths)), np.float32)
    for row, sound in zip(audio, sounds, strict=True):
        row[: len(sound)] = sound
    return {"audio": audio, "audio_lengths": np.array(lengths, np.int64)}


def compare(model: Path, case: Case, said: Numbers, sounds: dict[str, Sound]) -> Difference:
    """Compare an exported model with what the reference said of its checkpoint."""
    files, found = open_model_dir(model), Difference(case.name)
    facts = read_manifest(model / "manifest.json").model
    encoder = open_onnx(files.encoder)
    ctc = open_onnx(files.ctc) if files.ctc else None
    if bool(said["ctc"]) != (ctc is not None):
        found.problems.append("one of the two has no CTC head")
    frames = same_frames = tokens = same_tokens = 0
    with open_language_model(files.decoder, n_ctx=2048, threads=1, exact_cache=True) as llm:
        for number, wording in enumerate(WORDINGS):
            ids = llm.tokenize(_prompt(wording, system=True, think=False).prefix)
            if ids != said[f"prompt/{number}"].tolist():
                found.problems.append(f"prompt {number}: {ids}")
        prompt = _prompt(WORDINGS[0], system=facts.system_prompt, think=facts.think_block)
        for name, sound in sounds.items():
            here = {
                k.removeprefix(f"{name}/"): v for k, v in said.items() if k.startswith(f"{name}/")
            }
            states, lengths, embeds, rows = encoder.run(None, feed(sound))
            found.lfr = max(found.lfr, distance(features(model, sound), here["lfr"]))
            exact = low_frame_rate(fbank(sound))
            found.rounding = max(found.rounding, distance(exact, here["lfr"]))
            found.encoder = max(found.encoder, distance(states[0], here["encoder_out"]))
            scale = float(np.abs(here["embeds"]).max())
            found.embeds = max(found.embeds, distance(embeds[0], here["embeds"]) / scale)
            if (int(lengths[0]), int(rows[0])) != (len(states[0]), len(embeds[0])):
                found.problems.append(f"{name}: lengths {lengths[0]}, {rows[0]}")
            if ctc is not None:
                given = {"encoder_out": states, "encoder_lengths": lengths}
                best, log_probs = ctc.run(["token_ids", "topk_log_probs"], given)
                frames += len(best[0])
                same_frames += int((best[0] == here["ctc_ids"]).sum())
                error = distance(log_probs[0, :, 0], here["ctc_log_probs"])
                found.log_probs = max(found.log_probs, error)
            # behind a token that was a draw, the two may rightly go different ways
            draws = np.flatnonzero(here["margins"] < DRAW)
            wanted = here["ids"][: draws[0] if draws.size else None].tolist()
            found.draws += draws.size > 0
            ids = generate(llm, prompt, embeds[0], len(wanted))
            tokens += len(wanted)
            same_tokens += sum(a == b for a, b in zip(ids, wanted, strict=True))
    found.tokens = f"{same_tokens}/{tokens}"
    if ctc is not None:
        found.ctc = f"{same_frames}/{frames}"
    found.problems += _excesses(found, same_frames == frames, same_tokens == tokens)
    return found


def generate(llm: LlamaModel, prompt: Prompt, embeds: Floats, count: int) -> list[int]:
    """Decode greedily; goes on behind <|endoftext|>, as the reference does."""
    llm.forget(0)
    prefix, suffix = (np.array(llm.tokenize(t), np.int32) for t in (prompt.prefix, prompt.suffix))
    llm.evaluate([Rows(0, 0, tokens=prefix, logits="none")])
    llm.evaluate([Rows(0, len(prefix), embeddings=embeds, logits="none")])
    position = len(prefix) + len(embeds)
    ids: list[int] = []
    row = suffix
    while len(ids) < count:
        logits = llm.evaluate([Rows(0, position, tokens=row)])[0]
        position += len(row)
        ids.append(int(logits[-1].argmax()))
        row = np.array(ids[-1:], np.int32)
    return ids


def distance(ours: Floats, theirs: Floats) -> float:
    """Return the largest difference; infinite where the shapes differ."""
    if ours.shape != theirs.shape:
        return float("inf")
    return float(np.abs(ours.astype(np.float64) - theirs).max())


def _prompt(wording: Wording, *, system: bool, think: bool) -> Prompt:
    return build_prompt(
        hotwords=wording.hotwords,
        language=wording.language,
        itn=wording.itn,
        system=system,
        think_block=think,
    )


def _excesses(found: Difference, same_frames: bool, same_tokens: bool) -> list[str]:
    # in a nearly empty band beside loud ones float32 has no 1e-3 to give, the reference's neither
    allowed = {**TOLERANCE, "lfr": max(TOLERANCE["lfr"], found.rounding)}
    over = [
        f"{what} differ by {getattr(found, what):.2g}"
        for what, most in allowed.items()
        if not getattr(found, what) <= most
    ]
    if not same_frames:
        over.append("the CTC head chose other tokens")
    if not same_tokens:
        over.append("the language model wrote other tokens")
    return over
