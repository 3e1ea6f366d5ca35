"""Dropping what is already stored: entries equal in stream, time, line and metadata.

Nearly all lines are newer than everything of their stream and not of equal time with a neighbour: they need no look-up. The rest
are *suspects*, and are looked for among what is stored by time first, so that lines are compared only where times are equal.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence

import numpy as np

from spyglass.model.arrays import I64, Mask
from spyglass.model.labels import Labels
from spyglass.storage.logs.hot import Segment
from spyglass.storage.logs.part import Part, lines_of, metadata_of
from spyglass.storage.logs.rows import Rows

Key = tuple[Labels, int, str, Labels]
NEVER = -(2**63)


class NewestTimes:
    """The newest time per stream, of the streams that wrote lately. Not thread-safe.

    A stream that is not remembered is taken to have lines up to `floor`: the newest time of any stream that was forgotten or that
    a block holds.
    """

    def __init__(self, limit: int = 50_000) -> None:
        self._limit = limit
        self._newest: OrderedDict[Labels, int] = OrderedDict()
        self.floor = NEVER

    def of(self, labels: Labels) -> int:
        return self._newest.get(labels, self.floor)

    def update(self, rows: Rows) -> None:
        newest = np.full(len(rows.streams), NEVER, np.int64)
        np.maximum.at(newest, rows.stream, rows.times)
        for labels, time_ns in zip(rows.streams, newest.tolist(), strict=True):
            self._newest[labels] = max(time_ns, self.of(labels))
            self._newest.move_to_end(labels)
        while len(self._newest) > self._limit:
            self.floor = max(self.floor, self._newest.popitem(last=False)[1])


def suspects(rows: Rows, newest: NewestTimes) -> I64:
    """Rows that might repeat another: not newer than their stream's newest, or of one time with another row of the stream."""
    known = np.fromiter((newest.of(labels) for labels in rows.streams), np.int64, len(rows.streams))
    old: Mask = rows.times <= known[rows.stream]
    same_stream = np.diff(rows.stream) == 0
    if bool(((np.diff(rows.times) > 0) | ~same_stream).all()) and bool((np.diff(rows.stream) >= 0).all()):
        # One stream after the other, each in order of time: no two of a stream have one time.
        return np.flatnonzero(old)
    order = np.lexsort((rows.times, rows.stream))
    times, stream = rows.times[order], rows.stream[order]
    same = (times[1:] == times[:-1]) & (stream[1:] == stream[:-1])
    tied = np.zeros(rows.size, np.bool_)
    tied[order[1:][same]] = True
    tied[order[:-1][same]] = True
    return np.flatnonzero(old | tied)


def repeated(rows: Rows, suspect: I64, segments: Sequence[Segment], parts: Iterable[Part]) -> I64:
    """Of the suspects, those that repeat a stored entry or an earlier row of the same batch.

    Where pushes overtake each other all rows are suspects, and hardly one shares its time with another: only those are looked at.
    """
    times, inverse, counts = np.unique(rows.times[suspect], return_inverse=True, return_counts=True)
    shared: Mask = counts > 1
    in_segments = [(segment.rows, _rows_at(segment.rows.times, times, shared)) for segment in segments]
    in_parts = [(part, _part_rows_at(part, times, shared)) for part in parts]
    looked_at = suspect[shared[inverse]]
    keys = _keys(rows, looked_at)
    wanted, stored = set(keys), set[Key]()
    for held, found in in_segments:
        stored.update(key for key in _keys(held, found) if key in wanted)
    for part, found in in_parts:
        stored.update(key for key in _part_keys(part, found) if key in wanted)
    doomed = []
    for row, key in zip(looked_at.tolist(), keys, strict=True):
        if key in stored:
            doomed.append(row)
        stored.add(key)
    return np.asarray(doomed, np.int64)


def _rows_at(stored: I64, times: I64, shared: Mask) -> I64:
    """The rows whose time is one of `times` (distinct, ascending); those times are marked in `shared`."""
    inside = np.flatnonzero((stored >= times[0]) & (stored <= times[-1]))
    places = np.searchsorted(times, stored[inside])
    hits = times[places] == stored[inside]
    shared[places[hits]] = True
    found: I64 = inside[hits]
    return found


def _part_rows_at(part: Part, times: I64, shared: Mask) -> I64:
    """The same for a part, whose rows are in order of time."""
    stored = part.times()
    first, end = int(np.searchsorted(stored, times[0])), int(np.searchsorted(stored, times[-1], side="right"))
    return _rows_at(stored[first:end], times, shared) + first


def _keys(rows: Rows, chosen: I64) -> list[Key]:
    metadata = rows.metadata(chosen) or [()] * len(chosen)
    streams = [rows.streams[code] for code in rows.stream[chosen].tolist()]
    return list(zip(streams, rows.times[chosen].tolist(), rows.lines(chosen), metadata, strict=True))


def _part_keys(part: Part, rows: I64) -> list[Key]:
    if not len(rows):
        return []
    labels = part.streams().labels
    streams = [labels[code] for code in part.codes()[rows].tolist()]
    metadata = metadata_of(part, rows) or [()] * len(rows)
    return list(zip(streams, part.times()[rows].tolist(), lines_of(part, rows), metadata, strict=True))
