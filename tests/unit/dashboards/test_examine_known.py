"""What the examination takes for known is what the web UI has registered."""

import json
import re

from tests.conformance_data import ROOT

from spyglass.api.grafana.engines import PROMETHEUS_TYPES
from spyglass.dashboards.examine import known
from spyglass.dashboards.examine.unit_ids import UNITS

UI = ROOT / "ui" / "src"


def keys(path: str, after: str) -> set[str]:
    """The keys of the object literal that `after` begins, two spaces deep."""
    body = (UI / path).read_text().partition(after)[2].partition("\n};")[0]
    return {match[1] for match in re.finditer(r"^  ['\"]?([\w-]+)['\"]?\s*[:,]", body, re.MULTILINE)}


def test_panels() -> None:
    """The registry's, and rows."""
    assert keys("panels/registry.ts", "export const PANELS") | {"row"} == known.PANELS


def test_transformations() -> None:
    """The registry's."""
    assert keys("core/transformations/index.ts", "const TRANSFORMERS") == known.TRANSFORMATIONS


def test_formats() -> None:
    """The table's, and `text`."""
    assert keys("core/interpolate.ts", "const FORMATS") | {"text"} == known.FORMATS


def test_units() -> None:
    """All that were recorded from Grafana."""
    recorded = set(json.loads((UI / "core/fixtures/grafana-units.json").read_text())["texts"])
    assert {one for one in recorded if ":" not in one} <= UNITS


def test_prometheus_types() -> None:
    """The query API's."""
    assert known.PROMETHEUS == PROMETHEUS_TYPES
