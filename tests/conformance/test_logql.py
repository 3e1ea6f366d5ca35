"""LogQL against the recorded answers of the real Loki, through the engine over the store in memory."""

import pytest
from tests.conformance.logql_cases import FOLDER, NS, Case, differences, read_cases, read_streams

from spyglass.model.errors import QueryError
from spyglass.protocols.queries import MetricResult, StreamsResult
from spyglass.query.budget import QueryBudget
from spyglass.query.log_engine import LogEngine
from spyglass.storage.memory_logs import MemoryLogStores

CASES = read_cases()
API_CLASSES = ("bad-limit", "bad-value", "step")
"""Refusals of request parameters: the HTTP API's business, tested there."""

pytestmark = pytest.mark.skipif(not CASES, reason=f"no conformance data in {FOLDER} (SPYGLASS_CONFORMANCE)")


@pytest.fixture(scope="module")
def engine() -> LogEngine:
    stores = MemoryLogStores()
    for labels, entries in read_streams():
        stores.store().append([(labels, entries)])
    return LogEngine(stores)


def ask(engine: LogEngine, case: Case) -> StreamsResult | MetricResult:
    budget = QueryBudget()
    if case.kind == "instant":
        return engine.instant(
            case.query,
            time_ns=case.seconds("time", 600),
            limit=2000,
            direction="backward",
            tenant="fake",
            budget=budget,
        )
    start = case.seconds("start", 0)
    end = case.seconds("end", 3600 if case.kind == "log" else 600)
    backward = case.options.get("direction") == "backward" or "nodirection" in case.options
    return engine.range(
        case.query,
        start_ns=start,
        end_ns=end,
        step_ns=_step_ns(case, start, end),
        limit=100 if "nolimit" in case.options else int(case.options.get("limit", 2000)),
        direction="backward" if backward else "forward",
        tenant="fake",
        budget=budget,
        interval_ns=int(case.options.get("interval", 0)) * NS,
    )


def _step_ns(case: Case, start_ns: int, end_ns: int) -> int:
    if "nostep" in case.options or case.kind == "log":
        return max((end_ns - start_ns) // NS // 250, 1) * NS
    text = case.options.get("step", "60")
    scale = {"s": 1, "m": 60}.get(text[-1])
    return int(text[:-1] if scale else text) * (scale or 1) * NS


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_answer_is_lokis(engine: LogEngine, case: Case) -> None:
    """Each recorded query gives the recorded answer: streams, samples to 1e-9, or the class and text of the error."""
    if case.want.get("class") in API_CLASSES:
        pytest.skip("refused by the HTTP API before the engine is asked")
    if "status" in case.want:
        with pytest.raises(QueryError) as caught:
            ask(engine, case)
        # Recorded texts may be cut short, and which line fails a metric query first is chance.
        wanted = case.want["text"].partition(" for series")[0]
        assert caught.value.message[: len(wanted)] == wanted
        return
    assert differences(ask(engine, case), case) == ""
