"""The head's series at one moment, so that the journal before it can go. Format: docs/formats/metrics-block.md (checkpoint).

Series by slot with their generations and newest samples, exemplars, metadata, and the journal position from which to replay.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spyglass.model.arrays import I64, U64, Mask
from spyglass.model.labels import LabelTable
from spyglass.protocols.files import Files
from spyglass.storage.metrics.column_file import ColumnFile, ColumnFileWriter
from spyglass.storage.metrics.label_columns import StoredLabels, write_labels

MAGIC = b"SPYCHECK"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """All arrays [slots]. newest_ms: the newest sample the store ever took."""

    labels: LabelTable
    generations: I64
    live: Mask
    last_ms: I64
    last_bits: U64
    position: int
    newest_ms: int | None
    extras: object

    def save(self, path: Path, files: Files) -> None:
        writer = ColumnFileWriter(MAGIC)

        def chunks() -> Iterator[bytes]:
            yield writer.start()
            yield from write_labels(writer, self.labels)
            yield writer.array("generations", self.generations)
            yield writer.array("live", self.live.astype(np.uint8))
            yield writer.array("last_ms", self.last_ms)
            yield writer.array("last_bits", self.last_bits)
            yield writer.json("extras", self.extras)
            meta = {"position": self.position, "newest_ms": self.newest_ms, "slots": self.labels.size}
            yield writer.finish(meta)

        files.write_atomic(path, chunks())

    @staticmethod
    def load(path: Path) -> "Checkpoint":
        """Raises: CorruptData, StorageError."""
        file = ColumnFile(path, MAGIC)
        stored = StoredLabels(file)
        columns = {name: stored[name] for name in stored}
        return Checkpoint(
            labels=LabelTable(int(file.meta["slots"]), columns),
            generations=file.array("generations"),
            live=file.array("live").astype(np.bool_),
            last_ms=file.array("last_ms"),
            last_bits=file.array("last_bits"),
            position=int(file.meta["position"]),
            newest_ms=file.meta["newest_ms"],
            extras=file.json("extras"),
        )
