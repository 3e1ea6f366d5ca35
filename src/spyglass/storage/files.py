"""The real file system behind `protocols/files.py`: cut-back appends, fdatasync, atomic publication.

Errors of the operating system become leaves of StorageError here and nowhere else: ENOSPC and EDQUOT are DiskFull, the rest
is StorageError with the path and the system's own words.
"""

import errno
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from spyglass.model.errors import DiskFull, StorageError
from spyglass.protocols.files import AppendFile

_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})
_TEMPORARY_SUFFIX = ".tmp"
MAX_PIECES = 16
"""That one call writes; every system takes so many."""

WriteCall = Callable[[int, memoryview], int]


@contextmanager
def storage_errors(path: Path, doing: str) -> Iterator[None]:
    """Turn an OSError into DiskFull or StorageError that names the file and what was being done with it."""
    try:
        yield
    except OSError as err:
        kind = DiskFull if err.errno in _NO_SPACE else StorageError
        raise kind(f"{doing} {path}: {err.strerror or err}") from err


class RealAppendFile:
    """A file open for appending whose failed writes leave no trace."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with storage_errors(path, "opening"):
            self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
            self._size = os.fstat(self._fd).st_size
        self._torn = False
        self._closed = False

    def write(self, *data: bytes | bytearray | memoryview) -> None:
        with storage_errors(self._path, "appending to"):
            if self._torn:
                self._cut_back()
            views = [memoryview(piece).cast("B") for piece in data]
            size = sum(map(len, views))
            try:
                self._write_all(views)
            except BaseException:
                self._torn = True
                self._try_cut_back()
                raise
            self._size += size

    def sync(self) -> None:
        with storage_errors(self._path, "syncing"):
            os.fdatasync(self._fd)

    def size(self) -> int:
        return self._size

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            os.close(self._fd)

    def _write_all(self, views: list[memoryview]) -> None:
        while views:
            written = os.writev(self._fd, views[:MAX_PIECES])
            while views and written >= len(views[0]):
                written -= len(views.pop(0))
            if views:
                views[0] = views[0][written:]

    def _cut_back(self) -> None:
        os.ftruncate(self._fd, self._size)
        self._torn = False

    def _try_cut_back(self) -> None:
        try:
            self._cut_back()
        except OSError:
            # The next write tries again before it writes; until then readers stop at the torn record's checksum.
            self._torn = True


class RealFiles:
    """`Files` over the operating system."""

    def append(self, path: Path) -> AppendFile:
        created = not path.exists()
        file = RealAppendFile(path)
        if created:
            sync_folder(path.parent)
        return file

    def write_atomic(self, path: Path, chunks: Iterable[bytes]) -> None:
        temporary = path.with_name(path.name + _TEMPORARY_SUFFIX)
        try:
            with storage_errors(path, "writing"), open(temporary, "wb", buffering=0) as file:
                for chunk in chunks:
                    view = memoryview(chunk)
                    while len(view):
                        view = view[file.write(view) or 0 :]
                os.fsync(file.fileno())
            with storage_errors(path, "publishing"):
                os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)

    def publish(self, temporary: Path, final: Path) -> None:
        with storage_errors(final, "publishing"):
            _sync_tree(temporary)
            os.rename(temporary, final)
        sync_folder(final.parent)

    def truncate(self, path: Path, size_bytes: int) -> None:
        with storage_errors(path, "truncating"):
            fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
            try:
                os.ftruncate(fd, size_bytes)
                os.fsync(fd)
            finally:
                os.close(fd)

    def remove(self, path: Path) -> None:
        with storage_errors(path, "removing"):
            if path.is_dir() and not path.is_symlink():
                _remove_folder(path)
            else:
                path.unlink(missing_ok=True)

    def free_bytes(self, path: Path) -> int:
        with storage_errors(path, "asking for the free space of"):
            while not path.exists() and path != path.parent:
                path = path.parent
            status = os.statvfs(path)
            return status.f_bavail * status.f_frsize


def sync_folder(path: Path) -> None:
    """fsync a folder, so that the names in it survive power loss."""
    with storage_errors(path, "syncing the folder"):
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def make_folder(path: Path) -> None:
    """Create a folder and what is missing above it, so that it survives power loss together with its files."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    with storage_errors(path, "creating"):
        path.mkdir(parents=True, exist_ok=True)
    for folder in missing:
        sync_folder(folder.parent)


def disk_usage_bytes(path: Path) -> int:
    """Bytes of all regular files below `path`; what vanishes meanwhile counts as nothing."""
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            try:
                total += os.lstat(os.path.join(folder, name)).st_size
            except OSError:
                continue
    return total


def _sync_tree(path: Path) -> None:
    """fsync every file and folder of a tree, children first. Nothing of it is in use yet."""
    for folder, _, names in os.walk(path, topdown=False):
        for name in names:
            _sync_file(Path(folder, name))
        sync_folder(Path(folder))
    if path.is_file():
        _sync_file(path)


def _sync_file(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _remove_folder(path: Path) -> None:
    """Rename first: a half-removed folder must never look like a whole one after a crash."""
    doomed = path if path.name.endswith(_TEMPORARY_SUFFIX) else path.with_name(path.name + _TEMPORARY_SUFFIX)
    if doomed != path:
        if doomed.exists():
            shutil.rmtree(doomed)
        os.rename(path, doomed)
    shutil.rmtree(doomed)
