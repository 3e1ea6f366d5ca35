"""Examining public dashboards without data: no error where the dashboard is right, one where it was made wrong."""

import json
from pathlib import Path

import pytest
from tests.conformance_data import CONFORMANCE, needs_conformance
from tests.tools.compatibility_dashboards import PAGE, replaced, section

from spyglass.dashboards.examine.run import examine, examine_file

pytestmark = needs_conformance

DASHBOARDS = sorted((CONFORMANCE / "dashboards").glob("*.json"))


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_right_dashboards_have_no_errors(path: Path) -> None:
    """Every panel is native, every query can be read."""
    report = examine_file(path)
    assert report.errors == []
    assert report.native == report.panels > 0
    assert set(report.as_json()) == {"file", "title", "panels", "errors", "unsupported"}


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_one_broken_query_is_found(path: Path) -> None:
    """An expression without its last character's worth of sense is an error of its panel."""
    text = path.read_text()
    start = text.index('"expr": "') + len('"expr": "')
    broken = text[:start] + "sum by (" + text[start:]
    json.loads(broken)
    (finding,) = examine(broken).errors
    assert finding.check == "queries"


def test_the_section_of_the_page_is_up_to_date() -> None:
    """`python -m tests.tools.compatibility_dashboards` would change nothing."""
    page = PAGE.read_text(encoding="utf-8")
    assert replaced(page, section()) == page
