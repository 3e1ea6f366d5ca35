"""LogQL's engine: range functions, grouping, limits, instants, errors, budgets."""

import numpy as np
import pytest
from tests.unit.query.logs.logs_kit import NS, T0, engine_over, lines_of, vector

from spyglass.model.errors import AmbiguousMatch, BudgetExceeded, ExecutionError, InvalidParameter
from spyglass.protocols.queries import MetricResult, StreamsResult
from spyglass.query.budget import QueryBudget
from spyglass.query.log_engine import LogEngine
from spyglass.query.log_limits import LogQueryLimits
from spyglass.storage.memory_logs import MemoryLogStores

LOGFMT = [f"n={i} mod={i % 2} took={i}s size={i}KB" for i in range(10)]


@pytest.fixture(scope="module")
def engine() -> LogEngine:
    return engine_over({"web,env=prod": LOGFMT, "api,env=dev": ["é", "bb", "ccc"]})


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ('count_over_time({app="web"}[5s])', {"app=web,env=prod": 5}),
        ('rate({app="web"}[5s])', {"app=web,env=prod": 1}),
        ('bytes_over_time({app="api"}[1m])', {"app=api,env=dev": 7}),
        ('bytes_rate({app="api"}[10s])', {"app=api,env=dev": 0.7}),
        ('sum by (env) (count_over_time({app=~".+"}[1m]))', {"env=prod": 10, "env=dev": 3}),
        ('sum(count_over_time({app=~".+"}[1m]))', {"": 13}),
        ('sum without (env) (count_over_time({app=~".+"}[1m]))', {"app=web": 10, "app=api": 3}),
        ('sum by (mod) (count_over_time({app="web"} | logfmt [1m]))', {"mod=0": 5, "mod=1": 5}),
        ('sum_over_time({app="web"} | logfmt | unwrap n [1m]) ', None),
        ('sum(sum_over_time({app="web"} | logfmt | unwrap n [1m]))', {"": 45}),
        ('avg_over_time({app="web"} | logfmt | unwrap n [1m]) by (mod)', {"mod=0": 4, "mod=1": 5}),
        ('max_over_time({app="web"} | logfmt | unwrap duration(took) [1m]) by (env)', {"env=prod": 9}),
        ('min_over_time({app="web"} | logfmt | unwrap bytes(size) | size > 2KB [1m]) by (env)', {"env=prod": 3000}),
        ('first_over_time({app="web"} | logfmt | unwrap n [3s]) by (app)', {"app=web": 7}),
        ('last_over_time({app="web"} | logfmt | unwrap n [3s] offset 2s) by (app)', {"app=web": 7}),
        ('stddev_over_time({app="web"} | logfmt | unwrap n [1m]) by (app)', {"app=web": float(np.std(range(10)))}),
        ('stdvar_over_time({app="web"} | logfmt | unwrap n [1m]) by (app)', {"app=web": float(np.var(range(10)))}),
        ('quantile_over_time(0.9, {app="web"} | logfmt | unwrap n [1m]) by (app)', {"app=web": 8.1}),
        ('absent_over_time({app="web"}[5s])', {}),
        ('absent_over_time({app="nosuch", env=~"x", team="t"}[5s])', {"app=nosuch,team=t": 1}),
        ('count_over_time({app="web"}[5s]) > 4', {"app=web,env=prod": 5}),
        ('count_over_time({app="web"}[5s]) / 0', {"app=web,env=prod": float("nan")}),
        ('topk(1, sum by (app) (count_over_time({app=~".+"}[1m])))', {"app=web": 10}),
        ('count(count_over_time({app=~".+"}[1m]))', {"": 2}),
        ('label_replace(count_over_time({app="api"}[1m]), "x", "$1!", "env", "(.).*")', {"app=api,env=dev,x=d!": 3}),
        ("vector(2) * 3", {"": 6}),
        (
            'count_over_time({app="web"} |= "n=3" [1m]) or count_over_time({app="api"}[1m])',
            {"app=web,env=prod": 1, "app=api,env=dev": 3},
        ),
    ],
)
def test_metric_queries(engine: LogEngine, query: str, expected: dict[str, float] | None) -> None:
    """Windows are (t - range, t]; at T0+9 s the newest line is the tenth."""
    got = vector(engine, query, 9)
    if expected is None:
        assert sum(got.values()) == 45
        assert all(",n=" not in labels for labels in got), "the unwrapped label is no label of the series"
        return
    assert got == pytest.approx(expected, nan_ok=True)


