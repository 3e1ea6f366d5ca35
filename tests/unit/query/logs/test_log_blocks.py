"""blocked_queries: by text, by pattern, by hash, by kind of query."""

import pytest
from tests.unit.query.logs.logs_kit import NS, T0, engine_over

from spyglass.config.loki_limits import BlockedQuery
from spyglass.query.budget import QueryBudget
from spyglass.query.log_blocks import QueryBlocked, hash_of
from spyglass.query.log_engine import LogEngine
from spyglass.query.log_limits import LogQueryLimits

SELECTOR, FILTERED, METRIC = '{app="web"}', '{app="web"} |= "x"', 'count_over_time({app="web"}[1m])'
ALL = (SELECTOR, FILTERED, METRIC)


def engine_with(*blocks: BlockedQuery) -> LogEngine:
    return engine_over({"web": ["x"]}, limits=LogQueryLimits(blocked_queries=blocks))


def is_blocked(engine: LogEngine, query: str, tenant: str = "fake") -> bool:
    try:
        engine.range(
            query,
            start_ns=T0,
            end_ns=T0 + NS,
            step_ns=NS,
            limit=10,
            direction="forward",
            tenant=tenant,
            budget=QueryBudget(),
        )
    except QueryBlocked:
        return True
    return False


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (BlockedQuery(), ALL),
        (BlockedQuery(pattern=f"  {SELECTOR} "), (SELECTOR,)),
        (BlockedQuery(pattern="web"), ()),
        (BlockedQuery(pattern="web", regex=True), ALL),
        (BlockedQuery(pattern="^count.*5m", regex=True), ()),
        (BlockedQuery(pattern="(", regex=True), ()),
        (BlockedQuery(types=("metric",)), (METRIC,)),
        (BlockedQuery(types=("filter", "limited")), (SELECTOR, FILTERED)),
        (BlockedQuery(pattern=".*", regex=True, types=("filter",)), (FILTERED,)),
        (BlockedQuery(hash=hash_of(METRIC)), (METRIC,)),
        (BlockedQuery(hash=hash_of(METRIC), types=("filter",)), ()),
        (BlockedQuery(tags={"source": "grafana"}), ()),
    ],
)
def test_what_an_entry_blocks(block: BlockedQuery, expected: tuple[str, ...]) -> None:
    """The others are answered."""
    engine = engine_with(block)
    assert tuple(query for query in ALL if is_blocked(engine, query)) == expected


def test_the_first_entry_that_matches_decides() -> None:
    """Its types included, whatever later entries say."""
    engine = engine_with(BlockedQuery(hash=1), BlockedQuery(pattern=METRIC, types=("filter",)), BlockedQuery())
    assert [is_blocked(engine, query) for query in ALL] == [True, True, False]


def test_the_documentations_hash() -> None:
    """FNV-1 of 32 bits."""
    assert hash_of('{stream="stdout",pod="loki-canary-9w49x"}') == 2943214005
