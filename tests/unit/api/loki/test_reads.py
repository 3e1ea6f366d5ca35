"""The reading endpoints: shapes of answers, limits, errors."""

from collections.abc import Iterator

import pytest
from tests.loki_kit import NOW, SECOND, LokiKit, loki

from spyglass.config.loki_limits import LimitsConfig

HOUR = 3600 * SECOND
WINDOW = {"start": NOW - HOUR, "end": NOW + SECOND}


@pytest.fixture
def kit() -> Iterator[LokiKit]:
    """Two jobs, JSON and logfmt, a trace id beside a line, levels detected."""
    with loki(generation=3) as kit:
        orders = [
            (
                NOW - (60 - n) * SECOND,
                f'{{"level":"info","msg":"order {n} took {n}ms","ms":{n}}}',
                {"trace_id": f"t{n}"},
            )
            for n in range(50)
        ]
        mail = [(NOW - (60 - n) * SECOND, f"level=error to=user{n}@x.org size={n}KB retry=true") for n in range(10)]
        labels = {"job": "shop", "instance": "1", "build": "42"}
        status, text = kit.push([(labels, orders), ({"job": "mail", "instance": "2", "build": "43"}, mail)])
        assert status == 204, text
        yield kit


def test_categorized_labels_keep_structured_metadata_beside_the_line(kit: LokiKit) -> None:
    """With the flag, streams have their own labels only; the rest stands with each line, and the answer says so."""
    query = {"query": '{job="shop"} | json | ms=7', **WINDOW}
    flags = {"X-Loki-Response-Encoding-Flags": "categorize-labels"}
    data = kit.get("/loki/api/v1/query_range", flags, **query)["data"]
    assert data["encodingFlags"] == ["categorize-labels"]
    (stream,) = data["result"]
    assert stream["stream"] == {"job": "shop", "instance": "1", "build": "42", "service_name": "shop"}
    _, _, extra = stream["values"][0]
    assert extra["structuredMetadata"] == {"trace_id": "t7", "detected_level": "info"}
    assert extra["parsed"] == {"level": "info", "msg": "order 7 took 7ms", "ms": "7"}
    (plain,) = kit.get("/loki/api/v1/query_range", **query)["data"]["result"]
    assert plain["stream"]["trace_id"] == "t7"
    assert len(plain["values"][0]) == 2


def test_labels_values_and_series(kit: LokiKit) -> None:
    """Names, values and streams, all and by selector."""
    assert kit.get("/loki/api/v1/labels", **WINDOW)["data"] == ["build", "instance", "job", "service_name"]
    assert kit.get("/loki/api/v1/label", **WINDOW)["data"] == ["build", "instance", "job", "service_name"]
    assert kit.get("/loki/api/v1/label/job/values", **WINDOW)["data"] == ["mail", "shop"]
    assert kit.get("/loki/api/v1/label/job/values", query='{instance="1"}', **WINDOW)["data"] == ["shop"]
    series = kit.get("/loki/api/v1/series", **{"match[]": '{job="mail"}'}, **WINDOW)["data"]
    assert series == [{"job": "mail", "instance": "2", "build": "43", "service_name": "mail"}]


def test_stats_and_volume(kit: LokiKit) -> None:
    """Counts of streams, entries and bytes; bytes by label, the largest first; per step."""
    stats = kit.get("/loki/api/v1/index/stats", query='{job="mail"}', **WINDOW)
    assert (stats["streams"], stats["entries"]) == (1, 10)
    assert stats["bytes"] > 300
    (shard,) = kit.get("/loki/api/v1/index/shards", query='{job="mail"}', targetBytesPerShard="1MB", **WINDOW)["shards"]
    assert (shard["stats"], shard["bounds"]) == (stats, {"min": 0, "max": 2**64 - 1})
    selector = {"query": '{job=~".+"}', **WINDOW}
    data = kit.get("/loki/api/v1/index/volume", **selector)["data"]
    assert data["resultType"] == "vector"
    assert [row["metric"] for row in data["result"]] == [{"job": "shop"}, {"job": "mail"}]
    assert int(data["result"][1]["value"][1]) == stats["bytes"]
    by_label = kit.get("/loki/api/v1/index/volume", aggregateBy="labels", **selector)["data"]["result"]
    assert [row["metric"] for row in by_label] == [{"job": ""}]
    one = kit.get("/loki/api/v1/index/volume", targetLabels="instance", limit=1, **selector)["data"]["result"]
    assert [row["metric"] for row in one] == [{"instance": "1"}]
    ranged = kit.get("/loki/api/v1/index/volume_range", step="30m", **selector)["data"]
    assert ranged["resultType"] == "matrix"
    assert sum(int(size) for _, size in ranged["result"][1]["values"]) == stats["bytes"]


