"""What was deleted from a block: samples that are hidden until the block is rewritten. A small file beside the block."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson
import zstandard

from spyglass.model.arrays import I64, Mask
from spyglass.protocols.files import Files
from spyglass.storage.metrics.ragged import Ragged

_MAX_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class Tombstone:
    """Samples of `rows` (ascending) with start_ms <= t <= end_ms are hidden."""

    rows: I64
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Tombstones:
    """All of a block's."""

    entries: Sequence[Tombstone] = ()

    @staticmethod
    def load(path: Path) -> "Tombstones":
        """A file that is not there means that nothing was deleted."""
        if not path.exists():
            return Tombstones()
        items = orjson.loads(zstandard.decompress(path.read_bytes(), max_output_size=_MAX_BYTES))
        return Tombstones([Tombstone(np.asarray(rows, np.int64), start, end) for rows, start, end in items])

    def save(self, path: Path, files: Files) -> None:
        items = [(entry.rows.tolist(), entry.start_ms, entry.end_ms) for entry in self.entries]
        files.write_atomic(path, [zstandard.compress(orjson.dumps(items))])

    def __bool__(self) -> bool:
        return bool(self.entries)

    def plus(self, entry: Tombstone) -> "Tombstones":
        return Tombstones([*self.entries, entry])

    def touch(self, rows: I64, start_ms: int, end_ms: int) -> bool:
        """Whether any of the rows may have a hidden sample in the range."""
        return any(
            e.start_ms <= end_ms and e.end_ms >= start_ms and bool(np.isin(rows, e.rows).any()) for e in self.entries
        )

    def keep(self, ragged: Ragged) -> Mask:
        """[M]: False where a sample is hidden. ragged.rows are block rows."""
        keep = np.ones(len(ragged.times), np.bool_)
        for entry in self.entries:
            named = np.repeat(np.isin(ragged.rows, entry.rows), ragged.lengths)
            keep &= ~(named & (ragged.times >= entry.start_ms) & (ragged.times <= entry.end_ms))
        return keep

    def hides(self, row: int, time_ms: int) -> bool:
        return any(e.start_ms <= time_ms <= e.end_ms and bool((e.rows == row).any()) for e in self.entries)

    def wholly_hidden(self, min_ms: int, max_ms: int) -> I64:
        """Rows of which one entry hides everything between the two times."""
        found = [e.rows for e in self.entries if e.start_ms <= min_ms and e.end_ms >= max_ms]
        return np.concatenate(found) if found else np.zeros(0, np.int64)
