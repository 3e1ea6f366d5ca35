"""Write the rollups of one stripe beside its samples, from the same slices that its samples are written from."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import numpy as np

from spyglass.model.arrays import I64
from spyglass.model.errors import CorruptData
from spyglass.storage.metrics.column_file import ColumnFileWriter
from spyglass.storage.metrics.layout import ROLLUPS
from spyglass.storage.metrics.ragged import CHUNK_SAMPLES, Ragged, offsets_of
from spyglass.storage.metrics.rollups import Edges, Spans, roll_up
from spyglass.storage.metrics.stripe import Stripe
from spyglass.storage.metrics.stripe_writer import StripeWriter


class RollupWriter:
    """`add` slices of series in order of their rows, or `copy` what lies beside a stripe that is copied; then `finish`.

    A slice of samples keeps a tenth of them: those of several make a chunk. share: as MetricStoreOptions.rollup_share.
    """

    def __init__(self, writer: ColumnFileWriter, number: int, start_ms: int, share: int) -> None:
        self._share = share
        self._writers = {kind: StripeWriter(writer, layout, number, start_ms, kind) for kind, layout in ROLLUPS.items()}
        self._gathered: dict[str, list[Edges | Spans]] = {kind: [] for kind in ROLLUPS}

    def add(self, piece: Ragged) -> Iterator[bytes]:
        """Whatever chunks are full now."""
        rollups: tuple[Edges | Spans, ...] = roll_up(piece, self._share)
        for kind, found in zip(self._writers, rollups, strict=True):
            gathered = self._gathered[kind]
            if len(found.rows):
                gathered.append(found)
            if sum(len(one.times) for one in gathered) >= CHUNK_SAMPLES:
                yield from self._flush(kind)

    def copy(self, stripe: Stripe, row_map: I64) -> Iterator[bytes]:
        """As StripeWriter.copy. What is damaged is left behind: its samples answer in its place."""
        for kind, writer in self._writers.items():
            found = _intact(stripe, kind)
            if found is not None:
                yield from writer.copy(found, row_map)

    def finish(self) -> Iterator[bytes]:
        for kind, writer in self._writers.items():
            if self._gathered[kind]:
                yield from self._flush(kind)
            if writer.summary.samples:
                yield from writer.finish()

    def _flush(self, kind: str) -> Iterator[bytes]:
        gathered, self._gathered[kind] = self._gathered[kind], []
        yield from self._writers[kind].add(_joined(gathered))


def _joined(parts: list[Edges | Spans]) -> Any:
    """One of the same kind of all, one after the other."""
    kind = type(parts[0])
    columns = {one.name: np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(kind)}
    columns["offsets"] = offsets_of(np.concatenate([np.diff(part.offsets) for part in parts]))
    return kind(**columns)


def _intact(stripe: Stripe, kind: str) -> Stripe | None:
    try:
        found = stripe.rollup(kind)
        if found is not None:
            found.check()
    except CorruptData:
        return None
    return found