def test_own_metrics_have_lokis_names() -> None:
    """Requests by route, lines and bytes by tenant, what was refused and why."""
    with loki(LimitsConfig(max_line_size=5)) as kit:
        kit.push([({"job": "a"}, [(NOW, "abc"), (NOW, "too long")])], {"X-Scope-OrgID": "t"})
        kit.get("/loki/api/v1/label/job/values")
        text = kit.client.get("/metrics").text
    labels = '{method="GET",route="loki_api_v1_label_name_values",status_code="200",ws="false"}'
    for line in (
        f"loki_request_duration_seconds_count{labels} 1",
        'loki_request_duration_seconds_count{method="POST",route="loki_api_v1_push",status_code="400",ws="false"} 1',
        'loki_distributor_lines_received_total{tenant="t"} 1',
        'loki_distributor_bytes_received_total{tenant="t"} 3',
        'loki_discarded_samples_total{reason="line_too_long",tenant="t"} 1',
        'loki_ingester_memory_streams{tenant="t"} 1',
        'loki_build_info{branch="spyglass",version="3.7.6"} 1',
    ):
        assert line in text.splitlines()


def test_statistics_have_lokis_shape(kit: LokiKit) -> None:
    """Lines looked at and handed out, bytes, and the sections that clients look into."""
    stats = kit.get("/loki/api/v1/query_range", query='{job="mail"}', limit=4, **WINDOW)["data"]["stats"]
    assert list(stats) == ["summary", "querier", "ingester", "cache", "index"]
    assert (stats["summary"]["totalEntriesReturned"], stats["summary"]["totalPostFilterLines"]) == (4, 4)
    chunk = stats["querier"]["store"]["chunk"]
    assert chunk["decompressedLines"] == stats["summary"]["totalLinesProcessed"] >= 4
    assert chunk["decompressedBytes"] == stats["summary"]["totalBytesProcessed"] > 100
    assert stats["ingester"]["store"]["chunk"]["headChunkLines"] == stats["cache"]["result"]["requests"] == 0
    metric = kit.get("/loki/api/v1/query", query='count_over_time({job=~".+"}[5h])', time=NOW)["data"]
    assert metric["stats"]["summary"]["totalEntriesReturned"] == len(metric["result"])


def test_an_ambiguous_match_is_upstreams_500(kit: LokiKit) -> None:
    """As Loki answers it, though the query is at fault."""
    counts = 'count_over_time({job=~".+"}[5h])'
    status, text = kit.error("/loki/api/v1/query", query=f"{counts} + on () {counts}", time=NOW)
    assert (status, "many-to-many matching not allowed" in text) == (500, True)


def test_volumes_of_whole_streams_and_of_labels_that_some_lack() -> None:
    """`{}` without labels to sum by means whole streams; a stream that lacks a target label is left out."""
    with loki() as kit:
        kit.push([({"job": "a", "env": "x"}, [(NOW, "12")]), ({"job": "b"}, [(NOW, "345")])])

        def volumes(**params: str) -> list[tuple[dict[str, str], str]]:
            found = kit.get("/loki/api/v1/index/volume", start=NOW - SECOND, end=NOW + SECOND, **params)["data"][
                "result"
            ]
            return [(row["metric"], row["value"][1]) for row in found]

        assert volumes(query="{}") == [({"job": "b"}, "3"), ({"job": "a", "env": "x"}, "2")]
        assert volumes(query="{}", targetLabels="env") == [({"env": "x"}, "2")]
        assert volumes(query='{job=~".+"}', targetLabels="env,job") == [({"env": "x", "job": "a"}, "2")]
        assert volumes(query='{job=~".+"}', targetLabels="nosuch") == []


def test_volumes_can_be_switched_off() -> None:
    """As a limit of a tenant."""
    with loki(overrides={"a": LimitsConfig(volume_enabled=False)}) as kit:
        for path in ("index/volume", "index/volume_range"):
            status, text = kit.error(f"/loki/api/v1/{path}", {"X-Scope-OrgID": "a"}, query="{}")
            assert (status, "volume_enabled" in text) == (404, True)
        assert kit.get("/loki/api/v1/index/volume", query="{}")["data"]["result"] == []


def test_volume_has_at_most_so_many_series() -> None:
    """volume_max_series caps what a client asks for."""
    with loki(LimitsConfig(volume_max_series=1)) as kit:
        kit.push([({"job": name}, [(NOW - SECOND, "line")]) for name in "ab"])
        found = kit.get("/loki/api/v1/index/volume", query='{job=~".+"}', limit=5, **WINDOW)["data"]["result"]
        assert len(found) == 1


