"""The PromQL section of docs/compatibility.md, made from upstream's scripts and from the language's own tables.

python -m tests.tools.compatibility_promql        # writes the section
"""

from pathlib import Path

from tests.conformance_data import CONFORMANCE, ROOT

from spyglass.query.promql.functions import FUNCTIONS
from spyglass.storage.memory_metrics import MemoryMetricStore
from spyglass.testing.promqltest.runner import run_script
from spyglass.testing.promqltest.targets import EngineTarget

PAGE = ROOT / "docs" / "compatibility.md"
BEGIN, END = "<!-- begin promql -->", "<!-- end promql -->"
_YEARS_MS = 10**13


def section() -> str:
    """The section between its marks."""
    rows, cases, passed = [], 0, 0
    for script in sorted((CONFORMANCE / "promql").glob("*.test")):
        target = EngineTarget(lambda: MemoryMetricStore(out_of_order_window_ms=_YEARS_MS))
        report = run_script(script.read_text(encoding="utf-8"), target)
        rows.append(f"| `{script.name}` | {report.cases} | {report.passed} |")
        cases, passed = cases + report.cases, passed + report.passed
    names = sorted(FUNCTIONS)
    return "\n".join(
        [
            BEGIN,
            "## PromQL",
            "",
            "The language of Prometheus 3.14. Upstream's own test scripts run against the memory store, a fresh head,",
            "compacted blocks and through HTTP (`tests/conformance/test_promql.py`, `test_promql_http.py`); 2,000 random",
            "expressions are compared with a running Prometheus 2.42 (`tests/integration/test_promql_differential.py`).",
            "",
            "| script | cases | passed |",
            "|---|---|---|",
            *rows,
            f"| all | {cases} | {passed} |",
            "",
            f"Functions ({len(names)}): " + ", ".join(f"`{name}`" for name in names) + ".",
            "",
            "Known differences: ties of `topk` and `bottomk` take the first series; `timestamp(x @ t offset d)` honours the",
            "offset; native histograms have no start timestamps.",
            END,
        ]
    )


def replaced(page: str, new: str) -> str:
    """The page with its section replaced, or added at the end."""
    if BEGIN in page:
        head, _, rest = page.partition(BEGIN)
        return head + new + rest.partition(END)[2]
    return f"{page.rstrip()}\n\n{new}\n"


def main() -> None:
    page = PAGE.read_text() if PAGE.exists() else "# Compatibility\n\nGenerated from tests; each section names them.\n"
    Path(PAGE).write_text(replaced(page, section()))


if __name__ == "__main__":
    main()
