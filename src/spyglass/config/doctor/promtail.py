"""promtail-config.yml: positions that a restart forgets, entries that are shipped twice, sources that are not there."""

from pathlib import Path
from typing import Any

from spyglass.config.doctor.finding import Finding, note, warning
from spyglass.config.source import Document, KeyPath, read_yaml
from spyglass.config.spyglass import Installation


def examine(installation: Installation) -> list[Finding]:
    """Findings in the Promtail file. Raises ConfigError."""
    file = installation.promtail
    if file is None:
        return []
    document = read_yaml(file)
    data = document.data if isinstance(document.data, dict) else {}
    found = _positions(installation, document, data)
    jobs = data.get("scrape_configs")
    for index, job in enumerate(jobs if isinstance(jobs, list) else []):
        if isinstance(job, dict):
            found += _files(document, ("scrape_configs", index), job)
            found += _docker(document, ("scrape_configs", index), job)
    text = "Promtail itself is at its end of life since 2026-03-02; Spyglass reads this file and replaces it"
    return [*sorted(found, key=lambda finding: finding.line), note(file, 0, "", text)]


def _positions(installation: Installation, document: Document, data: dict[str, Any]) -> list[Finding]:
    positions = data.get("positions")
    name = positions.get("filename") if isinstance(positions, dict) else None
    if not isinstance(name, str) or not name.startswith("/tmp/") or installation.map_path(name) != name:
        return []
    text = f"{name} is lost when the container is made anew or the machine restarts: every file is then shipped again"
    return [
        warning(
            document.file,
            document.line(("positions", "filename")),
            "positions.filename",
            text,
            "put it on a volume that stays",
        )
    ]


def _files(document: Document, path: KeyPath, job: dict[str, Any]) -> list[Finding]:
    found: list[Finding] = []
    groups = job.get("static_configs")
    for index, group in enumerate(groups if isinstance(groups, list) else []):
        labels = group.get("labels") if isinstance(group, dict) else None
        glob = labels.get("__path__") if isinstance(labels, dict) else None
        if isinstance(glob, str) and glob.endswith("*.log"):
            key: KeyPath = (*path, "static_configs", index, "labels", "__path__")
            text = (
                "takes combined.log and error.log both: Winston writes an error to each, so an error is found, and counted, twice "
                "(their `filename` labels differ)"
            )
            remedy = 'count errors with {filename=~".*/combined.log"}, or ship one of the files'
            found.append(note(document.file, document.line(key), "__path__", text, remedy))
    return found


def _docker(document: Document, path: KeyPath, job: dict[str, Any]) -> list[Finding]:
    if not isinstance(job.get("docker_sd_configs"), list):
        return []
    found: list[Finding] = []
    line = document.line((*path, "docker_sd_configs"))
    socket = Path("/var/run/docker.sock")
    if not socket.exists():
        text = f"there is no {socket} on this machine: this job ships nothing until there is one"
        found.append(note(document.file, line, "docker_sd_configs", text))
    targets = {rule.get("target_label") for rule in job.get("relabel_configs") or [] if isinstance(rule, dict)}
    if "job" not in targets:
        text = 'containers get no `job` label from this job: {job="backend"} does not find their lines, {container="..."} does'
        found.append(note(document.file, line, "relabel_configs", text))
    return found
