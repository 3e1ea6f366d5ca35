"""The table of goals: a row per figure, a column per server, "-" where a server has none."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bench.compare.queries import OFF_GRID, RANGES, SHAPES

Results = Mapping[str, Any]
"""By server, what was found. By key: "day", "scrape_1", "scrape_10", "active"."""

QUANTILE, RATE = SHAPES[2], SHAPES[0]
WIDTH = 14


def report(results: Results) -> None:
    names = list(results)
    print(f"{'':52}" + "".join(f"{name:>{WIDTH}}" for name in names))
    for title, value in [*_FIGURES, *_questions(results)]:
        cells = [_cell(value, results[name]) for name in names]
        if any(cells):
            print(f"{title:52}" + "".join(f"{cell or '-':>{WIDTH}}" for cell in cells))


def _cell(value: Callable[[Any], float], result: Any) -> str:
    try:
        return f"{value(result):.3f}"
    except KeyError:
        return ""


_FIGURES: Sequence[tuple[str, Callable[[Any], float]]] = (
    ("remote write, CPU s per million samples", lambda r: r["day"]["ingest"]["cpu_s_per_million"]),
    ("remote write, million samples/s", lambda r: r["day"]["ingest"]["samples_per_s"] / 1e6),
    ("peak memory while ingesting, MB", lambda r: r["day"]["ingest"]["peak_mb"]),
    ("disk, bytes per sample", lambda r: r["day"]["bytes_per_sample"]),
    ("scraping 10,000 series at 1 s, CPU s per million", lambda r: r["scrape_1"]["cpu_s_per_million"]),
    ("scraping 10,000 series at 1 s, peak MB", lambda r: r["scrape_1"]["peak_mb"]),
    ("scraping 10 x 10,000 series at 1 s, CPU s per million", lambda r: r["scrape_10"]["cpu_s_per_million"]),
    ("scraping 10 x 10,000 series at 1 s, peak MB", lambda r: r["scrape_10"]["peak_mb"]),
    ("cold start: ready, s", lambda r: r["day"]["ready_s"]),
    ("cold start: first long query, s", lambda r: r["day"]["first_query_s"]),
    ("8 clients, same times: queries/s", lambda r: r["day"]["clients"]["queries_per_s"]),
    ("8 clients, same times: peak memory, MB", lambda r: r["day"]["clients"]["peak_mb"]),
    ("8 clients, times differ: queries/s", lambda r: r["day"]["clients_apart"]["queries_per_s"]),
    ("8 clients, times differ: peak memory, MB", lambda r: r["day"]["clients_apart"]["peak_mb"]),
    ("1 M active series: peak memory, MB", lambda r: r["active"]["peak_mb"]),
    ("1 M active series: query of 1,000, ms", lambda r: r["active"]["query_ms"]),
)


def _questions(results: Results) -> list[tuple[str, Callable[[Any], float]]]:
    """Sums, and how they compare with Prometheus where it took part."""
    rows: list[tuple[str, Callable[[Any], float]]] = []
    asked = [found["day"]["queries_ms"] for found in results.values() if "queries_ms" in found.get("day", {})]
    spans = [name for name, _, _ in RANGES if asked and name in asked[0]]
    base = results.get("prometheus", {}).get("day", {})
    for span in spans:
        title = f"{len(SHAPES)} queries, {span}: "
        rows.append((title + "sum of medians, ms", lambda r, s=span: sum(_medians(r, s).values())))
        if "queries_ms" in base:
            peer = base["queries_ms"][span]
            rows.append((title + "geometric mean vs Prometheus", lambda r, s=span, p=peer: _ratio(_medians(r, s), p)))
            rows.append((title + "worst difference, ms", lambda r, s=span, p=peer: _worst(_medians(r, s), p)))
    longest = [span for span in spans if span != OFF_GRID][-1:]
    for span in [*longest, *(span for span in spans if span == OFF_GRID)]:
        rows.append((f"{span} histogram_quantile over sum by (le), ms", lambda r, s=span: _medians(r, s)[QUANTILE]))
        rows.append((f"{span} rate() of all requests, ms", lambda r, s=span: _medians(r, s)[RATE]))
    rows.append(("1h rate() of all requests at 15 s, ms", lambda r: _medians(r, "1h")[RATE]))
    return rows


def _medians(result: Any, span: str) -> dict[str, float]:
    found: dict[str, float] = result["day"]["queries_ms"][span]
    return found


def _ratio(ours: Mapping[str, float], theirs: Mapping[str, float]) -> float:
    return math.exp(sum(math.log(ours[query] / theirs[query]) for query in SHAPES) / len(SHAPES))


def _worst(ours: Mapping[str, float], theirs: Mapping[str, float]) -> float:
    return max(ours[query] - theirs[query] for query in SHAPES)
