"""What to run: the parts, their addresses, their files, their limits. Made by the command lines, read by the builder."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from spyglass.model.matchers import Matcher


class Target(StrEnum):
    """A part that can run by itself."""

    METRICS = "metrics"
    LOGS = "logs"
    AGENT = "agent"
    UI = "ui"


ALL_TARGETS = frozenset(Target)


def unchanged(text: str) -> str:
    return text


@dataclass(frozen=True, slots=True)
class Address:
    """Where a door listens. Port 0: any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class MetricsSettings:
    """The metrics part. Durations in ms, sizes in bytes; 0: no bound. flags: what /api/v1/status/flags shows.

    retention_rules: (matchers, ms to keep the series that pass them; 0: for ever).
    downsampling: (resolution, age at which it is made, how long it is kept; 0: for ever), finest first.
    features: upstream's --enable-feature names; None: every experimental part of the language is on.
    read_samples_max, read_frame_bytes_max: as in PrometheusDeps.
    start_timestamps: keep and use them, as `st-storage` and `use-start-timestamps` among the features do each.
    """

    address: Address
    data: Path
    config_file: Path | None = None
    retention_ms: int = 15 * 86_400_000
    retention_bytes: int = 0
    retention_rules: tuple[tuple[tuple[Matcher, ...], int], ...] = ()
    downsampling: tuple[tuple[int, int, int], ...] = ()
    max_series: int = 2_000_000
    out_of_order_ms: int = 0
    lifecycle: bool = True
    remote_write_receiver: bool = True
    admin_api: bool = False
    lookback_ms: int = 300_000
    external_url: str = ""
    features: frozenset[str] | None = None
    start_timestamps: bool = False
    read_samples_max: int = 50_000_000
    read_frame_bytes_max: int = 1 << 20
    flags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LogsSettings:
    """The logs part. auth_enabled None: the configuration file's."""

    address: Address
    data: Path
    config_file: Path | None = None
    expand_env: bool = False
    retention_ms: int = 0
    retention_bytes: int = 0
    auth_enabled: bool | None = None


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """The agent. config_file None: no file. positions: overrides the file's. urls: additional push addresses, for the tenant tenant_id.

    dry_run: print what would be sent. inspect: print what stages change. stdin: read standard input instead of what the file says.
    """

    address: Address | None
    config_file: Path | None
    expand_env: bool = False
    positions: Path | None = None
    urls: tuple[str, ...] = ()
    tenant_id: str = ""
    dry_run: bool = False
    inspect: bool = False
    stdin: bool = False
    external_labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UiSettings:
    """The web UI and Grafana's API. password "": a generated one at the first start. demo: admin/admin, and says so."""

    address: Address
    data: Path
    provisioning: Path | None = None
    user: str = "admin"
    password: str = ""
    demo: bool = False


@dataclass(frozen=True, slots=True)
class QuerySettings:
    """What one query may use, how many run at once, and how many more wait."""

    timeout_s: float = 120.0
    max_samples: int = 50_000_000
    max_bytes: int = 1 << 30
    concurrency: int = 4
    queue: int = 200


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything. A part that is None does not run. data: the folder whose lock this process holds. log_level: of our own log."""

    data: Path
    metrics: MetricsSettings | None = None
    logs: LogsSettings | None = None
    agent: AgentSettings | None = None
    ui: UiSettings | None = None
    queries: QuerySettings = QuerySettings()
    min_free_bytes: int = 512 << 20
    log_level: str = "info"
    map_address: Callable[[str], str] = unchanged
    map_url: Callable[[str], str] = unchanged
    map_path: Callable[[str], str] = unchanged
