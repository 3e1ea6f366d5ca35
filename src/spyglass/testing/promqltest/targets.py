"""What scripts run against: an engine over a store, or a server's HTTP API."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

import numpy as np

from spyglass.model.errors import QueryError
from spyglass.model.histograms import FloatHistogram
from spyglass.model.labels import Labels
from spyglass.model.samples import WriteBatch
from spyglass.model.times import StepGrid
from spyglass.protocols.metric_store import MetricStore, MetricStores
from spyglass.protocols.queries import MetricResult
from spyglass.query.budget import QueryBudget
from spyglass.query.engine import PromEngine, PromSettings


@dataclass(frozen=True, slots=True)
class RenderedHistogram:
    """A native histogram as the HTTP API shows it: populated buckets with bounds, ascending."""

    count: float
    sum: float
    buckets: tuple[tuple[float, float, float], ...]


Sample = tuple[int, float | FloatHistogram]
"""Time in ms and value, as written."""

Starts = Mapping[Labels, Mapping[int, int]]
"""Start timestamps: series -> time of the sample -> start, in ms."""

Shown = float | FloatHistogram | RenderedHistogram
ShownSample = tuple[int, Shown]
"""Time in ms and value, as answered."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer in the plainest form. kind: vector, matrix, scalar, string. series in the answer's order.

    error: the error's text, or None.
    """

    kind: str = "vector"
    series: Sequence[tuple[Labels, Sequence[ShownSample]]] = ()
    text: str = ""
    warnings: Sequence[str] = ()
    infos: Sequence[str] = ()
    error: str | None = None


class Target(Protocol):
    """Something that holds samples and answers queries."""

    def clear(self) -> None:
        """Forget all samples."""
        ...

    def write(self, series: Sequence[tuple[Labels, Sequence[Sample]]], starts: Starts | None = None) -> None: ...

    def instant(self, query: str, time_ms: int) -> Answer: ...

    def range(self, query: str, grid: StepGrid) -> Answer: ...


def write_series(
    store: MetricStore, series: Sequence[tuple[Labels, Sequence[Sample]]], starts: Starts | None = None
) -> None:
    """Append whole series to a store, in order of time across all of them.

    Raises: AssertionError where the store refuses a sample.
    """
    refs = store.resolve([labels for labels, _ in series]).tolist()
    samples = [(t, ref, value) for ref, (_, points) in zip(refs, series, strict=True) for t, value in points]
    start_of = {
        (time, ref): start
        for ref, (labels, _) in zip(refs, series, strict=True)
        for time, start in (starts or {}).get(labels, {}).items()
    }
    samples.sort(key=lambda sample: sample[0])
    if any(isinstance(value, FloatHistogram) for _, _, value in samples):
        # A batch holds floats and histograms apart, so their order within a series is that of batches.
        for _, together in groupby(samples, key=lambda sample: sample[0]):
            _write(store, list(together), start_of)
    elif samples:
        _write(store, samples, start_of)


def _write(
    store: MetricStore,
    samples: Sequence[tuple[int, int, float | FloatHistogram]],
    start_of: Mapping[tuple[int, int], int],
) -> None:
    floats = [(t, ref, value) for t, ref, value in samples if not isinstance(value, FloatHistogram)]
    histograms = [(t, ref, value) for t, ref, value in samples if isinstance(value, FloatHistogram)]
    outcome = store.append(
        WriteBatch(
            refs=np.array([ref for _, ref, _ in floats], np.int64),
            times=np.array([t for t, _, _ in floats], np.int64),
            values=np.array([value for _, _, value in floats], np.float64),
            hist_refs=np.array([ref for _, ref, _ in histograms], np.int64),
            hist_times=np.array([t for t, _, _ in histograms], np.int64),
            histograms=[value for _, _, value in histograms],
            starts=np.array([start_of.get((t, ref), 0) for t, ref, _ in floats], np.int64) if start_of else None,
        )
    )
    assert outcome.rejected == 0, f"the store refused samples of the script: {outcome}"


class OneStore:
    """MetricStores with a single store."""

    def __init__(self, store: MetricStore) -> None:
        self._store = store

    def store(self, tenant: str = "", *, create: bool = True) -> MetricStore:  # noqa: ARG002
        return self._store

    def tenants(self) -> list[str]:
        return [""]

    def maintain(self, now_ms: int) -> None:
        self._store.maintain(now_ms)

    def close(self) -> None:
        self._store.close()


class EngineTarget:
    """The engine over stores that `make_store` makes, one after each `clear`.

    after_write: called with the store when samples were added (to flush or compact it, so that another layout is queried).
    """

    def __init__(
        self,
        make_store: Callable[[], MetricStore],
        *,
        settings: PromSettings | None = None,
        after_write: Callable[[MetricStore], None] | None = None,
    ) -> None:
        self._make, self._after_write = make_store, after_write
        self._settings = settings or PromSettings(delayed_names=True, start_timestamps=True)
        self._store = make_store()

    def clear(self) -> None:
        self._store.close()
        self._store = self._make()

    def write(self, series: Sequence[tuple[Labels, Sequence[Sample]]], starts: Starts | None = None) -> None:
        write_series(self._store, series, starts)
        if self._after_write is not None:
            self._after_write(self._store)

    def instant(self, query: str, time_ms: int) -> Answer:
        return self._answer(lambda e: e.instant(query, time_ms=time_ms, tenant="", budget=QueryBudget()))

    def range(self, query: str, grid: StepGrid) -> Answer:
        return self._answer(lambda e: e.range(query, grid=grid, tenant="", budget=QueryBudget()))

    def _answer(self, ask: Callable[[PromEngine], MetricResult]) -> Answer:
        stores: MetricStores = OneStore(self._store)
        try:
            return plain_answer(ask(PromEngine(stores, self._settings)))
        except QueryError as err:
            return Answer(error=err.message)


def plain_answer(result: MetricResult) -> Answer:
    """An engine's result in the plainest form."""
    series: list[tuple[Labels, list[ShownSample]]] = []
    if result.frame is not None:
        frame = result.frame
        times = frame.grid.times().tolist()
        for row, labels in enumerate(frame.labels.all_labels()):
            points: list[ShownSample] = []
            for step in np.flatnonzero(frame.present[row]).tolist():
                histogram = None if frame.histograms is None else frame.histograms[row, step]
                points.append((times[step], float(frame.values[row, step]) if histogram is None else histogram))
            series.append((labels, points))
    for labels, raw_times, values in result.raw:
        series.append((labels, list(zip(raw_times, values, strict=True))))  # type: ignore[arg-type]
    return Answer(result.kind, series, result.text, result.warnings, result.infos)
