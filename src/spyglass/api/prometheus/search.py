"""search/metric_names, search/label_names, search/label_values: what is like the words of a search box, as lines of JSON.

Each line is a batch of results; the last says whether there were more. Source: Prometheus 3.13 web/api/v1/search (experimental).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from spyglass.api.prometheus.deps import PrometheusDeps
from spyglass.api.prometheus.params import Params
from spyglass.api.prometheus.reading import store_of
from spyglass.api.prometheus.replies import ChunkedResponse
from spyglass.model.errors import InvalidParameter
from spyglass.model.labels import METRIC_NAME
from spyglass.protocols.metric_store import MetricStore
from spyglass.text.gostring import quote
from spyglass.text.similarity import jaro_winkler, subsequence

NDJSON_TYPE = "application/x-ndjson; charset=utf-8"
HOUR_MS = 3_600_000
TERMS_MAX = 32
LIMIT_DEFAULT = 100
LIMIT_MAX = 10_000
CONTAINED = 0.9
"""The score of a text that has the words somewhere; at its start it is 1."""
_TRUTHS = {"1": True, "t": True, "true": True, "0": False, "f": False, "false": False}

Found = tuple[str, float]


@dataclass(frozen=True, slots=True)
class Search:
    """The parameters of all three. threshold: from 0 to 1."""

    terms: tuple[str, ...]
    threshold: float
    algorithm: str
    case_sensitive: bool
    sort_by: str
    descending: bool
    with_score: bool
    limit: int
    batch: int

    @staticmethod
    def of(params: Params) -> "Search":
        """Raises: InvalidParameter with upstream's texts."""
        terms = tuple(params.all("search[]"))
        if len(terms) > TERMS_MAX:
            raise InvalidParameter(f"too many search[] terms: at most {TERMS_MAX} are allowed")
        sort_by, direction = params.get("sort_by"), params.get("sort_dir")
        _check_order(sort_by, direction, terms)
        algorithm = params.get("fuzz_alg", "jarowinkler") or "jarowinkler"
        if algorithm not in ("subsequence", "jarowinkler"):
            raise InvalidParameter(f"unsupported fuzz_alg {quote(algorithm)}: must be one of [subsequence jarowinkler]")
        limit = _count(params, "limit")
        return Search(
            terms=terms,
            threshold=_threshold(params) / 100,
            algorithm=algorithm,
            case_sensitive=_truth(params, "case_sensitive", True),
            sort_by=sort_by,
            descending=direction == "dsc",
            with_score=_truth(params, "include_score", False),
            limit=limit,
            batch=min(_count(params, "batch_size"), limit),
        )

    def among(self, names: Sequence[str]) -> list[Found]:
        """The names that are like a term, with their scores, in the order asked for."""
        found = [(name, score) for name, score in zip(names, map(self._score, names), strict=True) if score >= 0]
        if self.sort_by == "score":
            return sorted(found, key=lambda item: (-item[1], item[0]))
        return sorted(found, reverse=self.descending)

    def _score(self, name: str) -> float:
        """The best of all terms; negative where none accepts the name."""
        if not self.terms:
            return 1.0
        return max(self._of_term(term, name) for term in self.terms)

    def _of_term(self, term: str, name: str) -> float:
        if not self.case_sensitive:
            term, name = term.lower(), name.lower()
        if term == "" or name.startswith(term):
            return 1.0
        if self.algorithm == "subsequence":
            score = subsequence(term, name)
            return score if score > 0 and score >= self.threshold else -1.0
        if term in name:
            return CONTAINED
        # At 0 everything would be alike: a fuzzy match has to have something in common.
        score = jaro_winkler(term, name) if self.threshold < 1 else 0.0
        return score if score > 0 and score >= self.threshold else -1.0


