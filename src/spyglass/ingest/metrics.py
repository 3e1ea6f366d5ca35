"""What every sample passes, whichever door it came through: labels are checked, samples are stored, refusals are counted.

Doors (scraping, remote write, OTLP) decode and resolve; this is where a reference that the store has forgotten is resolved again,
and where what the store refuses becomes a counter.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from spyglass.ingest.histogram_checks import histogram_problem
from spyglass.model.arrays import I64
from spyglass.model.histograms import FloatHistogram
from spyglass.model.labels import METRIC_NAME, Labels
from spyglass.model.samples import WriteBatch, WriteOutcome
from spyglass.model.telemetry import Registry
from spyglass.protocols.metric_store import MetricWriter

_LEGACY_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LEGACY_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


@dataclass(frozen=True, slots=True)
class LabelLimits:
    """0: no limit. Lengths count UTF-8 bytes, as upstream's do. The number of labels counts the metric's name."""

    labels_max: int = 0
    name_bytes_max: int = 0
    value_bytes_max: int = 0
    legacy_names: bool = False

    def problem(self, labels: Labels) -> str:
        """What is wrong with a label set, "" if nothing."""
        name = next((value for label, value in labels if label == METRIC_NAME), "")
        if not name:
            return "missing metric name (__name__ label)"
        if self.legacy_names and not _legacy(name, labels):
            return f"invalid metric name or label names: {shown(labels)}"
        if self.labels_max and len(labels) > self.labels_max:
            return f"label_limit exceeded (metric: {name}, number of labels: {len(labels)}, limit: {self.labels_max})"
        if not self.name_bytes_max and not self.value_bytes_max:
            return ""
        return self._length_problem(name, labels)

    def _length_problem(self, metric: str, labels: Labels) -> str:
        for name, value in labels:
            length = len(name.encode())
            if self.name_bytes_max and length > self.name_bytes_max:
                return (
                    f"label_name_length_limit exceeded (metric: {metric}, label name: {name}, length: {length}, "
                    f"limit: {self.name_bytes_max})"
                )
            length = len(value.encode())
            if self.value_bytes_max and length > self.value_bytes_max:
                return (
                    f"label_value_length_limit exceeded (metric: {metric}, label name: {name}, value: {value!r}, "
                    f"length: {length}, limit: {self.value_bytes_max})"
                )
        return ""


def _legacy(name: str, labels: Labels) -> bool:
    if _LEGACY_METRIC.fullmatch(name) is None:
        return False
    return all(_LEGACY_LABEL.fullmatch(label) for label, _ in labels if label != METRIC_NAME)


def shown(labels: Labels) -> str:
    """`name{a="b"}`, for messages."""
    name = next((value for label, value in labels if label == METRIC_NAME), "")
    pairs = ", ".join(f'{label}="{value}"' for label, value in labels if label != METRIC_NAME)
    return f"{name}{{{pairs}}}"


LabelsOf = Callable[[I64], Sequence[Labels]]

Moved = tuple[I64, I64]
"""(old references, ascending; new ones, -1 where the store refuses the series)."""


@dataclass(frozen=True, slots=True)
class IngestResult:
    """outcome: of the whole batch, in the batch's rows. moved: references that were resolved again."""

    outcome: WriteOutcome
    moved: Moved | None = None


class MetricIngest:
    """The one way into a metric store. Thread-safe."""

    def __init__(self, registry: Registry) -> None:
        self._accepted = registry.counter(
            "spyglass_ingested_samples_total", "Samples stored, by the door they came through.", ["door"]
        )
        self._rejected = registry.counter(
            "spyglass_rejected_samples_total", "Samples refused, by door and reason.", ["door", "reason"]
        )

    def append(
        self,
        store: MetricWriter,
        batch: WriteBatch,
        *,
        door: str,
        labels_of: LabelsOf,
        durable: bool,
    ) -> IngestResult:
        """Store a batch. labels_of: the label sets of references, asked only for those that the store has forgotten.

        Raises: DiskFull, Unavailable: nothing of the batch was stored.
        """
        batch, refused, kept = _sound(batch)
        outcome = store.append(batch, durable=durable)
        moved = None
        if len(outcome.unknown) or len(_forgotten_histograms(outcome)):
            outcome, moved = self._again(store, batch, outcome, labels_of, durable)
        if refused:
            late = ((kept[row], reason) for row, reason in outcome.hist_rejected)
            outcome = replace(outcome, hist_rejected=tuple(sorted((*refused, *late))))
        self._count(outcome, door)
        return IngestResult(outcome, moved)

    def reject(self, door: str, reason: str, count: int) -> None:
        """Count samples that never reached the store."""
        if count:
            self._rejected.inc(door, reason, by=count)

    def _again(
        self, store: MetricWriter, batch: WriteBatch, first: WriteOutcome, labels_of: LabelsOf, durable: bool
    ) -> tuple[WriteOutcome, Moved]:
        """Resolve what the store has forgotten, and append just that once more."""
        rows, hist_rows = first.unknown, _forgotten_histograms(first)
        old = np.unique(np.concatenate([batch.refs[rows], _hist_refs(batch)[hist_rows]]))
        new = store.resolve(labels_of(old))
        retry, rows, hist_rows = _retry(batch, rows, hist_rows, old, new)
        second = store.append(retry, durable=durable)
        return _merged(first, second, rows, hist_rows), (old, new)

    def _count(self, outcome: WriteOutcome, door: str) -> None:
        if outcome.accepted:
            self._accepted.inc(door, by=outcome.accepted)
        counts = (
            ("unknown", len(outcome.unknown)),
            ("out_of_order", len(outcome.out_of_order)),
            ("too_old", len(outcome.too_old)),
            ("duplicate", len(outcome.duplicate)),
            ("histogram", len(outcome.hist_rejected)),
        )
        for reason, count in counts:
            self.reject(door, reason, count)


