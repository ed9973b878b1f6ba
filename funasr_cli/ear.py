"""A piece of sound -> what the encoder and the CTC head make of it, and what to ask the LLM.

Part of the composition, like `transcriber` and `answer`: it joins stages.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from funasr_cli.answer import Question
from funasr_cli.ctc import ctc_text, greedy_tokens, spoken
from funasr_cli.draft import CtcDraft
from funasr_cli.forced import Evidence
from funasr_cli.guards import is_silent
from funasr_cli.hotwords import HotwordIndex, Recalled, Replaced, open_index, replace_words, weigh
from funasr_cli.jobs import Draft
from funasr_cli.model import Model
from funasr_cli.options import TranscribeOptions
from funasr_cli.pieces import Piece
from funasr_cli.protocols import Floats
from funasr_cli.results import CharTime, CtcToken, HotwordHit, Notice
from funasr_cli.spelling import Pieces
from funasr_cli.timings import Timings


@dataclass(frozen=True)
class Heard:
    """A piece after encoder and CTC head."""

    piece: Piece
    audio_embeds: Floats
    """[A, D]."""
    tokens: tuple[CtcToken, ...]
    sounds: tuple[CtcToken, ...]
    """Those that stand for sound."""
    evidence: Evidence | None
    """The posteriors behind them, if the CTC head tells them."""


class Ear:
    """Encoder, CTC head and hotwords of one model."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._pieces = Pieces(model.tokens)
        self._index: tuple[tuple[object, object], HotwordIndex] | None = None

    def notices(self, options: TranscribeOptions) -> tuple[Notice, ...]:
        """Say what these options cannot do with this model."""
        words, most = len(options.hotwords), options.max_hotwords
        if self._model.ctc or not options.hotword_recall or words <= most:
            return ()
        message = f"without a CTC head nothing tells which hotwords were said: the first {most} "
        return (Notice("hotwords-cut", f"{message}of {words} are used"),)

    def hear(self, piece: Piece, options: TranscribeOptions, timings: Timings) -> Heard:
        """Encode a piece and read what the CTC head heard; runs ahead of the LLM."""
        with timings.measure("encode"):
            encoded = self._model.encoder.encode([piece.samples])[0]
        with timings.measure("ctc"):
            tokens, evidence = self._ctc(encoded.encoder_out, piece, options)
            return Heard(piece, encoded.audio_embeds, tokens, spoken(tokens), evidence)

    def question(
        self,
        number: int,
        heard: Heard,
        options: TranscribeOptions,
        language: str | None,
        timings: Timings,
    ) -> Question | None:
        """What to ask the LLM; None: the piece holds nothing, and it is not asked."""
        piece, model, sounds = heard.piece, self._model, heard.sounds
        nothing = is_silent(piece.samples) or (model.ctc is not None and not sounds)
        if options.guard and nothing:
            return None
        with timings.measure("hotwords"):
            found = self._hotwords(sounds, options)
        return Question(
            segment=number,
            seconds=piece.end - piece.start,
            audio_embeds=heard.audio_embeds,
            hotwords=found.hits,
            left_out=found.left_out,
            language=language,
            heard=len(sounds),
            ctc_text=ctc_text(sounds).strip(),
            draft=self._draft(sounds, found.hits, options),
        )

    def replace(
        self,
        text: str,
        chars: tuple[CharTime, ...],
        heard: Heard,
        hits: Sequence[HotwordHit],
        options: TranscribeOptions,
    ) -> Replaced:
        """Write the recalled words where the text sounds like them, if the user wants that."""
        said = (hit.word for hit in hits if hit.start is not None and hit.taken_for is None)
        words = tuple(dict.fromkeys(said))
        if options.hotword_replace is None or not words:
            return Replaced(text, chars)
        aliases = {form: word for form, word in options.hotword_aliases if word in words}
        return replace_words(
            text,
            chars,
            heard.sounds,
            words,
            aliases,
            least=options.hotword_replace,
            heard=options.hotword_threshold,
            listed=len(options.hotwords),
        )

    def _ctc(
        self, encoder_out: Floats, piece: Piece, options: TranscribeOptions
    ) -> tuple[tuple[CtcToken, ...], Evidence | None]:
        if self._model.ctc is None:
            return (), None
        own, wanted = self._model.time_offset_s, options.time_offset
        offset = own if wanted is None else wanted
        frames = self._model.ctc.run(encoder_out)
        tokens = greedy_tokens(
            frames, self._model.tokens, start=piece.start, end=piece.end, offset=offset
        )
        evidence = Evidence.of(
            frames, self._pieces, start=piece.start, end=piece.end, offset=offset
        )
        return tokens, evidence

    def _draft(
        self,
        sounds: tuple[CtcToken, ...],
        hits: tuple[HotwordHit, ...],
        options: TranscribeOptions,
    ) -> Draft:
        """What the CTC head heard, as a draft of what the LLM will write."""
        llm = self._model.llm
        return CtcDraft(
            sounds, tokenize=llm.tokenize, piece=llm.piece, end=llm.end, itn=options.itn, hits=hits
        ).propose

    def _hotwords(self, tokens: tuple[CtcToken, ...], options: TranscribeOptions) -> Recalled:
        """Choose the words for the prompt: those that were heard, or the first if none can be."""
        words = options.hotwords
        if not options.hotword_recall:
            return Recalled(tuple(HotwordHit(word, 0.0) for word in words))
        if self._model.ctc is None:
            return Recalled(tuple(HotwordHit(word, 0.0) for word in words[: options.max_hotwords]))
        if not words or not tokens:
            return Recalled()
        key = (words, options.hotword_aliases)
        if self._index is None or self._index[0] != key:
            self._index = (key, open_index(words, dict(options.hotword_aliases)))
        threshold, limit = options.hotword_threshold, options.max_hotwords
        return weigh(self._index[1], tokens, threshold=threshold, limit=limit)
