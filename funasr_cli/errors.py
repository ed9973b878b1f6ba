"""Every error that this package raises on purpose.

    FunasrError
    ├── UsageError        the caller asked for something that does not exist
    ├── UnusableError     something on this machine cannot be used
    │   ├── ModelError        a model directory, artefact or checkpoint
    │   │   └── MissingCtcError   a checkpoint without its CTC head
    │   └── LibraryError      llama.cpp, onnxruntime or PyAV
    ├── InputError        an audio file, stream or word list cannot be read
    ├── DecodeError       the language model failed while it was decoding
    ├── CoverageError     most of the speech of an input did not become text
    └── OutputError       a result cannot be written

A message says what is wrong, with which file, and what to do. `cli.app` maps each class
to an exit code; nothing below `cli` knows exit codes.
"""

import re

TOO_LITTLE_MEMORY = "too little memory: close other programs, or use a smaller model"
_SHORTAGE = re.compile(r"bad[_ ]alloc|allocate|(out of|not enough) (\w+ )?memory", re.IGNORECASE)


def tells_of_memory(told: str) -> bool:
    """Whether what onnxruntime or llama.cpp tells is that memory did not suffice."""
    return _SHORTAGE.search(told) is not None


class FunasrError(Exception):
    """Base of every error raised on purpose; its text is meant for the user."""


class UsageError(FunasrError, ValueError):
    """An option, language or combination of options that means nothing."""


class UnusableError(FunasrError):
    """A model, library or machine that cannot be used as it is."""


class ModelError(UnusableError):
    """A model directory, artefact or checkpoint that is missing, broken or mismatched."""


class MissingCtcError(ModelError):
    """A checkpoint whose CTC tensors are absent or incomplete."""


class LibraryError(UnusableError):
    """llama.cpp, onnxruntime or PyAV: not found, not loadable, or of an unknown layout."""


class InputError(FunasrError):
    """An input that is missing, empty, corrupt or without sound."""


class DecodeError(FunasrError):
    """The language model returned an error or unusable logits."""


class CoverageError(FunasrError):
    """Most of the speech of an input did not become text; what did has been written."""


class OutputError(FunasrError):
    """A result that cannot be written."""
