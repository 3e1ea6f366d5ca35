"""prometheus.yml: parts that are not in use, hosts that are not on this machine."""

from typing import Any

from spyglass.config.doctor.finding import Finding, note, warning
from spyglass.config.prometheus import read_prometheus_file
from spyglass.config.source import Document, KeyPath, read_yaml
from spyglass.config.spyglass import Installation


def examine(installation: Installation) -> list[Finding]:
    """Findings in the Prometheus file. Raises ConfigError."""
    file = installation.prometheus
    if file is None:
        return []
    loaded = read_prometheus_file(file)
    document = read_yaml(file)
    data = document.data if isinstance(document.data, dict) else {}
    found = [warning(file, 0, "", text.removeprefix(f"{file}:").strip()) for text in loaded.warnings]
    found += _evaluation(document, data)
    jobs = data.get("scrape_configs")
    for index, job in enumerate(jobs if isinstance(jobs, list) else []):
        if isinstance(job, dict):
            found += _targets(installation, document, ("scrape_configs", index), job)
    return found


def _evaluation(document: Document, data: dict[str, Any]) -> list[Finding]:
    key: KeyPath = ("global", "evaluation_interval")
    if key not in document.lines or data.get("rule_files"):
        return []
    text = "evaluates nothing: no rule_files are named, so there is no alert"
    return [
        note(document.file, document.line(key), "global.evaluation_interval", text, "name alert rules under rule_files")
    ]


def _targets(installation: Installation, document: Document, path: KeyPath, job: dict[str, Any]) -> list[Finding]:
    found: list[Finding] = []
    groups = job.get("static_configs")
    for index, group in enumerate(groups if isinstance(groups, list) else []):
        targets = group.get("targets") if isinstance(group, dict) else None
        for at, target in enumerate(targets if isinstance(targets, list) else []):
            if not isinstance(target, str):
                continue
            key: KeyPath = (*path, "static_configs", index, "targets", at)
            mapped = installation.map_address(target)
            if mapped != target:
                text = f"{target} exists only inside Compose: here it is scraped at {mapped} (hosts in spyglass.yml); labels keep {target}"
                found.append(note(document.file, document.line(key), "targets", text))
    return found
