"""The file system as a seam, so that tests can tear writes, lose an fsync, and fill the disk.

Stores write through this and nothing else. Reading of immutable blocks may use ordinary paths (DuckDB and mmap want them).
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol


class AppendFile(Protocol):
    """A file open for appending. Not thread-safe: its owner serialises."""

    def write(self, *data: bytes | bytearray | memoryview) -> None:
        """Append all pieces, one after the other, or raise DiskFull / StorageError with the file cut back to its former length."""
        ...

    def sync(self) -> None:
        """Return when everything written so far survives power loss (fdatasync)."""
        ...

    def size(self) -> int: ...

    def close(self) -> None: ...


class Files(Protocol):
    """The operations a store needs. Errors are StorageError (DiskFull where there is no space)."""

    def append(self, path: Path) -> AppendFile:
        """Open for appending, creating the file."""
        ...

    def write_atomic(self, path: Path, chunks: Iterable[bytes]) -> None:
        """Write to a temporary name, fsync, rename to `path`, fsync the folder."""
        ...

    def publish(self, temporary: Path, final: Path) -> None:
        """fsync a file or folder that was written under a temporary name (with all in it), rename it, fsync the parent."""
        ...

    def truncate(self, path: Path, size_bytes: int) -> None: ...

    def remove(self, path: Path) -> None:
        """Remove a file or a whole folder. What is not there is no error."""
        ...

    def free_bytes(self, path: Path) -> int:
        """Space left for us on the file system of `path`."""
        ...
