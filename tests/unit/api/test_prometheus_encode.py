"""Query answers as JSON: the fast encoder against a plain twin, and the number forms of upstream."""

import json
import math

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.api.prometheus.encode import encode_result
from spyglass.api.prometheus.grid_text import GridText, number_texts
from spyglass.api.prometheus.histogram_json import histogram_json
from spyglass.api.prometheus.label_json import metrics_json
from spyglass.api.prometheus.matrix_json import BlockText
from spyglass.api.prometheus.times_json import format_time
from spyglass.model.frame import Frame
from spyglass.model.histograms import CUSTOM_SCHEMA, FloatHistogram
from spyglass.model.labels import LabelTable, labels_of
from spyglass.model.times import StepGrid
from spyglass.protocols.queries import MetricResult
from spyglass.text.gofloat import format_json_float


@given(st.lists(st.floats(), max_size=40))
def test_numbers_are_those_of_the_plain_twin(values: list[float]) -> None:
    """Any floats: the quick way and one by one."""
    assert number_texts(np.array(values, np.float64)) == [format_json_float(v).encode() for v in values]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "-0"),
        (100.0, "100"),
        (1e16, "10000000000000000"),
        (123456789012345680.0, "123456789012345680"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1e-6, "0.000001"),
        (1.5e-5, "0.000015"),
        (9.9e-7, "9.9e-07"),
        (math.inf, "+Inf"),
        (-math.inf, "-Inf"),
        (math.nan, "NaN"),
        (5e-324, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (0.1 + 0.2, "0.30000000000000004"),
    ],
)
def test_numbers_are_written_as_go_writes_them(value: float, text: str) -> None:
    """Prometheus' jsonutil.MarshalFloat."""
    assert number_texts(np.array([value, 1.0]))[0].decode() == text


rows = st.lists(
    st.lists(st.one_of(st.none(), st.floats(allow_nan=False, width=32)), min_size=3, max_size=3), max_size=4
)


@given(rows, st.integers(0, 2**41), st.sampled_from([1, 250, 1000, 15_000]))
def test_a_matrix_equals_the_naive_one(data: list[list[float | None]], start_ms: int, step_ms: int) -> None:
    """Gaps, empty rows, any grid."""
    grid = StepGrid(start_ms, start_ms + 2 * step_ms, step_ms)
    labels = [labels_of({"a": str(index), 'q"': "x\n"}) for index in range(len(data))]
    values = np.array([[0.0 if v is None else v for v in row] for row in data], np.float64).reshape(len(data), 3)
    present = np.array([[v is not None for v in row] for row in data], bool).reshape(len(data), 3)
    frame = Frame(LabelTable.from_labels(labels), grid, values, present)
    times = [format_time(t) for t in grid.times().tolist()]
    want = [
        {
            "metric": dict(pairs),
            "values": [[float(t), format_json_float(v)] for t, v in zip(times, row, strict=True) if v is not None],
        }
        for pairs, row in zip(labels, data, strict=True)
        if any(v is not None for v in row)
    ]
    answer = json.loads(b"".join(encode_result(MetricResult("matrix", frame))))
    assert answer == {"status": "success", "data": {"resultType": "matrix", "result": want}}


def _interesting_floats() -> st.SearchStrategy[float]:
    """All sizes, and those at the edges of what is written without an exponent."""
    edges = [1e-10, 9e-10, 1e-9, 9.99e-7, 1e-6, 9.9e-6, 1e-5, 9.9e-5, 1e-4, 1e15, 1e16, 1e17, 1e21, 5e-324, 1.7e308]
    near = st.sampled_from(edges).flatmap(lambda edge: st.floats(edge * 0.5, edge * 1.5))
    return st.one_of(st.floats(), near, near.map(float.__neg__), st.integers(-9, 9).map(float))


@given(
    st.lists(st.lists(st.one_of(st.none(), _interesting_floats()), min_size=4, max_size=4).filter(any), max_size=5),
    st.one_of(st.integers(-(2**33), 2**41), st.sampled_from([0, 9_999_998_500, 1_790_000_000_000])),
    st.sampled_from([1, 500, 1000, 15_000]),
)
def test_a_block_of_series_is_written_as_one_by_one(
    data: list[list[float | None]], start_ms: int, step_ms: int
) -> None:
    """Any floats, gaps, and times whose texts differ in length: the same bytes."""
    times = StepGrid(start_ms, start_ms + 3 * step_ms, step_ms).times().tolist()
    values = np.array([[0.0 if v is None else v for v in row] for row in data], np.float64).reshape(len(data), 4)
    present = np.array([[v is not None for v in row] for row in data], bool).reshape(len(data), 4)
    values, present = values[present.any(axis=1)], present[present.any(axis=1)]
    one_by_one = GridText(times)
    want = [one_by_one.points(row, there) for row, there in zip(values, present, strict=True)]
    assert BlockText(times).points(values, present) == want


