"""The engine's door: results, names, notes, budgets and bad input."""

import threading
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from spyglass.model.errors import (
    BudgetExceeded,
    ExecutionError,
    InvalidParameter,
    NotFound,
    ParseError,
    QueryCanceled,
    QueryTimeout,
)
from spyglass.model.labels import Labels, labels_of
from spyglass.model.samples import STALE
from spyglass.model.times import StepGrid
from spyglass.protocols.metric_store import MetricStore
from spyglass.protocols.queries import MetricResult, PromQueries
from spyglass.query.budget import QueryBudget
from spyglass.query.engine import PromEngine, PromSettings
from spyglass.query.promql.parser import Features
from spyglass.storage.memory_metrics import MemoryMetricStore
from spyglass.testing.promqltest.targets import plain_answer, write_series

MINUTE = 60_000


class Stores:
    """One tenant with a store; the others have nothing."""

    def __init__(self) -> None:
        self.memory = MemoryMetricStore(out_of_order_window_ms=10**12)

    def store(self, tenant: str = "", *, create: bool = True) -> MetricStore:
        if tenant and not create:
            raise NotFound(tenant)
        return self.memory

    def tenants(self) -> list[str]:
        return [""]

    def maintain(self, now_ms: int) -> None: ...
    def close(self) -> None: ...


def _engine(settings: PromSettings | None = None, **series: Sequence[float]) -> PromEngine:
    """series: name to values a minute apart."""
    stores = Stores()
    rows: list[tuple[Labels, list[tuple[int, float]]]] = [
        (labels_of({"__name__": name, "job": "x"}), [(i * MINUTE, v) for i, v in enumerate(values)])
        for name, values in series.items()
    ]
    write_series(stores.memory, rows)
    return PromEngine(stores, settings)


def _instant(engine: PromQueries, query: str, minutes: float = 0, **options: int) -> MetricResult:
    return engine.instant(query, time_ms=round(minutes * MINUTE), tenant="", budget=QueryBudget(), **options)


def _range(engine: PromQueries, query: str, minutes: int) -> MetricResult:
    return engine.range(query, grid=StepGrid(0, minutes * MINUTE, MINUTE), tenant="", budget=QueryBudget())


def test_instant_vector() -> None:
    """A vector's frame has one step and only rows with a sample."""
    result = _instant(_engine(up=[1, 2], gone=[1, STALE]), '{job="x"}', 1)
    assert result.kind == "vector"
    assert plain_answer(result).series == [((("__name__", "up"), ("job", "x")), [(MINUTE, 2.0)])]


def test_scalar_string_and_matrix() -> None:
    """Each kind of instant result."""
    engine = _engine(up=[1, 2, 3])
    scalar = _instant(engine, "1 + 1")
    assert (scalar.kind, plain_answer(scalar).series) == ("scalar", [((), [(0, 2.0)])])
    text = _instant(engine, "'hello'")
    assert (text.kind, text.text) == ("string", "hello")
    raw = _instant(engine, "up[90s]", 2)
    assert raw.kind == "matrix"
    assert raw.raw == [((("__name__", "up"), ("job", "x")), [MINUTE, 2 * MINUTE], [2.0, 3.0])]


def test_range_is_a_matrix_sorted_by_labels() -> None:
    """Whatever the order of rows inside."""
    result = _range(_engine(b=[1, 2], a=[3, 4]), '{job="x"}', 1)
    assert result.kind == "matrix"
    assert [dict(labels)["__name__"] for labels, _ in plain_answer(result).series] == ["a", "b"]
    assert plain_answer(_range(_engine(), "2", 1)).series == [((), [(0, 2.0), (MINUTE, 2.0)])]


def test_names_go_at_once_unless_told_otherwise() -> None:
    """Functions that change values drop names; two series that only differed by theirs then collide."""
    engine = _engine(a_total=range(10), b_total=range(10))
    (only,) = plain_answer(_instant(engine, "rate(a_total[5m])", 9)).series
    assert only[0] == (("job", "x"),)
    with pytest.raises(ExecutionError, match="vector cannot contain metrics with the same labelset"):
        _instant(engine, 'rate({job="x"}[5m])', 9)
    by_name = "sum by (__name__) (rate(a_total[5m]))"
    (only,) = plain_answer(_instant(engine, by_name, 9)).series
    assert only[0] == ()
    delayed = _engine(PromSettings(delayed_names=True), a_total=range(10), b_total=range(10))
    replaced = 'label_replace(rate({job="x"}[5m]), "was", "$1", "__name__", "(.*)")'
    assert len(plain_answer(_instant(delayed, replaced, 9)).series) == 2


def test_notes_carry_positions() -> None:
    """Warnings and infos apart, with line and column."""
    engine = _engine(plain=range(10))
    result = _instant(engine, "rate(\n  plain[5m])", 9)
    assert list(result.infos) == [
        'PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "plain" (2:3)'
    ]
    result = _instant(engine, "quantile_over_time(3, plain[5m])", 9)
    assert list(result.warnings) == ["PromQL warning: quantile value should be between 0 and 1, got 3 (1:20)"]