def test_grouping_by_one_label_does_not_fail_on_lines_that_have_it() -> None:
    """A line that breaks behind the label that is needed is no failure; one without it is."""
    engine = engine_over({"web": ['{"k":"a","b":1}', '{"k":"a","b']})
    assert vector(engine, 'sum by (k) (count_over_time({app="web"} | json [1m]))', 5) == {"k=a": 2}
    assert vector(engine, 'sum(count_over_time({app="web"} | json [1m]))', 5) == {"": 2}
    with pytest.raises(ExecutionError, match="pipeline error: 'JSONParserErr' for series"):
        vector(engine, 'count_over_time({app="web"} | json [1m])', 5)


def test_few_fields_of_json_are_what_all_fields_would_give() -> None:
    """The quick reader and the exact one agree: repeated keys, floats, nesting, clashes, escapes."""
    lines = [
        '{"k":"a"}',
        '{"k":"b","k":"c"}',
        '{"k":1.50}',
        '{"k":0}',
        '{"k":true}',
        '{"k":null}',
        '{"x":{"k":"n"}}',
        '{"k":"\\u00e9"}',
        '{"k":7} tail',
    ]
    engine = engine_over({"web": lines})
    quick = vector(engine, 'sum by (k) (count_over_time({app="web"} | json [1m]))', 30)
    exact = vector(engine, 'sum by (k) (max by (k, x_k) (count_over_time({app="web"} | json | keep k [1m])))', 30)
    assert quick == exact
    assert quick == {"k=a": 1, "k=b": 1, "k=1.50": 1, "k=0": 1, "k=true": 1, "": 2, "k=é": 1, "k=7": 1}


def test_failing_values_fail_a_metric_query_unless_filtered() -> None:
    """unwrap of what is no number."""
    engine = engine_over({"web": ["v=1", "v=bad", "w=1"]})
    with pytest.raises(ExecutionError, match="pipeline error: 'SampleExtractionErr'"):
        vector(engine, 'sum_over_time({app="web"} | logfmt | unwrap v [1m])', 5)
    assert vector(engine, 'sum(sum_over_time({app="web"} | logfmt | unwrap v | __error__="" [1m]))', 5) == {"": 1}


def test_range_queries_are_aligned_to_their_step(engine: LogEngine) -> None:
    """From the multiple at or before start to the one at or after end."""
    result = engine.range(
        'count_over_time({app="web"}[2s])',
        start_ns=(T0 + 1) * NS,
        end_ns=(T0 + 9) * NS,
        step_ns=4 * NS,
        limit=10,
        direction="forward",
        tenant="fake",
        budget=QueryBudget(),
    )
    assert isinstance(result, MetricResult)
    assert result.frame is not None
    assert [ms / 1000 - T0 for ms in result.frame.grid.times().tolist()] == [0, 4, 8, 12]
    assert result.frame.values[0, :3].tolist() == [1, 2, 2]
    assert result.frame.present[0].tolist() == [True, True, True, False]


def test_an_instant_log_selector_gives_the_newest_lines_and_a_warning(engine: LogEngine) -> None:
    """Loki 3 refuses these; the ADR's curl example asks one."""
    result = engine.instant(
        '{app="web"}', time_ns=(T0 + 5) * NS, limit=2, direction="backward", tenant="fake", budget=QueryBudget()
    )
    assert isinstance(result, StreamsResult)
    assert [entry.line.split()[0] for _, entries in result.streams for entry in entries] == ["n=5", "n=4"]
    assert "query_range" in result.warnings[0]


def test_lines_come_in_the_direction_asked_up_to_the_limit(engine: LogEngine) -> None:
    """The limit counts lines behind the whole pipeline."""
    forward = lines_of(engine, '{app="web"} | logfmt | mod="1"', limit=2)
    backward = lines_of(engine, '{app="web"} | logfmt | mod="1"', limit=2, direction="backward")
    assert sorted(dict(labels)["n"] for labels, _ in forward.streams) == ["1", "3"]
    assert sorted(dict(labels)["n"] for labels, _ in backward.streams) == ["7", "9"]


def test_numbers_are_stamped_with_now(engine: LogEngine) -> None:
    """As Loki answers them."""
    result = engine.instant("1 + 1", time_ns=0, limit=1, direction="forward", tenant="fake", budget=QueryBudget())
    assert isinstance(result, MetricResult)
    assert result.kind == "scalar"
    assert result.frame is not None
    assert result.frame.grid.start_ms > T0 * 1000 - 10**12
    assert result.frame.values[0, 0] == 2


def test_unknown_tenants_have_no_lines() -> None:
    """No error, no store made."""
    engine = LogEngine(MemoryLogStores())
    assert lines_of(engine, '{app="web"}').streams == ()
    assert vector(engine, 'sum(count_over_time({app="web"}[1m]))', 1) == {}
    assert vector(engine, 'absent_over_time({app="web"}[1m])', 1) == {"app=web": 1}


