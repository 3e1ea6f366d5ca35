"""Examining never fails: any JSON where another was expected gives findings or nothing."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spyglass.dashboards.examine.findings import Report
from spyglass.dashboards.examine.junit import render_junit
from spyglass.dashboards.examine.run import examine

LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["", "x", "$a", "up{", "/((/", "-1s"])
)
ODD = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner), max_leaves=4
)
PANEL_KEYS = (
    *("id", "type", "title", "datasource", "targets", "fieldConfig", "options", "transformations", "links", "gridPos"),
    *("repeat", "repeatPanelId", "panels", "libraryPanel", "alert", "maxDataPoints"),
)
VARIABLE_KEYS = (
    "name",
    "type",
    "query",
    "datasource",
    "regex",
    "current",
    "options",
    "includeAll",
    "allValue",
    "multi",
)
NAMES = st.sampled_from(["query", "custom", "interval", "datasource", "textbox", "timeseries", "row", "text"])
PANELS = st.dictionaries(st.sampled_from(PANEL_KEYS), ODD | NAMES, max_size=6)
VARIABLES = st.dictionaries(st.sampled_from(VARIABLE_KEYS), ODD | NAMES, max_size=6)


@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(PANELS | ODD, max_size=3), st.lists(VARIABLES | ODD, max_size=3), ODD, ODD)
def test_odd_values_give_findings(panels: list[Any], variables: list[Any], links: Any, annotations: Any) -> None:
    """No exception, whatever stands where; and no check stumbles."""
    document = {
        "title": "t",
        "panels": panels,
        "templating": {"list": variables},
        "links": links,
        "annotations": annotations,
    }
    report = examine(json.dumps(document))
    assert not [one for one in report.findings if "not what it should be" in one.message or one.check == "migration"]


def test_junit_holds_any_text() -> None:
    """Characters that XML cannot hold are replaced."""
    assert "\x00" not in render_junit([Report("a\x00b", "\ud800"), examine("{", "c")])
