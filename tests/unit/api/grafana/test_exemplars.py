"""Exemplars of a panel's query: Prometheus' form read, thinned to what a panel has room for, written as a frame."""

import numpy as np
import pytest

from spyglass.api.grafana.exemplars import Exemplars, exemplar_frame, read_exemplars, thinned
from spyglass.model.errors import ExecutionError


def test_labels_of_the_exemplar_win_over_those_of_its_series() -> None:
    """Rows come in order of time; a label that both have is the exemplar's."""
    data = [
        {
            "seriesLabels": {"__name__": "x_bucket", "le": "1", "id": "series"},
            "exemplars": [
                {"labels": {"id": "late"}, "value": "2", "timestamp": 20.5},
                {"labels": {"trace_id": "abc"}, "value": "0.25", "timestamp": 10},
            ],
        }
    ]
    found = read_exemplars(data)
    assert found.times.tolist() == [10_000, 20_500]
    assert found.values.tolist() == [0.25, 2.0]
    assert [labels.get("id") for labels in found.labels] == ["series", "late"]


@pytest.mark.parametrize("data", [[{"exemplars": []}, 3], [{"seriesLabels": {}, "exemplars": [{}]}], 7])
def test_another_form_is_named(data: object) -> None:
    """What is no list of exemplars is an error with words, not a KeyError."""
    with pytest.raises(ExecutionError, match="exemplars have a form"):
        read_exemplars(data)


def test_thinning_keeps_the_largest_of_each_step_and_band() -> None:
    """A thousand alike in one step become one; an outlier of the same step, and the next step's, stay."""
    times = np.array([*range(1000), 500, 60_000], np.int64)
    values = np.array([*np.linspace(0.10, 0.11, 1000), 9.0, 0.1])
    order = np.argsort(times, kind="stable")
    found = Exemplars(times[order], values[order], [{"i": str(i)} for i in order])
    kept = thinned(found, step_ms=60_000)
    assert kept.values.tolist() == [9.0, 0.11, 0.1]
    assert [labels["i"] for labels in kept.labels] == ["1000", "999", "1001"]


def test_frame_has_a_column_per_label() -> None:
    """A label that an exemplar lacks is an empty text in its column."""
    found = Exemplars(np.array([1, 2]), np.array([0.5, 0.7]), [{"trace_id": "a"}, {"le": "1"}])
    frame = exemplar_frame(found, ref_id="B")
    assert [field["name"] for field in frame["schema"]["fields"]] == ["Time", "Value", "le", "trace_id"]
    assert frame["schema"]["meta"]["custom"] == {"resultType": "exemplar"}
    assert frame["data"]["values"][2:] == [["", "1"], ["a", ""]]
