"""The Prometheus API over real HTTP: answers, errors, parameters."""

import asyncio
import math
import shutil
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.integration.prometheus_bench import door, until

from spyglass.config.prometheus import parse_prometheus
from spyglass.model.errors import ConfigError, QueryCanceled
from spyglass.protocols.budget import Budget
from spyglass.protocols.queries import MetricResult
from spyglass.query.budget import QueryBudget

T = 1_700_000_000_000


async def test_an_instant_query_answers_a_vector() -> None:
    """Values are text, times seconds; GET and POST alike."""
    async with door() as d:
        d.put({"a": (T, 1.0), "b": (T, math.inf), "c": (T, math.nan), "d": (T, 1e-7), "e": (T, 1e21), "f": (T, 0.1)})
        query = {"query": "m", "time": f"{T / 1000 + 0.5}"}
        answer = (await d.get("/api/v1/query", query)).json()
        assert answer["data"]["resultType"] == "vector"
        got = {row["metric"]["s"]: row["value"] for row in answer["data"]["result"]}
        assert got == {
            "a": [1700000000.5, "1"],
            "b": [1700000000.5, "+Inf"],
            "c": [1700000000.5, "NaN"],
            "d": [1700000000.5, "1e-07"],
            "e": [1700000000.5, "1e+21"],
            "f": [1700000000.5, "0.1"],
        }
        posted = await d.client.post(d.url + "/api/v1/query", data=query)
        assert posted.json() == answer


async def test_scalar_and_string_and_matrix() -> None:
    """The other kinds of results."""
    async with door() as d:
        d.put({"a": (T, 1.0)})
        assert await d.data("/api/v1/query", query="1e-7", time=5) == {
            "resultType": "scalar",
            "result": [5, "0.0000001"],
        }
        assert await d.data("/api/v1/query", query='"x"', time=5) == {"resultType": "string", "result": [5, "x"]}
        data = await d.data("/api/v1/query", query="m[5m]", time=T / 1000)
        assert data == {
            "resultType": "matrix",
            "result": [{"metric": {"__name__": "m", "s": "a"}, "values": [[1700000000, "1"]]}],
        }
        assert await d.data("/api/v1/query", query="none[5m]", time=5) == {"resultType": "matrix", "result": []}


async def test_a_range_query_answers_a_matrix_with_gaps() -> None:
    """Only the steps that have a sample; a stale-free series ends after the lookback."""
    async with door() as d:
        d.put({"a": (T, 1.5)})
        params = {"query": "m", "start": T / 1000 - 60, "end": T / 1000 + 120, "step": "60", "lookback_delta": "90s"}
        data = await d.data("/api/v1/query_range", **params)
        assert data["result"] == [
            {"metric": {"__name__": "m", "s": "a"}, "values": [[1700000000, "1.5"], [1700000060, "1.5"]]}
        ]


@pytest.mark.parametrize(
    ("path", "params", "status", "kind", "message"),
    [
        (
            "query",
            {"query": "m{"},
            400,
            "bad_data",
            'invalid parameter "query": 1:3: parse error: unexpected end of input inside braces',
        ),
        (
            "query",
            {"query": "m", "time": "x"},
            400,
            "bad_data",
            'invalid parameter "time": Invalid time value for \'time\': cannot parse "x" to a valid timestamp',
        ),
        (
            "query",
            {"query": "m", "limit": "-1"},
            400,
            "bad_data",
            'invalid parameter "limit": limit must be non-negative',
        ),
        (
            "query",
            {"query": "m", "timeout": "x"},
            400,
            "bad_data",
            'invalid parameter "timeout": cannot parse "x" to a valid duration',
        ),
        (
            "query_range",
            {"query": "m", "start": 0, "end": 10},
            400,
            "bad_data",
            'invalid parameter "step": cannot parse "" to a valid duration',
        ),
        (
            "query_range",
            {"query": "m", "start": 10, "end": 0, "step": 1},
            400,
            "bad_data",
            'invalid parameter "end": end timestamp must not be before start time',
        ),
        (
            "query_range",
            {"query": "m", "start": 0, "end": 10, "step": 0},
            400,
            "bad_data",
            'invalid parameter "step": zero or negative query resolution step widths are not accepted. '
            "Try a positive integer",
        ),
        (
            "query_range",
            {"query": "m", "start": 0, "end": 11001, "step": 1},
            400,
            "bad_data",
            "exceeded maximum resolution of 11,000 points per timeseries. "
            "Try decreasing the query resolution (?step=XX)",
        ),
        (
            "query_range",
            {"query": "m", "start": 0, "end": 1, "step": "1e20"},
            400,
            "bad_data",
            'invalid parameter "step": cannot parse "1e20" to a valid duration. It overflows int64',
        ),
        ("series", {}, 400, "bad_data", "no match[] parameter provided"),
    ],
)
async def test_errors_have_upstreams_form(
    path: str, params: dict[str, Any], status: int, kind: str, message: str
) -> None:
    """Status, errorType and text."""
    async with door() as d:
        answer = await d.get(f"/api/v1/{path}", params)
        assert answer.json() == {"status": "error", "errorType": kind, "error": message}
        assert answer.status_code == status


