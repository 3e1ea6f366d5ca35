"""The doctor's round: every examiner over one installation, findings in the order of files and lines."""

from collections.abc import Callable, Sequence

from spyglass.config.doctor import compose, dashboards, grafana, loki, prometheus, promtail, spyglass
from spyglass.config.doctor.finding import Finding, Severity
from spyglass.config.spyglass import Installation
from spyglass.model.errors import ConfigError

EXAMINERS: Sequence[Callable[[Installation], list[Finding]]] = (
    prometheus.examine,
    loki.examine,
    promtail.examine,
    grafana.examine,
    dashboards.examine,
    compose.examine,
    spyglass.examine,
)


def examine(installation: Installation) -> list[Finding]:
    """All findings. A file that does not load is one finding of its own; the others are examined all the same."""
    found: list[Finding] = []
    for examiner in EXAMINERS:
        try:
            found += examiner(installation)
        except ConfigError as err:
            found.append(Finding(Severity.ERROR, err.file, err.line, err.key, err.message))
    return found