def test_detected_labels_leave_out_identifiers(kit: LokiKit) -> None:
    """A label whose values are all numbers is nothing to browse by, unless it is one of those that people browse by."""
    found = kit.get("/loki/api/v1/detected_labels", **WINDOW)["detectedLabels"]
    assert found == [
        {"label": "instance", "cardinality": 2},
        {"label": "job", "cardinality": 2},
        {"label": "service_name", "cardinality": 2},
    ]


def test_detected_fields_and_their_values(kit: LokiKit) -> None:
    """Fields with type, cardinality and the parser that finds them; the values of one."""
    answer = kit.get("/loki/api/v1/detected_fields", query='{job="mail"}', **WINDOW)
    fields = {one["label"]: one for one in answer["fields"]}
    assert answer["limit"] == 1000
    assert fields["size"] == {"label": "size", "type": "bytes", "cardinality": 10, "parsers": ["logfmt"]}
    assert fields["retry"]["type"] == "boolean"
    assert fields["detected_level"]["parsers"] is None
    for path in ("/loki/api/v1/detected_field/size/values", "/loki/api/v1/detected_fields/size/values"):
        values = kit.get(path, query='{job="mail"}', limit=3, **WINDOW)
        assert (len(values["values"]), values["limit"]) == (3, 3)
    limited = kit.get("/loki/api/v1/detected_fields", query='{job="shop"}', line_limit=1, **WINDOW)["fields"]
    assert {one["cardinality"] for one in limited} == {1}
    assert kit.error("/loki/api/v1/detected_fields", query='rate({job="mail"}[1m])', **WINDOW)[0] == 400
    assert kit.error("/loki/api/v1/detected_fields", query='{job="mail"}', limit="x", **WINDOW)[0] == 400


def test_patterns_count_lines_by_kind(kit: LokiKit) -> None:
    """Words that differ are <_>; counts per step; the most frequent kind first, with its level."""
    data = kit.get("/loki/api/v1/patterns", query='{job=~".+"}', step="1m", **WINDOW)["data"]
    assert data[0]["pattern"] == '{"level":"info","msg":"order <_> took <_>","ms":<_>}'
    assert (data[0]["level"], data[1]["level"]) == ("info", "error")
    assert sum(count for _, count in data[0]["samples"]) == 50
    assert all(at % 60 == 0 for at, _ in data[0]["samples"])
    assert data[1]["pattern"] == "level=error to=<_>@x.org size=<_> retry=true" or "<_>" in data[1]["pattern"]
    assert kit.error("/loki/api/v1/patterns", query='rate({job="mail"}[1m])', **WINDOW)[0] == 400


def test_the_rulers_lists_are_empty(kit: LokiKit) -> None:
    """As Loki's without rules: 404 in words, and empty Prometheus lists."""
    paths = "/loki/api/v1/rules", "/loki/api/v1/rules/ns", "/loki/api/v1/rules/ns/group", "/api/prom/rules"
    assert {kit.error(path) for path in paths} == {(404, "no rule groups found")}
    assert kit.get("/prometheus/api/v1/rules")["data"] == {"groups": []}
    assert kit.get("/prometheus/api/v1/alerts")["data"] == {"alerts": []}


def test_pages_about_the_server(kit: LokiKit) -> None:
    """ready, metrics, config, buildinfo, services, flush, log_level, drilldown-limits."""
    assert kit.client.get("/ready").text == "ready\n"
    assert "\nloki_build_info{" in kit.client.get("/metrics").text
    assert kit.client.get("/config").text == "auth_enabled: false\n"
    assert "distributor => Running" in kit.client.get("/services").text
    assert kit.get("/loki/api/v1/status/buildinfo")["version"].startswith("3.")
    assert kit.client.post("/flush").status_code == 204
    assert kit.client.post("/ingester/flush").status_code == 204
    answer = kit.get("/loki/api/v1/drilldown-limits")
    assert answer["pattern_ingester_enabled"] is True
    assert answer["limits"]["max_query_series"] == 500
    assert answer["limits"]["discover_service_name"][0] == "service"
    level = kit.get("/log_level")["message"].rpartition(" ")[2]
    assert kit.client.post("/log_level", data={"log_level": "debug"}).json()["status"] == "success"
    assert kit.get("/log_level")["message"] == "Current log level is debug"
    assert kit.client.post("/log_level", data={"log_level": level}).status_code == 200
    assert kit.client.post("/log_level", data={"log_level": "loud"}).status_code == 400


