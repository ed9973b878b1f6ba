"""ModelScope through its own client, `modelscope-hub`: what `modelscope` itself downloads with."""

from __future__ import annotations

import os
from contextlib import contextmanager
from functools import partialmethod
from importlib.util import find_spec
from threading import Lock
from typing import TYPE_CHECKING

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
    from pathlib import Path

    from modelscope_hub import HubApi, ProgressCallback

    from funasr_cli.export.remote import Heard, Order, Say

_LOGGER = "modelscope_hub"
_WORKERS = 4
_TIME_LIMIT = ("MODELSCOPE_DOWNLOAD_TOTAL_TIMEOUT", "86400")
"""Seconds for one file: the client's own hour is too short for 2 GB on a slow line."""


class ModelScope:
    """Client of ModelScope; where it is and who asks is what its own settings say."""

    def __init__(self, say: Say, endpoint: str | None = None) -> None:
        self._say = say
        self._endpoint = endpoint

    def cache(self, order: Order) -> Path:
        """Folder under which downloads are kept.

        Raises:
            UnusableError: the client is not installed.
        """
        return order.cache or self._api(order)[1]

    def files(self, order: Order) -> list[RemoteFile]:
        """List a repository.

        Raises:
            UnusableError: the client is not installed.
            UsageError: no such repository or revision.
            InputError: the hub cannot be reached or does not answer.
        """
        api, _ = self._api(order)
        with self._explained(order):
            listed = api.list_repo_files(order.repo, "model", revision=order.revision)
        return [RemoteFile(f.path, f.size, f.sha256 or None) for f in listed if not f.is_dir]

    def cached(self, order: Order) -> Path | None:
        """Return the folder that the cache holds of a repository, whole or not."""
        api, _ = self._api(order)
        from modelscope_hub import CacheNotFound

        try:
            with warnings_of(_LOGGER, self._say):
                return api.download_repo(
                    order.repo,
                    "model",
                    revision=order.revision,
                    cache_dir=order.cache,
                    local_files_only=True,
                )
        except CacheNotFound:
            return None

    def download(self, order: Order, files: Sequence[RemoteFile], heard: Heard) -> Path:
        """Bring files into the cache; what a broken download left there is used.

        Raises:
            InputError: the hub cannot be reached, or what it sends is not what it lists.
            OutputError: the cache cannot be written.
        """
        api, _ = self._api(order)
        with self._explained(order), _without_bars():
            return api.download_repo(
                order.repo,
                "model",
                revision=order.revision,
                cache_dir=order.cache,
                max_workers=_WORKERS,
                progress_callbacks=[_callback(heard)],
                file_list=[{"Path": f.path, "Size": f.bytes, "Sha256": f.sha256} for f in files],
            )

    def _api(self, order: Order) -> tuple[HubApi, Path]:
        """Make a client; also its cache folder."""
        if find_spec("modelscope_hub") is None:
            raise no_library("modelscope-hub", order)
        with _time_limit():
            from modelscope_hub import HubApi, HubConfig
        config = HubConfig(endpoint=self._endpoint)
        if order.cache is not None:
            config.cache_dir = order.cache  # it makes the folder, whether it is used or not
        return HubApi(config), config.cache_dir

    @contextmanager
    def _explained(self, order: Order) -> Iterator[None]:
        from modelscope_hub.errors import FileDownloadError, NotExistError

        try:
            with warnings_of(_LOGGER, self._say):
                yield
        except FunasrError:
            raise
        except NotExistError as error:
            raise not_there(order) from error
        except FileDownloadError as error:
            first = next(iter(error.failed_files.values()), error)
            raise failed(order, first, self.cache(order)) from error
        except Exception as error:  # the client's own, requests' and urllib3's
            raise failed(order, error, self.cache(order)) from error


def _callback(heard: Heard) -> type[ProgressCallback]:
    """Make the class that the client makes an object of for each file, in threads of its own."""
    from modelscope_hub import ProgressCallback

    lock = Lock()

    class Callback(ProgressCallback):
        def update(self, size: int) -> None:
            with lock:
                heard(size)

    return Callback


@contextmanager
def _time_limit() -> Iterator[None]:
    """Set what the client reads when it is imported, unless the user has set it."""
    name, value = _TIME_LIMIT
    is_ours = name not in os.environ
    os.environ.setdefault(name, value)
    try:
        yield
    finally:
        if is_ours:
            del os.environ[name]


@contextmanager
def _without_bars() -> Iterator[None]:
    """Keep the client's bars, for which it has no switch, out of logs and pipes."""
    from tqdm.auto import tqdm

    drawing, interval = tqdm.__init__, tqdm.monitor_interval
    # no interval: no thread that looks after bars nobody sees
    tqdm.__init__, tqdm.monitor_interval = partialmethod(drawing, disable=True), 0
    try:
        yield
    finally:
        tqdm.__init__, tqdm.monitor_interval = drawing, interval
