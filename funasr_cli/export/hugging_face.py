"""Hugging Face through its own client, `huggingface_hub`."""

from __future__ import annotations

from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from funasr_cli.errors import FunasrError
from funasr_cli.export.remote import (
    RemoteFile,
    failed,
    no_library,
    not_there,
    warnings_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from funasr_cli.export.remote import Heard, Order, Say

_LOGGER = "huggingface_hub"


class HuggingFace:
    """Client of Hugging Face; where it is and who asks is what its own settings say."""

    def __init__(self, say: Say, endpoint: str | None = None) -> None:
        self._say = say
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

        One after the other and in this thread: the client's own pool of threads would finish
        2 GB before it lets Ctrl-C through. The weights come last, so that whoever finds them
        finds the rest too.

        Raises:
            InputError: the hub cannot be reached, or the transfer broke off too often.
            OutputError: the cache cannot be written.
        """
        _check_installed(order)
        from huggingface_hub import hf_hub_download

        bar, folder = _bar(heard), self.cache(order)
        with self._explained(order):
            for file in sorted(files, key=lambda file: file.bytes):
                path = hf_hub_download(
                    order.repo,
                    file.path,
                    revision=order.revision,
                    cache_dir=order.cache,
                    endpoint=self._endpoint,
                    tqdm_class=bar,
                )
                folder = Path(path).parents[file.path.count("/")]
        return folder

    @contextmanager
    def _explained(self, order: Order) -> Iterator[None]:
        from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

        try:
            with warnings_of(_LOGGER, self._say):
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
    """Make the class of the client's bars: it draws nothing, and tells the bytes."""
    from tqdm.auto import tqdm

    class Bar(tqdm):  # type: ignore[misc]
        monitor_interval = 0  # no thread that looks after bars nobody sees

        def __init__(self, *args: Any, **settings: Any) -> None:  # noqa: ANN401 - tqdm's own
            settings.update(file=_Nowhere(), disable=False)
            super().__init__(*args, **settings)

        def update(self, n: float | None = 1) -> object:
            heard(int(n or 0))
            return super().update(n)

    return Bar
