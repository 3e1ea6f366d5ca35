"""Frames, legends, steps, times: what the API makes of numbers."""

import json
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.api.grafana.engines import answer_of_json
from spyglass.api.grafana.frames import metric_frames
from spyglass.api.grafana.legend import display_names, series_name
from spyglass.api.grafana.series import LogAnswer, Series, SeriesAnswer, frame_series
from spyglass.api.grafana.steps import MAX_POINTS, duration_ms, fill_macros, step_ms_of
from spyglass.api.grafana.time_range import parse_time_ms
from spyglass.model.errors import ExecutionError
from spyglass.model.frame import Frame
from spyglass.model.labels import Labels, LabelTable, labels_of
from spyglass.model.times import StepGrid

# 2023-11-15 12:34:56.789 UTC, a Wednesday
NOW = 1_700_051_696_789


@pytest.mark.parametrize(
    ("text", "up", "expected"),
    [
        ("1700000000000", False, 1_700_000_000_000),
        (1_700_000_000_000, False, 1_700_000_000_000),
        ("now", False, NOW),
        ("now-1h", False, NOW - 3_600_000),
        ("now-1d+2h-30s", False, NOW - 86_400_000 + 7_200_000 - 30_000),
        ("now/d", False, 1_700_006_400_000),
        ("now/d", True, 1_700_092_799_999),
        ("now-1d/d", False, 1_699_920_000_000),
        ("now/h", False, 1_700_049_600_000),
        ("now/w", False, 1_699_747_200_000),
        ("now/M", False, 1_698_796_800_000),
        ("now-1y/y", False, 1_640_995_200_000),
        ("2023-11-15T00:00:00Z", False, 1_700_006_400_000),
        ("2023-11-15T01:00:00+01:00", False, 1_700_006_400_000),
    ],
)
def test_times(text: object, up: bool, expected: int) -> None:
    """Milliseconds, relative, rounded, RFC 3339."""
    assert parse_time_ms(text, now_ms=NOW, round_up=up) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "now-",
        "now-1",
        "now-1x",
        None,
        True,
        [],
        "now-999999999y",
        "now~1h",
        "9" * 20,
        float("inf"),
        float("nan"),
    ],
)
def test_no_times(text: object) -> None:
    """ValueError with the text."""
    with pytest.raises(ValueError):
        parse_time_ms(text, now_ms=NOW)


@given(st.integers(0, 10**11), st.integers(0, 10**7), st.integers(0, 10**5), st.integers(0, 10**6))
def test_steps_never_give_too_many_points(range_ms: int, interval_ms: int, points: int, least: int) -> None:
    """Whatever was asked for: at most 11,000 points, at least the smallest step."""
    step = step_ms_of(range_ms=range_ms, interval_ms=interval_ms, max_points=points, min_step_ms=least)
    assert step >= max(least, 1)
    assert range_ms // step <= MAX_POINTS


def test_steps_and_macros() -> None:
    """The asked interval, else a readable one; the macros with Grafana's arithmetic."""
    assert step_ms_of(range_ms=3_600_000, interval_ms=15_000, max_points=0, min_step_ms=0) == 15_000
    assert step_ms_of(range_ms=3_600_000, interval_ms=0, max_points=1000, min_step_ms=0) == 5_000
    filled = fill_macros(
        "rate(x[$__rate_interval]) + $__interval_ms + ${__range_s} + $__range + $other",
        step_ms=15_000,
        range_ms=3_600_000,
        scrape_ms=15_000,
    )
    assert filled == "rate(x[1m]) + 15000 + 3600 + 3600s + $other"
    assert [duration_ms(text) for text in ("30s", ">=1m", "15", "", None, "x")] == [30_000, 60_000, 15_000, 0, 0, 0]


def test_legends() -> None:
    """Templates, __auto with one label and with more, no labels."""
    up, two = labels_of({"__name__": "up", "job": "a"}), labels_of({"job": "b"})
    assert display_names([up, two], "{{job}} x {{ none }}", "up") == ["a x ", "b x "]
    assert display_names([two], "__auto", "e") == ["b"]
    assert display_names([up, two], "__auto", "e") == ['up{job="a"}', '{job="b"}']
    assert display_names([()], "__auto", "1+1") == ["1+1"]
    assert series_name(()) == ""


def test_a_frames_rows_share_times_and_drop_gaps() -> None:
    """Rows without a gap share one array; rows without a point are left out; dropped names go."""
    grid = StepGrid(0, 2000, 1000)
    rows = [labels_of({"__name__": "m", "a": str(i)}) for i in range(4)]
    present = np.array([[True] * 3, [True, False, True], [False] * 3, [True] * 3])
    frame = Frame(
        LabelTable.from_labels(rows),
        grid,
        np.arange(12.0).reshape(4, 3),
        present,
        drop_names=np.array([False, False, False, True]),
    )
    series = frame_series(frame)
    assert [one.values.tolist() for one in series] == [[0, 1, 2], [3, 5], [9, 10, 11]]
    assert series[0].times is series[2].times
    assert series[1].times.tolist() == [0, 2000]
    assert series[2].labels == (("a", "3"),)


