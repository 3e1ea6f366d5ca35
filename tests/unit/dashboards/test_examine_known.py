"""What the examination takes for known is what the web UI has registered."""

import json
import re

import pytest
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


FOLDERS = {"state-timeline": "stateTimeline", "status-history": "stateTimeline"}


@pytest.mark.parametrize("kind", sorted(known.IGNORED))
def test_ignored_settings(kind: str) -> None:
    """What is said to be ignored is named nowhere in the panel's code: once it is drawn, it must leave the list."""
    folder = UI / "panels" / FOLDERS.get(kind, kind)
    files = [path for path in folder.iterdir() if ".test." not in path.name]
    assert files, f"{folder} has no code"
    code = "\n".join(path.read_text() for path in files)
    read = [path for path in known.IGNORED[kind] if re.search(rf"\b{_word(path)}\b", code)]
    assert read == []


def _word(path: str) -> str:
    """What the code would name: `type` and `mode` are in every file, what they are of is not."""
    *_, outer, name = path.split(".")
    return outer if name in ("type", "mode") else name
