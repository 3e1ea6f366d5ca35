"""Several tenants read as one: streams carry their tenant, order is that of time, selectors may choose tenants."""

from collections.abc import Iterator

import pytest
from tests.loki_kit import NOW, SECOND, LokiKit, loki

A, B, BOTH = {"X-Scope-OrgID": "a"}, {"X-Scope-OrgID": "b"}, {"X-Scope-OrgID": "b|a|none"}
RANGE = {"start": NOW - 60 * SECOND, "end": NOW, "direction": "forward"}


@pytest.fixture
def kit() -> Iterator[LokiKit]:
    with loki(auth_enabled=True, multi_tenant=True) as kit:
        for number in range(3):
            at = NOW - 30 * SECOND + number * SECOND
            kit.push([({"job": "x"}, [(at, f"a{number} size={number}")])], A)
            kit.push([({"job": "x", "__tenant_id__": "own"}, [(at + 1, f"b{number} size={number}")])], B)
        yield kit


def lines(kit: LokiKit, query: str, **more: object) -> list[str]:
    result = kit.get("/loki/api/v1/query_range", BOTH, query=query, **(RANGE | more))["data"]["result"]
    rows = sorted((int(at), line[:2]) for stream in result for at, line in stream["values"])
    return [line for _, line in rows]


def test_lines_of_all_tenants_come_in_order_of_time(kit: LokiKit) -> None:
    """Forward and backward, up to the limit."""
    assert lines(kit, '{job="x"}') == ["a0", "b0", "a1", "b1", "a2", "b2"]
    assert lines(kit, '{job="x"} |= "1"') == ["a1", "b1"]
    assert lines(kit, '{job="x"}', limit=3) == ["a0", "b0", "a1"]
    assert lines(kit, '{job="x"}', limit=3, direction="backward") == ["b1", "a2", "b2"]


def test_streams_carry_their_tenant(kit: LokiKit) -> None:
    """A label of that name that a stream had is kept under another."""
    result = kit.get("/loki/api/v1/query_range", BOTH, query='{job="x"}', **RANGE)["data"]["result"]
    assert sorted((stream["stream"] for stream in result), key=str) == [
        {"__tenant_id__": "a", "job": "x"},
        {"__tenant_id__": "b", "job": "x", "original___tenant_id__": "own"},
    ]


def test_the_tenant_can_be_matched_filtered_and_grouped_by(kit: LokiKit) -> None:
    """In the selector, in the pipeline, in aggregations."""
    assert lines(kit, '{job="x", __tenant_id__="a"}') == ["a0", "a1", "a2"]
    assert lines(kit, '{job="x", __tenant_id__!="a"}') == ["b0", "b1", "b2"]
    assert lines(kit, '{job="x"} | __tenant_id__="b" |= "2"') == ["b2"]
    query = 'sum by (__tenant_id__) (sum_over_time({job="x"} | logfmt | unwrap size [1m]))'
    result = kit.get("/loki/api/v1/query", BOTH, query=query, time=NOW)["data"]["result"]
    assert {one["metric"]["__tenant_id__"]: one["value"][1] for one in result} == {"a": "3", "b": "3"}


def test_the_index_of_all_tenants(kit: LokiKit) -> None:
    """Names, values, series, statistics and volume are those of the tenants together."""
    window = {"start": NOW - 60 * SECOND, "end": NOW}
    assert kit.get("/loki/api/v1/labels", BOTH, **window)["data"] == ["__tenant_id__", "job"]
    assert kit.get("/loki/api/v1/label/job/values", BOTH, **window)["data"] == ["x"]
    assert kit.get("/loki/api/v1/label/__tenant_id__/values", BOTH, **window)["data"] == ["a", "b"]
    found = kit.get("/loki/api/v1/series", BOTH, **window, **{"match[]": '{__tenant_id__="a"}'})["data"]
    assert found == [{"__tenant_id__": "a", "job": "x"}]
    assert kit.get("/loki/api/v1/index/stats", BOTH, query='{job="x"}', **window)["entries"] == 6
    volume = kit.get("/loki/api/v1/index/volume", BOTH, query='{job="x"}', targetLabels="__tenant_id__", **window)
    assert {one["metric"]["__tenant_id__"] for one in volume["data"]["result"]} == {"a", "b"}


def test_one_tenant_is_read_as_ever(kit: LokiKit) -> None:
    """No label is added."""
    result = kit.get("/loki/api/v1/query_range", A, query='{job="x"}', **RANGE)["data"]["result"]
    assert [stream["stream"] for stream in result] == [{"job": "x"}]


def test_writes_and_servers_without_the_switch_take_one_tenant(kit: LokiKit) -> None:
    """400 in upstream's words; so is a name that cannot be one."""
    text = "contains unsupported character '|'"
    status, body = kit.push([({"job": "x"}, [(NOW, "l")])], BOTH)
    assert (status, text in body) == (400, True)
    assert kit.error("/loki/api/v1/labels", {"X-Scope-OrgID": "a|"}) == (400, "no org id")
    long = "tenant ID is too long: max 150 characters"
    assert kit.error("/loki/api/v1/labels", {"X-Scope-OrgID": "a|" + "b" * 151}) == (400, long)
    with loki(auth_enabled=True) as other:
        status, body = other.error("/loki/api/v1/labels", BOTH)
        assert (status, body) == (400, "tenant ID 'b|a|none' " + text)
