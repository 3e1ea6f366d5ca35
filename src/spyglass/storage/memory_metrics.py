"""The obvious, slow, right metric store: dictionaries in memory. The oracle that the real store is tested against.

It keeps every semantic decision of the protocol in the plainest form, and nothing on disk: `durable`, `snapshot`,
`maintain` and retention mean nothing here.
"""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from spyglass.model.arrays import I64
from spyglass.model.labels import METRIC_NAME, Labels, LabelTable
from spyglass.model.matchers import Matcher
from spyglass.model.samples import (
    Exemplar,
    HistogramRuns,
    Metadata,
    SampleRuns,
    Selection,
    WriteBatch,
    WriteOutcome,
)
from spyglass.protocols.budget import Budget
from spyglass.protocols.metric_store import BlockInfo, CardinalityStats, SelectHints, StoreStats

HOUR_MS = 3_600_000

V = TypeVar("V")


@dataclass(slots=True)
class _Series:
    labels: Labels
    floats: dict[int, float] = field(default_factory=dict)
    histograms: dict[int, object] = field(default_factory=dict)
    exemplars: list[Exemplar] = field(default_factory=list)
    last_ms: int | None = None
    last: object = None
    """The newest sample; remembered also when it was deleted."""

    def times(self) -> set[int]:
        return self.floats.keys() | self.histograms.keys()


