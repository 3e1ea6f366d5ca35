"""Files that fail on purpose: full disks, torn writes, lost fsyncs, power loss.

Over the real file system, so readers see what a disk would hold.
"""

from collections.abc import Iterable
from pathlib import Path

from spyglass.model.errors import DiskFull, StorageError
from spyglass.protocols.files import AppendFile, Files


class FaultyFiles:
    """`Files` with switches.

    space_bytes: how much may still be written; None: any amount. A write that does not fit raises DiskFull and leaves nothing.
    fail_syncs: fsync raises. lose_syncs: fsync returns, but `lose_power` forgets what came since the last honest one.
    tear_next_at: the next append writes so many bytes, then fails without cutting back, as a dying process does.
    fail_atomic: whole files cannot be written, DiskFull; appends can.
    """

    def __init__(self, files: Files) -> None:
        self._files = files
        self.space_bytes: int | None = None
        self.fail_syncs = False
        self.lose_syncs = False
        self.tear_next_at: int | None = None
        self.fail_atomic = False
        self._synced_sizes: dict[Path, int] = {}

    def append(self, path: Path) -> AppendFile:
        file = self._files.append(path)
        self._synced_sizes.setdefault(path, file.size())
        return _FaultyAppendFile(self, path, file)

    def write_atomic(self, path: Path, chunks: Iterable[bytes]) -> None:
        if self.fail_atomic:
            raise DiskFull(f"writing {path}: no space left on device")
        self._files.write_atomic(path, self._counted(path, chunks))

    def publish(self, temporary: Path, final: Path) -> None:
        self._files.publish(temporary, final)

    def truncate(self, path: Path, size_bytes: int) -> None:
        self._files.truncate(path, size_bytes)
        if path in self._synced_sizes:
            self._synced_sizes[path] = min(self._synced_sizes[path], size_bytes)

    def remove(self, path: Path) -> None:
        self._files.remove(path)
        self._synced_sizes.pop(path, None)

    def free_bytes(self, path: Path) -> int:
        return self._files.free_bytes(path) if self.space_bytes is None else self.space_bytes

    def lose_power(self) -> None:
        """Cut every append file back to what was honestly synced. Close the store first, or forget it."""
        for path, size in self._synced_sizes.items():
            if path.exists() and path.stat().st_size > size:
                self._files.truncate(path, size)

    def take(self, path: Path, size: int) -> None:
        """Account for a write."""
        if self.space_bytes is not None:
            if size > self.space_bytes:
                raise DiskFull(f"appending to {path}: no space left on device")
            self.space_bytes -= size

    def note_sync(self, path: Path, size: int) -> None:
        if self.fail_syncs:
            raise StorageError(f"syncing {path}: input/output error")
        if not self.lose_syncs:
            self._synced_sizes[path] = size

    def _counted(self, path: Path, chunks: Iterable[bytes]) -> Iterable[bytes]:
        for chunk in chunks:
            self.take(path, len(chunk))
            yield chunk


class _FaultyAppendFile:
    def __init__(self, owner: FaultyFiles, path: Path, file: AppendFile) -> None:
        self._owner, self._path, self._file = owner, path, file

    def write(self, *pieces: bytes | bytearray | memoryview) -> None:
        data = b"".join(pieces)
        tear = self._owner.tear_next_at
        if tear is not None:
            self._owner.tear_next_at = None
            self._file.write(data[:tear])
            raise StorageError(f"appending to {self._path}: torn after {tear} bytes")
        self._owner.take(self._path, len(data))
        self._file.write(data)

    def sync(self) -> None:
        self._file.sync()
        self._owner.note_sync(self._path, self._file.size())

    def size(self) -> int:
        return self._file.size()

    def close(self) -> None:
        self._file.close()
