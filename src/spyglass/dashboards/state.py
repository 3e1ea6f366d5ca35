"""The one SQLite file `<data>/state/spyglass.sqlite`: people, sessions, saved dashboards, library panels, stars, preferences, annotations.

One connection, one lock, WAL: every statement is short, and a commit is durable before the call returns. The schema's version
is `PRAGMA user_version`; each entry of `_STEPS` takes the file one version further, so that old files open.
"""

import logging
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from spyglass.model.errors import CorruptData, DiskFull, StorageError

log = logging.getLogger(__name__)

_FOR_NOW = 1_000_000_000
"""Numbers above this were given out while the disk took no writes."""

_STEPS: Sequence[str] = (
    """
    CREATE TABLE users (
        id INTEGER PRIMARY KEY, login TEXT NOT NULL UNIQUE COLLATE NOCASE, name TEXT NOT NULL, email TEXT NOT NULL,
        role TEXT NOT NULL, is_admin INTEGER NOT NULL, hash TEXT NOT NULL, created_ms INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE sessions (
        token_hash BLOB PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
        created_ms INTEGER NOT NULL, seen_ms INTEGER NOT NULL, address TEXT NOT NULL, agent TEXT NOT NULL
    ) STRICT;
    CREATE TABLE ids (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE) STRICT;
    CREATE TABLE folders (
        uid TEXT PRIMARY KEY, title TEXT NOT NULL, version INTEGER NOT NULL,
        created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE dashboards (
        uid TEXT PRIMARY KEY, folder_uid TEXT NOT NULL, title TEXT NOT NULL, tags TEXT NOT NULL, version INTEGER NOT NULL,
        file_checksum TEXT NOT NULL, packed BLOB NOT NULL, created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL,
        created_by TEXT NOT NULL, updated_by TEXT NOT NULL
    ) STRICT;
    CREATE TABLE dashboard_versions (
        uid TEXT NOT NULL, version INTEGER NOT NULL, created_ms INTEGER NOT NULL, created_by TEXT NOT NULL,
        message TEXT NOT NULL, packed BLOB NOT NULL, PRIMARY KEY (uid, version)
    ) STRICT;
    CREATE TABLE stars (user_id INTEGER NOT NULL, uid TEXT NOT NULL, PRIMARY KEY (user_id, uid)) STRICT;
    CREATE TABLE preferences (user_id INTEGER PRIMARY KEY, data TEXT NOT NULL) STRICT;
    CREATE TABLE annotations (
        id INTEGER PRIMARY KEY AUTOINCREMENT, dashboard_uid TEXT NOT NULL, panel_id INTEGER NOT NULL, text TEXT NOT NULL,
        tags TEXT NOT NULL, time_ms INTEGER NOT NULL, time_end_ms INTEGER NOT NULL, login TEXT NOT NULL,
        created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX annotations_by_time ON annotations (time_ms, time_end_ms);
    """,
    """
    CREATE TABLE library_elements (
        uid TEXT PRIMARY KEY, kind INTEGER NOT NULL, name TEXT NOT NULL, folder_uid TEXT NOT NULL, type TEXT NOT NULL,
        description TEXT NOT NULL, packed BLOB NOT NULL, version INTEGER NOT NULL, created_ms INTEGER NOT NULL,
        updated_ms INTEGER NOT NULL, created_by TEXT NOT NULL, updated_by TEXT NOT NULL
    ) STRICT;
    CREATE INDEX library_elements_by_name ON library_elements (name);
    """,
)


class State:
    """The open file. `read` and `write` are thread-safe; rows are sqlite3.Row."""

    def __init__(self, path: Path) -> None:
        """Open, creating the file and its folder. Raises: StorageError leaves."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._lock = threading.RLock()
        with _storage_errors(path):
            self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10)
            try:
                self._prepare()
            except BaseException:
                self._connection.close()
                raise

    def _prepare(self) -> None:
        connection = self._connection
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        # People's dashboards are small: one megabyte of page cache, not SQLite's two.
        connection.execute("PRAGMA cache_size = -1024")
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if version > len(_STEPS):
            raise StorageError(f"{self.path}: was written by a newer version ({version}); this one knows {len(_STEPS)}")
        for number, step in enumerate(_STEPS[version:], start=version + 1):
            connection.executescript(f"BEGIN IMMEDIATE; {step}; PRAGMA user_version = {number}; COMMIT;")
        self.path.chmod(0o600)
        self._numbers: dict[str, int] = {
            row["name"]: row["id"] for row in connection.execute("SELECT name, id FROM ids")
        }

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """All rows of a query."""
        with self._lock, _storage_errors(self.path):
            return self._connection.execute(sql, parameters).fetchall()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction: committed (and on the disk) at the end of the block, rolled back when it raises."""
        with self._lock, _storage_errors(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                # A full disk has rolled back by itself; saying it again would hide the reason.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def number(self, name: str) -> int:
        """The lasting numeric id of a name such as `dashboard/abc`; given out at the first call."""
        with self._lock:
            if name not in self._numbers:
                self.reserve([name])
            return self._numbers[name]

    def reserve(self, names: Iterable[str]) -> None:
        """Give out the numbers of many names in one transaction: each one costs the disk a sync."""
        with self._lock:
            missing = [name for name in dict.fromkeys(names) if name not in self._numbers]
            if not missing:
                return
            try:
                with self.write() as connection:
                    connection.executemany("INSERT OR IGNORE INTO ids (name) VALUES (?)", [(name,) for name in missing])
            except StorageError as err:
                # Provisioned dashboards must show on a full disk too; these numbers last until the next start.
                log.warning("numbers of %d dashboards are for now only: %s", len(missing), err)
                first = max([*self._numbers.values(), _FOR_NOW]) + 1
                self._numbers |= {name: number for number, name in enumerate(missing, start=first)}
                return
            self._numbers = {row["name"]: row["id"] for row in self.read("SELECT name, id FROM ids")}

    def close(self) -> None:
        with self._lock:
            self._connection.close()


@contextmanager
def _storage_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as err:
        code = getattr(err, "sqlite_errorname", "")
        if code == "SQLITE_FULL":
            raise DiskFull(f"{path}: no space left; free some and try again") from None
        if code in ("SQLITE_NOTADB", "SQLITE_CORRUPT"):
            raise CorruptData(f"{path}: is damaged ({err}); move it away to start afresh, or restore a copy") from None
        if code.startswith("SQLITE_CONSTRAINT"):
            raise
        raise StorageError(f"{path}: {err}") from None
