"""Exemplars of a panel's query (`exemplar: true`), as one more frame of its answer.

    Time | Value | one text column per label of the series and the exemplar      meta.custom.resultType "exemplar"

A histogram of a busy service has thousands of them where a panel has room for some dozens: of each step and each band of two
standard deviations the largest is kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from spyglass.api.grafana.engines import Engines
from spyglass.api.grafana.inside import get_json
from spyglass.config.grafana import Datasource
from spyglass.model.arrays import F64, I64
from spyglass.model.errors import ExecutionError

PATH = "/api/v1/query_exemplars"


@dataclass(frozen=True, slots=True)
class Exemplars:
    """times [n] ms and values [n], in order of time; labels[i]: those of the series and, stronger, of the exemplar."""

    times: I64
    values: F64
    labels: Sequence[Mapping[str, str]]


async def ask_exemplars(engines: Engines, source: Datasource, expression: str, start_ms: int, end_ms: int) -> Exemplars:
    """Those of every series that the query's selectors name. Raises: QueryError leaves, Unavailable."""
    parameters = {"query": expression, "start": f"{start_ms / 1000:.3f}", "end": f"{end_ms / 1000:.3f}"}
    app = engines.local_app(source)
    if app is not None:
        answer = await get_json(app, source, PATH, parameters)
    else:
        answer = await engines.outside.get_json(source, PATH, parameters)
    return read_exemplars(answer.get("data"))


def read_exemplars(data: object) -> Exemplars:
    """The `data` of Prometheus' answer. Raises: ExecutionError for another form."""
    try:
        rows = [
            (float(one["timestamp"]) * 1000, float(one["value"]), {**series["seriesLabels"], **one["labels"]})
            for series in data or ()  # type: ignore[attr-defined]
            for one in series["exemplars"]
        ]
    except (KeyError, TypeError, ValueError):
        raise ExecutionError("the data source's exemplars have a form that is not known") from None
    rows.sort(key=lambda row: row[0])
    times = np.array([row[0] for row in rows], np.float64)
    return Exemplars(
        np.round(times).astype(np.int64), np.array([row[1] for row in rows], np.float64), [row[2] for row in rows]
    )


def thinned(exemplars: Exemplars, *, step_ms: int) -> Exemplars:
    """Of each step and band of values the largest."""
    values = exemplars.values
    finite = values[np.isfinite(values)]
    if len(finite) < 2 or step_ms <= 0:
        return exemplars
    width = 2 * float(finite.std()) or 1.0
    bands = np.floor(np.nan_to_num(values, nan=0.0, posinf=1e300, neginf=-1e300) / width)
    # Sorted by step, band and value: the last of each run of equal (step, band) is the largest.
    steps = exemplars.times // step_ms
    order = np.lexsort((values, bands, steps))
    ends = np.append((np.diff(steps[order]) != 0) | (np.diff(bands[order]) != 0), True)
    kept = np.sort(order[ends])
    return Exemplars(exemplars.times[kept], values[kept], [exemplars.labels[i] for i in kept.tolist()])


def exemplar_frame(exemplars: Exemplars, *, ref_id: str) -> dict[str, Any]:
    names = sorted({name for labels in exemplars.labels for name in labels})
    fields: list[dict[str, Any]] = [
        {"name": "Time", "type": "time", "typeInfo": {"frame": "time.Time"}},
        {"name": "Value", "type": "number", "typeInfo": {"frame": "float64"}},
    ]
    fields += [{"name": name, "type": "string", "typeInfo": {"frame": "string"}} for name in names]
    columns = [[labels.get(name, "") for labels in exemplars.labels] for name in names]
    meta = {"custom": {"resultType": "exemplar"}, "dataTopic": "annotations"}
    return {
        "schema": {"refId": ref_id, "name": "exemplar", "meta": meta, "fields": fields},
        "data": {"values": [exemplars.times, exemplars.values, *columns]},
    }
