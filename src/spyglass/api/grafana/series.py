"""Answers of the engines, ours and others', in one form that the encoders take."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spyglass.model.arrays import F64, I64, Mask
from spyglass.model.frame import Frame
from spyglass.model.labels import METRIC_NAME, Labels
from spyglass.protocols.log_store import LogEntry
from spyglass.protocols.queries import MetricResult, StreamsResult


@dataclass(frozen=True, slots=True)
class Series:
    """One series. times [n] ms and values [n] float64; series with the same points share the very same `times` array."""

    labels: Labels
    times: I64
    values: F64


@dataclass(frozen=True, slots=True)
class SeriesAnswer:
    """A metric query's answer. kind: matrix, vector, scalar, string. step_ms 0: instant."""

    kind: str
    series: Sequence[Series] = ()
    text: str = ""
    step_ms: int = 0
    warnings: Sequence[str] = ()
    infos: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class LogAnswer:
    """A log query's answer. lines: (labels, entry) in the direction asked for."""

    lines: Sequence[tuple[Labels, LogEntry]]
    warnings: Sequence[str] = ()


Answer = SeriesAnswer | LogAnswer


def answer_of(result: MetricResult | StreamsResult, *, step_ms: int) -> Answer:
    if isinstance(result, StreamsResult):
        return LogAnswer(_in_order(result), tuple(result.warnings))
    series = list(_raw_series(result)) if result.raw else []
    infos = list(result.infos)
    if result.frame is not None:
        series += frame_series(result.frame)
        if result.frame.histograms is not None and _histograms(result.frame).any():
            infos.append(
                "native histograms in the answer are left out: use histogram_quantile or another function on them"
            )
    return SeriesAnswer(result.kind, series, result.text, step_ms, tuple(result.warnings), tuple(infos))


def frame_series(frame: Frame) -> list[Series]:
    """The rows of a frame that have a point. Rows without a gap share one array of times."""
    times, present = frame.grid.times(), frame.present
    if frame.histograms is not None:
        present = present & ~_histograms(frame)
    counts = present.sum(axis=1)
    values = np.ascontiguousarray(frame.values)
    dropped = frame.drop_names.tolist() if frame.drop_names is not None else None
    rows = np.flatnonzero(counts)
    labels = frame.labels.take(rows).all_labels()
    series = []
    for row, row_labels in zip(rows.tolist(), labels, strict=True):
        if dropped is not None and dropped[row]:
            row_labels = tuple(pair for pair in row_labels if pair[0] != METRIC_NAME)
        if counts[row] == len(times):
            series.append(Series(row_labels, times, values[row]))
        else:
            mask = present[row]
            series.append(Series(row_labels, times[mask], values[row][mask]))
    return series


def _histograms(frame: Frame) -> Mask:
    assert frame.histograms is not None, "asked only of frames with histograms"
    flags = [one is not None for one in frame.histograms.ravel().tolist()]
    return np.array(flags, np.bool_).reshape(frame.histograms.shape)


def _raw_series(result: MetricResult) -> list[Series]:
    series = []
    for labels, times, values in result.raw:
        kept = [(t, v) for t, v in zip(times, values, strict=True) if isinstance(v, int | float)]
        series.append(
            Series(
                labels,
                np.fromiter((t for t, _ in kept), np.int64, len(kept)),
                np.fromiter((v for _, v in kept), np.float64, len(kept)),
            )
        )
    return series


def _in_order(result: StreamsResult) -> list[tuple[Labels, LogEntry]]:
    """All streams' lines in one order of time; lines of one moment stay in their stream's order."""
    lines = [(labels, entry) for labels, entries in result.streams for entry in entries]
    lines.sort(key=lambda line: line[1].time_ns, reverse=result.direction == "backward")
    return lines
