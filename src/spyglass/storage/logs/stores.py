"""All tenants' log stores below one folder: <path>/<tenant>/{journal,blocks}. The way in: `open_log_stores`."""

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote, unquote

from spyglass.model.errors import NotFound, StorageError, Unavailable
from spyglass.protocols.clock import Clock
from spyglass.protocols.files import Files
from spyglass.storage.files import make_folder
from spyglass.storage.lock import DirectoryLock
from spyglass.storage.logs.cache import ColumnCache
from spyglass.storage.logs.options import LogStoreOptions
from spyglass.storage.logs.store import DiskLogStore

OptionsOf = Callable[[str, LogStoreOptions], LogStoreOptions]
"""From a tenant and everybody's options to the tenant's."""

_PLAIN = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")


class DiskLogStores:
    """`LogStores` over a folder. A tenant's store is opened with the first request for it, "fake" and known ones at once."""

    def __init__(
        self, path: Path, *, files: Files, clock: Clock, options: LogStoreOptions, of_tenant: OptionsOf
    ) -> None:
        self._path, self._files, self._clock, self._options = path, files, clock, options
        self._of_tenant = of_tenant
        self._lock = threading.Lock()
        self._directory = DirectoryLock(path)
        self._cache = ColumnCache(options.cache_bytes)
        # One for all tenants: the memory that it takes to make a block is taken once, and in one arena.
        self._cutter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="log-blocks")
        self._stores: dict[str, DiskLogStore] = {}
        self._closed = False
        for folder in sorted(path.iterdir()):
            if folder.is_dir() and not folder.name.endswith(".tmp"):
                tenant = unquote(folder.name)
                self._stores[tenant] = self._open(tenant, folder)

    def store(self, tenant: str = "fake", *, create: bool = True) -> DiskLogStore:
        """Raises: NotFound where the tenant has nothing and create is False."""
        with self._lock:
            if self._closed:
                raise Unavailable("the log stores are closed")
            found = self._stores.get(tenant)
            if found is None:
                if not create:
                    raise NotFound(f"the tenant {tenant!r} has no logs")
                found = self._stores[tenant] = self._open(tenant, self._path / folder_of(tenant))
            return found

    def tenants(self) -> list[str]:
        with self._lock:
            return sorted(self._stores)

    def maintain(self, now_ns: int) -> None:
        """One round for every tenant. Raises: StorageError, the first that a tenant met."""
        with self._lock:
            stores = list(self._stores.items())
        failed: StorageError | None = None
        for tenant, store in stores:
            store.configure(self._of_tenant(tenant, self._options))
            try:
                store.maintain(now_ns)
            except StorageError as err:
                # The other tenants get their round; the owner hears of the first failure.
                failed = failed or err
        if failed is not None:
            raise failed

    def close(self) -> None:
        with self._lock:
            self._closed = True
            stores = list(self._stores.values())
        for store in stores:
            store.close()
        self._cutter.shutdown()
        self._directory.close()

    def _open(self, tenant: str, folder: Path) -> DiskLogStore:
        make_folder(folder)
        options = self._of_tenant(tenant, self._options)
        return DiskLogStore(
            folder, files=self._files, clock=self._clock, options=options, cache=self._cache, cutter=self._cutter
        )


def folder_of(tenant: str) -> str:
    """A folder name that is the tenant's alone and stays inside: `../x` becomes `%2E%2E%2Fx`.

    >>> folder_of("team-a"), folder_of(".."), folder_of("a/b")
    ('team-a', '%2E%2E', 'a%2Fb')
    """
    if _PLAIN.fullmatch(tenant) and not tenant.endswith(".tmp"):
        return tenant
    return quote(tenant, safe="").replace(".", "%2E")


def _as_all(tenant: str, options: LogStoreOptions) -> LogStoreOptions:  # noqa: ARG001
    return options


def open_log_stores(
    path: Path, *, files: Files, clock: Clock, options: LogStoreOptions, of_tenant: OptionsOf = _as_all
) -> DiskLogStores:
    """Open the folder, made if missing, and replay its journals. of_tenant: the options of one tenant, asked anew for each round.

    Raises: StoreLocked where another process has it open.
    """
    return DiskLogStores(path, files=files, clock=clock, options=options, of_tenant=of_tenant)