async def test_a_form_has_a_limit() -> None:
    """A query of more than four MiB is not even read to its end."""
    async with door() as d:
        answer = await d.client.post(d.url + "/api/v1/query", data={"query": "m" * (5 << 20)})
        assert (answer.status_code, answer.json()["error"]) == (413, "the body has more than 4194304 bytes")


async def test_a_query_that_times_out_or_asks_for_too_much() -> None:
    """503 timeout; 422 execution with the budget's words."""
    async with door(budget=lambda _: QueryBudget(timeout_seconds=1e-9)) as d:
        answer = await d.get("/api/v1/query", {"query": "m"})
        assert (answer.status_code, answer.json()["errorType"]) == (503, "timeout")
    async with door(budget=lambda _: QueryBudget(max_samples=1)) as d:
        d.put({"a": (T, 1.0), "b": (T, 1.0)})
        answer = await d.get("/api/v1/query", {"query": "m", "time": T / 1000})
        assert (answer.status_code, answer.json()["errorType"]) == (422, "execution")
        assert answer.json()["error"].startswith("query processing would load too many samples into memory")


class Endless:
    """A query engine whose queries never end by themselves."""

    def __init__(self) -> None:
        self.cancelled = threading.Event()

    def instant(self, query: str, *, time_ms: int, tenant: str, budget: Budget, lookback_ms: int = 0) -> MetricResult:
        del query, time_ms, tenant, lookback_ms
        try:
            while True:
                budget.check()
                time.sleep(0.01)
        except QueryCanceled:
            self.cancelled.set()
            raise


async def test_a_query_ends_when_its_client_leaves() -> None:
    """The worker is free again soon after the connection is closed."""
    engine = Endless()
    async with door(queries=engine) as d:
        with pytest.raises(httpx.ReadTimeout):
            await d.client.get(d.url + "/api/v1/query", params={"query": "m"}, timeout=0.3)
        assert await asyncio.to_thread(engine.cancelled.wait, 10)


async def test_labels_and_series() -> None:
    """label names, values and series, with limits and their warning."""
    async with door() as d:
        d.put({"a": (T, 1.0), "b": (T, 2.0)})
        assert await d.data("/api/v1/labels") == ["__name__", "s"]
        assert await d.data("/api/v1/label/s/values") == ["a", "b"]
        assert await d.data("/api/v1/label/U__s/values") == ["a", "b"]
        assert await d.data("/api/v1/series", **{"match[]": 'm{s="a"}'}) == [{"__name__": "m", "s": "a"}]
        limited = (await d.get("/api/v1/label/s/values", {"limit": 1})).json()
        assert limited == {"status": "success", "data": ["a"], "warnings": ["results truncated due to limit"]}
        limited = (await d.get("/api/v1/query", {"query": "m", "time": T / 1000, "limit": 1})).json()
        assert (len(limited["data"]["result"]), limited["warnings"]) == (1, ["results truncated due to limit"])


async def test_tenants_do_not_see_each_other() -> None:
    """X-Scope-OrgID chooses the store; asking makes no tenant."""
    async with door() as d:
        d.put({"a": (T, 1.0)}, tenant="acme")
        for tenant, names in (("acme", ["a"]), ("other", [])):
            answer = await d.client.get(d.url + "/api/v1/label/s/values", headers={"X-Scope-OrgID": tenant})
            assert answer.json()["data"] == names
        assert d.stores.tenants() == ["", "acme"]
        bad = await d.client.get(d.url + "/api/v1/labels", headers={"X-Scope-OrgID": "../x"})
        assert bad.status_code == 400


