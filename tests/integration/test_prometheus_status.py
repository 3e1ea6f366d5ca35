"""What the server says of itself and of its jobs: status, features, notifications, relabelling steps."""

import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import orjson
import yaml
from tests.integration.prometheus_bench import door

from spyglass.app.reloads import Reloads
from spyglass.config.prometheus import parse_prometheus
from spyglass.config.secrets import masked
from spyglass.model.labels import labels_of
from spyglass.model.samples import WriteBatch
from spyglass.model.telemetry import Registry
from spyglass.query.promql.parser import Features
from spyglass.storage.clock import SystemClock
from spyglass.storage.files import RealFiles
from spyglass.storage.metrics.options import Downsampling, MetricStoreOptions
from spyglass.storage.metrics.stores import open_metric_stores

CONFIG = """
global: {scrape_interval: 1h}
scrape_configs:
- job_name: web
  basic_auth: {username: u, password: hidden}
  static_configs: [{targets: ['127.0.0.1:1']}]
  relabel_configs:
  - {source_labels: [__address__], target_label: instance}
  - {source_labels: [env], regex: test, action: drop}
  - {target_label: zone, replacement: eu}
"""


async def _failure(response: httpx.Response) -> Any:
    assert response.status_code == 400
    return response.json()["errorType"], response.json()["error"]


async def test_relabel_steps_show_the_labels_after_each_rule(tmp_path: Path) -> None:
    """Each rule with what it leaves; from the rule on that drops a target nothing is left."""
    async with door() as d:
        await d.manager.start(parse_prometheus(CONFIG, file="prometheus.yml", folder=tmp_path).config, tmp_path)
        path = "/api/v1/targets/relabel_steps"
        data = await d.data(path, scrapePool="web", labels='{"__address__":"a:1","env":"prod"}')
        assert [step["output"] for step in data["steps"]] == [
            {"__address__": "a:1", "env": "prod", "instance": "a:1"},
            {"__address__": "a:1", "env": "prod", "instance": "a:1"},
            {"__address__": "a:1", "env": "prod", "instance": "a:1", "zone": "eu"},
        ]
        assert data["steps"][1]["rule"] == {
            "source_labels": ["env"], "separator": ";", "regex": "test", "replacement": "$1", "action": "drop",
        }  # fmt: skip
        dropped = await d.data(path, scrapePool="web", labels='{"__address__":"a:1","env":"test"}')
        assert [(step["keep"], step["output"] != {}) for step in dropped["steps"]] == [
            (True, True), (False, False), (False, False),
        ]  # fmt: skip
        for query, error in (
            ({}, "no scrapePool parameter provided"),
            ({"scrapePool": "web"}, "no labels parameter provided"),
            ({"scrapePool": "x", "labels": "{}"}, 'error retrieving scrape config: scrape pool "x" not found'),
        ):
            assert await _failure(await d.get(path, query)) == ("bad_data", error)
        kind, error = await _failure(await d.get(path, {"scrapePool": "web", "labels": "[1"}))
        assert (kind, error.startswith("error parsing labels: ")) == ("bad_data", True)


async def test_a_jobs_configuration_is_shown_without_its_secrets(tmp_path: Path) -> None:
    """As the file has it, passwords masked."""
    async with door(config_text=lambda: masked(CONFIG)) as d:
        await d.manager.start(parse_prometheus(CONFIG, file="prometheus.yml", folder=tmp_path).config, tmp_path)
        text = (await d.data("/api/v1/scrape_pools/config", scrapePool="web"))["yaml"]
        assert text.startswith("job_name: web\n")
        assert "<secret>" in text
        assert "hidden" not in text


