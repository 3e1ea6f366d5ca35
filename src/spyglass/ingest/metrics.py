"""What every sample passes, whichever door it came through: labels are checked, samples are stored, refusals are counted.

Doors (scraping, remote write, OTLP) decode and resolve; this is where a reference that the store has forgotten is resolved again,
and where what the store refuses becomes a counter.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from spyglass.model.arrays import I64
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


@dataclass(frozen=True, slots=True)
class IngestResult:
    """outcome: of the whole batch, in the batch's rows. moved: (rows, new references) that were resolved again."""

    outcome: WriteOutcome
    moved: tuple[I64, I64] | None = None


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
        labels_of: Callable[[I64], Sequence[Labels]],
        durable: bool,
    ) -> IngestResult:
        """Store a batch. labels_of: the label sets of rows of the batch, asked only for references that the store has forgotten.

        Raises: DiskFull, Unavailable: nothing of the batch was stored.
        """
        outcome = store.append(batch, durable=durable)
        moved = None
        if len(outcome.unknown):
            outcome, moved = self._again(store, batch, outcome, labels_of, durable)
        self._count(outcome, door)
        return IngestResult(outcome, moved)

    def reject(self, door: str, reason: str, count: int) -> None:
        """Count samples that never reached the store."""
        if count:
            self._rejected.inc(door, reason, by=count)

    def _again(
        self,
        store: MetricWriter,
        batch: WriteBatch,
        first: WriteOutcome,
        labels_of: Callable[[I64], Sequence[Labels]],
        durable: bool,
    ) -> tuple[WriteOutcome, tuple[I64, I64]]:
        rows = first.unknown
        refs = store.resolve(labels_of(rows))
        known = np.flatnonzero(refs > 0)
        kept = rows[known]
        second = store.append(WriteBatch(refs[known], batch.times[kept], batch.values[kept]), durable=durable)
        merged = replace(
            first,
            accepted=first.accepted + second.accepted,
            unknown=rows[refs <= 0],
            out_of_order=np.concatenate([first.out_of_order, kept[second.out_of_order]]),
            too_old=np.concatenate([first.too_old, kept[second.too_old]]),
            duplicate=np.concatenate([first.duplicate, kept[second.duplicate]]),
        )
        return merged, (rows, refs)

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
