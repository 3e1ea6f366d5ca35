"""Exposition bodies: what is accepted, what is refused and how, and that the fast path equals the strict one."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.formats.exposition.encode import encode_openmetrics, encode_text, series_text
from spyglass.formats.exposition.parser import NO_TIME, DecodedBody, ExpositionDecoder
from spyglass.model.errors import MalformedBody
from spyglass.model.labels import Labels, labels_of
from spyglass.model.samples import Metadata
from spyglass.model.telemetry import Registry
from spyglass.text.gofloat import format_float, format_shortest

TEXT = b"""# HELP http_requests_total The total number of HTTP requests.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="post",code="400"}    3 1395066363000

# Escaping in label values:
msdos_file_access_time_seconds{path="C:\\\\DIR\\\\FILE.TXT",error="Cannot find file:\\n\\"FILE.TXT\\""} 1.458255915e9

# Minimalistic line:
metric_without_timestamp_and_labels 12.47

# A weird metric from before the epoch:
something_weird{problem="division by zero"} +Inf -3982045

# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{le="0.05"} 24054
http_request_duration_seconds_bucket{le="1"} 133988
http_request_duration_seconds_bucket{le="+Inf",} 144320
http_request_duration_seconds_sum 53423
\thttp_request_duration_seconds_count 144320
"""


def samples(decoder: ExpositionDecoder, body: DecodedBody) -> list[tuple[Labels, float, int | None]]:
    times: list[int | None] = [None] * body.size
    if body.times is not None:
        times = [None if t == NO_TIME else t for t in body.times.tolist()]
    return [
        (decoder.labels(slot), value, time)
        for slot, value, time in zip(body.slots.tolist(), body.values.tolist(), times, strict=True)
    ]


def parse(text: bytes, *, openmetrics: bool = False) -> list[tuple[Labels, float, int | None]]:
    decoder = ExpositionDecoder()
    return samples(decoder, decoder.decode(text, openmetrics=openmetrics))


def test_the_documentations_example_is_read_in_full() -> None:
    """Labels, escapes, timestamps, infinities, blank lines, comments; le in float form under a histogram."""
    assert parse(TEXT) == [
        (labels_of({"__name__": "http_requests_total", "method": "post", "code": "200"}), 1027.0, 1395066363000),
        (labels_of({"__name__": "http_requests_total", "method": "post", "code": "400"}), 3.0, 1395066363000),
        (
            labels_of(
                {
                    "__name__": "msdos_file_access_time_seconds",
                    "path": "C:\\DIR\\FILE.TXT",
                    "error": 'Cannot find file:\n"FILE.TXT"',
                }
            ),
            1458255915.0,
            None,
        ),
        ((("__name__", "metric_without_timestamp_and_labels"),), 12.47, None),
        (labels_of({"__name__": "something_weird", "problem": "division by zero"}), math.inf, -3982045),
        (labels_of({"__name__": "http_request_duration_seconds_bucket", "le": "0.05"}), 24054.0, None),
        (labels_of({"__name__": "http_request_duration_seconds_bucket", "le": "1.0"}), 133988.0, None),
        (labels_of({"__name__": "http_request_duration_seconds_bucket", "le": "+Inf"}), 144320.0, None),
        ((("__name__", "http_request_duration_seconds_sum"),), 53423.0, None),
        ((("__name__", "http_request_duration_seconds_count"),), 144320.0, None),
    ]


def test_openmetrics_has_exemplars_units_and_an_end() -> None:
    """Times are seconds; an exemplar is attached to its series; metadata holds type, help and unit."""
    body = (
        b'# TYPE foo_seconds counter\n# UNIT foo_seconds seconds\n# HELP foo_seconds Some "text".\n'
        b'foo_seconds_total{a="1"} 17.0 1520879607.789 # {trace_id="KOO5S4vxi0o"} 0.67 1520879606.1\n'
        b'foo_seconds_created{a="1"} 1520872607.123\n# EOF\n'
    )
    decoder = ExpositionDecoder()
    decoded = decoder.decode(body, openmetrics=True)
    assert [(value, time) for _, value, time in samples(decoder, decoded)] == [
        (17.0, 1520879607789),
        (1520872607.123, None),
    ]
    [(slot, exemplar)] = decoded.exemplars
    assert (slot, exemplar.labels, exemplar.value, exemplar.time_ms) == (
        0,
        (("trace_id", "KOO5S4vxi0o"),),
        0.67,
        1520879606100,
    )
    assert decoded.metadata == {"foo_seconds": Metadata("counter", 'Some "text".', "seconds")}
    again = decoder.decode(body, openmetrics=True)
    assert samples(decoder, again) == samples(decoder, decoded)
    assert again.metadata == {}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"a 1\nfoo bar\n", "line 2: expected a number as the value, found 'bar'"),
        (b"foo\n", "line 1: expected a value after the metric 'foo'"),
        (b"foo1\n", "line 1: expected a value after the metric 'foo1'"),
        (b"a 1\n\n9foo 1\n", "line 3: expected a metric name, found '9foo 1'"),
        (b'foo{a="1" 2\n', "line 1: the labels have no closing brace in 'foo{a=\"1\" 2'"),
        (b'foo{a="1} 2\n', "line 1: a label value has no closing quote in 'foo{a=\"1} 2'"),
        (b'foo{a="1",a="2"} 2\n', "line 1: label name 'a' is not unique"),
        (b"foo{a=1} 2\n", "line 1: expected a quoted value of the label 'a', found '1'"),
        (b'foo{a!="1"} 2\n', "line 1: expected \"=\" after the label name 'a', found '!'"),
        (b"foo 1 2 3\n", "line 1: expected a value and at most a timestamp, found '1 2 3'"),
        (b"foo 1 1.5\n", "line 1: expected a timestamp in whole milliseconds, found '1.5'"),
        (b"foo 1_000\n", "line 1: expected a number as the value, found '1_000'"),
        (b"foo 1\r\n", "line 1: expected a number as the value, found '1\\r'"),
        (b"# TYPE foo nonsense\n", "line 1: invalid metric type 'nonsense' of foo"),
        (b"{} 1\n", "line 1: a sample has no metric name"),
        (b'foo{a="\xff"} 1\n', "line 1: is not UTF-8 (byte 8 of the series)"),
        (b"<!DOCTYPE html>\n", "line 1: expected a metric name, found '<!DOCTYPE html>'"),
    ],
)
def test_a_bad_line_is_named(body: bytes, message: str) -> None:
    """The error has the line's number and says what is wrong with it."""
    with pytest.raises(MalformedBody) as caught:
        parse(body)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"foo 1\n", "line 1: data does not end with # EOF"),
        (b"foo 1\n# EOF\nbar 2\n", "line 3: unexpected data after # EOF"),
        (b"foo 1\n\n# EOF\n", "line 2: OpenMetrics has no empty lines"),
        (b"# hello\n# EOF\n", "line 1: expected # HELP, # TYPE, # UNIT or # EOF, found '# hello'"),
        (b"# UNIT foo seconds\n# EOF\n", "line 1: unit 'seconds' is not a suffix of the metric name 'foo'"),
        (b"foo 1 NaN\n# EOF\n", "line 1: invalid timestamp 'NaN'"),
        (
            b'foo_total 1 # {a="' + b"x" * 128 + b'"} 1\n# EOF\n',
            "line 1: the labels of an exemplar have more than 128 characters",
        ),
    ],
)
def test_openmetrics_is_stricter(body: bytes, message: str) -> None:
    """Rules that only OpenMetrics has."""
    with pytest.raises(MalformedBody) as caught:
        parse(body, openmetrics=True)
    assert str(caught.value) == message