def test_limits_have_lokis_names() -> None:
    """Entries, series, length and window are bounded; each says by what."""
    limits = LogQueryLimits(
        max_entries_limit_per_query=5, max_query_series=1, max_query_length=3600 * NS, max_query_range=60 * NS
    )
    engine = engine_over({"web": LOGFMT, "api": LOGFMT}, limits=limits)
    with pytest.raises(InvalidParameter, match=r"max entries limit per query exceeded.*\(6 > 5\)"):
        lines_of(engine, '{app="web"}', limit=6)
    with pytest.raises(
        InvalidParameter, match="the query time range exceeds the limit .query length: 1h0m1s, limit: 1h0m0s"
    ):
        lines_of(engine, '{app="web"}', limit=5, end=3601)
    with pytest.raises(BudgetExceeded, match=r"maximum number of series \(1\) reached for a single query"):
        vector(engine, 'count_over_time({app=~"web|api"}[1m])', 5)
    with pytest.raises(InvalidParameter, match=r"\[2m\] > \[1m\]"):
        vector(engine, 'count_over_time({app="web"}[2m])', 5)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("{a} * on (team) {b}", "found duplicate series on the right hand-side"),
        ("sum by (team) ({a}) * on (team) group_right {b}", ""),
        ("{a} * on (team) group_right {b}", "found duplicate series on the left hand-side"),
        ("{a} * on (team) sum by (team) ({b})", "multiple matches for labels: many-to-one matching must be explicit"),
        ("{none} * on (team) {b}", "found duplicate series on the right hand-side"),
    ],
)
def test_ambiguous_matches_are_refused_in_lokis_words(query: str, text: str) -> None:
    """Shorter ones than Prometheus', and duplicates count even where the other side is empty."""
    engine = engine_over(
        {"a,team=x,svc=1": ["l"], "a,team=x,svc=2": ["l"], "b,team=x,svc=1": ["l"], "b,team=x,svc=2": ["l"]}
    )
    names = {name: f'count_over_time({{app="{name}"}}[1m])' for name in ("a", "b", "none")}
    if not text:
        assert len(vector(engine, query.format(**names), 5)) == 2
        return
    with pytest.raises(AmbiguousMatch) as caught:
        vector(engine, query.format(**names), 5)
    assert caught.value.message.startswith(text)
    assert caught.value.message.endswith(("must be unique on one side", "must be explicit (group_left/group_right)"))


def test_label_replace_may_make_series_the_same() -> None:
    """What follows takes them for several."""
    engine = engine_over({"a,svc=1": ["l"], "a,svc=2": ["l"]})
    query = 'label_replace(count_over_time({app="a"}[1m]), "svc", "same", "app", ".*")'
    assert vector(engine, query, 5) == {"app=a,svc=same": 1}
    assert vector(engine, f"sum({query})", 5) == {"": 2}


def test_an_operator_may_require_labels_in_selectors() -> None:
    """Each selector of a query must name them, and as many labels as asked for; upstream's words."""
    engine = engine_over({"web": ["x"]}, limits=LogQueryLimits(required_labels=("app", "env"), minimum_labels_number=3))
    missing = r"stream selector is missing required matchers \[env\], labels present in the query were \[app, x\]"
    with pytest.raises(InvalidParameter, match=missing):
        lines_of(engine, '{app="web", x!="y"}')
    few = r"\(present: \[app, env\], number_present: 2, required_number_label_matchers: 3\)"
    with pytest.raises(InvalidParameter, match=few):
        vector(engine, 'sum(rate({app="web", env="", x=""}[1m])) + sum(rate({app="web", env=""}[1m]))', 5)
    assert len(lines_of(engine, '{app="web", env="", x=""}').streams) == 1


def test_variants_of_one_window_are_told_apart_by_a_label() -> None:
    """Where the tenant may ask them: each variant's series carry its number; else the query is refused in upstream's words."""
    query = 'variants(count_over_time({app="web"}[1m]), sum(bytes_over_time({app="web"}[1m])), 7) of ({app="web"}[1m])'
    engine = engine_over({"web": ["ab", "c"]}, limits=LogQueryLimits(enable_multi_variant_queries=True))
    assert vector(engine, query, 5) == {"__variant__=0,app=web": 2, "__variant__=1": 3, "__variant__=2": 7}
    with pytest.raises(InvalidParameter, match="multi variant queries are disabled for this instance"):
        vector(engine_over({"web": ["ab"]}), query, 5)