async def test_scraping_ourselves_end_to_end() -> None:
    """The decision record's first job: a target that is this very server, by HTTP, with its metrics queryable."""
    async with door() as d:
        address = d.url.removeprefix("http://")
        text = f"scrape_configs:\n- job_name: prometheus\n  scrape_interval: 100ms\n  static_configs: [{{targets: ['{address}']}}]\n"
        await d.manager.reload(parse_prometheus(text, file="p", folder=Path("/")).config, Path("/"))
        await until(d, 'up{job="prometheus"} == 1')
        await until(d, "spyglass_ingested_samples_total")
        [target] = (await d.data("/api/v1/targets"))["activeTargets"]
        assert (target["labels"], target["health"], target["scrapeUrl"]) == (
            {"instance": address, "job": "prometheus"},
            "up",
            f"http://{address}/metrics",
        )
        assert await d.data("/api/v1/scrape_pools") == {"scrapePools": ["prometheus"]}
        metadata = await d.data("/api/v1/metadata", metric="spyglass_ingested_samples")
        assert metadata["spyglass_ingested_samples"][0]["type"] == "counter"
        rows = await d.data("/api/v1/targets/metadata", metric="spyglass_ingested_samples")
        assert rows[0]["target"]["job"] == "prometheus"


async def test_management_endpoints() -> None:
    """Health, readiness, reload behind its flag, own metrics in both formats."""
    async with door() as d:
        assert (await d.get("/-/healthy")).text == "Prometheus Server is Healthy.\n"
        assert (await d.get("/-/ready")).text == "Prometheus Server is Ready.\n"
        refused = await d.client.post(d.url + "/-/reload")
        assert (refused.status_code, refused.text) == (403, "Lifecycle API is not enabled.")
        assert (await d.get("/metrics")).headers["content-type"].startswith("text/plain; version=0.0.4")
        om = await d.client.get(d.url + "/metrics", headers={"Accept": "application/openmetrics-text"})
        assert om.text.endswith("# EOF\n")
        assert (await d.data("/api/v1/status/buildinfo"))["version"].startswith("3.")
        assert (await d.get("/version")).json()["version"].startswith("3.")
        assert await d.data("/api/v1/status/config") == {"yaml": ""}
        assert await d.data("/api/v1/status/flags") == {}
        assert (await d.data("/api/v1/status/runtimeinfo"))["reloadConfigSuccess"] is True
        assert (await d.data("/api/v1/status/tsdb"))["headStats"]["numSeries"] == 0
        assert await d.data("/api/v1/status/walreplay") == {"min": 0, "max": 0, "current": 0}
        assert await d.data("/api/v1/rules") == {"groups": []}
        assert await d.data("/api/v1/alerts") == {"alerts": []}
        assert await d.data("/api/v1/alertmanagers") == {"activeAlertmanagers": [], "droppedAlertmanagers": []}
        home = await d.get("/graph", {"g0.expr": "up"})
        assert (home.status_code, home.headers["location"]) == (302, "/api/v1/targets")


async def test_a_reload_that_fails_says_why() -> None:
    """500 with the file and line; the server goes on."""

    async def reload() -> None:
        raise ConfigError("is wrong", file="p.yml", line=3, key="global")

    async with door(reload=reload, lifecycle_enabled=True) as d:
        answer = await d.client.post(d.url + "/-/reload")
        assert (answer.status_code, answer.text) == (500, "failed to reload config: p.yml:3: global: is wrong\n")


async def test_a_query_is_parsed_and_formatted() -> None:
    """parse_query gives the tree, format_query the pretty text."""
    async with door() as d:
        tree = await d.data("/api/v1/parse_query", query='sum by (a) (rate(m{b=~"c"}[5m] offset 1m)) / 2')
        assert tree["type"] == "binaryExpr"
        assert tree["matching"] is None
        assert tree["rhs"] == {"type": "numberLiteral", "val": "2"}
        call = tree["lhs"]["expr"]
        assert call["func"] == {"name": "rate", "argTypes": ["matrix"], "variadic": 0, "returnType": "vector"}
        assert (call["args"][0]["type"], call["args"][0]["range"], call["args"][0]["offset"]) == (
            "matrixSelector",
            300000,
            60000,
        )
        assert await d.data("/api/v1/format_query", query="sum(m)by(a)") == "sum by (a) (m)"


async def promtool(*arguments: str) -> tuple[int, str]:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed")
    process = await asyncio.create_subprocess_exec(
        program, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


async def test_promtool_queries_us() -> None:
    """The real promtool reads instant, range, series and label answers."""
    async with door() as d:
        d.put({"a": (T, 1.5)})
        assert await promtool("query", "instant", f"--time={T // 1000}", d.url, "m") == (
            0,
            'm{s="a"} => 1.5 @[1700000000]\n',
        )
        times = (f"--start={T // 1000}", f"--end={T // 1000 + 60}")
        code, out = await promtool("query", "range", *times, "--step=60s", d.url, "m * 2")
        assert (code, out) == (0, '{s="a"} =>\n3 @[1700000000]\n3 @[1700000060]\n')
        assert await promtool("query", "series", "--match=m", *times, d.url) == (0, '{__name__="m", s="a"}\n')
        assert await promtool("query", "labels", *times, d.url, "s") == (0, "a\n")
