"""Query answers as JSON. Large matrices go through `matrix_json`, a block at a time.
Source: Prometheus util/jsonutil, web/api/v1/json_codec.go.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson

from spyglass.api.prometheus.grid_text import GridText, number_texts
from spyglass.api.prometheus.histogram_json import histogram_json
from spyglass.api.prometheus.label_json import metric_json, metrics_json
from spyglass.api.prometheus.matrix_json import BLOCK_POINTS, BlockText
from spyglass.api.prometheus.times_json import format_time
from spyglass.model.frame import Frame
from spyglass.model.histograms import FloatHistogram
from spyglass.model.labels import Labels
from spyglass.protocols.queries import MetricResult
from spyglass.text.gofloat import format_float, format_json_float

CHUNK_SERIES = 64
"""So many series are joined to one chunk of the body."""

NOTES_MAX = 10
"""Upstream's, of warnings and of infos each."""


def encode_result(result: MetricResult, *, time_ms: int = 0, stats: object = None) -> list[bytes]:
    """The whole body in chunks. time_ms: of the query, which a string's answer carries."""
    head = f'{{"status":"success","data":{{"resultType":"{result.kind}","result":'.encode()
    tail = b"}"
    if stats is not None:
        tail = b',"stats":' + orjson.dumps(stats) + b"}"
    if result.warnings:
        tail += b',"warnings":' + orjson.dumps(first_notes(result.warnings, "warning"))
    if result.infos:
        tail += b',"infos":' + orjson.dumps(first_notes(result.infos, "info"))
    return [head, *_body(result, time_ms), tail + b"}"]


def first_notes(notes: Sequence[str], kind: str) -> list[str]:
    """NOTES_MAX annotations, and how many more there are. Source: Prometheus util/annotations (AsStrings)."""
    more = len(notes) - NOTES_MAX
    return [*notes[:NOTES_MAX], *([f"{more} more {kind} annotations omitted"] if more > 0 else [])]


def _body(result: MetricResult, time_ms: int) -> list[bytes]:
    if result.kind == "string":
        return [f"[{format_time(time_ms)},".encode() + orjson.dumps(result.text) + b"]"]
    frame = result.frame
    if result.kind == "matrix" and (frame is None or result.raw):
        return listed([_raw_series(*series) for series in result.raw])
    assert frame is not None, "only a string and a raw matrix have no frame"
    if result.kind == "scalar":
        value = format_float(float(frame.values[0, 0]))
        return [f'[{format_time(frame.grid.start_ms)},"{value}"]'.encode()]
    return _vector(frame) if result.kind == "vector" else _matrix(frame)


def listed(items: list[bytes]) -> list[bytes]:
    """A JSON list in chunks of CHUNK_SERIES items."""
    chunks = [b",".join(items[at : at + CHUNK_SERIES]) for at in range(0, len(items), CHUNK_SERIES)]
    out = [b"["]
    for index, chunk in enumerate(chunks):
        out.append(b"," + chunk if index else chunk)
    return [*out, b"]"]


def _vector(frame: Frame) -> list[bytes]:
    rows = np.flatnonzero(frame.present[:, 0])
    time = format_time(frame.grid.start_ms).encode()
    metrics = metrics_json(frame.labels.take(rows))
    texts = number_texts(frame.values[rows, 0])
    before, after = b',"value":[' + time + b',"', b'"]}'
    if frame.histograms is None:
        return listed([b'{"metric":' + m + before + text + after for m, text in zip(metrics, texts, strict=True)])
    items = []
    for metric, text, histogram in zip(metrics, texts, frame.histograms[rows, 0].tolist(), strict=True):
        if histogram is None:
            sample = before + text + after
        else:
            sample = b',"histogram":[' + time + b"," + histogram_json(histogram) + b"]}"
        items.append(b'{"metric":' + metric + sample)
    return listed(items)


def _matrix(frame: Frame) -> list[bytes]:
    rows = np.flatnonzero(frame.present.any(axis=1))
    metrics = metrics_json(frame.labels.take(rows))
    times = frame.grid.times().tolist()
    if frame.histograms is not None:
        grid = GridText(times)
        points = [grid.points(frame.values[row], frame.present[row], frame.histograms[row]) for row in rows.tolist()]
        return listed([b'{"metric":' + m + of_row + b"}" for m, of_row in zip(metrics, points, strict=True)])
    block, out = BlockText(times), [b"["]
    rows_at_once = max(BLOCK_POINTS // len(times), 1)
    for at in range(0, len(rows), rows_at_once):
        part = slice(at, at + rows_at_once)
        points = block.points(frame.values[rows[part]], frame.present[rows[part]])
        items = [b'{"metric":' + m + of_row + b"}" for m, of_row in zip(metrics[part], points, strict=True)]
        out.append((b"," if at else b"") + b",".join(items))
    return [*out, b"]"]


def _raw_series(labels: Labels, times_ms: Sequence[int], samples: Sequence[object]) -> bytes:
    """One series of `x[5m]`: samples at their own times, floats and histograms mixed."""
    floats = [(t, v) for t, v in zip(times_ms, samples, strict=True) if not isinstance(v, FloatHistogram)]
    histograms = [(t, v) for t, v in zip(times_ms, samples, strict=True) if isinstance(v, FloatHistogram)]
    out = b'{"metric":' + metric_json(labels)
    if floats:
        points = [f'[{format_time(t)},"{format_json_float(_number(v))}"]' for t, v in floats]
        out += b',"values":[' + ",".join(points).encode() + b"]"
    if histograms:
        parts = [b"[" + format_time(t).encode() + b"," + histogram_json(v) + b"]" for t, v in histograms]
        out += b',"histograms":[' + b",".join(parts) + b"]"
    return out + b"}"


def _number(value: Any) -> float:
    return float(value)
