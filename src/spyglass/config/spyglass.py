"""config/spyglass.yml: our own small file. Everything in it has a default; without it Spyglass still starts.

It names the upstream files, maps hosts and path prefixes that exist only inside containers, and says where data lives.
Relative paths are relative to the file. Full reference: docs/reference/spyglass-yml.md.
"""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from spyglass.config.loki import parse_selector
from spyglass.config.source import read_yaml
from spyglass.config.units import DurationMs, SizeBytes
from spyglass.model.matchers import Matcher
from spyglass.model.samples import BUCKET_WINDOWS_MS
from spyglass.text.durations import format_prometheus_duration


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class FilesSection(_Strict):
    """The upstream files, relative to spyglass.yml. What is not named is looked for at its usual place in the folder."""

    prometheus: str | None = None
    loki: str | None = None
    promtail: str | None = None
    grafana_provisioning: str | None = None


class PortsSection(_Strict):
    """Where the doors listen."""

    prometheus: int = Field(default=9090, ge=0, le=65535)
    loki: int = Field(default=3100, ge=0, le=65535)
    agent: int = Field(default=9080, ge=0, le=65535)
    ui: int = Field(default=3005, ge=0, le=65535)


class RetentionRuleSection(_Strict):
    """Series that match are kept for another time. keep 0: for ever."""

    match: str
    keep: DurationMs

    @field_validator("match")
    @classmethod
    def _is_selector(cls, value: str) -> str:
        if not parse_selector(value):
            raise ValueError('should name at least one label, such as {__name__=~"debug_.*"}')
        return value

    @property
    def matchers(self) -> tuple[Matcher, ...]:
        return tuple(parse_selector(self.match))


class DownsamplingSection(_Strict):
    """What is older than `after` is kept in buckets of `resolution` too, for `keep`. keep 0: for ever."""

    resolution: DurationMs
    after: DurationMs
    keep: DurationMs = 0

    @field_validator("resolution")
    @classmethod
    def _is_known(cls, value: int) -> int:
        if value not in BUCKET_WINDOWS_MS:
            known = " or ".join(format_prometheus_duration(resolution) for resolution in BUCKET_WINDOWS_MS)
            raise ValueError(f"should be {known}")
        return value

    @property
    def made_ms(self) -> int:
        """The age at which samples are in buckets at the latest: a whole window is made at once."""
        return self.after + BUCKET_WINDOWS_MS[self.resolution]


class MetricsSection(_Strict):
    """How long and how much of the metrics is kept. start_timestamps: keep since when counters have been counting, and use it."""

    retention: DurationMs = 15 * 86_400_000
    retention_rules: tuple[RetentionRuleSection, ...] = ()
    downsampling: tuple[DownsamplingSection, ...] = ()
    max_disk: SizeBytes = 0
    max_series: int = Field(default=2_000_000, ge=0)
    out_of_order_window: DurationMs = 0
    start_timestamps: bool = False

    @field_validator("downsampling")
    @classmethod
    def _is_finest_first(cls, value: tuple[DownsamplingSection, ...]) -> tuple[DownsamplingSection, ...]:
        for finer, coarser in pairwise(value):
            if finer.resolution >= coarser.resolution:
                raise ValueError("should name each resolution once, the finest first")
        return value


class LogsSection(_Strict):
    """How long and how much of the logs is kept. retention 0: what the Loki file says, else for ever."""

    retention: DurationMs = 0
    max_disk: SizeBytes = 0


class DiskSection(_Strict):
    """Writes stop, and say so, when less than min_free is left on the disk."""

    min_free: SizeBytes = 512 << 20


class QueriesSection(_Strict):
    """What one query may use, how many run at once, and how many more wait; those beyond are refused."""

    timeout: DurationMs = 120_000
    max_samples: int = Field(default=50_000_000, ge=1)
    max_memory: SizeBytes = 1 << 30
    concurrency: int = Field(default=4, ge=1)
    queue: int = Field(default=200, ge=0)


