"""spyglass loki: the logs part on loki's own flags, exit codes and signals.

Exit codes as upstream: 0 after SIGTERM, 1 for a configuration that does not load or a failed start, 2 for a bad command line.
"""

from pathlib import Path
from typing import Any

from spyglass.app.settings import Address, LogsSettings, Settings
from spyglass.cli.dropin.goflags import Flags
from spyglass.cli.dropin.goprogram import GoProgram, log_level_of, port_of
from spyglass.cli.dropin.loki_flags import LOKI
from spyglass.model.errors import ConfigError

USAGE = """Usage of loki (spyglass):
  -config.file file        Configuration file; without it the defaults.
  -config.expand-env       Expand ${VAR} and ${VAR:-default} in the file.
  -server.http-listen-port port
  -server.http-listen-address address
  -common.path-prefix folder   Where data lives, unless the file says it.
  -auth.enabled            Require X-Scope-OrgID, whatever the file says.
  -log.level level         debug, info, warn or error.
  -verify-config           Check the configuration and exit.
All other flags of loki are accepted and named once."""


MODULES = frozenset(
    """
    all backend block-builder block-scheduler bloom-builder bloom-gateway bloom-planner bulk-write cache-generation-loader compactor
    dataobj-consumer distributor index-gateway ingester ingest-limits ingest-limits-frontend memberlist-kv overrides-exporter
    pattern-ingester querier query-frontend query-frontend-tripperware query-scheduler read ruler runtime-config server store
    table-manager tenant-configs ui write
    """.split()  # noqa: SIM905 - a table of names reads better than 30 quoted ones
)
"""What -target may name. All of them run here whatever it says: there is one process."""


def settings_of(flags: Flags) -> Settings:
    """Raises: ConfigError."""
    from spyglass.config.loki import load_loki
    from spyglass.config.source import parse_yaml

    unknown = [name for name in flags.text("target", "all").split(",") if name not in MODULES]
    if unknown:
        raise ConfigError(f"unrecognised module name: {unknown[0]}")
    name = flags.text("config.file")
    path = Path(name).absolute() if name else None
    host, port, prefix, level = "", 3100, flags.text("common.path-prefix"), "info"
    if path is not None:
        loaded = load_loki(path, expand_env=flags.on("config.expand-env"))
        host, port = loaded.config.server.http_listen_address, loaded.config.server.http_listen_port
        level = loaded.config.server.log_level
        prefix = prefix or data_folder(parse_yaml(loaded.text, file=name).data)
    host = flags.text("server.http-listen-address", host) or "0.0.0.0"
    data = Path(prefix or "loki-data").absolute() / "spyglass"
    logs = LogsSettings(
        Address(host, port_of(flags, port)),
        data / "logs",
        path,
        expand_env=flags.on("config.expand-env"),
        auth_enabled=flags.on("auth.enabled") if flags.text("auth.enabled") else None,
    )
    return Settings(data=data, logs=logs, log_level=log_level_of(flags, level))


def data_folder(config: Any) -> str:
    """Where the file would keep its data: common.path_prefix, else beside the chunks."""

    def at(*keys: str) -> str:
        value = config
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return value if isinstance(value, str) else ""

    chunks = at("storage_config", "filesystem", "directory") or at(
        "common", "storage", "filesystem", "chunks_directory"
    )
    return at("common", "path_prefix") or (str(Path(chunks).parent) if chunks else "")


run = GoProgram(
    table=LOKI,
    usage=USAGE,
    version="3.7.6",
    check_flag="verify-config",
    valid="config is valid",
    failed="failed parsing config",
    settings_of=settings_of,
).run
