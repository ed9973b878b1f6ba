"""Write funasr_cli/bench_data/drafts.json: how often drafts were right on real texts.

python -m demo.evaluate --write CLIPS --items 5 --seed 11
python tests/make_drafts.py CLIPS [FILE]

Source: the demo model's own texts and CTC tokens of samples/ and of twenty synthetic clips (zh and
en, half of them with names and a hotword list), made by the pipeline with its default options. For
each position of a text, its end token included, the drafter is asked for 16 tokens: `proposed` is
how many it gives, `right` how many of them are what the model wrote. A benchmark replays these
with a model that cannot write (random weights).
"""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from funasr_cli.audio import AudioReader, AudioSource
from funasr_cli.ctc import OnnxCtc, ctc_text, greedy_tokens, read_tokens, spoken
from funasr_cli.draft import CtcDraft
from funasr_cli.encoder import OnnxEncoder
from funasr_cli.llama.runtime import LlamaModel, open_language_model
from funasr_cli.model_dir import DEMO_MODEL, ModelFiles, open_model_dir
from funasr_cli.options import TranscribeOptions
from funasr_cli.protocols import Floats
from funasr_cli.results import CtcToken, Segment
from funasr_cli.transcriber import Transcriber
from funasr_cli.units import SAMPLE_RATE

SAMPLES = Path(__file__).parents[1] / "samples"
TRACE = Path(__file__).parents[1] / "funasr_cli" / "bench_data" / "drafts.json"
CAP = 16
Pair = dict[str, str | list[int]]


class Ear:
    """The CTC tokens of a segment, which a transcript does not carry."""

    def __init__(self, files: ModelFiles) -> None:
        assert files.ctc
        assert files.tokens
        assert files.facts
        self._encoder = OnnxEncoder(files.encoder, threads=1)
        self._ctc = OnnxCtc(files.ctc, threads=1)
        self._table, self._offset = read_tokens(files.tokens), files.facts.time_offset_s

    def hear(self, samples: Floats, segment: Segment) -> tuple[CtcToken, ...]:
        """Hear what the transcriber heard for this segment of `samples`."""
        begin, end = (round(edge * SAMPLE_RATE) for edge in (segment.start, segment.end))
        frames = self._ctc.run(self._encoder.encode([samples[begin:end]])[0].encoder_out)
        tokens = greedy_tokens(
            frames, self._table, start=segment.start, end=segment.end, offset=self._offset
        )
        assert ctc_text(tokens) == segment.ctc_text
        return spoken(tokens)


def inputs(clips: Path) -> Iterator[tuple[Path, str, tuple[str, ...]]]:
    """Yield file, language and hotwords."""
    for path in sorted(SAMPLES.iterdir()):
        if path.suffix != ".txt":
            yield path, path.name[:2], ()
    for row in json.loads((clips / "references.json").read_text("utf-8")):
        yield clips / row["file"], row["language"], tuple(row["hotwords"])


def ask(draft: CtcDraft, ids: Sequence[int]) -> tuple[list[int], list[int]]:
    """Ask at every position: how many were right, and how many were proposed."""
    right, proposed = [], []
    for at in range(len(ids)):
        found = draft.propose(ids[:at], CAP)
        pairs = zip([*found, None], ids[at : at + CAP], strict=False)
        fits = [one == other for one, other in pairs]
        right.append(fits.index(False) if False in fits else len(fits))
        proposed.append(len(found))
    return right, proposed


def make(clips: Path, target: Path) -> None:
    """Transcribe everything and write the trace."""
    files = open_model_dir(DEMO_MODEL)
    ear = Ear(files)
    pairs: list[Pair] = []
    with (
        Transcriber(files) as transcriber,
        open_language_model(files.decoder, n_ctx=16, threads=1) as llm,
    ):
        end = next(token for token in range(llm.n_vocab) if llm.is_end(token))
        for path, language, hotwords in inputs(clips):
            with AudioReader(AudioSource(str(path))) as reader:
                samples = np.concatenate(list(reader))
            told = TranscribeOptions(hotwords=hotwords)
            for segment in transcriber.transcribe(path, told).segments:
                draft = _drafter(ear.hear(samples, segment), segment, llm, end)
                right, proposed = ask(draft, [*segment.token_ids, end])
                name = f"{path.name} {segment.id}"
                pairs.append(
                    {"name": name, "language": language, "right": right, "proposed": proposed}
                )
    source = " ".join((__doc__ or "").partition("Source: ")[2].split())
    target.write_text(json.dumps({"source": source, "pairs": pairs}, indent=None), "utf-8")


def _drafter(heard: Sequence[CtcToken], segment: Segment, llm: LlamaModel, end: int) -> CtcDraft:
    return CtcDraft(
        heard,
        tokenize=llm.tokenize,
        piece=llm.piece,
        end=end,
        itn=True,
        hits=segment.hotwords,
    )


if __name__ == "__main__":
    make(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else TRACE)
