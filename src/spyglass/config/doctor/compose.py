"""Compose files beside the configuration: passwords that everyone knows, ports that everyone reaches."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from spyglass.config.doctor.finding import Finding, note, warning
from spyglass.config.source import Document, KeyPath, read_yaml
from spyglass.config.spyglass import Installation

PLACES = (".", "..", "../deploy/compose", "deploy/compose")
NAMES = ("docker-compose*.y*ml", "compose*.y*ml")


def examine(installation: Installation) -> list[Finding]:
    """Findings in the Compose files. Raises ConfigError."""
    return [finding for file in _files(installation.folder) for finding in _examine_file(read_yaml(file))]


def _files(folder: Path) -> list[Path]:
    found = {file.resolve() for place in PLACES for name in NAMES for file in (folder / place).glob(name)}
    return sorted(found)


def _examine_file(document: Document) -> list[Finding]:
    services = document.data.get("services") if isinstance(document.data, dict) else None
    found: list[Finding] = []
    for name, service in (services if isinstance(services, dict) else {}).items():
        if not isinstance(service, dict):
            continue
        path: KeyPath = ("services", name)
        for key, variable, value in _environment(service):
            if variable == "GF_SECURITY_ADMIN_PASSWORD" and value == "admin":
                text = "admin/admin: whoever reaches the port is administrator"
                found.append(
                    warning(document.file, document.line((*path, *key)), variable, text, "set it from a secret")
                )
        for index, port in enumerate(service.get("ports") or []):
            if (
                isinstance(port, str)
                and port.count(":") == 1
                and any(p in str(service.get("image")) for p in ("loki", "prometheus"))
            ):
                text = f"{port} is published on every interface, and {name} has no login"
                line = document.line((*path, "ports", index))
                found.append(note(document.file, line, "ports", text, f'publish on loopback: "127.0.0.1:{port}"'))
        image = service.get("image")
        if isinstance(image, str) and image.startswith("grafana/promtail"):
            line = document.line((*path, "image"))
            found.append(
                note(document.file, line, "image", "Promtail is at its end of life since 2026-03-02: no fixes come")
            )
    return found


def _environment(service: dict[str, Any]) -> Iterator[tuple[KeyPath, str, str]]:
    """(key path, variable, value) in either form that Compose takes."""
    environment = service.get("environment")
    if isinstance(environment, dict):
        for name, value in environment.items():
            yield ("environment", name), str(name), str(value)
    for index, entry in enumerate(environment if isinstance(environment, list) else []):
        name, _, value = str(entry).partition("=")
        yield ("environment", index), name, value
