"""All tenants' metric stores below one data directory, and the lock on it.

<data>/lock               the owner's pid
<data>/tenants/<name>/    one store each; the tenant "" is `default`, others are percent-encoded with a leading underscore
"""

import threading
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, unquote

from spyglass.model.errors import NotFound, StorageError, Unavailable
from spyglass.protocols.clock import Clock
from spyglass.protocols.files import Files
from spyglass.protocols.metric_store import MetricStore
from spyglass.storage.lock import DirectoryLock
from spyglass.storage.metrics.options import MetricStoreOptions
from spyglass.storage.metrics.start_timestamps import FOLDER, StartTimestampStore
from spyglass.storage.metrics.store import DiskMetricStore

_DEFAULT_FOLDER = "default"
_NAME_BYTES_MAX = 150


class DiskMetricStores:
    """`MetricStores`. A tenant's store is opened when it is first asked for; the one of "" at once."""

    def __init__(self, path: Path, *, files: Files, clock: Clock, options: MetricStoreOptions) -> None:
        self._path, self._files, self._clock, self._options = path, files, clock, options
        self._directory_lock = DirectoryLock(path)
        self._lock = threading.Lock()
        self._stores: dict[str, MetricStore] = {}
        self._closed = False
        try:
            self.store("")
        except BaseException:
            self._directory_lock.close()
            raise

    def store(self, tenant: str = "", *, create: bool = True) -> MetricStore:
        with self._lock:
            if self._closed:
                raise Unavailable("the metric stores are closed")
            found = self._stores.get(tenant)
            if found is None:
                found = self._stores[tenant] = self._open(tenant, create)
            return found

    def _open(self, tenant: str, create: bool) -> MetricStore:
        folder = self._path / "tenants" / _folder_of(tenant)
        if not create and not folder.exists():
            raise NotFound(f"no metrics of tenant {tenant!r}")
        store = DiskMetricStore(folder, files=self._files, clock=self._clock, options=self._options)
        if not self._options.start_timestamps:
            return store
        options = replace(self._options, downsampling=(), rollup_share=0)
        starts = DiskMetricStore(folder / FOLDER, files=self._files, clock=self._clock, options=options)
        return StartTimestampStore(store, starts)

    def tenants(self) -> list[str]:
        """Sorted: those on disk."""
        return sorted(_tenant_of(folder.name) for folder in (self._path / "tenants").iterdir() if folder.is_dir())

    def maintain(self, now_ms: int) -> None:
        """One round for every tenant; raises what the first of them raised, after all had their turn."""
        failures: list[StorageError] = []
        for tenant in self.tenants():
            try:
                self.store(tenant).maintain(now_ms)
            except StorageError as err:
                failures.append(err)
        if failures:
            raise failures[0]

    def close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
            for store in self._stores.values():
                store.close()
            self._directory_lock.close()


def open_metric_stores(path: Path, *, files: Files, clock: Clock, options: MetricStoreOptions) -> DiskMetricStores:
    """Open or create the metric stores below `path`.

    Raises: StoreLocked where another process has them; StorageError where the directory cannot be used or a newer version wrote it.
    """
    return DiskMetricStores(path, files=files, clock=clock, options=options)


def _folder_of(tenant: str) -> str:
    name = "_" + quote(tenant, safe="").replace(".", "%2E") if tenant else _DEFAULT_FOLDER
    if len(name) > _NAME_BYTES_MAX * 3:
        raise NotFound(f"the tenant's name is longer than {_NAME_BYTES_MAX} bytes")
    return name


def _tenant_of(folder: str) -> str:
    return "" if folder == _DEFAULT_FOLDER else unquote(folder[1:])