def test_format_query(kit: LokiKit) -> None:
    """The query in its canonical form; a bad one is named with its place."""
    assert kit.get("/loki/api/v1/format_query", query='{job = "a"}|="x"')["data"] == '{job="a"} |= "x"'
    status, text = kit.error("/loki/api/v1/format_query", query="{job=")
    assert status == 400
    assert text.startswith("parse error at line 1")


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"query": "{job="}, "parse error at line 1"),
        ({"query": ""}, "syntax error: unexpected $end"),
        ({"query": '{job="a"}', "limit": "0"}, "limit must be a positive value"),
        ({"query": '{job="a"}', "limit": "x"}, "invalid syntax"),
        (
            {"query": '{job="a"}', "limit": "5001"},
            "max entries limit per query exceeded, limit > max_entries_limit_per_query",
        ),
        ({"query": '{job="a"}', "start": "yesterday"}, "cannot parse"),
        (
            {"query": '{job="a"}', "start": NOW, "end": NOW - 1},
            "end timestamp must not be before or equal to start time",
        ),
        ({"query": '{job="a"}', "direction": "sideways"}, "invalid direction"),
        ({"query": '{job="a"}', "step": "0"}, "zero or negative query resolution step"),
        ({"query": '{job="a"}', "step": "1ms", **WINDOW}, "exceeded maximum resolution of 11,000 points"),
        (
            {"query": '{job="a"}', "start": NOW - 800 * HOUR, "end": NOW},
            "the query time range exceeds the limit (query length: 800h0m0s, limit: 721h0m0s)",
        ),
    ],
)
def test_a_bad_range_query_is_a_400_in_lokis_words(kit: LokiKit, parameters: dict[str, object], text: str) -> None:
    """Every parameter has its own message."""
    status, answer = kit.error("/loki/api/v1/query_range", **parameters)
    assert status == 400
    assert text in answer


@pytest.mark.parametrize(
    ("path", "parameters", "text"),
    [
        ("series", {"match[]": '{job="a"} |= "x"'}, "only label matchers are supported"),
        ("labels", {"query": 'rate({job="a"}[1m])'}, "only label matchers are supported"),
        ("index/stats", {"query": '{job="a"} | json'}, "only label matchers are supported"),
        ("index/volume", {"query": '{job="a"}', "aggregateBy": "colour"}, "invalid aggregation option"),
        ("query_range", {"query": '{job="a"}', "interval": "-1"}, "interval must be >= 0"),
    ],
)
def test_what_the_index_cannot_answer_is_a_400(kit: LokiKit, path: str, parameters: dict[str, str], text: str) -> None:
    """It knows streams, not lines; upstream's words."""
    assert kit.error(f"/loki/api/v1/{path}", **parameters) == (400, text)


def test_unknown_paths_are_gos_404(kit: LokiKit) -> None:
    """As scripts compare it."""
    assert kit.error("/loki/api/v2/push") == (404, "404 page not found")


def test_a_query_that_gives_too_many_series_is_refused() -> None:
    """max_query_series, with what to do about it."""
    with loki(LimitsConfig(max_query_series=3)) as kit:
        kit.push([({"job": f"j{n}"}, [(NOW - SECOND, "x")]) for n in range(5)])
        status, text = kit.error("/loki/api/v1/query", query='rate({job=~".+"}[1m])', time=NOW)
        assert status == 400
        assert text.startswith("maximum number of series (3) reached for a single query")
        result = kit.get("/loki/api/v1/query", query='sum(rate({job=~".+"}[1m]))', time=NOW)["data"]["result"]
        assert len(result) == 1


def test_form_parameters_are_read_as_those_of_the_url(kit: LokiKit) -> None:
    """POST with a form, as Grafana sends long queries."""
    form = {"query": '{job="mail"}', "limit": "1", **{name: str(value) for name, value in WINDOW.items()}}
    answer = kit.client.post("/loki/api/v1/query_range", data=form)
    assert answer.status_code == 200
    assert len(answer.json()["data"]["result"]) == 1


def test_the_old_paths_answer_in_the_old_forms(kit: LokiKit) -> None:
    """Labels as text, times as RFC 3339, bare lists; lines only."""
    answer = kit.get("/api/prom/query", query='{job="mail"} |= "size=3KB"', **WINDOW)
    (stream,) = answer["streams"]
    assert stream["labels"].startswith('{build="43", detected_level="error", instance="2", job="mail"')
    assert stream["entries"] == [
        {"ts": "2023-11-14T22:12:23Z", "line": "level=error to=user3@x.org size=3KB retry=true"}
    ]
    status, text = kit.error("/api/prom/query", query='rate({job="mail"}[1m])', **WINDOW)
    assert (status, text) == (400, "legacy endpoints only support streams result type")
    assert kit.get("/api/prom/label", **WINDOW) == {"values": ["build", "instance", "job", "service_name"]}
    assert kit.get("/api/prom/label/job/values", **WINDOW) == {"values": ["mail", "shop"]}
    assert len(kit.get("/api/prom/series", **{"match[]": '{job="mail"}'}, **WINDOW)["data"]) == 1
