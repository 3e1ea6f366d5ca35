"""Numbering the series that lines belong to in a metric query."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from spyglass.model.arrays import I64
from spyglass.model.errors import ExecutionError
from spyglass.model.labels import Labels, LabelTable, labels_of
from spyglass.query.exec.logs.rows import ERROR, PRESERVE_ERROR, Fields, Rows
from spyglass.query.plan.log_nodes import LogSource
from spyglass.text.gostring import quote


class PipelineError(ExecutionError):
    """A line failed in a stage of a metric query, and the query does not say what to do with such lines."""


class _PresentEmpty(str):
    """The value of a label that a stage extracted as empty. Upstream tells it from a label that is not there; our label tables
    take "" for absence. So this one is written as "" but equal to nothing else, and not false.
    """

    __slots__ = ()

    def __bool__(self) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        return self is other

    def __ne__(self, other: object) -> bool:
        return self is not other

    def __hash__(self) -> int:
        return 1


PRESENT_EMPTY = _PresentEmpty()


@dataclass(slots=True)
class SeriesIndex:
    """Label sets to numbers, for one window. One of three ways, by the source's grouping."""

    source: LogSource
    _ids: dict[Labels, int] = field(default_factory=dict)
    _by_stream: dict[int, int] = field(default_factory=dict)
    _by_values: dict[tuple[str | None, ...], int] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return len(self._ids)

    def table(self) -> LabelTable:
        return LabelTable.from_labels(list(self._ids))

    def number(self, rows: Rows) -> I64:
        """The series of each line [n]. Raises: PipelineError."""
        if rows.failed:
            rows_failed(rows)
        names = self.source.grouping
        if names is not None and not self.source.without:
            return self._grouped(rows, names)
        if rows.parsed is None and rows.metadata is None:
            return self._streams(rows)
        return self._whole(rows)

    def _id(self, labels: Labels) -> int:
        return self._ids.setdefault(labels, len(self._ids))

    def _grouped(self, rows: Rows, names: Sequence[str]) -> I64:
        if not names:
            return np.full(rows.size, self._id(()), np.int64)
        if rows.parsed is None and rows.metadata is None:
            return self._streams(rows)
        known = self._by_values
        ids = []
        for values in zip(*(rows.column(name) for name in names), strict=True):
            number = known.get(values)
            if number is None:
                number = known[values] = self._id(_named(names, values))
            ids.append(number)
        return np.asarray(ids, np.int64)

    def _streams(self, rows: Rows) -> I64:
        """Lines that have their stream's labels and no others: one look-up per stream."""
        used, inverse = np.unique(rows.stream, return_inverse=True)
        known = self._by_stream
        for number in used.tolist():
            if number not in known:
                known[number] = self._id(self._kept(rows.streams.labels[number]))
        return np.asarray([known[number] for number in used.tolist()], np.int64)[inverse]

    def _whole(self, rows: Rows) -> I64:
        return np.fromiter(
            (self._id(self._kept(rows.merged(place))) for place in range(rows.size)), np.int64, rows.size
        )

    def _kept(self, fields: Fields) -> Labels:
        source = self.source
        if source.grouping is not None and not source.without:
            return _named(source.grouping, [fields.get(name) for name in source.grouping])
        dropped = set(source.grouping or ())
        if source.unwrap:
            dropped.add(source.unwrap)
        return labels_of({name: value or PRESENT_EMPTY for name, value in fields.items() if name not in dropped})


def _named(names: Sequence[str], values: Sequence[str | None]) -> Labels:
    """None: the line has no such label."""
    return labels_of({n: v or PRESENT_EMPTY for n, v in zip(names, values, strict=True) if v is not None})


def rows_failed(rows: Rows) -> None:
    """Raise PipelineError for the first line with an error that the query does not look at itself."""
    for place, fields in enumerate(rows.parsed or ()):
        if ERROR in fields and PRESERVE_ERROR not in fields:
            raise _pipeline_error(rows.merged(place))


def _pipeline_error(labels: Fields) -> PipelineError:
    error = labels[ERROR]
    series = ", ".join(f"{name}={quote(value)}" for name, value in sorted(labels.items()))
    return PipelineError(
        f"pipeline error: '{error}' for series: '{{{series}}}'.\n"
        f'Use a label filter to intentionally skip this error. (e.g | {ERROR}!="{error}").\n'
        f'To skip all potential errors you can match empty errors.(e.g {ERROR}="")\n'
        f'The label filter can also be specified after unwrap. (e.g | unwrap latency | {ERROR}="" )\n'
    )
