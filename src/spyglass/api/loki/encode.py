"""Answers in Loki's JSON. Values of samples are text as Go prints floats; times of entries are nanoseconds as text."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import orjson

from spyglass.api.loki.stats import stats_of
from spyglass.model.arrays import F64, Mask
from spyglass.model.labels import Labels
from spyglass.model.log_entry import LogEntry
from spyglass.protocols.queries import MetricResult, StreamsResult
from spyglass.text.gofloat import format_float, format_floats

JSON_TYPE = "application/json; charset=UTF-8"


def encode_result(result: StreamsResult | MetricResult, *, categorize: bool) -> bytes:
    """A whole query answer."""
    if isinstance(result, StreamsResult):
        data: dict[str, Any] = {"resultType": "streams", "result": _streams(result, categorize)}
        if categorize:
            data["encodingFlags"] = ["categorize-labels"]
    else:
        data = {"resultType": result.kind, "result": _metric(result)}
    data["stats"] = stats_of(result)
    answer: dict[str, Any] = {"status": "success", "data": data}
    if result.warnings:
        answer["warnings"] = list(result.warnings)
    return orjson.dumps(answer)


def success(data: object) -> bytes:
    return orjson.dumps({"status": "success", "data": data})


def _streams(result: StreamsResult, categorize: bool) -> list[dict[str, Any]]:
    if categorize:
        return _categorized(result)
    return [
        {"stream": dict(labels), "values": [[str(entry.time_ns), entry.line] for entry in entries]}
        for labels, entries in result.streams
    ]


def _categorized(result: StreamsResult) -> list[dict[str, Any]]:
    """Streams by the labels of the stream alone; what else a line's labels held goes beside the line."""
    return [
        {"stream": dict(one.labels), "values": [_with_extra(entry, parsed) for entry, parsed in one.rows]}
        for one in result.categorized()
    ]


def _with_extra(entry: LogEntry, parsed: Labels) -> list[Any]:
    extra: dict[str, dict[str, str]] = {}
    if entry.metadata:
        extra["structuredMetadata"] = dict(entry.metadata)
    if parsed:
        extra["parsed"] = dict(parsed)
    return [str(entry.time_ns), entry.line, extra]


def _metric(result: MetricResult) -> object:
    frame = result.frame
    assert frame is not None, "LogQL has no strings"
    seconds = [ms // 1000 if ms % 1000 == 0 else ms / 1000 for ms in frame.grid.times().tolist()]
    if result.kind == "scalar":
        return [seconds[0], format_float(float(frame.values[0, 0]))]
    labels = frame.labels.all_labels()
    if result.kind == "vector":
        rows = np.flatnonzero(frame.present[:, 0]).tolist()
        return [
            {"metric": dict(labels[row]), "value": [seconds[0], format_float(float(frame.values[row, 0]))]}
            for row in rows
        ]
    rows = np.flatnonzero(frame.present.any(axis=1)).tolist()
    points = _points(seconds, frame.values[rows], frame.present[rows])
    return [{"metric": dict(labels[row]), "values": of_row} for row, of_row in zip(rows, points, strict=True)]


def _points(seconds: Sequence[float], values: F64, present: Mask) -> Iterator[orjson.Fragment]:
    """Per row `[[time,"value"],...]`, written as text: an answer can have a million points, and lists of each would cost ten times more."""
    times = [f'"],[{time!r},"' for time in seconds]
    texts = format_floats(values[present])
    at = 0
    for there in present:
        of_row = times if there.all() else [times[place] for place in np.flatnonzero(there).tolist()]
        pieces = [""] * (2 * len(of_row))
        pieces[::2], pieces[1::2] = of_row, texts[at : at + len(of_row)]
        at += len(of_row)
        # The first pair has none before it to be closed.
        pieces[0] = pieces[0][3:]
        yield orjson.Fragment(f'[{"".join(pieces)}"]]')
