"""The dashboards' section of docs/compatibility.md, made by examining public dashboards.

python -m tests.tools.compatibility_dashboards        # writes the section
"""

from collections import Counter
from pathlib import Path

from tests.conformance_data import CONFORMANCE, ROOT

from spyglass.dashboards.examine.findings import Report
from spyglass.dashboards.examine.run import examine_file

PAGE = ROOT / "docs" / "compatibility.md"
BEGIN, END = "<!-- begin dashboards -->", "<!-- end dashboards -->"


def section() -> str:
    """The section between its marks."""
    files = sorted((CONFORMANCE / "dashboards").glob("*.json"))
    reports = [examine_file(path) for path in files]
    rows = [_row(path, report) for path, report in zip(files, reports, strict=True)]
    panels, native = sum(one.panels for one in reports), sum(one.native for one in reports)
    return "\n".join(
        [
            BEGIN,
            "## Dashboards",
            "",
            f"{len(files)} public Grafana dashboards of many generations, examined as `spyglass test dashboards --offline` does.",
            "A panel is native when it is drawn as the kind that it is, after migration. Counts of what is ignored are of panels,",
            "variables and annotations.",
            "",
            "| dashboard | panels | native | errors | features ignored |",
            "|---|---|---|---|---|",
            *rows,
            f"| all {len(files)} | {panels} | {native} | {sum(len(one.errors) for one in reports)} | |",
            END,
        ]
    )


def _row(path: Path, report: Report) -> str:
    counts = Counter(finding.message for finding in report.unsupported)
    ignored = "; ".join(f"{message} ({count})" for message, count in sorted(counts.items())) or "none"
    name = f"{report.title} (`{path.stem.replace('__', '/')}`)"
    return f"| {name} | {report.panels} | {report.native} | {len(report.errors)} | {ignored} |".replace("\n", " ")


def replaced(page: str, text: str) -> str:
    """The page with the section in its place, or at the end where it has none yet."""
    before, begin, rest = page.partition(BEGIN)
    if not begin:
        return page.rstrip("\n") + "\n\n" + text + "\n"
    return before + text + rest.partition(END)[2]


def main() -> None:
    """Write the section."""
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else "# Compatibility\n"
    PAGE.write_text(replaced(page, section()), encoding="utf-8")


if __name__ == "__main__":
    main()
