"""Reports as JUnit XML: a suite a file, a case a check; a check with errors is a failed case.

Source: the de facto schema that CI systems read (testsuites, testsuite, testcase, failure, system-out).
"""

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from spyglass.dashboards.examine.findings import Report
from spyglass.dashboards.examine.run import NAMES

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 has no way to write."""


def render_junit(reports: Sequence[Report]) -> str:
    """The document. Counts are of checks, not of findings."""
    root = ET.Element("testsuites", name="spyglass test dashboards")
    for report in reports:
        _suite(root, report)
    for count in ("tests", "failures"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in root)))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(root: ET.Element, report: Report) -> None:
    suite = ET.SubElement(root, "testsuite", name=_clean(report.title or report.file), file=_clean(report.file))
    failures = 0
    for name in NAMES:
        case = ET.SubElement(suite, "testcase", classname=_clean(report.file), name=name)
        errors = [_clean(str(one)) for one in report.errors if one.check == name]
        if errors:
            failures += 1
            ET.SubElement(case, "failure", message=errors[0], type=name).text = "\n".join(errors)
        left = [_clean(f"not supported: {one}") for one in report.unsupported if one.check == name]
        if left:
            ET.SubElement(case, "system-out").text = "\n".join(left)
    suite.set("tests", str(len(NAMES)))
    suite.set("failures", str(failures))


def _clean(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