def test_what_lies_before_the_lookback_is_not_seen() -> None:
    """max_query_lookback moves the start; a query that ends before it finds nothing."""
    engine = engine_over({"web": LOGFMT}, limits=LogQueryLimits(max_query_lookback=NS))
    assert lines_of(engine, '{app="web"}').streams == ()
    result = engine.range(
        'rate({app="web"}[1m])',
        start_ns=T0 * NS,
        end_ns=(T0 + 60) * NS,
        step_ns=NS,
        limit=1,
        direction="forward",
        tenant="fake",
        budget=QueryBudget(),
    )
    assert isinstance(result, MetricResult)
    assert result.frame is not None
    assert result.frame.size == 0


def test_statistics_count_lines_and_their_size(engine: LogEngine) -> None:
    """What was looked at, not what was answered."""
    stats = lines_of(engine, '{app="web"} |= "n=3"').stats
    assert (stats.lines, stats.bytes) == (10, sum(map(len, LOGFMT)))


def test_a_spent_budget_leaves_a_part_of_the_lines_and_says_so() -> None:
    """Log queries answer with what they have; metric queries cannot."""
    engine = engine_over({"web": ["x" * 1000] * 1, "api": [f"{i}" + "y" * 1000 for i in range(5000)]}, step_s=0.01)
    budget = QueryBudget(max_bytes=2_500_000)
    result = engine.range(
        '{app="api"}',
        start_ns=T0 * NS,
        end_ns=(T0 + 600) * NS,
        step_ns=NS,
        limit=5000,
        direction="forward",
        tenant="fake",
        budget=budget,
    )
    assert isinstance(result, StreamsResult)
    assert 0 < sum(len(entries) for _, entries in result.streams) <= 5000
    with pytest.raises(BudgetExceeded):
        engine.instant(
            'sum(count_over_time({app="api"}[10m]))',
            time_ns=(T0 + 600) * NS,
            limit=1,
            direction="forward",
            tenant="fake",
            budget=QueryBudget(max_samples=10),
        )


def test_the_deepest_queries_that_parse_can_be_evaluated(engine: LogEngine) -> None:
    """The parser's limit leaves room on Python's stack."""
    assert vector(engine, "+".join(["vector(1)"] * 119), 0) == {"": 119}
    assert vector(engine, "max(" * 118 + "vector(1)" + ")" * 118, 0) == {"": 1}
    predicate = " or ".join(f'n="{i}"' for i in range(117))
    assert vector(engine, f'sum(count_over_time({{app="web"}} | logfmt | {predicate} [1m]))', 9) == {"": 10}


def test_a_series_per_line_over_many_steps_is_refused_before_memory_is_taken() -> None:
    """The budget is asked first."""
    engine = engine_over({"web": [f"id={i}" for i in range(500)]}, step_s=0.01)
    with pytest.raises(BudgetExceeded):
        engine.range(
            'count_over_time({app="web"} | logfmt [1m])',
            start_ns=T0 * NS,
            end_ns=(T0 + 10_000) * NS,
            step_ns=NS,
            limit=1,
            direction="forward",
            tenant="fake",
            budget=QueryBudget(max_bytes=100 << 20),
        )


def test_format_gives_back_the_query(engine: LogEngine) -> None:
    """format_query."""
    assert engine.format('sum  by(a)(rate( {app="web"}|= "x" [5m] ))') == 'sum by (a) (rate({app="web"} |= "x"[5m]))'


WINSTON = [
    '{"level":"info","message":"Request completed","path":"/api/v1/health","tenantId":"tenant-uuid","duration":12}',
    '{"level":"error","message":"ERROR: database","path":"/api/v1/contacts","tenantId":"other","duration":1500.5}',
    '{"level":"info","message":"Slow","path":"/api/v1/deals","tenantId":"tenant-uuid","duration":2000}',
    "not JSON at all",
]


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ('{app="backend"}', [0, 1, 2, 3]),
        ('{app="backend"} |= "ERROR"', [1]),
        ('{app="backend"} | json | tenantId="tenant-uuid"', [0, 2]),
        ('{app="backend"} | json | duration > 1000', [1, 2]),
        ('{app="backend"} | json | path="/api/v1/health"', [0]),
        ('{app="backend"} |= `` | json | __error__!=""', [3]),
    ],
)
def test_the_queries_that_people_start_with(query: str, places: list[int]) -> None:
    """All lines, a text, a field, a number, a path; lines that are no JSON fail no log query."""
    result = lines_of(engine_over({"backend": WINSTON}), query)
    found = [entry.line for _, entries in result.streams for entry in entries]
    assert sorted(map(WINSTON.index, found)) == places


def test_the_volume_query_of_explore() -> None:
    """Grafana draws its histogram with this; lines without the label are a group without it."""
    engine = engine_over({"backend,level=info": ["a", "b"], "backend": ["c"]})
    query = 'sum by (level, detected_level) (count_over_time({app="backend"} |= `` | drop __error__[1m]))'
    assert vector(engine, query, 30) == {"level=info": 2, "": 1}