async def test_blocks_on_disk_are_listed(tmp_path: Path) -> None:
    """Numbers, times (end open), how many samples and series, level and sources."""
    stores = open_metric_stores(
        tmp_path, files=RealFiles(), clock=SystemClock(), options=MetricStoreOptions(out_of_order_window_ms=10**13)
    )
    store = stores.store()
    refs = store.resolve([labels_of({"__name__": "m", "s": s}) for s in "ab"])
    store.append(WriteBatch(np.repeat(refs, 2), np.array([5, 7, 5, 7], np.int64), np.array([1.0, 2, 3, 4])))
    store.snapshot()
    async with door(stores=stores) as d:
        blocks = (await d.data("/api/v1/status/tsdb/blocks"))["blocks"]
    stores.close()
    assert [(b["minTime"], b["maxTime"], b["stats"]) for b in blocks] == [(5, 8, {"numSamples": 4, "numSeries": 2})]
    assert (len(blocks[0]["ulid"]), blocks[0]["compaction"], blocks[0]["version"]) == (
        26, {"level": 1, "sources": []}, 1,
    )  # fmt: skip


async def test_blocks_of_downsampling_buckets_are_listed(tmp_path: Path) -> None:
    """Their resolution is a key of its own, and part of what stands for a ULID, so that no two blocks have the same."""
    options = MetricStoreOptions(retention_ms=0, downsampling=(Downsampling(300_000, 600_000, 0),))
    stores = open_metric_stores(tmp_path, files=RealFiles(), clock=SystemClock(), options=options)
    store = stores.store()
    refs = store.resolve([labels_of({"__name__": "m"})])
    days_ms = np.arange(0, 3 * 86_400_000, 300_000, dtype=np.int64)
    for time_ms in days_ms:
        store.append(WriteBatch(refs, np.array([time_ms]), np.array([1.0])))
    store.maintain(int(days_ms[-1]))
    async with door(stores=stores) as d:
        blocks = (await d.data("/api/v1/status/tsdb/blocks"))["blocks"]
    stores.close()
    resolutions = [block["downsample"]["resolution"] for block in blocks if "downsample" in block]
    assert set(resolutions) == {300_000}
    assert len(resolutions) < len(blocks)
    assert len({block["ulid"] for block in blocks}) == len(blocks)
    assert {len(block["ulid"]) for block in blocks} == {26}


async def test_own_metrics_as_json() -> None:
    """Counters, gauges and histograms in protobuf's JSON form; a pattern chooses by whole names."""
    registry = Registry()
    registry.counter("jobs_total", "Jobs.", ["kind"]).inc("a", by=3)
    registry.histogram("job_seconds", "Time.", buckets=[1.0]).observe(0.5)
    async with door(registry=registry) as d:
        found = await d.data("/api/v1/status/self_metrics", metric_name_pattern="jobs?_.*")
        everything = {family["name"] for family in await d.data("/api/v1/status/self_metrics")}
        wrong = await d.get("/api/v1/status/self_metrics", {"metric_name_pattern": "("})
    assert found == [
        {
            "name": "job_seconds", "help": "Time.", "type": "HISTOGRAM",
            "metric": [{"histogram": {"sampleCount": "1", "sampleSum": 0.5,
                                      "bucket": [{"cumulativeCount": "1", "upperBound": 1.0}]}}],
        },
        {
            "name": "jobs_total", "help": "Jobs.", "type": "COUNTER",
            "metric": [{"label": [{"name": "kind", "value": "a"}], "counter": {"value": 3.0}}],
        },
    ]  # fmt: skip
    assert everything > {"jobs_total", "job_seconds"}
    assert (await _failure(wrong))[0] == "bad_data"


async def test_features_say_what_is_switched_on() -> None:
    """By category; what a feature flag leaves out is false."""
    async with door(language=Features(experimental_functions=False), admin_enabled=True) as d:
        data = await d.data("/api/v1/features")
    assert (data["promql_functions"]["rate"], data["promql_functions"]["mad_over_time"]) == (True, False)
    assert (data["promql_operators"]["topk"], data["promql_operators"]["limitk"]) == (True, False)
    assert (data["api"]["admin"], data["api"]["lifecycle"], data["promql"]["anchored"]) == (True, False, True)