def test_native_histograms_are_left_out_of_lines() -> None:
    """Where an element is a histogram the float beside it means nothing."""
    histograms = np.array([[None, object()]], object)
    frame = Frame(
        LabelTable.from_labels([()]), StepGrid(0, 1, 1), np.ones((1, 2)), np.ones((1, 2), bool), histograms=histograms
    )
    (series,) = frame_series(frame)
    assert series.times.tolist() == [0]


_VALUES = st.lists(st.floats(), max_size=6)


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]).map(lambda v: (("x", v),)), _VALUES, max_size=3))
def test_frames_hold_every_point(points: dict[Labels, list[float]]) -> None:
    """As the plain twin: each series' values with None where JSON has no word, and the word in entities."""
    series = [Series(k, np.arange(len(v), dtype=np.int64), np.array(v, np.float64)) for k, v in points.items()]
    answer = SeriesAnswer("matrix", series, step_ms=1000)
    frames = metric_frames(answer, ref_id="A", expression="e", legend_format="", form="time_series")
    decoded = json.loads(orjson.dumps(frames, option=orjson.OPT_SERIALIZE_NUMPY))
    for frame, values in zip(decoded, points.values(), strict=False):
        assert frame["data"]["values"][1] == [v if np.isfinite(v) else None for v in values]
        found = (frame["data"].get("entities") or [None, None])[1] or {}
        words = ["NaN" if v != v else "Inf" if v == np.inf else "NegInf" if v == -np.inf else "" for v in values]
        for name in ("NaN", "Inf", "NegInf"):
            assert found.get(name, []) == [i for i, word in enumerate(words) if word == name]


def test_an_empty_answer_is_one_frame_without_fields() -> None:
    """So that a client still learns what was executed, and the warnings."""
    answer = SeriesAnswer("matrix", [], step_ms=1000, warnings=("w",), infos=("i",))
    (frame,) = metric_frames(answer, ref_id="A", expression="e", legend_format="", form="time_series")
    assert frame["schema"]["fields"] == []
    assert [notice["text"] for notice in frame["schema"]["meta"]["notices"]] == ["w", "i"]


def test_heatmaps_sum_buckets_of_one_bound_and_keep_gaps() -> None:
    """Two series of one le are added; where nothing is there is null."""

    def bucket(le: str, pod: str, times: list[int], values: list[float]) -> Series:
        return Series(labels_of({"le": le, "pod": pod}), np.array(times, np.int64), np.array(values, np.float64))

    series = [
        bucket("1", "a", [0, 1], [1, 2]),
        bucket("1", "b", [0, 1], [1, 2]),
        bucket("+Inf", "a", [1], [9]),
    ]
    answer = SeriesAnswer("matrix", series, step_ms=1)
    (frame,) = metric_frames(answer, ref_id="A", expression="e", legend_format="", form="heatmap")
    assert [field["name"] for field in frame["schema"]["fields"]] == ["Time", "1", "+Inf"]
    columns = json.loads(orjson.dumps(frame["data"]["values"], option=orjson.OPT_SERIALIZE_NUMPY))
    assert columns == [[0, 1], [2.0, 4.0], [None, 5.0]]


def test_answers_of_other_servers() -> None:
    """Prometheus' matrix and Loki's streams in their JSON envelopes."""
    matrix = {"resultType": "matrix", "result": [{"metric": {"a": "b"}, "values": [[1.5, "2"], [2.5, "NaN"]]}]}
    metrics = answer_of_json({"data": matrix, "warnings": ["w"]}, step_ms=1000)
    assert isinstance(metrics, SeriesAnswer)
    assert metrics.series[0].times.tolist() == [1500, 2500]
    assert metrics.warnings == ("w",)
    streams: dict[str, Any] = {
        "resultType": "streams",
        "result": [{"stream": {"a": "b"}, "values": [["5", "x"], ["9", "y"]]}],
    }
    logs = answer_of_json({"data": streams}, step_ms=1000)
    assert isinstance(logs, LogAnswer)
    assert [entry.line for _, entry in logs.lines] == ["y", "x"]
    for odd in ({}, {"data": {"resultType": "x"}}, {"data": {"resultType": "matrix", "result": [{"values": 3}]}}):
        with pytest.raises(ExecutionError):
            answer_of_json(odd, step_ms=1)
