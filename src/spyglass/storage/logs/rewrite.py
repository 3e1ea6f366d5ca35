"""Making new parts of old ones: for deletes, for retention by stream, and for merging small blocks.

Lines are put together and shredded again, so many small parts become few large ones with one dictionary per slot.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from spyglass.model.arrays import I64, Mask
from spyglass.model.log_columns import encode_lines, offsets_of
from spyglass.storage.logs.encode import Sections, encode_part
from spyglass.storage.logs.part import Part, lines_of, metadata_of
from spyglass.storage.logs.rows import Rows
from spyglass.storage.logs.shred import TemplateMemory, shred

Keep = Callable[[Part], Mask]
"""[n]: which rows of a part stay."""


def rows_of_part(part: Part, rows: I64) -> tuple[Rows, I64]:
    """The rows as they were appended, and their arrival numbers."""
    blob, lengths = encode_lines(lines_of(part, rows))
    labels = part.streams().labels
    metas: dict[tuple[tuple[str, str], ...], int] = {(): 0}
    found = metadata_of(part, rows)
    meta = None
    if found is not None:
        meta = np.fromiter((metas.setdefault(labels, len(metas)) for labels in found), np.int32, len(found))
    stream = part.codes()[rows].astype(np.int32)
    made = Rows(labels, part.times()[rows], stream, offsets_of(lengths), blob, meta, list(metas))
    return made, part.seqs()[rows]


def rewritten(parts: Sequence[Part], keep: Keep, *, part_rows: int, memory: TemplateMemory) -> Iterator[Sections]:
    """The kept rows of all parts in new parts of at most part_rows lines each, in order of time. One slice in memory at a time."""
    kept = [(part, np.flatnonzero(keep(part))) for part in parts]
    total = sum(len(rows) for _, rows in kept)
    if not total:
        return
    times = np.concatenate([part.times()[rows] for part, rows in kept])
    owner = np.concatenate([np.full(len(rows), index) for index, (_, rows) in enumerate(kept)])
    seqs = np.concatenate([part.seqs()[rows] for part, rows in kept])
    row = np.concatenate([rows for _, rows in kept])
    order = np.lexsort((seqs, times))
    slices = -(-total // part_rows)
    for chosen in np.array_split(order, slices):
        pieces = []
        for index in np.unique(owner[chosen]).tolist():
            mine = np.sort(row[chosen[owner[chosen] == index]])
            pieces.append(rows_of_part(kept[index][0], mine))
        joined = Rows.concat([piece for piece, _ in pieces])
        arrival = np.concatenate([numbers for _, numbers in pieces])
        by_arrival = np.argsort(arrival, kind="stable")
        for part in shred(joined.take(by_arrival), arrival[by_arrival], memory):
            yield encode_part(part)
