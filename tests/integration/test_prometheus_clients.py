"""prometheus-api-client, a library that people use, reads us as it reads Prometheus."""

import asyncio
import time
from datetime import UTC, datetime

from prometheus_api_client import PrometheusConnect
from tests.integration.prometheus_bench import door


async def test_prometheus_api_client_reads_everything() -> None:
    """Connection, names, values, instant and range data, aggregates, series, targets."""
    now = int(time.time())
    start, end = datetime.fromtimestamp(now - 60, UTC), datetime.fromtimestamp(now, UTC)
    async with door() as d:
        for at in range(7):
            d.put({"a": ((now - 60 + at * 10) * 1000, float(at)), "b": ((now - 60 + at * 10) * 1000, 1.0)})
        url = d.url

        def read() -> None:
            client = PrometheusConnect(url=url)
            assert client.check_prometheus_connection()
            assert client.all_metrics() == ["m"]
            assert client.get_label_names() == ["__name__", "s"]
            assert client.get_label_values("s") == ["a", "b"]
            [current] = client.get_current_metric_value("m", label_config={"s": "a"})
            assert (current["metric"], current["value"][1]) == ({"__name__": "m", "s": "a"}, "6")
            [ranged] = client.get_metric_range_data("m", {"s": "a"}, start_time=start, end_time=end)
            assert [value for _, value in ranged["values"]] == ["1", "2", "3", "4", "5", "6"]
            [total] = client.custom_query("sum(m)")
            assert total["value"][1] == "7"
            [stepped] = client.custom_query_range("max(m)", start_time=start, end_time=end, step="30")
            assert [value for _, value in stepped["values"]] == ["1", "3", "6"]
            assert client.get_metric_aggregation("m", ["max", "min"]) == {"max": 6.0, "min": 1.0}
            assert client.get_series(start, end, params={"match[]": "m"}) == [{"__name__": "m", "s": s} for s in "ab"]
            assert client.get_scrape_pools() == []
            assert client.get_targets()["activeTargets"] == []
            assert client.get_metric_metadata("m") == []

        await asyncio.to_thread(read)
