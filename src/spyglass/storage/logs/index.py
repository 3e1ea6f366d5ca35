"""Answers from the stream tables alone: which streams there are, how many lines and bytes they have. Nothing of a line is read.

A part that lies wholly in the range is answered from its counts; one that the range cuts is answered from its times and codes.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from spyglass.model.arrays import F64, I64
from spyglass.model.labels import Labels
from spyglass.model.matchers import Matcher
from spyglass.protocols.log_store import LogStats
from spyglass.storage.logs.part import Part, StreamSet, line_sizes


def streams(parts: Sequence[Part], matchers: Sequence[Matcher], start_ns: int, end_ns: int) -> set[Labels]:
    found: set[Labels] = set()
    for part, chosen, counts, _ in _matching(parts, matchers, start_ns, end_ns, sizes=False):
        found.update(part.labels[i] for i in chosen.tolist() if counts[i])
    return found


def stats_of(parts: Sequence[Part], matchers: Sequence[Matcher], start_ns: int, end_ns: int) -> LogStats:
    found: set[Labels] = set()
    chunks = entries = size = 0
    for part, chosen, counts, sizes in _matching(parts, matchers, start_ns, end_ns, sizes=True):
        present = chosen[counts[chosen] > 0]
        found.update(part.labels[i] for i in present.tolist())
        chunks += len(present)
        entries += int(counts[chosen].sum())
        size += int(sizes[chosen].sum())
    return LogStats(len(found), chunks, entries, size)


def volume(
    parts: Sequence[Part], matchers: Sequence[Matcher], start_ns: int, end_ns: int, by: Sequence[str]
) -> list[tuple[Labels, int]]:
    volumes: Counter[Labels] = Counter()
    for part, chosen, counts, sizes in _matching(parts, matchers, start_ns, end_ns, sizes=True):
        for i in chosen.tolist():
            if counts[i]:
                volumes[tuple(pair for pair in part.labels[i] if pair[0] in by)] += int(sizes[i])
    return list(volumes.items())


def _matching(
    parts: Sequence[Part], matchers: Sequence[Matcher], start_ns: int, end_ns: int, *, sizes: bool
) -> Iterator[tuple[StreamSet, I64, I64, I64 | F64]]:
    """Per part: its streams, those that match, and lines and bytes in the range per stream."""
    for part in parts:
        table = part.streams()
        chosen = np.flatnonzero(table.matching(matchers))
        if not len(chosen):
            continue
        if part.min_ns >= start_ns and part.max_ns < end_ns:
            yield table, chosen, table.counts, table.sizes
            continue
        first, last = np.searchsorted(part.times(), [start_ns, end_ns])
        codes = part.codes()[first:last]
        counts = np.bincount(codes, minlength=len(table.labels))
        weights = line_sizes(part)[first:last] if sizes else None
        yield table, chosen, counts, np.bincount(codes, weights=weights, minlength=len(table.labels))
