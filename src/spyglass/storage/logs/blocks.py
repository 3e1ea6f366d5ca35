"""The block files of one store: opening, publishing, replacing, setting damaged ones aside.

Names are numbers that only grow. A block that was made of others names them (`replaces`), so that a crash between publishing it and
removing them cannot double a line: on opening, the replaced ones go first.
"""

import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from spyglass.model.errors import CorruptData, SpyglassError, StorageError
from spyglass.protocols.files import Files
from spyglass.storage.files import make_folder
from spyglass.storage.logs.block import Block
from spyglass.storage.logs.cache import ColumnCache
from spyglass.storage.logs.stored_part import StoredPart

SUFFIX = ".parquet"
CORRUPT_FOLDER = "corrupt"
PART_INDEX_BYTES = 12 << 10
"""What the description of a part takes in memory, about."""
INDEX_CACHE_BYTES = 12 << 20
"""Descriptions kept, about a thousand parts (65 million lines). More: less reading of indexes by queries over long spans."""


class BlockSet:
    """Thread-safe. `all` is replaced, never changed."""

    def __init__(self, folder: Path, *, files: Files, cache: ColumnCache) -> None:
        self._folder, self._files, self._cache = folder, files, cache
        self._indexes = ColumnCache(INDEX_CACHE_BYTES)
        self._lock = threading.Lock()
        self.corruptions = 0
        self.notes: list[str] = []
        make_folder(folder)
        self.all = self._open()
        numbers = [int(block.path.stem) for block in self.all]
        self._next = 1 + max(numbers, default=0)

    @property
    def journal_end(self) -> int:
        return max((block.journal_end for block in self.all), default=0)

    @property
    def last_seq(self) -> int:
        return max((block.last_seq for block in self.all), default=-1)

    @property
    def disk_bytes(self) -> int:
        return sum(block.size_bytes for block in self.all)

    def next_path(self) -> Path:
        with self._lock:
            number = self._next
            self._next += 1
        return self._folder / f"{number:010d}{SUFFIX}"

    def write(self, path: Path, chunks: Iterable[bytes]) -> Block:
        """Write a block so that it is there whole or not at all; it is not in the set yet."""
        self._files.write_atomic(path, chunks)
        return Block(path)

    def add(self, block: Block, replaces: Sequence[Block] = ()) -> None:
        with self._lock:
            gone = set(replaces)
            self.all = tuple(sorted((*(b for b in self.all if b not in gone), block), key=lambda b: b.min_ns))
        for old in replaces:
            self._files.remove(old.path)

    def remove(self, blocks: Sequence[Block]) -> None:
        with self._lock:
            gone = set(blocks)
            self.all = tuple(block for block in self.all if block not in gone)
        for block in blocks:
            self._files.remove(block.path)

    def set_aside(self, path: Path, why: SpyglassError) -> None:
        """Move a damaged block out of the way and remember why. Queries go on without it."""
        with self._lock:
            if path.exists():
                self._move_aside(path, why)
            self.all = tuple(block for block in self.all if block.path != path)

    def _move_aside(self, path: Path, why: SpyglassError) -> None:
        target = self._folder / CORRUPT_FOLDER / path.name
        make_folder(target.parent)
        self._files.publish(path, target)
        self.corruptions += 1
        self.notes.append(f"{why}; set aside in {target}")

    def parts(self, start_ns: int, end_ns: int, *, of: Sequence[Block] | None = None) -> list[StoredPart]:
        """The parts that may have rows with start_ns <= t < end_ns. of: the blocks of a moment ago instead of those of now."""
        found = []
        for block in self.all if of is None else of:
            if block.rows and block.min_ns < end_ns and block.max_ns >= start_ns:
                found += [p for p in self.parts_of(block) if p.min_ns < end_ns and p.max_ns >= start_ns]
        return found

    def parts_of(self, block: Block) -> Sequence[StoredPart]:
        def load() -> tuple[tuple[StoredPart, ...], int]:
            parts = tuple(StoredPart(block, entry, self._cache) for entry in block.entries())
            return parts, PART_INDEX_BYTES * len(parts)

        return self._indexes.get(block.key, load)

    def _open(self) -> tuple[Block, ...]:
        opened: dict[str, Block] = {}
        for path in sorted(self._folder.glob(f"*{SUFFIX}")):
            if not path.stem.isdigit():
                continue
            try:
                opened[path.name] = Block(path)
            except (CorruptData, StorageError) as err:
                self._move_aside(path, err)
        for leftover in self._folder.glob("*.tmp"):
            self._files.remove(leftover)
        replaced = {name for block in opened.values() for name in block.replaces}
        for name in replaced & opened.keys():
            self._files.remove(opened.pop(name).path)
        return tuple(sorted(opened.values(), key=lambda b: b.min_ns))
