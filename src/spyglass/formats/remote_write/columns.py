"""What a remote write body becomes: columns of samples, and what names their series.

A sender repeats the same label sets in every body. In 1.0 the bytes of a series up to its samples are its *key*: the receiver keeps a
cache from keys to references and reads labels only of keys that are new.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from spyglass.formats.series_keys import Key
from spyglass.model.arrays import F64, I64
from spyglass.model.histograms import FloatHistogram
from spyglass.model.samples import Exemplar, Metadata


class KnownKeys(Protocol):
    """What a receiver remembers of earlier bodies."""

    def refs(self, keys: Sequence[Key]) -> I64:
        """The reference of each key, UNKNOWN where there is none."""
        ...


UNKNOWN = -1


class NoneKnown:
    """Remembers nothing."""

    def refs(self, keys: Sequence[Key]) -> I64:
        return np.full(len(keys), UNKNOWN, np.int64)


NOTHING_KNOWN = NoneKnown()

KINDS = ("unknown", "counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset")


def metadata_kind(number: int) -> str:
    """Of a number of the enum MetricType."""
    return KINDS[number] if number < len(KINDS) else "unknown"


@dataclass(frozen=True, slots=True)
class WriteColumns:
    """A decoded body of S series entries and n samples.

    keys [S]: what names a series: bytes (1.0) or canonical labels (2.0); `labels_of_key` reads it.
    counts [S]: samples of each entry.  times [n] ms, values [n]: in the order of the entries.
    histograms: (entry, time in ms, histogram).  exemplars: (entry, exemplar).
    starts [n] ms: start timestamps, 0 where a sample has none; None: no sample has one.
    known [S]: the references that the caller had for the keys, where they were looked up on the way.
    bad: what is wrong with entries whose labels cannot be used.
    """

    keys: Sequence[Key]
    counts: I64
    times: I64
    values: F64
    histograms: Sequence[tuple[int, int, FloatHistogram]] = ()
    exemplars: Sequence[tuple[int, Exemplar]] = ()
    metadata: dict[str, Metadata] = field(default_factory=dict)
    bad: Sequence[str] = ()
    known: I64 | None = None
    starts: I64 | None = None


class Gathered:
    """What the walks collect."""

    def __init__(self) -> None:
        self.keys: list[Key] = []
        self.counts: list[int] = []
        self.times: list[int] = []
        self.values: list[F64] = []
        self.histograms: list[tuple[int, int, FloatHistogram]] = []
        self.exemplars: list[tuple[int, Exemplar]] = []
        self.bad: list[str] = []
        self.starts: list[tuple[int, list[int]]] = []

    def note_starts(self, starts: list[int]) -> None:
        """Start timestamps of the samples that the next block adds."""
        if any(starts):
            self.starts.append((len(self.times), starts))

    def block(self, key: Key, times: list[int], values: F64) -> None:
        self.keys.append(key)
        self.counts.append(len(times))
        self.times.extend(times)
        self.values.append(values)

    def columns(self, metadata: dict[str, Metadata]) -> WriteColumns:
        values = np.concatenate(self.values) if self.values else np.zeros(0)
        counts, times = np.array(self.counts, np.int64), np.array(self.times, np.int64)
        return WriteColumns(
            self.keys,
            counts,
            times,
            values,
            self.histograms,
            self.exemplars,
            metadata,
            tuple(self.bad),
            starts=self._starts() if self.starts else None,
        )

    def _starts(self) -> I64:
        starts = np.zeros(len(self.times), np.int64)
        for first, some in self.starts:
            starts[first : first + len(some)] = some
        return starts
