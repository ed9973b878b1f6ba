"""The published copies of model.pt that are known: size, sha256, and whether they have CTC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from funasr_cli.errors import MissingCtcError
from funasr_cli.export.remote import HUGGING_FACE, MODELSCOPE, TITLES
from funasr_cli.manifest import CHECKPOINT

if TYPE_CHECKING:
    from funasr_cli.export.remote import Order

NANO = CHECKPOINT
MLT = "FunAudioLLM/Fun-ASR-MLT-Nano-2512"


@dataclass(frozen=True)
class Known:
    """One version of model.pt on one hub."""

    hub: str
    """`MODELSCOPE` or `HUGGING_FACE`."""
    repo: str
    """`owner/name`."""
    bytes: int
    sha256: str
    """64 hexadecimal digits."""
    has_ctc: bool
    """Whether it holds the 86 tensors of the CTC head."""
    source: str
    """Who measured it."""


KNOWN = (
    Known(
        MODELSCOPE,
        NANO,
        2_127_426_538,
        "81fec8616083c69377f3ceef36aba3655660ee0ca69a5d4a1e9810cd340ca499",
        has_ctc=True,
        source="https://github.com/modelscope/FunASR/issues/3496",
    ),
    Known(
        HUGGING_FACE,
        NANO,
        1_971_149_431,
        "55ae0d2fee369f0f11cce0795f6927934ad17cf11b278a7e56a51272074160bb",
        has_ctc=False,
        # revision 272c57b82523ada6fd87095e955f8e29100979ab
        source="https://github.com/QwenAudio/Fun-ASR#readme",
    ),
    Known(
        MODELSCOPE,
        MLT,
        1_971_162_898,
        "f7ddbef5ff8c57254e6a045f0b316501b704fe2b774f962efc6e402364e8fe37",
        has_ctc=False,
        source="https://github.com/modelscope/FunASR/issues/3208",
    ),
)


def known_of(hub: str, repo: str) -> tuple[Known, ...]:
    """Return the known versions of one repository; hubs fold case in names."""
    return tuple(k for k in KNOWN if k.hub == hub and k.repo.casefold() == repo.casefold())


def find_known(sha256: str | None) -> Known | None:
    """Return the version with this content, wherever it was published."""
    return next((k for k in KNOWN if k.sha256 == sha256), None)


def refuse_without_ctc(order: Order, sha256: str | None) -> None:
    """Refuse a model.pt that is known to have no CTC head, before it is downloaded.

    Raises:
        MissingCtcError: says where there is one, if anywhere.
    """
    known = find_known(sha256)
    if known is None or known.has_ctc:
        return
    copies = (k for hub in TITLES if hub != order.hub for k in known_of(hub, order.repo))
    other = next((k.hub for k in copies if k.has_ctc), None)
    way = f"take the copy on {TITLES[other]}, which has it: --hub {other}; or " if other else ""
    raise MissingCtcError(
        f"{order.repo}: the copy on {order.title} has no CTC head (model.pt of {known.bytes:,} "
        f"bytes, sha256 {known.sha256[:8]}...), without which there are no character times and no "
        f"recall of hotwords: {way}export without it: --no-ctc. Nothing was downloaded"
    )


def what_is_known(order: Order, sha256: str | None) -> str:
    """Say what the table tells of a model.pt with this sha256."""
    known = find_known(sha256)
    if known is not None:
        head = "with" if known.has_ctc else "without"
        return f"model.pt is a known version, {head} CTC head (sha256 {known.sha256[:8]}...)"
    alone = "it is checked against the hub's own listing alone"
    if order.local_only:
        alone = "nothing vouches for it"
    versions = ", ".join(f"{k.sha256[:8]}..." for k in known_of(order.hub, order.repo))
    if versions:
        return (
            f"model.pt is not the version that is known of {order.repo} on {order.title} (sha256 "
            f"{versions}); it may be newer: {alone}"
        )
    return f"nothing is known here of {order.repo} on {order.title}: {alone}"
