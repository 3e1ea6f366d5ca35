"""A checksummed, segmented, append-only log: the write-ahead log of the metric store and of the log store.

Format: docs/formats/journal.md. A *position* is a byte offset in the whole journal, over all segments it ever had; the name
of a segment is the position of its first byte, so positions stay valid when old segments go.

Two promises. What `sync_to` returned for survives power loss. What was appended and not synced survives the death of the
process, and is synced in the background within `sync_interval_s`.

Damage: a torn tail (nothing valid after it, in the last segment) is cut off when the journal is opened. A corrupt middle is
copied to `corrupt/` and named, and reading goes on at the next record whose checksum holds. Both are counted in `recovery`.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from spyglass.model.errors import StorageError, Unavailable
from spyglass.protocols.files import AppendFile, Files
from spyglass.storage.files import make_folder
from spyglass.storage.journal_segment import (
    HEADER_BYTES,
    RECORD_OVERHEAD_BYTES,
    BadRange,
    encode_header,
    read_records,
    record_head,
)

SEGMENT_SUFFIX = ".journal"
CORRUPT_FOLDER = "corrupt"

Buffer = bytes | bytearray | memoryview


@dataclass(frozen=True, slots=True)
class JournalOptions:
    """segment_bytes: the unit in which space comes back. max_record_bytes: bounds the memory of a replay.

    sync_interval_s: how long an append without sync_to may stay volatile (power loss; a dead process loses nothing).
    """

    segment_bytes: int = 32 << 20
    max_record_bytes: int = 64 << 20
    sync_interval_s: float = 1.0


@dataclass(slots=True)
class JournalRecovery:
    """What was cut off or set aside since the journal was opened."""

    torn_bytes: int = 0
    corruptions: int = 0
    notes: list[str] = field(default_factory=list)


class Journal:
    """Thread-safe, except that `replay` wants to come before the first append. Open with `Journal(folder, files=...)`."""

    def __init__(self, folder: Path, *, files: Files, options: JournalOptions | None = None) -> None:
        self._folder, self._files = folder, files
        self._options = options or JournalOptions()
        self.recovery = JournalRecovery()
        self._state = threading.Condition()
        self._syncing = False
        self._closed = False
        self._must_roll = False
        self._failure: StorageError | None = None
        self._background: threading.Thread | None = None
        make_folder(folder)
        self._bases = _segment_bases(folder)
        self._file: AppendFile | None = None
        self._end = self._repair_tail()
        self._synced = self._end

    @property
    def end(self) -> int:
        """The position after the last record."""
        return self._end

    @property
    def synced(self) -> int:
        """Everything before this position survives power loss."""
        return self._synced

    def size_bytes(self) -> int:
        """Bytes on disk."""
        with self._state:
            return self._end - self._bases[0] if self._bases else 0

    def append(self, *payload: Buffer) -> int:
        """Append one record made of the parts, in order; returns the position after it, for sync_to and truncate_before.

        Raises: DiskFull or StorageError with nothing appended; Unavailable once closed.
        """
        with self._state:
            self._check_usable()
            size = sum(len(part) for part in payload) + RECORD_OVERHEAD_BYTES
            assert size <= self._options.max_record_bytes, "the record is longer than a replay would accept"
            file = self._writable(size)
            file.write(record_head(self._end, payload), *payload)
            self._end += size
            self._start_background()
            return self._end

    def sync_to(self, position: int) -> None:
        """Return when everything before `position` survives power loss. Concurrent callers share one fdatasync.

        Raises: StorageError (DiskFull included) when the sync failed: what was appended since the last good sync is in doubt, so
        the journal refuses every later append until it is opened again.
        """
        while True:
            with self._state:
                while self._syncing and self._synced < position:
                    self._state.wait()
                if self._synced >= position:
                    return
                self._check_failure()
                file, target = self._file, self._end
                assert file is not None, "nothing was appended"
                assert position <= target, "the position was never appended"
                self._syncing = True
            self._sync_file(file, target)

    def replay(self, start: int = 0) -> Iterator[tuple[int, bytes]]:
        """The records that end after `start`, oldest first, as (position after the record, payload), one in memory at a time.

        Give it the positions that append returned or replay yielded. Corrupt stretches are skipped, set aside and counted.
        """
        with self._state:
            bases, end = list(self._bases), self._end
        for base, following in zip(bases, [*bases[1:], end], strict=False):
            if following <= start:
                continue
            for item in read_records(self._path(base), base, self._options.max_record_bytes):
                if isinstance(item, BadRange):
                    self._set_aside(base, item)
                elif item[0] > start:
                    yield item

    def truncate_before(self, position: int) -> None:
        """Give back the segments that lie wholly before `position`. The last one stays."""
        with self._state:
            while len(self._bases) > 1 and self._bases[1] <= position:
                self._files.remove(self._path(self._bases[0]))
                del self._bases[0]

    def roll(self) -> int:
        """Start a new segment with the next append, so that truncate_before(end) can give back the present one."""
        with self._state:
            self._check_usable()
            if self._file is not None and self._end > self._bases[-1] + HEADER_BYTES:
                self._open_segment()
            return self._end

    def advance_to(self, position: int) -> None:
        """Give no position below `position` again: for an owner that knows of later ones than the files on disk do."""
        with self._state:
            if position > self._end:
                assert self._synced == self._end, "only before the first append"
                self._end = self._synced = position
                self._must_roll = True

    def close(self) -> None:
        """Sync and close. Idempotent."""
        with self._state:
            if self._closed:
                return
            self._closed = True
            self._state.notify_all()
            background = self._background
        if background is not None:
            background.join()
        if self._failure is None and self._synced < self._end:
            self.sync_to(self._end)
        if self._file is not None:
            self._file.close()

    # Appending; the lock is held.

    def _check_usable(self) -> None:
        if self._closed:
            raise Unavailable(f"the journal {self._folder} is closed")
        self._check_failure()

    def _check_failure(self) -> None:
        if self._failure is not None:
            raise type(self._failure)(f"{self._failure}; the journal refuses writes until it is opened again")

    def _writable(self, size: int) -> AppendFile:
        full = self._bases and self._end - self._bases[-1] + size > self._options.segment_bytes
        full = full or self._must_roll
        if self._file is None and self._bases and not full:
            self._file = self._files.append(self._path(self._bases[-1]))
        elif not self._bases or self._must_roll or (full and self._end > self._bases[-1] + HEADER_BYTES):
            self._open_segment()
        assert self._file is not None
        return self._file

    def _open_segment(self) -> None:
        while self._syncing:
            self._state.wait()
        if self._file is not None and self._synced < self._end:
            # A record may only be synced once all before it are, so the old segment goes first.
            self._sync_or_fail(self._file)
            self._synced = self._end
        path = self._path(self._end)
        fresh = self._files.append(path)
        try:
            if fresh.size():
                # An earlier attempt left a header behind: nothing was ever appended at this position.
                self._files.truncate(path, 0)
                fresh.close()
                fresh = self._files.append(path)
            fresh.write(encode_header(self._end))
        except BaseException:
            fresh.close()
            raise
        if self._file is not None:
            self._file.close()
        self._file = fresh
        self._bases.append(self._end)
        self._end += HEADER_BYTES
        self._must_roll = False

    def _sync_or_fail(self, file: AppendFile) -> None:
        try:
            file.sync()
        except StorageError as err:
            self._failure = err
            raise

    def _sync_file(self, file: AppendFile, target: int) -> None:
        """The lock is not held: appends go on while the disk works."""
        failure: StorageError | None = None
        try:
            file.sync()
        except StorageError as err:
            failure = err
        with self._state:
            self._syncing = False
            if failure is None:
                self._synced = max(self._synced, target)
            else:
                self._failure = failure
            self._state.notify_all()
        if failure is not None:
            raise failure

    # Background sync.

    def _start_background(self) -> None:
        if self._background is None:
            self._background = threading.Thread(target=self._sync_forever, name="journal-sync", daemon=True)
            self._background.start()

    def _sync_forever(self) -> None:
        while True:
            with self._state:
                self._state.wait_for(lambda: self._closed, self._options.sync_interval_s)
                if self._closed or self._failure is not None:
                    return
                behind, position = self._synced < self._end, self._end
            if behind:
                try:
                    self.sync_to(position)
                except StorageError:
                    # Remembered in _failure: the next append tells its caller.
                    return

    # Opening and damage.

    def _path(self, base: int) -> Path:
        return self._folder / f"{base:020d}{SEGMENT_SUFFIX}"

    def _repair_tail(self) -> int:
        """Find where the last segment's valid records end and cut off what follows. Returns the end position."""
        if not self._bases:
            return 0
        base = self._bases[-1]
        path = self._path(base)
        size, valid = path.stat().st_size, HEADER_BYTES
        if size < HEADER_BYTES:
            self._drop_headless(path, size)
            return self._repair_tail() if self._bases else base
        for item in read_records(path, base, self._options.max_record_bytes):
            if not isinstance(item, BadRange):
                valid = item[0] - base
        if valid < size:
            self._files.truncate(path, valid)
            self.recovery.torn_bytes += size - valid
            self.recovery.notes.append(f"{path}: cut off a torn tail of {size - valid} bytes at offset {valid}")
        return base + valid

    def _drop_headless(self, path: Path, size: int) -> None:
        self._files.remove(path)
        self._bases.pop()
        self.recovery.torn_bytes += size
        self.recovery.notes.append(f"{path}: removed a segment that was cut short before its first record")

    def _set_aside(self, base: int, bad: BadRange) -> None:
        path = self._path(base)
        copy = self._folder / CORRUPT_FOLDER / f"{path.stem}-{bad.start}"
        self.recovery.corruptions += 1
        where = f"{path}: {bad.end - bad.start} corrupt bytes at offset {bad.start}"
        try:
            copy.parent.mkdir(exist_ok=True)
            if not copy.exists():
                self._files.write_atomic(copy, _slices(path, bad))
            self.recovery.notes.append(f"{where}, set aside in {copy}")
        except (OSError, StorageError) as err:
            self.recovery.notes.append(f"{where}, skipped (no copy: {err})")


def _segment_bases(folder: Path) -> list[int]:
    return sorted(int(path.stem) for path in folder.glob(f"*{SEGMENT_SUFFIX}") if path.stem.isdigit())


def _slices(path: Path, bad: BadRange) -> Iterator[bytes]:
    with open(path, "rb") as file:
        file.seek(bad.start)
        left = bad.end - bad.start
        while left > 0 and (chunk := file.read(min(left, 1 << 20))):
            left -= len(chunk)
            yield chunk


__all__ = ["Journal", "JournalOptions", "JournalRecovery"]
