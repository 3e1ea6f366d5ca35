"""A Prometheus-compatible HTTP API as the target of scripts and comparisons."""

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from spyglass.model.labels import Labels, labels_of
from spyglass.model.times import StepGrid
from spyglass.testing.promqltest.targets import Answer, RenderedHistogram, Sample, ShownSample, Starts

Writer = Callable[[Sequence[tuple[Labels, Sequence[Sample]]]], None]


class HttpTarget:
    """Asks a server. Native histograms come as RenderedHistogram: an answer does not tell their schema.

    write, clear: how samples get into, and out of, what the server serves; None where that is not wanted.
    """

    def __init__(
        self,
        base_url: str,
        *,
        write: Writer | None = None,
        clear: Callable[[], None] | None = None,
        timeout_s: float = 30,
    ) -> None:
        self._base = base_url.rstrip("/")
        self._write, self._clear, self._timeout = write, clear, timeout_s

    def clear(self) -> None:
        assert self._clear is not None, "this target cannot forget"
        self._clear()

    def write(self, series: Sequence[tuple[Labels, Sequence[Sample]]], starts: Starts | None = None) -> None:
        """Start timestamps are left out: what serves this target keeps none."""
        del starts
        assert self._write is not None, "this target takes no samples"
        self._write(series)

    def instant(self, query: str, time_ms: int) -> Answer:
        return self._ask("query", {"query": query, "time": f"{time_ms / 1000:.3f}"})

    def range(self, query: str, grid: StepGrid) -> Answer:
        times = {"start": grid.start_ms, "end": grid.end_ms, "step": grid.step_ms}
        return self._ask("query_range", {"query": query, **{k: f"{v / 1000:.3f}" for k, v in times.items()}})

    def _ask(self, endpoint: str, parameters: Mapping[str, str]) -> Answer:
        body = urllib.parse.urlencode(parameters).encode()
        request = urllib.request.Request(f"{self._base}/api/v1/{endpoint}", data=body)
        try:
            with urllib.request.urlopen(request, timeout=self._timeout) as response:
                answer = json.load(response)
        except urllib.error.HTTPError as err:
            with err:
                answer = json.load(err)
        if answer["status"] != "success":
            return Answer(error=answer["error"])
        return _plain(answer)


def _plain(answer: Mapping[str, Any]) -> Answer:
    data = answer["data"]
    kind, result = data["resultType"], data["result"]
    notes = {"warnings": answer.get("warnings", ()), "infos": answer.get("infos", ())}
    if kind == "string":
        return Answer("string", text=result[1], **notes)
    if kind == "scalar":
        return Answer("scalar", [((), [_sample(result)])], **notes)
    series = [(labels_of(row["metric"]), _samples(row)) for row in result]
    return Answer(kind, series, **notes)


def _samples(row: Mapping[str, Any]) -> list[ShownSample]:
    """Floats and histograms of a row, in order of time."""
    floats = [*row.get("values", ()), *([row["value"]] if "value" in row else [])]
    histograms = [*row.get("histograms", ()), *([row["histogram"]] if "histogram" in row else [])]
    found = [*(_sample(pair) for pair in floats), *(_histogram(pair) for pair in histograms)]
    return sorted(found, key=lambda sample: sample[0])


def _sample(pair: Sequence[Any]) -> ShownSample:
    return round(float(pair[0]) * 1000), float(pair[1])


def _histogram(pair: Sequence[Any]) -> ShownSample:
    body = pair[1]
    buckets = tuple((float(low), float(high), float(count)) for _, low, high, count in body.get("buckets", ()))
    return round(float(pair[0]) * 1000), RenderedHistogram(float(body["count"]), float(body["sum"]), buckets)