class MemoryMetricStore:
    """`MetricStore` in dictionaries. A reference never expires."""

    def __init__(
        self, *, out_of_order_window_ms: int = 0, block_range_ms: int = 2 * HOUR_MS, max_series: int = 0
    ) -> None:
        self._window_ms, self._range_ms, self._max_series = out_of_order_window_ms, block_range_ms, max_series
        self._series: list[_Series] = []
        self._ref_of: dict[Labels, int] = {}
        self._metadata: dict[str, list[Metadata]] = {}
        self._max_ms: int | None = None
        self._appended = 0
        self.version = 0
        self._lock = threading.RLock()

    # Writing.

    def resolve(self, labels: Sequence[Labels]) -> I64:
        with self._lock:
            return np.fromiter((self._resolve(one) for one in labels), np.int64, len(labels))

    def _resolve(self, labels: Labels) -> int:
        ref = self._ref_of.get(labels)
        if ref is None:
            if self._max_series and len(self._series) >= self._max_series:
                return -1
            self._series.append(_Series(labels))
            ref = self._ref_of[labels] = len(self._series)
        return ref

    def append(self, batch: WriteBatch, *, durable: bool = True) -> WriteOutcome:  # noqa: ARG002
        with self._lock:
            bound = None if self._max_ms is None else self._max_ms - self._range_ms // 2
            newest = self._max_ms
            refused: dict[str, list[int]] = {"unknown": [], "out_of_order": [], "too_old": [], "duplicate": []}
            accepted = 0
            rows = zip(batch.refs.tolist(), batch.times.tolist(), batch.values.tolist(), strict=True)
            for row, (ref, time_ms, value) in enumerate(rows):
                verdict = self._admit(ref, time_ms, value, bound, newest)
                if verdict in refused:
                    refused[verdict].append(row)
                else:
                    accepted += 1
                    if verdict == "store":
                        self._store(self._series[ref - 1], time_ms, value)
                        self._series[ref - 1].floats[time_ms] = value
            hist_rejected = self._append_histograms(batch, bound, newest)
            self._append_extras(batch)
            self._appended += accepted
            self.version += 1
            arrays = {name: np.asarray(rows, np.int64) for name, rows in refused.items()}
            return WriteOutcome(accepted, hist_rejected=tuple(hist_rejected), **arrays)

    def _admit(self, ref: int, time_ms: int, value: object, bound: int | None, newest: int | None) -> str:
        """ "store", "same" (accepted, already there), or the name of a refusal."""
        if not 1 <= ref <= len(self._series):
            return "unknown"
        series = self._series[ref - 1]
        late_ok = self._window_ms > 0 and (newest is None or time_ms >= newest - self._window_ms)
        if series.last_ms is None or time_ms > series.last_ms:
            if bound is not None and time_ms < bound and not late_ok:
                return "too_old"
            return "store"
        if time_ms == series.last_ms:
            return "same" if _same(series.last, value) else "duplicate"
        if self._window_ms == 0:
            return "too_old" if bound is not None and time_ms < bound else "out_of_order"
        if not late_ok:
            return "too_old"
        return "same" if time_ms in series.times() else "store"

    def _store(self, series: _Series, time_ms: int, value: object) -> None:
        if series.last_ms is None or time_ms > series.last_ms:
            series.last_ms, series.last = time_ms, value
        self._max_ms = time_ms if self._max_ms is None else max(self._max_ms, time_ms)

    def _append_histograms(self, batch: WriteBatch, bound: int | None, newest: int | None) -> list[tuple[int, str]]:
        if batch.hist_refs is None or batch.hist_times is None:
            return []
        rejected = []
        rows = zip(batch.hist_refs.tolist(), batch.hist_times.tolist(), batch.histograms, strict=True)
        for row, (ref, time_ms, histogram) in enumerate(rows):
            verdict = self._admit(ref, time_ms, histogram, bound, newest)
            if verdict == "store":
                self._store(self._series[ref - 1], time_ms, histogram)
                self._series[ref - 1].histograms[time_ms] = histogram
            elif verdict != "same":
                rejected.append((row, verdict))
        return rejected

    def _append_extras(self, batch: WriteBatch) -> None:
        for ref, exemplar in batch.exemplars:
            held = self._series[ref - 1].exemplars if 1 <= ref <= len(self._series) else None
            # As upstream: the same as the newest, or older than it, is dropped.
            if held is not None and not (held and (held[-1] == exemplar or exemplar.time_ms < held[-1].time_ms)):
                held.append(exemplar)
        for name, entry in batch.metadata.items():
            known = self._metadata.setdefault(name, [])
            if entry not in known:
                known.append(entry)

    # Reading.

    def _matching(self, matchers: Sequence[Matcher]) -> list[_Series]:
        return [s for s in self._series if all(m.matches(dict(s.labels).get(m.name, "")) for m in matchers)]

    def _matching_any(self, matcher_sets: Sequence[Sequence[Matcher]], start_ms: int, end_ms: int) -> list[_Series]:
        found = self._series if not matcher_sets else [s for m in matcher_sets for s in self._matching(m)]
        unique = {s.labels: s for s in found}.values()
        return [s for s in unique if any(start_ms <= t <= end_ms for t in s.times())]

    def select(
        self,
        matchers: Sequence[Matcher],
        *,
        start_ms: int,
        end_ms: int,
        hints: SelectHints,  # noqa: ARG002
        budget: Budget,
    ) -> Selection:
        with self._lock:
            budget.check()
            found = [s for s in self._matching(matchers) if any(start_ms <= t <= end_ms for t in s.times())]
            budget.charge_samples(sum(len(s.times()) for s in found))
            floats = [_between(s.floats, start_ms, end_ms) for s in found]
            histograms = [_between(s.histograms, start_ms, end_ms) for s in found]
            rows = np.arange(len(found), dtype=np.int64)
            runs = SampleRuns(rows, *_columns(floats), np.asarray([v for run in floats for _, v in run], np.float64))
            values = np.empty(sum(map(len, histograms)), object)
            values[:] = [v for run in histograms for _, v in run]
            hist_runs = HistogramRuns(rows, *_columns(histograms), values)
            labels = LabelTable.from_labels([s.labels for s in found])
            return Selection(labels, (runs,) if len(runs.times) else (), (hist_runs,) if len(values) else ())

    def series(
        self, matcher_sets: Sequence[Sequence[Matcher]], *, start_ms: int, end_ms: int, limit: int = 0
    ) -> LabelTable:
        with self._lock:
            found = self._matching_any(matcher_sets, start_ms, end_ms)
            return LabelTable.from_labels([s.labels for s in found[: limit or None]])

    def label_names(
        self, matcher_sets: Sequence[Sequence[Matcher]], *, start_ms: int, end_ms: int, limit: int = 0
    ) -> list[str]:
        with self._lock:
            found = self._matching_any(matcher_sets, start_ms, end_ms)
            return sorted({name for s in found for name, _ in s.labels})[: limit or None]

    def label_values(
        self, name: str, matcher_sets: Sequence[Sequence[Matcher]], *, start_ms: int, end_ms: int, limit: int = 0
    ) -> list[str]:
        with self._lock:
            found = self._matching_any(matcher_sets, start_ms, end_ms)
            return sorted({value for s in found for n, value in s.labels if n == name})[: limit or None]

    def exemplars(
        self, matcher_sets: Sequence[Sequence[Matcher]], *, start_ms: int, end_ms: int
    ) -> list[tuple[Labels, list[Exemplar]]]:
        with self._lock:
            found = self._series if not matcher_sets else [s for m in matcher_sets for s in self._matching(m)]
            answer = []
            for series in {s.labels: s for s in found}.values():
                kept = [e for e in series.exemplars if start_ms <= e.time_ms <= end_ms]
                if kept:
                    answer.append((series.labels, sorted(kept, key=lambda e: e.time_ms)))
            return answer

    def metadata(self) -> dict[str, list[Metadata]]:
        with self._lock:
            return {name: list(entries) for name, entries in self._metadata.items()}

    def cardinality(self, *, limit: int = 10) -> CardinalityStats:
        with self._lock:
            live = [s for s in self._series if s.times()]
            by_metric = _count(dict(s.labels).get(METRIC_NAME, "") for s in live)
            pairs = _count(f"{n}={v}" for s in live for n, v in s.labels)
            distinct = {pair for s in live for pair in s.labels}
            low, high = self.time_range() or (0, 0)
            sizes: dict[str, int] = {}
            for name, value in distinct:
                sizes[name] = sizes.get(name, 0) + len(value.encode())
            return CardinalityStats(
                series=len(live),
                label_pairs=len(distinct),
                chunks=len(live),
                min_time_ms=low,
                max_time_ms=high,
                series_by_metric=_largest(by_metric, limit),
                values_by_label=_largest(_count(name for name, _ in distinct), limit),
                bytes_by_label=_largest(sizes, limit),
                series_by_pair=_largest(pairs, limit),
            )

    def block_infos(self) -> list[BlockInfo]:
        return []

    def time_range(self) -> tuple[int, int] | None:
        with self._lock:
            times = [t for s in self._series for t in s.times()]
            return (min(times), max(times)) if times else None

    # Administration.

    def delete(self, matcher_sets: Sequence[Sequence[Matcher]], *, start_ms: int, end_ms: int) -> None:
        with self._lock:
            for series in self._matching_any(matcher_sets, start_ms, end_ms):
                for held in (series.floats, series.histograms):
                    for time_ms in [t for t in held if start_ms <= t <= end_ms]:
                        del held[time_ms]
            self.version += 1

    def clean_tombstones(self) -> None:
        """Deleting deletes at once here."""

    def snapshot(self, *, skip_head: bool = False) -> str:  # noqa: ARG002
        return ""

    def maintain(self, now_ms: int) -> None:
        """Nothing to keep house of."""

    def stats(self) -> StoreStats:
        with self._lock:
            count = len(self._series)
            return StoreStats(samples_appended=self._appended, series_created=count, series_active=count)

    def close(self) -> None:
        """Nothing to give back."""


def _same(left: object, right: object) -> bool:
    """Equal as stored: floats by their bits, so that NaN equals itself."""
    if isinstance(left, float) and isinstance(right, float):
        return bool(np.float64(left).view(np.uint64) == np.float64(right).view(np.uint64))
    return type(left) is type(right) and left == right


def _between(held: dict[int, V], start_ms: int, end_ms: int) -> list[tuple[int, V]]:
    return sorted(((t, v) for t, v in held.items() if start_ms <= t <= end_ms), key=lambda item: item[0])


def _columns(runs: Sequence[Sequence[tuple[int, object]]]) -> tuple[I64, I64]:
    offsets = np.concatenate(([0], np.cumsum([len(run) for run in runs]))).astype(np.int64)
    return offsets, np.asarray([t for run in runs for t, _ in run], np.int64)


def _count(items: Iterable[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for item in items:
        counts[item] = counts.get(item, 0) + 1
    return counts


def _largest(counts: dict[str, int], limit: int) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:limit]
