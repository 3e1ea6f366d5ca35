"""Metric answers as Grafana's data frames in JSON.

    {"schema": {"refId", "name", "meta", "fields": [{"name", "type", "labels", "config"}]},
     "data": {"values": [column, ...], "entities": [null | {"NaN": [index], "Inf": [...], "NegInf": [...]}, ...]}}

Columns are numpy arrays that orjson writes directly; JSON has no NaN and no infinities, so those are null in the column and named
in `entities`. Points that are absent are left out, per series. Source: grafana-plugin-sdk's frame JSON, as documented.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson

from spyglass.api.grafana.legend import display_names
from spyglass.api.grafana.series import Series, SeriesAnswer
from spyglass.model.arrays import F64, I64

Frame = dict[str, Any]


def metric_frames(answer: SeriesAnswer, *, ref_id: str, expression: str, legend_format: str, form: str) -> list[Frame]:
    """The frames of one query. form: time_series, table, heatmap. expression: what was evaluated."""
    if answer.kind == "string":
        return [_text_frame(answer, ref_id, expression)]
    if form == "table":
        frames = [table_frame(answer.series, ref_id=ref_id)]
    elif form == "heatmap" and answer.step_ms and any(_le(series) for series in answer.series):
        frames = [heatmap_frame(answer.series, ref_id=ref_id, step_ms=answer.step_ms)]
    else:
        names = display_names([series.labels for series in answer.series], legend_format, expression)
        frames = _series_frames(answer, names, ref_id)
    if not frames:
        frames = [{"schema": {"refId": ref_id, "fields": []}, "data": {"values": []}}]
    _describe(frames[0], answer, expression)
    return frames


def _describe(frame: Frame, answer: SeriesAnswer, expression: str) -> None:
    """What was asked and what to know about it, on the first frame only, as Grafana does."""
    step = f"\nStep: {answer.step_ms / 1000:g}s" if answer.step_ms else ""
    meta = frame["schema"].setdefault("meta", {})
    meta["executedQueryString"] = f"Expr: {expression}{step}"
    meta.setdefault("custom", {})["resultType"] = answer.kind
    notices = [{"severity": "warning", "text": text} for text in answer.warnings]
    notices += [{"severity": "info", "text": text} for text in answer.infos]
    if notices:
        meta["notices"] = notices


def _series_frames(answer: SeriesAnswer, names: Sequence[str], ref_id: str) -> list[Frame]:
    # A fragment per distinct time column: series without gaps share theirs, so it is written out once.
    fragments: dict[int, orjson.Fragment] = {}
    kind = "timeseries-multi" if answer.step_ms else "numeric-multi"
    frames = []
    for series, name in zip(answer.series, names, strict=True):
        times = fragments.get(id(series.times))
        if times is None:
            times = fragments[id(series.times)] = column(series.times)
        time_field: dict[str, Any] = {"name": "Time", "type": "time", "typeInfo": {"frame": "time.Time"}}
        if answer.step_ms:
            time_field["config"] = {"interval": answer.step_ms}
        value_field = {
            "name": "Value",
            "type": "number",
            "typeInfo": {"frame": "float64"},
            "labels": dict(series.labels),
            "config": {"displayNameFromDS": name},
        }
        frames.append(
            {
                "schema": {
                    "refId": ref_id,
                    "name": name,
                    "meta": {"type": kind, "typeVersion": [0, 1]},
                    "fields": [time_field, value_field],
                },
                "data": _data([times, series.values]),
            }
        )
    return frames


def _data(columns: Sequence[Any]) -> dict[str, Any]:
    data: dict[str, Any] = {"values": list(columns)}
    found = [
        entities(column) if isinstance(column, np.ndarray) and column.dtype == np.float64 else None
        for column in columns
    ]
    if any(found):
        data["entities"] = found
    return data


def entities(values: F64) -> dict[str, list[int]] | None:
    """Where the values are that JSON cannot write; None where all are finite."""
    odd = np.flatnonzero(~np.isfinite(values))
    if not len(odd):
        return None
    kinds = {"NaN": np.isnan(values[odd]), "Inf": np.isposinf(values[odd]), "NegInf": np.isneginf(values[odd])}
    return {name: odd[mask].tolist() for name, mask in kinds.items() if mask.any()}


def column(values: I64 | F64) -> orjson.Fragment:
    """A column as ready JSON."""
    return orjson.Fragment(orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY))


def table_frame(series: Sequence[Series], *, ref_id: str) -> Frame:
    """One frame: Time, a column per label (null where absent), the value. Rows in the order of the series, then of time.

    The value is always called Value: where a panel has several tables its client renames them `Value #A`, `Value #B`.
    """
    names = sorted({name for one in series for name, _ in one.labels})
    lengths = [len(one.times) for one in series]
    times = np.concatenate([one.times for one in series]) if series else np.zeros(0, np.int64)
    values = np.concatenate([one.values for one in series]) if series else np.zeros(0, np.float64)
    fields: list[dict[str, Any]] = [{"name": "Time", "type": "time", "typeInfo": {"frame": "time.Time"}}]
    columns: list[Any] = [times]
    maps = [dict(one.labels) for one in series]
    for name in names:
        fields.append({"name": name, "type": "string", "typeInfo": {"frame": "string"}, "config": {"filterable": True}})
        parts = ([labels.get(name)] * length for labels, length in zip(maps, lengths, strict=True))
        columns.append([value for part in parts for value in part])
    fields.append({"name": "Value", "type": "number", "typeInfo": {"frame": "float64"}})
    columns.append(values)
    schema = {"refId": ref_id, "meta": {"preferredVisualisationType": "table"}, "fields": fields}
    return {"schema": schema, "data": _data(columns)}


def heatmap_frame(series: Sequence[Series], *, ref_id: str, step_ms: int) -> Frame:
    """Cumulative `le` buckets as one frame: Time and a column per bucket with its own count, the lowest bucket first.

    Series of the same `le` are added up. A bucket's count is its own minus the next lower one's, never below 0. Series without
    `le` are left out.
    """
    buckets: dict[str, list[Series]] = {}
    for one in series:
        if _le(one):
            buckets.setdefault(_le(one), []).append(one)
    times = np.unique(np.concatenate([one.times for group in buckets.values() for one in group]))
    order = sorted(buckets, key=_bound)
    below, has_below = np.zeros(len(times)), np.zeros(len(times), bool)
    fields: list[dict[str, Any]] = [
        {"name": "Time", "type": "time", "typeInfo": {"frame": "time.Time"}, "config": {"interval": step_ms}}
    ]
    columns: list[Any] = [times]
    for bound in order:
        total, present = _summed(buckets[bound], times)
        own = np.maximum(total - np.where(has_below, below, 0.0), 0.0)
        fields.append({"name": bound, "type": "number", "typeInfo": {"frame": "float64"}, "labels": {"le": bound}})
        columns.append(
            own if present.all() else [v if p else None for v, p in zip(own.tolist(), present.tolist(), strict=True)]
        )
        below, has_below = np.where(present, total, below), has_below | present
    schema = {"refId": ref_id, "meta": {"type": "heatmap-rows"}, "fields": fields}
    return {"schema": schema, "data": _data(columns)}


def _summed(group: Sequence[Series], times: I64) -> tuple[F64, Any]:
    total, present = np.zeros(len(times)), np.zeros(len(times), bool)
    for one in group:
        places = np.searchsorted(times, one.times)
        total[places] += one.values
        present[places] = True
    return total, present


def _le(series: Series) -> str:
    return next((value for name, value in series.labels if name == "le"), "")


def _bound(text: str) -> float:
    try:
        return float(text.replace("Inf", "inf"))
    except ValueError:
        return np.inf


def _text_frame(answer: SeriesAnswer, ref_id: str, expression: str) -> Frame:
    frame: Frame = {
        "schema": {"refId": ref_id, "fields": [{"name": "Value", "type": "string", "typeInfo": {"frame": "string"}}]},
        "data": {"values": [[answer.text]]},
    }
    _describe(frame, answer, expression)
    return frame