async def test_a_failed_reload_is_known_everywhere() -> None:
    """Metrics, runtimeinfo and notifications say so until one succeeds."""
    registry, clock = Registry(), SystemClock()
    reloads = Reloads(registry, clock)
    good = registry.gauge("prometheus_config_last_reload_successful", "", [])
    async with door(runtime=reloads.runtime, notices=reloads.notices) as d:
        assert await d.data("/api/v1/notifications") == []
        reloads.failed()
        [notice] = await d.data("/api/v1/notifications")
        assert (notice["text"], notice["active"]) == ("Configuration reload has failed.", True)
        assert notice["date"].startswith(time.strftime("%Y-", time.gmtime()))
        assert (await d.data("/api/v1/status/runtimeinfo"))["reloadConfigSuccess"] is False
        assert good.value() == 0
        reloads.succeeded()
        assert (await d.data("/api/v1/notifications"), good.value()) == ([], 1)
        assert (await d.get("/api/v1/notifications/live")).status_code == 204


async def test_search_finds_names_that_are_like_the_words() -> None:
    """Lines of JSON: batches, then whether there were more; by name or by score; errors before anything is sent."""
    now = int(time.time() * 1000)
    async with door() as d:
        for name in ("http_requests_total", "http_errors_total", "node_load1", "old"):
            d.put({"x": (now if name != "old" else now - 7_200_000, 1.0)}, name=name)
        d.put({"alpha": (now, 1.0), "beta": (now, 1.0)}, name="m")

        async def search(path: str, **params: Any) -> list[Any]:
            response = await d.get(path, params)
            assert response.headers["content-type"] == "application/x-ndjson; charset=utf-8"
            return [orjson.loads(line) for line in response.text.splitlines()]

        everything = await search("/api/v1/search/metric_names")
        assert everything == [
            {"results": [{"name": n} for n in ("http_errors_total", "http_requests_total", "m", "node_load1")]},
            {"status": "success", "has_more": False},
        ]
        best = await search(
            "/api/v1/search/metric_names", **{"search[]": "htrq", "fuzz_alg": "subsequence", "sort_by": "score"}
        )
        assert best[0] == {"results": [{"name": "http_requests_total"}]}
        scored = await search(
            "/api/v1/search/metric_names", **{"search[]": "load", "include_score": "true", "fuzz_threshold": 90}
        )
        assert scored[0] == {"results": [{"name": "node_load1", "score": 0.9}]}
        cut = await search("/api/v1/search/metric_names", limit=2, batch_size=1, sort_by="alpha", sort_dir="dsc")
        assert [line.get("results") for line in cut[:-1]] == [[{"name": "node_load1"}], [{"name": "m"}]]
        assert cut[-1] == {"status": "success", "has_more": True}
        assert (await search("/api/v1/search/label_names"))[0] == {"results": [{"name": "__name__"}, {"name": "s"}]}
        values = await search(
            "/api/v1/search/label_values",
            **{"label": "s", "match[]": "m", "search[]": "BET", "case_sensitive": "false"},
        )
        assert values[0] == {"results": [{"value": "beta"}]}
        for kind, params, error in (
            ("/api/v1/search/label_values", {}, 'missing required parameter "label"'),
            ("/api/v1/search/metric_names", {"sort_dir": "asc"}, "sort_dir is only valid when sort_by is set"),
            ("/api/v1/search/metric_names", {"sort_by": "score"}, "sort_by=score requires search[] to be set"),
            ("/api/v1/search/metric_names", {"fuzz_threshold": "101"}, 'invalid fuzz_threshold "101": must be 0-100'),
            (
                "/api/v1/search/metric_names",
                {"fuzz_alg": "x"},
                'unsupported fuzz_alg "x": must be one of [subsequence jarowinkler]',
            ),
            ("/api/v1/search/metric_names", {"case_sensitive": "x"}, 'invalid case_sensitive "x": must be boolean'),
        ):
            assert await _failure(await d.get(kind, params)) == ("bad_data", error)


async def test_the_api_describes_itself() -> None:
    """Every route, with its methods and parameters, as OpenAPI."""
    async with door() as d:
        document = yaml.safe_load((await d.get("/api/v1/openapi.yaml")).text)
    assert document["openapi"] == "3.1.0"
    assert set(document["paths"]["/query"]) == {"get", "post"}
    names = [parameter["name"] for parameter in document["paths"]["/label/{name}/values"]["get"]["parameters"]]
    assert names == ["name", "match[]", "start", "end", "limit"]
    operations = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(operations) == len(set(operations))
