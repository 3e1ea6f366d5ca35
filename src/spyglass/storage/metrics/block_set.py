"""The blocks of a store: the folder they are in, which of them count, and what is left over from a crash.

    blocks/00000042.block            numbered in order of writing
    blocks/00000042.tombstones       what was deleted from it
    blocks/00000042.block.corrupt    set aside: its description or labels could not be read

A block says from which it was merged (`sources`): those are removed, now or after a crash. A part of the head says up to which journal
position it goes; a flush of several parts counts when its last one is there, so the others alone are removed and replayed.
"""

import itertools
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from spyglass.model.errors import CorruptData
from spyglass.protocols.files import Files
from spyglass.storage.files import make_folder
from spyglass.storage.metrics.block import BLOCK_SUFFIX, TOMBSTONE_SUFFIX, Block
from spyglass.storage.metrics.tombstones import Tombstones

B = TypeVar("B", bound=Block)
CORRUPT_SUFFIX = ".corrupt"


class BlockSet(Generic[B]):
    """Not thread-safe for changes: the store changes it under its lock and reads `blocks`, which is replaced, never altered."""

    def __init__(self, folder: Path, files: Files, open_block: Callable[[Path], B]) -> None:
        self._folder, self._files, self._open_block = folder, files, open_block
        self.notes: list[str] = []
        self.corruptions = 0
        make_folder(folder)
        self._remove_temporary()
        found = [block for block in map(self._open, self._paths()) if block is not None]
        numbers = [int(path.name.split(".")[0]) for path in folder.iterdir() if path.name.split(".")[0].isdigit()]
        self._numbers = itertools.count(max(numbers, default=0) + 1)
        self.blocks: tuple[B, ...] = tuple(self._without_leftovers(found))

    @property
    def position(self) -> int:
        """Everything before this position of the journal is in blocks."""
        return max((block.position for block in self.blocks), default=0)

    @property
    def label_order(self) -> list[str]:
        """By which labels series are ordered, as the newest block has it."""
        newest = max(self.blocks, key=lambda block: (len(block.label_order), block.order), default=None)
        return newest.label_order if newest is not None else []

    def size_bytes(self) -> int:
        return sum(block.size_bytes for block in self.blocks)

    def new_path(self) -> Path:
        return self._folder / f"{next(self._numbers):08d}{BLOCK_SUFFIX}"

    def add(self, paths: Sequence[Path], replaced: Sequence[Block] = ()) -> None:
        """Take new blocks into service, and others out of it at the same moment. Call `remove_files` for those afterwards."""
        fresh = [block for block in (self._open_block(path) for path in paths) if block.samples]
        kept = [block for block in self.blocks if block not in replaced]
        self.blocks = tuple(sorted([*kept, *fresh], key=_precedence))

    def remove_files(self, blocks: Sequence[Block]) -> None:
        for block in blocks:
            self._files.remove(block.path)
            self._files.remove(block.path.with_suffix(TOMBSTONE_SUFFIX))

    def remove_empty(self, paths: Sequence[Path]) -> None:
        """Remove new blocks that turned out to hold nothing."""
        in_service = {block.path for block in self.blocks}
        for path in paths:
            if path not in in_service:
                self._files.remove(path)

    def save_tombstones(self, block: Block, tombstones: Tombstones) -> None:
        tombstones.save(block.path.with_suffix(TOMBSTONE_SUFFIX), self._files)
        block.tombstones = tombstones

    def set_aside(self, block: Block, why: CorruptData) -> None:
        self.blocks = tuple(held for held in self.blocks if held is not block)
        self._set_aside(block.path, why)

    def _paths(self) -> list[Path]:
        return sorted(path for path in self._folder.glob(f"*{BLOCK_SUFFIX}") if path.stem.isdigit())

    def _open(self, path: Path) -> B | None:
        try:
            return self._open_block(path)
        except CorruptData as err:
            self._set_aside(path, err)
            return None

    def _set_aside(self, path: Path, why: CorruptData) -> None:
        aside = path.with_name(path.name + CORRUPT_SUFFIX)
        os.replace(path, aside)
        self.corruptions += 1
        self.notes.append(f"{why}; set aside as {aside}")

    def _without_leftovers(self, found: Sequence[B]) -> list[B]:
        """Drop what a crash left: sources of a finished merge, and parts of a flush that did not finish."""
        merged = {number for block in found for number in block.sources}
        reached = max((block.position for block in found), default=0)
        kept: list[B] = []
        for block in sorted(found, key=_precedence):
            if block.number in merged or block.flush > reached:
                self.remove_files([block])
                self.notes.append(f"{block.path}: removed, a crash had left it over")
            else:
                kept.append(block)
        return kept

    def _remove_temporary(self) -> None:
        for path in self._folder.glob("*.tmp"):
            self._files.remove(path)


def _precedence(block: Block) -> tuple[bool, int, int]:
    """Late blocks last and in order of arrival: of two samples at one place the first to come stays."""
    return (True, block.order, block.number) if block.late else (False, block.min_ms, block.number)
