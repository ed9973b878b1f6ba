"""Hugging Face through its own client, `huggingface_hub`."""

from __future__ import annotations

import glob
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from funasr_cli.errors import FunasrError
from funasr_cli.export.remote import RemoteFile, failed, no_library, not_there

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from funasr_cli.export.remote import Heard, Order

LOGGER = "huggingface_hub"
_WORKERS = 4


class HuggingFace:
    """Client of Hugging Face; where it is and who asks is what its own settings say."""

    def __init__(self, endpoint: str | None = None) -> None:
        self._endpoint = endpoint

    def cache(self, order: Order) -> Path:
        """Folder under which downloads are kept.

        Raises:
            UnusableError: the client is not installed.
        """
        _check_installed(order)
        from huggingface_hub import constants

        return order.cache or Path(constants.HF_HUB_CACHE)

    def files(self, order: Order) -> list[RemoteFile]:
        """List a repository; only the large files come with a sha256.

        Raises:
            UnusableError: the client is not installed.
            UsageError: no such repository or revision.
            InputError: the hub cannot be reached or does not answer.
        """
        _check_installed(order)
        from huggingface_hub import HfApi
        from huggingface_hub.hf_api import RepoFile

        api = HfApi(endpoint=self._endpoint)
        with self._explained(order):
            tree = api.list_repo_tree(order.repo, recursive=True, revision=order.revision)
            return [
                RemoteFile(f.path, f.size, f.lfs.sha256 if f.lfs else None)
                for f in tree
                if isinstance(f, RepoFile)
            ]

    def cached(self, order: Order) -> Path | None:
        """Return the folder that the cache holds of a repository, whole or not."""
        _check_installed(order)
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import LocalEntryNotFoundError

        try:
            return Path(
                snapshot_download(
                    order.repo,
                    revision=order.revision,
                    cache_dir=order.cache,
                    local_files_only=True,
                    allow_patterns=["config.yaml"],
                )
            )
        except LocalEntryNotFoundError:
            return None

    def download(self, order: Order, files: Sequence[RemoteFile], heard: Heard) -> Path:
        """Bring files into the cache; files that an earlier run finished are used.

        Raises:
            InputError: the hub cannot be reached, or the transfer broke off too often.
            OutputError: the cache cannot be written.
        """
        _check_installed(order)
        from huggingface_hub import snapshot_download

        with self._explained(order):
            return Path(
                snapshot_download(
                    order.repo,
                    revision=order.revision,
                    cache_dir=order.cache,
                    allow_patterns=[glob.escape(f.path) for f in files],
                    endpoint=self._endpoint,
                    max_workers=_WORKERS,
                    tqdm_class=_bar(heard),
                )
            )

    @contextmanager
    def _explained(self, order: Order) -> Iterator[None]:
        from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

        try:
            yield
        except FunasrError:
            raise
        except (RepositoryNotFoundError, RevisionNotFoundError) as error:
            raise not_there(order) from error
        except Exception as error:  # the client's own and those of its HTTP library
            raise failed(order, error, self.cache(order)) from error


def _check_installed(order: Order) -> None:
    if find_spec("huggingface_hub") is None:
        raise no_library("huggingface_hub", order)


class _Nowhere:
    """A file that forgets."""

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        pass


def _bar(heard: Heard) -> type[Any]:
    """Make the class of the client's bars: it draws nothing, and tells the bytes.

    The client counts the same bytes in several bars (received, written), so the longest tells.
    """
    from tqdm.auto import tqdm

    lock, longest = Lock(), 0

    class Bar(tqdm):  # type: ignore[misc]
        monitor_interval = 0  # no thread that looks after bars nobody sees

        def __init__(self, *args: Any, **settings: Any) -> None:  # noqa: ANN401 - tqdm's own
            self._counted = 0
            settings.update(file=_Nowhere(), disable=False)
            super().__init__(*args, **settings)

        def update(self, n: float | None = 1) -> object:
            if self.unit == "B":
                self._count(int(n or 0))
            return super().update(n)

        def _count(self, size: int) -> None:
            nonlocal longest
            with lock:
                self._counted += size
                if self._counted > longest:
                    heard(self._counted - longest)
                    longest = self._counted

    return Bar
