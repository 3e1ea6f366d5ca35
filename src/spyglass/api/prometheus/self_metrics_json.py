"""status/self_metrics: our own metrics as JSON, in the JSON form of the protobuf MetricFamily.

Counts of 64 bits are texts, as everywhere in that form; buckets are cumulative and the last one, +Inf, is left to the count.
Source: https://protobuf.dev/programming-guides/json/, io.prometheus.client.MetricFamily.
"""

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from spyglass.api.prometheus.deps import PrometheusDeps
from spyglass.api.prometheus.params import Params, invalid
from spyglass.api.prometheus.replies import success
from spyglass.model.telemetry import Family
from spyglass.text.regex import anchored_program

TYPES = {"counter": "COUNTER", "gauge": "GAUGE", "histogram": "HISTOGRAM"}

Pairs = tuple[tuple[str, str], ...]


async def self_metrics(request: Request, deps: PrometheusDeps) -> Response:
    """All families, or those whose names match metric_name_pattern as a whole."""
    pattern = (await Params.of(request)).get("metric_name_pattern")
    families = await deps.ingest_bridge.run(deps.registry.collect)
    return success([family_json(family) for family in _chosen(families, pattern)])


def _chosen(families: Iterable[Family], pattern: str) -> list[Family]:
    if not pattern:
        return list(families)
    try:
        program = anchored_program(pattern)
    except (ValueError, re.error) as err:
        raise invalid("metric_name_pattern", str(err)) from None
    return [family for family in families if program.fullmatch(family.name)]


def family_json(family: Family) -> dict[str, Any]:
    """A family with its metrics, each a set of labels with its value."""
    kind = TYPES.get(family.kind, "UNTYPED")
    if kind == "HISTOGRAM":
        metrics = _histograms(family)
    else:
        metrics = [{**_labels(pairs), kind.lower(): {"value": _number(value)}} for _, pairs, value in family.samples]
    return {"name": family.name, "help": family.help, "type": kind, "metric": metrics}


def _histograms(family: Family) -> list[dict[str, Any]]:
    found: dict[Pairs, dict[str, Any]] = {}
    for suffix, pairs, value in family.samples:
        own = tuple(pair for pair in pairs if pair[0] != "le")
        histogram = found.setdefault(own, {"bucket": []})
        if suffix == "_count":
            histogram["sampleCount"] = str(int(value))
        elif suffix == "_sum":
            histogram["sampleSum"] = _number(value)
        elif (bound := float(dict(pairs)["le"])) != math.inf:
            histogram["bucket"].append({"cumulativeCount": str(int(value)), "upperBound": bound})
    return [{**_labels(pairs), "histogram": histogram} for pairs, histogram in found.items()]


def _labels(pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    return {"label": [{"name": name, "value": value} for name, value in pairs]} if pairs else {}


def _number(value: float) -> float | str:
    """JSON has no names for what is not finite: this form writes them as texts."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
