"""Hostile reads: whatever the parameters, a documented status and never a traceback."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.loki_kit import NOW, SECOND, loki

PATHS = (
    "/loki/api/v1/query",
    "/loki/api/v1/query_range",
    "/loki/api/v1/format_query",
    "/loki/api/v1/labels",
    "/loki/api/v1/label/job/values",
    "/loki/api/v1/series",
    "/loki/api/v1/index/stats",
    "/loki/api/v1/index/volume",
    "/loki/api/v1/index/volume_range",
    "/loki/api/v1/detected_labels",
    "/loki/api/v1/detected_fields",
    "/loki/api/v1/detected_field/a/values",
    "/loki/api/v1/patterns",
    "/api/prom/query",
)
queries = st.sampled_from(
    [
        '{job="a"}',
        '{job="a"} | logfmt',
        "{job=",
        '{job="a"} |~ "("',
        'rate({job="a"}[5m])',
        "1",
        "{}",
        "\0",
        '{job=~".*"}',
    ]
)
times = st.sampled_from(
    [
        str(NOW),
        str(NOW - SECOND),
        "0",
        "-1",
        "1e300",
        "nan",
        "inf",
        "9" * 40,
        "9" * 5000,
        "2023-11-14T22:13:20Z",
        "now",
        "1.5",
        "٣",
    ]
)
numbers = st.sampled_from(["0", "1", "-1", "5000", "9" * 40, "x", "1e3", "1h", "0.001", "٣", "1_0", " 7"])
parameters = st.fixed_dictionaries(
    {},
    optional={
        "query": queries,
        "match[]": queries,
        "start": times,
        "end": times,
        "time": times,
        "since": numbers,
        "step": numbers,
        "interval": numbers,
        "limit": numbers,
        "line_limit": numbers,
        "direction": st.sampled_from(["forward", "BACKWARD", "x"]),
        "targetLabels": st.sampled_from(["job", ",", "job,x"]),
        "aggregateBy": st.sampled_from(["series", "labels", "x"]),
    },
)


@given(st.sampled_from(PATHS), parameters)
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
def test_any_parameters_have_a_documented_status(path: str, params: dict[str, Any]) -> None:
    """200, or 400 with a reason."""
    with loki() as kit:
        kit.push([({"job": "a"}, [(NOW - SECOND, "level=info x=1")])])
        answer = kit.client.get(path, params=params)
        assert answer.status_code in (200, 400), answer.text
        assert answer.text
