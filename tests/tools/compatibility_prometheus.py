"""The section on Prometheus' HTTP API of docs/compatibility.md, made from the routes and from the tests that ask for them.

python -m tests.tools.compatibility_prometheus        # writes the section
"""

import asyncio
from collections.abc import Mapping

from tests.conformance_data import ROOT
from tests.integration.prometheus_bench import door
from tests.tools.endpoints import endpoints, rows

PAGE = ROOT / "docs" / "compatibility.md"
BEGIN, END = "<!-- begin prometheus api -->", "<!-- end prometheus api -->"
TEST_FILES = (
    "tests/integration/test_prometheus_*.py",
    "tests/integration/test_guard_rails.py",
    "tests/integration/test_stack.py",
)
MISSING: Mapping[str, str] = {
    "POST /api/v1/otlp/v1/metrics": "OTLP metrics are part of a later version",
    "GET /consoles/*, /debug/pprof/*": "console templates and Go's profiles have no counterpart",
}
NOTES = (
    "`rules`, `alerts` and `alertmanagers` answer empty lists: rules and alerts are part of a later version.",
    "`notifications/live` answers 204: there is no live stream.",
    "`search/*` needs no feature flag.",
)


async def section() -> str:
    """The section between its marks."""
    async with door() as d:
        routes = d.routes
    missing = [f"| `{path}` | no: {why} | |" for path, why in MISSING.items()]
    table = [*rows(endpoints(routes, TEST_FILES)), *missing]
    head = [BEGIN, "### Prometheus' HTTP API", "", "| endpoint | supported | test |", "|---|---|---|"]
    return "\n".join([*head, *table, "", *(f"- {note}" for note in NOTES), END])


def replaced(page: str, new: str) -> str:
    """The page with its section replaced, or added behind PromQL's."""
    if BEGIN in page:
        head, _, rest = page.partition(BEGIN)
        return head + new + rest.partition(END)[2]
    mark = "<!-- end promql -->\n"
    assert mark in page, "the section on PromQL comes first"
    return page.replace(mark, f"{mark}\n{new}\n", 1)


def main() -> None:
    PAGE.write_text(replaced(PAGE.read_text(), asyncio.run(section())))


if __name__ == "__main__":
    main()