def _sound(batch: WriteBatch) -> tuple[WriteBatch, list[tuple[int, str]], list[int]]:
    """The batch without histograms that are none; those (row, why); the rows of the others in the batch as it came."""
    refused = [
        (row, problem)
        for row, histogram in enumerate(batch.histograms)
        if isinstance(histogram, FloatHistogram) and (problem := histogram_problem(histogram))
    ]
    if not refused:
        return batch, [], []
    gone = {row for row, _ in refused}
    kept = [row for row in range(len(batch.histograms)) if row not in gone]
    assert batch.hist_refs is not None, "a batch with histograms has their references"
    assert batch.hist_times is not None, "a batch with histograms has their times"
    sound = replace(
        batch,
        hist_refs=batch.hist_refs[kept] if kept else None,
        hist_times=batch.hist_times[kept] if kept else None,
        histograms=[batch.histograms[row] for row in kept],
    )
    return sound, refused, kept


def _forgotten_histograms(outcome: WriteOutcome) -> I64:
    return np.array([row for row, reason in outcome.hist_rejected if reason == "unknown"], np.int64)


def _hist_refs(batch: WriteBatch) -> I64:
    return np.zeros(0, np.int64) if batch.hist_refs is None else batch.hist_refs


def _retry(batch: WriteBatch, rows: I64, hist_rows: I64, old: I64, new: I64) -> tuple[WriteBatch, I64, I64]:
    """The batch of what was forgotten, under its new references, and which rows of the whole it holds."""
    successor = dict(zip(old.tolist(), new.tolist(), strict=True))

    def renamed(refs: I64) -> I64:
        return np.array([successor[ref] for ref in refs.tolist()], np.int64)

    refs, hist_refs = renamed(batch.refs[rows]), renamed(_hist_refs(batch)[hist_rows])
    known, hist_known = refs > 0, hist_refs > 0
    rows, hist_rows = rows[known], hist_rows[hist_known]
    exemplars = [(successor[ref], e) for ref, e in batch.exemplars if successor.get(ref, 0) > 0]
    times = batch.hist_times
    retry = WriteBatch(
        refs[known],
        batch.times[rows],
        batch.values[rows],
        hist_refs=hist_refs[hist_known] if times is not None else None,
        hist_times=None if times is None else times[hist_rows],
        histograms=[batch.histograms[row] for row in hist_rows.tolist()],
        exemplars=exemplars,
        starts=None if batch.starts is None else batch.starts[rows],
    )
    return retry, rows, hist_rows


def _merged(first: WriteOutcome, second: WriteOutcome, rows: I64, hist_rows: I64) -> WriteOutcome:
    """One account of both appends, in the rows of the first."""
    retried = set(hist_rows.tolist())
    kept = [(row, reason) for row, reason in first.hist_rejected if row not in retried]
    again = [(int(hist_rows[row]), reason) for row, reason in second.hist_rejected]
    return replace(
        first,
        accepted=first.accepted + second.accepted,
        unknown=np.setdiff1d(first.unknown, rows),
        out_of_order=np.concatenate([first.out_of_order, rows[second.out_of_order]]),
        too_old=np.concatenate([first.too_old, rows[second.too_old]]),
        duplicate=np.concatenate([first.duplicate, rows[second.duplicate]]),
        hist_rejected=(*kept, *again),
    )
