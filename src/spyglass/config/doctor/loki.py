"""loki-config.yml: retention that is none, keys that newer versions removed."""

from spyglass.config.doctor.finding import Finding, note, warning
from spyglass.config.loki import REMOVED, load_loki
from spyglass.config.source import KeyPath, read_yaml
from spyglass.config.spyglass import Installation
from spyglass.text.durations import format_prometheus_duration


def examine(installation: Installation) -> list[Finding]:
    """Findings in the Loki file. Raises ConfigError."""
    file = installation.loki
    if file is None:
        return []
    loaded = load_loki(file)
    document, config = read_yaml(file), loaded.config
    found: list[Finding] = []

    def line(*path: str) -> int:
        return document.line(path)

    limits = config.limits_config
    age = ("limits_config", "reject_old_samples_max_age")
    if age in document.lines and not config.retention_ns:
        shown = format_prometheus_duration(limits.reject_old_samples_max_age // 1_000_000)
        text = f"is no retention: it refuses entries that are older than {shown} when they arrive, and deletes nothing, ever"
        remedy = (
            f"for a retention of {shown} set limits_config.retention_period: {shown} and compactor.retention_enabled: true "
            "(Spyglass: logs.retention in spyglass.yml does it too)"
        )
        found.append(warning(file, line(*age), ".".join(age), text, remedy))
    if limits.retention_period and not config.retention_ns:
        text = "deletes nothing while compactor.retention_enabled is off"
        found.append(
            warning(
                file,
                line("limits_config", "retention_period"),
                "limits_config.retention_period",
                text,
                "set compactor.retention_enabled: true",
            )
        )
    for key, why in REMOVED.items():
        path: KeyPath = tuple(key.split("."))
        if path in document.lines:
            found.append(warning(file, document.line(path), key, f"{why}. Here it is ignored", "remove the line"))
    if _schema_is_old(document.data):
        text = "a boltdb-shipper index with schema v11: Loki 3 refuses to start with it unless allow_structured_metadata is false"
        found.append(
            note(file, line("schema_config", "configs"), "schema_config", f"{text}. Spyglass has a store of its own")
        )
    if not config.auth_enabled:
        text = (
            "everyone who reaches the port reads and writes as the one tenant; Spyglass therefore listens on loopback"
        )
        found.append(note(file, line("auth_enabled"), "auth_enabled", text))
    return sorted(found, key=lambda finding: finding.line)


def _schema_is_old(data: object) -> bool:
    schema = data.get("schema_config") if isinstance(data, dict) else None
    configs = schema.get("configs") if isinstance(schema, dict) else None
    newest = configs[-1] if isinstance(configs, list) and configs else None
    return isinstance(newest, dict) and newest.get("store") in ("boltdb", "boltdb-shipper")
