"""The kinds of configuration files, as `--kind` names them."""

from enum import StrEnum


class Kind(StrEnum):
    """Whose file it is."""

    PROMETHEUS = "prometheus"
    LOKI = "loki"
    PROMTAIL = "promtail"
    ALERTMANAGER = "alertmanager"
    TEMPO = "tempo"
    GRAFANA = "grafana"
    SPYGLASS = "spyglass"