def test_quoted_names_are_utf8() -> None:
    """Text 1.0.0: the metric's name may stand quoted inside the braces."""
    assert parse(b'{"my.metric","a.b"="c",d="e"} 1\n') == [
        ((("__name__", "my.metric"), ("a.b", "c"), ("d", "e")), 1.0, None)
    ]


def test_the_second_body_takes_the_fast_path_with_the_same_answer() -> None:
    """Unchanged series are known again; other values, order and a new series give what a fresh decoder gives."""
    decoder = ExpositionDecoder()
    decoder.decode(b'# TYPE a gauge\na 1\nb{x="1"} 2\n')
    first = b'# TYPE a gauge\na 1\nb{x="1"} 2\n'
    assert not decoder.decode(first).same_series
    assert decoder.decode(first).values.tolist() == [1.0, 2.0]
    second = decoder.decode(b'# TYPE a gauge\na 3\nb{x="1"} NaN\n')
    assert second.same_series
    assert second.values[0] == 3.0
    assert np.isnan(second.values[1])
    swapped = decoder.decode(b'# TYPE a gauge\nb{x="1"} 5\na 4\n')
    assert not swapped.same_series
    assert samples(decoder, swapped) == parse(b'# TYPE a gauge\nb{x="1"} 5\na 4\n')
    grown = decoder.decode(b'# TYPE a gauge\nb{x="1"} 5\na 4 123\nc 7\n')
    assert samples(decoder, grown) == parse(b'# TYPE a gauge\nb{x="1"} 5\na 4 123\nc 7\n')


