"""openapi.yaml: this API described for tools, from the table of its routes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

OPENAPI_TYPE = "application/openapi+yaml; charset=utf-8"

_MATCH = {"match[]": "Series selector; may be given several times."}
_SPAN = {"start": "Start time: RFC 3339 or Unix seconds.", "end": "End time: RFC 3339 or Unix seconds."}
_LIMIT = {"limit": "At most so many results; 0: all."}
_QUERY = {
    "query": "PromQL expression.",
    "timeout": "Evaluation timeout.",
    "lookback_delta": "Lookback of this query.",
    "stats": "Statistics in the answer: anything, or all.",
    **_LIMIT,
}
_SEARCH = {
    "search[]": "Term to look for; up to 32.",
    "fuzz_alg": "jarowinkler or subsequence.",
    "fuzz_threshold": "From 0 to 100.",
    "case_sensitive": "true or false.",
    "sort_by": "alpha or score.",
    "sort_dir": "asc or dsc.",
    "include_score": "true or false.",
    "batch_size": "Results per line.",
    **_LIMIT,
    **_MATCH,
    **_SPAN,
}
PARAMETERS: Mapping[str, Mapping[str, str]] = {
    "/query": {"time": "Evaluation time.", **_QUERY},
    "/query_range": {**_SPAN, "step": "Resolution: a duration or seconds.", **_QUERY},
    "/query_exemplars": {"query": "PromQL expression.", **_SPAN},
    "/format_query": {"query": "PromQL expression."},
    "/parse_query": {"query": "PromQL expression."},
    "/series": {**_MATCH, **_SPAN, **_LIMIT},
    "/labels": {**_MATCH, **_SPAN, **_LIMIT},
    "/label/{name}/values": {**_MATCH, **_SPAN, **_LIMIT},
    "/metadata": {**_LIMIT, "limit_per_metric": "At most so many entries a metric.", "metric": "Only this metric."},
    "/targets": {"state": "active, dropped or any.", "scrapePool": "Only this pool."},
    "/targets/metadata": {"match_target": "Selector of targets.", "metric": "Only this metric.", **_LIMIT},
    "/targets/relabel_steps": {"scrapePool": "The pool.", "labels": "Labels before relabelling, as a JSON object."},
    "/scrape_pools/config": {"scrapePool": "The pool."},
    "/status/tsdb": _LIMIT,
    "/status/self_metrics": {"metric_name_pattern": "Regular expression of whole names."},
    "/search/metric_names": {**_SEARCH, "include_metadata": "true or false."},
    "/search/label_names": _SEARCH,
    "/search/label_values": {"label": "Name of the label.", **_SEARCH},
    "/admin/tsdb/delete_series": {**_MATCH, **_SPAN},
    "/admin/tsdb/snapshot": {"skip_head": "true or false."},
}


def describe(routes: Iterable[tuple[str, str, Sequence[str]]], *, prefix: str, version: str) -> bytes:
    """OpenAPI 3.1 as YAML. routes: (path below the prefix, summary, methods)."""
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Prometheus API of Spyglass", "version": version},
        "servers": [{"url": prefix}],
        "paths": {path: _path(path, summary, methods) for path, summary, methods in routes},
    }
    return yaml.safe_dump(document, sort_keys=False).encode()


def _path(path: str, summary: str, methods: Sequence[str]) -> dict[str, Any]:
    return {method.lower(): _operation(path, summary, method) for method in methods}


def _operation(path: str, summary: str, method: str) -> dict[str, Any]:
    name = path.strip("/").replace("{name}", "name").replace("/", "-").replace("_", "-")
    parameters: list[dict[str, Any]] = []
    if "{name}" in path:
        parameters.append({"name": "name", "in": "path", "required": True, "schema": {"type": "string"}})
    parameters += [
        {"name": key, "in": "query", "description": text, "schema": {"type": "string"}}
        for key, text in PARAMETERS.get(path, {}).items()
    ]
    return {
        "operationId": name if method == "GET" else f"{name}-{method.lower()}",
        "summary": summary,
        **({"parameters": parameters} if parameters else {}),
        "responses": {
            "200": {"description": "Success."},
            "default": {"description": "An error, with its type and text."},
        },
    }