def _check_order(sort_by: str, direction: str, terms: Sequence[str]) -> None:
    if direction and not sort_by:
        raise InvalidParameter("sort_dir is only valid when sort_by is set")
    if direction and sort_by == "score":
        raise InvalidParameter("sort_dir is not supported for sort_by=score")
    if direction not in ("", "asc", "dsc"):
        raise InvalidParameter(f'invalid sort_dir {quote(direction)}: must be "asc" or "dsc"')
    if sort_by not in ("", "alpha", "score"):
        raise InvalidParameter(f"invalid sort_by {quote(sort_by)}: must be alpha or score")
    if sort_by == "score" and not terms:
        raise InvalidParameter("sort_by=score requires search[] to be set")


def _threshold(params: Params) -> int:
    text = params.get("fuzz_threshold") or "0"
    if not text.isdigit() or int(text) > 100:
        raise InvalidParameter(f"invalid fuzz_threshold {quote(text)}: must be 0-100")
    return int(text)


def _truth(params: Params, name: str, default: bool) -> bool:
    text = params.get(name)
    if text and text.lower() not in _TRUTHS:
        raise InvalidParameter(f"invalid {name} {quote(text)}: must be boolean")
    return _TRUTHS[text.lower()] if text else default


def _count(params: Params, name: str) -> int:
    text = params.get(name) or str(LIMIT_DEFAULT)
    if not text.isdigit() or not 1 <= int(text) <= LIMIT_MAX:
        raise InvalidParameter(f"invalid {name} {quote(text)}: must be an integer from 1 to {LIMIT_MAX}")
    return int(text)


async def metric_names(request: Request, deps: PrometheusDeps) -> Response:
    """Names of metrics, with what targets say of them where that is asked for."""
    params = await Params.of(request)
    store = store_of(request, deps)
    known = await deps.bridge.run(store.metadata) if _truth(params, "include_metadata", False) else {}

    def row(name: str) -> dict[str, Any]:
        entries = known.get(name)
        if not entries:
            return {"name": name}
        fields = {"type": entries[0].kind, "help": entries[0].help, "unit": entries[0].unit}
        return {"name": name, **{key: value for key, value in fields.items() if value}}

    return await _answer(params, deps, lambda span, sets: _values(store, METRIC_NAME, span, sets), row)


async def label_names(request: Request, deps: PrometheusDeps) -> Response:
    """Names of labels."""
    params = await Params.of(request)
    store = store_of(request, deps)

    def names(span: tuple[int, int], sets: Sequence[Any]) -> list[str]:
        return store.label_names(sets, start_ms=span[0], end_ms=span[1])

    return await _answer(params, deps, names, lambda name: {"name": name})


async def label_values(request: Request, deps: PrometheusDeps) -> Response:
    """Values of one label."""
    params = await Params.of(request)
    label = params.get("label")
    if not label:
        raise InvalidParameter('missing required parameter "label"')
    store = store_of(request, deps)
    return await _answer(params, deps, lambda span, sets: _values(store, label, span, sets), lambda v: {"value": v})


def _values(store: MetricStore, label: str, span: tuple[int, int], sets: Sequence[Any]) -> list[str]:
    return store.label_values(label, sets, start_ms=span[0], end_ms=span[1])


async def _answer(
    params: Params,
    deps: PrometheusDeps,
    candidates: Callable[[tuple[int, int], Sequence[Any]], list[str]],
    row: Callable[[str], dict[str, Any]],
) -> Response:
    search, sets = Search.of(params), params.matcher_sets()
    now_ms = deps.clock.now_ns() // 1_000_000
    span = params.time_ms("start", now_ms - HOUR_MS), params.time_ms("end", now_ms)

    def work() -> list[bytes]:
        return _lines(search, search.among(candidates(span, sets)), row)

    return ChunkedResponse(await deps.bridge.run(work), media_type=NDJSON_TYPE)


def _lines(search: Search, found: list[Found], row: Callable[[str], dict[str, Any]]) -> list[bytes]:
    kept = [{**row(name), **({"score": score} if search.with_score else {})} for name, score in found[: search.limit]]
    batches = [kept[at : at + search.batch] for at in range(0, len(kept), search.batch)] or [[]]
    lines: list[dict[str, Any]] = [{"results": batch} for batch in batches]
    lines.append({"status": "success", "has_more": len(found) > search.limit})
    return [orjson.dumps(line) + b"\n" for line in lines]
