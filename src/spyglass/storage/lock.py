"""The lock on a data directory: one process owns it. An flock, so it goes away with the process however that ends."""

import fcntl
import os
from pathlib import Path

from spyglass.model.errors import StoreLocked
from spyglass.storage.files import make_folder, storage_errors

LOCK_FILE = "lock"


class DirectoryLock:
    """Held from construction to `close`. The file holds the owner's pid for people; the lock itself is the kernel's.

    Raises: StoreLocked where another process (or another store in this one) holds it.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / LOCK_FILE
        make_folder(folder)
        with storage_errors(path, "locking"):
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            _lock(fd, folder)
            # The pid is a courtesy: a full disk must not keep a store from starting.
            _write_pid(fd)
        except BaseException:
            os.close(fd)
            raise
        self._fd: int | None = fd

    def close(self) -> None:
        """Idempotent. The file stays: unlinking it would let two processes lock two files of one name."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def _lock(fd: int, folder: Path) -> None:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        text = os.pread(fd, 32, 0).strip()
        pid = int(text) if text.isdigit() else 0
        owner = f"process {pid}" if pid else "another process"
        message = f"the data directory {folder} is in use by {owner}: stop it, or choose another directory"
        raise StoreLocked(message, pid=pid) from None


def _write_pid(fd: int) -> None:
    try:
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
    except OSError:
        return