def test_many_blocks_of_series_are_one_valid_document() -> None:
    """More points than go into one block: every series is there once, in order."""
    count, steps = 300, 100
    labels = LabelTable.from_labels([labels_of({"a": str(i)}) for i in range(count)])
    grid = StepGrid(0, 99_000, 1000)
    values = np.arange(count * steps, dtype=np.float64).reshape(count, steps) / 7
    frame = Frame(labels, grid, values, np.ones((count, steps), bool))
    answer = orjson.loads(b"".join(encode_result(MetricResult("matrix", frame))))
    assert [series["metric"] for series in answer["data"]["result"]] == [{"a": str(i)} for i in range(count)]
    assert [[float(v) for _, v in series["values"]] for series in answer["data"]["result"]] == values.tolist()


@given(
    st.lists(st.dictionaries(st.sampled_from(["a", "b", "ä"]), st.sampled_from(["", "x", 'q"', "ß"]))),
    st.integers(1, 3),
)
def test_label_sets_are_written_column_by_column_as_one_by_one(rows: list[dict[str, str]], repeat: int) -> None:
    """Absent labels, quotes, letters beyond ASCII, none at all."""
    labels = [labels_of(row) for row in rows] * repeat
    assert metrics_json(LabelTable.from_labels(labels)) == [orjson.dumps(dict(row)) for row in labels]


def test_many_series_are_one_valid_document() -> None:
    """More series than go into one chunk, with warnings and statistics behind them."""
    count = 200
    labels = LabelTable.from_labels([labels_of({"a": str(i)}) for i in range(count)])
    frame = Frame(labels, StepGrid.instant(1500), np.ones((count, 1)), np.ones((count, 1), bool))
    result = MetricResult("vector", frame, warnings=["w"], infos=["i"])
    chunks = encode_result(result, stats={"s": 1})
    answer = orjson.loads(b"".join(chunks))
    assert len(chunks) > 3
    assert len(answer["data"]["result"]) == count
    assert answer["data"]["result"][0]["value"] == [1.5, "1"]
    assert (answer["warnings"], answer["infos"], answer["data"]["stats"]) == (["w"], ["i"], {"s": 1})


def test_of_many_warnings_and_infos_ten_are_told() -> None:
    """A query over thousands of series can note something of each: the answer holds the first ten and how many more there are."""
    notes = [f"n{i}" for i in range(13)]
    result = MetricResult("string", text="x", warnings=notes, infos=notes[:10])
    answer = orjson.loads(b"".join(encode_result(result)))
    assert answer["warnings"] == [*notes[:10], "3 more warning annotations omitted"]
    assert answer["infos"] == notes[:10]


def test_histograms_have_their_buckets_with_bounds() -> None:
    """[boundaries, lower, upper, count]: negative ones open on the right, zero closed, positive ones open on the left."""
    histogram = FloatHistogram(
        schema=0,
        count=8.0,
        sum=1.5,
        zero_threshold=0.5,
        zero_count=2.0,
        positive_index=np.array([0, 1, 2]),
        positive_counts=np.array([1.0, 0.0, 2.0]),
        negative_index=np.array([1]),
        negative_counts=np.array([3.0]),
    )
    assert orjson.loads(histogram_json(histogram)) == {
        "count": "8",
        "sum": "1.5",
        "buckets": [
            [1, "-2", "-1", "3"],
            [3, "-0.5", "0.5", "2"],
            [0, "0.5", "1", "1"],
            [0, "2", "4", "2"],
        ],
    }


def test_custom_buckets_reach_to_infinity() -> None:
    """The first reaches down to -Inf and is closed there, the last up to +Inf."""
    histogram = FloatHistogram(
        schema=CUSTOM_SCHEMA,
        count=3.0,
        sum=3.0,
        positive_index=np.array([0, 1, 2]),
        positive_counts=np.ones(3),
        custom_values=(5.0, 10.0),
    )
    assert orjson.loads(histogram_json(histogram))["buckets"] == [
        [3, "-Inf", "5", "1"],
        [0, "5", "10", "1"],
        [0, "10", "+Inf", "1"],
    ]


def test_floats_and_histograms_of_one_series_stand_side_by_side() -> None:
    """A matrix row may hold both, at different steps."""
    histograms = np.empty((1, 2), object)
    histograms[0, 1] = FloatHistogram(count=1.0, sum=2.0)
    grid = StepGrid(0, 1000, 1000)
    points = GridText(grid.times().tolist()).points(np.array([7.0, 0.0]), np.array([True, True]), histograms[0])
    assert orjson.loads(b'{"x":1' + points + b"}") == {
        "x": 1,
        "values": [[0, "7"]],
        "histograms": [[1, {"count": "1", "sum": "2"}]],
    }
