"""The tokens of a loaded model."""

from ctypes import create_string_buffer

import numpy as np

from funasr_cli.errors import DecodeError
from funasr_cli.llama.api import Api

_PIECE_BYTES = 64


class Vocabulary:
    """Text -> tokens -> bytes; valid as long as its model is loaded."""

    def __init__(self, api: Api, vocab: int) -> None:
        self._api = api
        self._vocab = vocab
        self.size = int(api.llama_vocab_n_tokens(vocab))
        self.end = int(api.llama_vocab_eos(vocab))
        """The one end token that the GGUF names."""

    def tokenize(self, text: str) -> list[int]:
        """Text -> ids; special tokens are recognised, none is added."""
        data = text.encode("utf-8", "replace")
        room = len(data) + 1  # a token has at least one byte
        ids = np.empty(room, np.int32)
        n = self._api.llama_tokenize(
            self._vocab, data, len(data), ids.ctypes.data, room, False, True  # noqa: FBT003
        )  # fmt: skip
        if n < 0:
            raise DecodeError(f"llama.cpp could not tokenise a text of {len(data)} bytes")
        return [int(token) for token in ids[:n]]

    def piece(self, token: int) -> bytes:
        """Raw bytes of one token; b"" for control tokens."""
        self.check(token)
        room = _PIECE_BYTES
        while True:
            buffer = create_string_buffer(room)
            n = self._api.llama_token_to_piece(self._vocab, token, buffer, room, 0, False)  # noqa: FBT003
            if n >= 0:
                return buffer.raw[:n]
            room = -n

    def check(self, token: int) -> None:
        """Refuse what is no token.

        Raises:
            DecodeError: it is none.
        """
        if not 0 <= token < self.size:
            raise DecodeError(f"token {token} is not in the vocabulary of {self.size}")