def test_lookback_can_be_set() -> None:
    """Per engine and per request."""
    assert len(plain_answer(_instant(_engine(up=[1]), "up", 4)).series) == 1
    assert not plain_answer(_instant(_engine(up=[1]), "up", 4, lookback_ms=MINUTE)).series
    assert not plain_answer(_instant(_engine(PromSettings(lookback_ms=MINUTE), up=[1]), "up", 4)).series


def test_wrong_type_of_a_range_query() -> None:
    """Ranges and strings have no range."""
    with pytest.raises(InvalidParameter, match='invalid expression type "range vector" for range query'):
        _range(_engine(), "up[5m]", 1)
    with pytest.raises(InvalidParameter, match='invalid expression type "string" for range query'):
        _range(_engine(), "'x'", 1)


def test_unknown_tenants_have_nothing() -> None:
    """No error: nobody has written there yet."""
    result = _engine(up=[1]).instant("up + up", time_ms=0, tenant="other", budget=QueryBudget())
    assert plain_answer(result).series == []


def test_experimental_features_follow_the_settings() -> None:
    """What is off is refused with upstream's words."""
    engine = _engine(PromSettings(features=Features(experimental_functions=False)))
    with pytest.raises(ParseError, match='function "mad_over_time" is not enabled'):
        _instant(engine, "mad_over_time(up[5m])")


def test_stats_count_what_was_loaded() -> None:
    """Samples and series that the query touched."""
    stats = _range(_engine(a=range(10), b=range(10)), 'last_over_time({job="x"}[5m])', 9).stats
    assert (stats.samples, stats.series) == (20, 2)
    assert stats.seconds > 0


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: QueryBudget(max_samples=10), BudgetExceeded),
        (lambda: QueryBudget(max_bytes=100), BudgetExceeded),
        (lambda: QueryBudget(timeout_seconds=1e-9), QueryTimeout),
    ],
)
def test_budgets_stop_queries(make: Callable[[], QueryBudget], error: type[Exception]) -> None:
    """Too many samples, too much memory, too long. A budget's time runs from when it is made, so each is made here."""
    engine, budget = _engine(a=range(20), b=range(20)), make()
    with pytest.raises(error):
        engine.range('rate({job="x"}[5m])', grid=StepGrid(0, 20 * MINUTE, MINUTE), tenant="", budget=budget)


def test_cancel_comes_from_another_thread() -> None:
    """The next check stops the query."""
    budget = QueryBudget()
    thread = threading.Thread(target=budget.cancel)
    thread.start()
    thread.join()
    with pytest.raises(QueryCanceled):
        _engine(a=[1]).instant("a", time_ms=0, tenant="", budget=budget)


def test_format_is_pretty_printing() -> None:
    """As upstream's format_query."""
    assert _engine().format("sum(up)by(job)") == "sum by (job) (up)"


def test_kahan_summation_across_series() -> None:
    """A tiny addend between huge ones is not lost, in small groups and large ones."""
    big: dict[str, Sequence[float]] = {f"m{i}": [1e16 if i == 0 else -1e16 if i == 1 else 0.1] for i in range(42)}
    (only,) = plain_answer(_instant(_engine(None, **big), 'sum({job="x"})')).series
    assert only[1][0][1] == pytest.approx(4.0, rel=1e-12)
    assert np.isclose(1e16 + 0.1 - 1e16, 0.0)


def test_what_is_asked_twice_is_loaded_once() -> None:
    """Equal parts of a query share their samples; parts that only look alike do not."""
    engine = _engine(a=range(10), b=range(10))
    assert _instant(engine, "sum_over_time(a[5m]) / sum_over_time(a[5m])", 9).stats.samples == 5
    assert _instant(engine, "sum_over_time(a[5m]) / sum_over_time(a[4m])", 9).stats.samples == 9
    assert _instant(engine, "a + a offset 1m + a", 9).stats.series == 2


def test_shared_parts_keep_all_their_notes() -> None:
    """Each place that a note is about is named."""
    infos = _instant(_engine(a=range(10)), "rate(a[5m]) + rate(a[5m])", 9).infos
    assert [info.rpartition(" ")[2] for info in infos] == ["(1:6)", "(1:20)"]


def test_info_reads_its_info_series_once() -> None:
    """One sample of each is counted: that an info sample is a float and when it was written are seen in the same reading."""
    engine = _engine(m=[1.0], target_info=[1.0])
    result = engine.instant(
        "info(m)", time_ms=0, tenant="", budget=QueryBudget(timeout_seconds=0, max_samples=0, max_bytes=0)
    )
    assert (result.stats.samples, result.stats.series) == (2, 2)
