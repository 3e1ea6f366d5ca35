"""Whose configuration file it is: how each kind is read, and how it is told from its keys. Imports every dialect."""

from collections.abc import Callable
from pathlib import Path

from spyglass.cli.kind import Kind
from spyglass.config.alertmanager import load_alertmanager
from spyglass.config.doctor import spyglass
from spyglass.config.grafana import load_provisioning_file
from spyglass.config.loki import load_loki
from spyglass.config.prometheus import load_prometheus
from spyglass.config.promtail import load_promtail
from spyglass.config.source import read_yaml
from spyglass.config.spyglass import load_installation
from spyglass.config.tempo import load_tempo
from spyglass.model.errors import ConfigError

LOADERS: dict[Kind, Callable[[Path], list[str]]] = {
    Kind.PROMETHEUS: lambda path: load_prometheus(path)[1],
    Kind.LOKI: lambda path: list(load_loki(path, expand_env=True).warnings),
    Kind.PROMTAIL: lambda path: list(load_promtail(path, expand_env=True).warnings),
    Kind.ALERTMANAGER: lambda path: load_alertmanager(path)[1],
    Kind.TEMPO: load_tempo,
    Kind.GRAFANA: lambda path: list(load_provisioning_file(path).warnings),
    Kind.SPYGLASS: lambda path: [f"{f.place}: {f.key}: {f.message}" for f in spyglass.examine(load_installation(path))],
}
"""Each reads a file, raises ConfigError, and returns warnings."""

SIGNS: tuple[tuple[Kind, frozenset[str]], ...] = (
    (Kind.PROMTAIL, frozenset({"clients", "client", "positions"})),
    (Kind.GRAFANA, frozenset({"apiVersion", "datasources", "providers", "deleteDatasources"})),
    (Kind.ALERTMANAGER, frozenset({"route", "receivers", "inhibit_rules"})),
    (Kind.LOKI, frozenset({"schema_config", "limits_config", "auth_enabled", "common", "storage_config"})),
    (Kind.TEMPO, frozenset({"overrides", "metrics_generator", "query_frontend", "multitenancy_enabled"})),
    (Kind.PROMETHEUS, frozenset({"scrape_configs", "global", "rule_files", "remote_write", "alerting"})),
    (
        Kind.SPYGLASS,
        frozenset({"files", "ports", "hosts", "paths", "metrics", "logs", "disk", "queries", "data", "listen"}),
    ),
)
"""Top-level keys that give a kind away, the most telling first."""


def guess(path: Path) -> Kind:
    """The kind that the top-level keys give away. Raises ConfigError where none does."""
    data = read_yaml(path).data
    keys = frozenset(data) if isinstance(data, dict) else frozenset()
    for kind, signs in SIGNS:
        if keys & signs:
            return kind
    raise ConfigError("cannot tell whose file this is; say it with --kind", file=str(path))