class SpyglassConfig(_Strict):
    """The whole file."""

    files: FilesSection = FilesSection.model_construct()
    data: str = "data"
    listen: str = "127.0.0.1"
    ports: PortsSection = PortsSection.model_construct()
    hosts: dict[str, str] = Field(default_factory=dict)
    paths: dict[str, str] = Field(default_factory=dict)
    metrics: MetricsSection = MetricsSection.model_construct()
    logs: LogsSection = LogsSection.model_construct()
    disk: DiskSection = DiskSection.model_construct()
    queries: QueriesSection = QueriesSection.model_construct()


@dataclass(frozen=True, slots=True)
class Installation:
    """spyglass.yml with its folder: every path absolute.

    file: spyglass.yml itself, None where there is none.
    prometheus, loki, promtail: files, None where there is none. provisioning: Grafana's provisioning folder or None.
    """

    folder: Path
    file: Path | None
    config: SpyglassConfig
    data: Path
    prometheus: Path | None
    loki: Path | None
    promtail: Path | None
    provisioning: Path | None

    def map_path(self, path: str) -> str:
        """A container path as it is on this machine. The longest prefix in `paths` wins; others stay as they are."""
        for prefix in sorted(self.config.paths, key=len, reverse=True):
            base = prefix.rstrip("/")
            if path == base or path.startswith(base + "/"):
                return str(resolve(self.folder, self.config.paths[prefix])) + path[len(base) :]
        return path

    def map_address(self, address: str) -> str:
        """`host:port` as it is on this machine. An entry without a port maps the host and keeps the port."""
        hosts = self.config.hosts
        if address in hosts:
            return hosts[address]
        host, separator, port = address.rpartition(":")
        if separator and host in hosts:
            target = hosts[host]
            return target if ":" in target else f"{target}:{port}"
        return address

    def map_url(self, url: str) -> str:
        """A URL with its host mapped. The port defaults to the scheme's."""
        parts = urlsplit(url)
        if not parts.hostname:
            return url
        port = parts.port or (443 if parts.scheme == "https" else 80)
        mapped = self.map_address(f"{parts.hostname}:{port}")
        if mapped == f"{parts.hostname}:{port}":
            return url
        return urlunsplit(parts._replace(netloc=mapped))


def resolve(folder: Path, path: str) -> Path:
    """`path` relative to `folder`, without `..` parts."""
    return (folder / path).resolve()


USUAL_PLACES = {
    "prometheus": ("prometheus/prometheus.yml", "prometheus.yml", "prometheus/prometheus.yaml", "prometheus.yaml"),
    "loki": (
        "loki/loki-config.yml",
        "loki-config.yml",
        "loki/loki-config.yaml",
        "loki/loki.yaml",
        "loki/local-config.yaml",
    ),
    "promtail": (
        "promtail/promtail-config.yml",
        "promtail-config.yml",
        "promtail/promtail-config.yaml",
        "promtail/promtail.yaml",
        "promtail/config.yml",
    ),
    "grafana_provisioning": ("grafana/provisioning", "provisioning"),
}


def load_installation(path: Path) -> Installation:
    """Read an installation: a spyglass.yml, or a folder with (or without) one.

    Raises: ConfigError for a file that is missing, unreadable, or wrong.
    """
    path = path.absolute()
    file = path / "spyglass.yml" if path.is_dir() else path
    folder = file.parent
    if path.is_dir() and not file.exists():
        config = SpyglassConfig()
        document = None
    else:
        document = read_yaml(file)
        config = document.validate(SpyglassConfig)

    def find(kind: str) -> Path | None:
        named = getattr(config.files, kind)
        if named is not None:
            found = resolve(folder, named)
            if not found.exists():
                assert document is not None, "a named file stands in a document"
                raise document.error(("files", kind), f"there is no {found}")
            return found
        return next((folder / place for place in USUAL_PLACES[kind] if (folder / place).exists()), None)

    return Installation(
        folder=folder,
        file=file if document is not None else None,
        config=config,
        data=resolve(folder, config.data),
        prometheus=find("prometheus"),
        loki=find("loki"),
        promtail=find("promtail"),
        provisioning=find("grafana_provisioning"),
    )
