"""Dashboards: queries that look at names or words that the back end may not use."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from spyglass.config.doctor.finding import Finding, note, warning
from spyglass.config.grafana import load_provisioning
from spyglass.config.spyglass import Installation

_UPPER_ERROR = re.compile(r'\|=\s*["`]ERROR["`]')
_NODE_METRIC = re.compile(r"\bnodejs_\w+")
_BARE_QUANTILE = re.compile(r"histogram_quantile\(\s*[\d.]+\s*,\s*(?:rate|increase|irate)\(")


def examine(installation: Installation) -> list[Finding]:
    """Findings in the provisioned dashboards. Raises ConfigError."""
    if installation.provisioning is None:
        return []
    loaded = load_provisioning(installation.provisioning, map_path=installation.map_path, map_url=installation.map_url)
    found: list[Finding] = []
    for provider in loaded.providers:
        for file in sorted(Path(provider.path).rglob("*.json")):
            found += _dashboard(file)
    return found


def _dashboard(file: Path) -> list[Finding]:
    try:
        text = file.read_text(encoding="utf-8")
        data = json.loads(text)
    except (OSError, ValueError) as err:
        return [warning(file, 0, "", f"is no dashboard: {err}")]
    found: list[Finding] = []
    for title, expression in _expressions(data):
        line = _line_of(text, expression)
        if _UPPER_ERROR.search(expression):
            words = (
                f'panel "{title}" looks for ERROR in upper case, and line filters mind the case: Winston and most JSON loggers write '
                '"level":"error", so the panel stays empty unless the message carries the word'
            )
            found.append(warning(file, line, "expr", words, 'use {job="backend", level="error"} or |~ "(?i)error"'))
        if node := _NODE_METRIC.search(expression):
            words = f'panel "{title}" wants {node.group()}, which only Node\'s client exports'
            found.append(
                note(file, line, "expr", words, "spyglass-sdk answers under these names with node_aliases=True")
            )
        if _BARE_QUANTILE.search(expression):
            words = f'panel "{title}" draws one line per method, endpoint and status: the quantile of each, not of all requests'
            found.append(
                note(file, line, "expr", words, "for one line: histogram_quantile(0.95, sum by (le) (rate(...)))")
            )
    return found


def _expressions(data: Any) -> Iterator[tuple[str, str]]:
    """(panel title, expression) of every target, nested rows included."""
    for panel in data.get("panels") or [] if isinstance(data, dict) else []:
        if not isinstance(panel, dict):
            continue
        for target in panel.get("targets") or []:
            if isinstance(target, dict) and isinstance(target.get("expr"), str):
                yield str(panel.get("title", "")), target["expr"]
        yield from _expressions(panel)


def _line_of(text: str, expression: str) -> int:
    at = text.find(json.dumps(expression))
    return text.count("\n", 0, at) + 1 if at >= 0 else 0
