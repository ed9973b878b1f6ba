"""espeak-ng by ctypes: text -> waveform and the true start time of every word.

One process can hold one espeak-ng; start workers fresh (spawn), never by fork.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from random import Random

import espeakng_loader
import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

SAMPLE_RATE = 16_000
_ESPEAK_RATE = 22_050
_SYNCHRONOUS, _CHARS_UTF8, _POS_CHARACTER = 2, 1, 1
_EVENT_END, _EVENT_WORD = 0, 1
_RATE, _PITCH, _RANGE = 1, 3, 4

BASES = {"zh": ["cmn"], "en": ["en-us", "en-us", "en"]}
TRAIN_VOICES = (
    "Alex Alicia Andrea Andy Annie AnxiousAndy Denis Diogo Gene Gene2 Henrique Hugo Jacky Lee "
    "Marco Michael Mike Nguyen Reed adam anika announcer antonio aunty benjamin boris caleb "
    "david ed f1 f2 f4 grandma grandpa gustave ian iven iven2 john kaukovalta klatt klatt2 "
    "marcelo max michel miguel m1 m2 m3 m5 m7 m8 norbert pedro quincy rob sandro shelby "
    "travis victor zac"
).split()
VALIDATION_VOICES = ["Mario", "Storm", "edward", "f5", "klatt3", "linda", "m6", "robert", "steph"]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_int64),
    ]


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(_Event))


@dataclass(frozen=True)
class Voice:
    """One way to speak: base voice + variant and prosody."""

    name: str
    """such as cmn+m3"""
    rate: int = 175
    """words a minute, 80-450"""
    pitch: int = 50
    """0-99"""
    range: int = 50
    """0-99; intonation's width"""


def random_voice(language: str, variants: list[str], rng: Random) -> Voice:
    """A variant, rate 120-250, pitch 15-90 and range 20-80, the middle more often.

    A low pitch with a wide range makes espeak-ng crash, so the range is bounded by the pitch.
    """
    rate, pitch = round(rng.triangular(118, 252, 175)), round(rng.triangular(13, 92, 50))
    width = min(round(rng.triangular(20, 80, 55)), 20 + pitch)
    return Voice(f"{rng.choice(BASES[language])}+{rng.choice(variants)}", rate, pitch, width)


class Speaker:
    """Owns the espeak-ng library of this process."""

    def __init__(self) -> None:
        self._lib = ctypes.CDLL(espeakng_loader.get_library_path())
        data = espeakng_loader.get_data_path().encode()
        if self._lib.espeak_Initialize(_SYNCHRONOUS, 0, data, 0) != _ESPEAK_RATE:
            raise RuntimeError("espeak-ng did not start at 22050 Hz")
        self._pieces: list[bytes] = []
        self._words: list[tuple[int, float]] = []
        self._callback = _Callback(self._receive)  # referenced: C keeps only the pointer
        self._lib.espeak_SetSynthCallback(self._callback)

    def _receive(self, wave: int | None, count: int, events: ctypes._Pointer[_Event]) -> int:
        if wave and count > 0:
            self._pieces.append(ctypes.string_at(wave, 2 * count))
        i = 0
        while events[i].type != _EVENT_END:
            if events[i].type == _EVENT_WORD:
                self._words.append((events[i].text_position - 1, events[i].audio_position / 1000))
            i += 1
        return 0

    def say(self, text: str, voice: Voice) -> tuple[NDArray[np.float32], list[tuple[int, float]]]:
        """Speech float32 [S] at 16 kHz, peak 0.5, and (index in ``text``, start in s) of words."""
        self._pieces.clear()
        self._words.clear()
        if self._lib.espeak_SetVoiceByName(voice.name.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {voice.name}")
        for parameter, value in ((_RATE, voice.rate), (_PITCH, voice.pitch), (_RANGE, voice.range)):
            self._lib.espeak_SetParameter(parameter, value, 0)
        raw = text.encode()
        self._lib.espeak_Synth(raw, len(raw) + 1, 0, _POS_CHARACTER, 0, _CHARS_UTF8, None, None)
        wave = np.frombuffer(b"".join(self._pieces), np.int16).astype(np.float32)
        wave = resample_poly(wave, 320, 441).astype(np.float32)
        peak = float(np.abs(wave).max(initial=1.0))
        return wave * np.float32(0.5 / peak), list(self._words)


def token_starts(text: str, words: list[tuple[int, float]], language: str) -> list[float | None]:
    """Start in s of every token (zh: character, en: word) of ``text``; None where unknown."""
    at = dict(reversed(words))
    starts: list[float | None] = []
    inside = False
    for i, char in enumerate(text):
        letter = char.isalnum() or char == "'"
        if letter and (language == "zh" or not inside):
            starts.append(at.get(i))
        inside = letter
    return starts