def test_a_bad_value_on_the_fast_path_is_still_an_error_with_its_line() -> None:
    """A known series with a value that is none."""
    decoder = ExpositionDecoder()
    decoder.decode(b"a 1\nb 2\n")
    with pytest.raises(MalformedBody, match="line 2: expected a number"):
        decoder.decode(b"a 1\nb x\n")


names = st.from_regex(r"[a-zA-Z_:][a-zA-Z0-9_:]{0,8}", fullmatch=True)
label_names = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,8}", fullmatch=True).filter(lambda n: n != "__name__")
texts = st.text(st.characters(codec="utf-8", exclude_characters="\r\x00"), min_size=1, max_size=12)
rows = st.tuples(names, st.dictionaries(label_names, texts, max_size=3), st.floats(allow_nan=False))


@given(st.lists(rows, min_size=1, max_size=8))
def test_what_we_write_reads_back(data: list[tuple[str, dict[str, str], float]]) -> None:
    """series_text and format_shortest against the decoder, cold and warm."""
    body = "".join(f"{series_text(n, sorted(d.items()))} {format_shortest(v)}\n" for n, d, v in data).encode()
    want = [(labels_of({**d, "__name__": n}), v, None) for n, d, v in data]
    decoder = ExpositionDecoder()
    assert samples(decoder, decoder.decode(body)) == want
    assert samples(decoder, decoder.decode(body)) == want


@given(
    st.one_of(st.binary(max_size=200), st.text(alphabet='ab{}",=\\ \t\n#1.eE+-_', max_size=80).map(str.encode)),
    st.booleans(),
)
def test_only_malformed_body_escapes(body: bytes, openmetrics: bool) -> None:
    """Any bytes are either read or refused as MalformedBody, by a cold decoder and by a warm one."""
    decoder = ExpositionDecoder()
    for _ in range(2):
        try:
            decoder.decode(body, openmetrics=openmetrics)
        except MalformedBody:
            decoder.decode(b"a 1\n")


@given(st.floats(allow_nan=False, allow_infinity=False).filter(bool))
def test_short_values_read_back_with_gos_exponents(value: float) -> None:
    """FormatFloat(v, 'g', -1, 64): repr's digits, an exponent below 1e-4 and from 1e+06 on."""
    text = format_shortest(value)
    assert float(text) == value
    assert ("e" in text) == (not 1e-4 <= abs(value) < 1e6)
    mantissa = text.lstrip("-").split("e")[0]
    assert "e" not in text or (len(mantissa.split(".")[0]) == 1 and not mantissa.endswith((".", ".0")))


@given(st.floats(allow_nan=False))
def test_values_print_without_an_exponent_and_read_back(value: float) -> None:
    """FormatFloat(v, 'f', -1, 64)."""
    text = format_float(value)
    assert float(text) == value
    assert "e" not in text.lower()


def test_a_registry_is_encoded_in_both_formats() -> None:
    """Counters, gauges and histograms; a counter's OpenMetrics family has no _total."""
    registry = Registry()
    registry.counter("jobs_total", 'Jobs "done".', ["queue"]).inc('a"b', by=2)
    registry.gauge("depth", "Depth.").set(1.5)
    registry.histogram("seconds", "Time.", buckets=[0.1, 1]).observe(0.1)
    assert encode_text(registry.collect()).decode() == (
        "# HELP depth Depth.\n# TYPE depth gauge\ndepth 1.5\n"
        '# HELP jobs_total Jobs "done".\n# TYPE jobs_total counter\njobs_total{queue="a\\"b"} 2\n'
        "# HELP seconds Time.\n# TYPE seconds histogram\n"
        'seconds_bucket{le="0.1"} 1\nseconds_bucket{le="1.0"} 1\nseconds_bucket{le="+Inf"} 1\n'
        "seconds_sum 0.1\nseconds_count 1\n"
    )
    body = encode_openmetrics(registry.collect())
    assert b"# TYPE jobs counter\njobs_total{" in body
    assert parse(body, openmetrics=True) == parse(encode_text(registry.collect()))
