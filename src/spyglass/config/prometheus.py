"""prometheus.yml, as strict as upstream 3.14: an unknown key, a broken rule, a wrong kind is an error with file and line.

What loads and what runs differ in places, and every difference is a warning with file and line: discovery that is not
there yet, rules, alerting, remote write and read. Source of names, defaults and rules: Prometheus docs, configuration.md.
"""

import glob
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, field_validator, model_validator

from spyglass.config.http_client import HttpClientConfig, HttpUrlText, Strict
from spyglass.config.relabel import RelabelConfig
from spyglass.config.scalars import Bool, Bytes, Count, Duration
from spyglass.config.source import Document, KeyPath, dotted, parse_yaml, read_yaml
from spyglass.model.errors import ConfigError
from spyglass.model.relabel import RelabelRule

PROTOCOLS: Mapping[str, str] = {
    "PrometheusProto": "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
    "PrometheusText0.0.4": "text/plain;version=0.0.4",
    "PrometheusText1.0.0": "text/plain;version=1.0.0",
    "OpenMetricsText0.0.1": "application/openmetrics-text;version=0.0.1",
    "OpenMetricsText1.0.0": "application/openmetrics-text;version=1.0.0",
}
DEFAULT_PROTOCOLS = ("OpenMetricsText1.0.0", "OpenMetricsText0.0.1", "PrometheusText1.0.0", "PrometheusText0.0.4")

_RULE_PATH = re.compile(r"[^*]*(\*[^/]*)?")
_FILE_SD = re.compile(r"[^*]*(\*[^/]*)?\.(json|yml|yaml|JSON|YML|YAML)")
_REFERENCE = re.compile(r"\$(?:(\$)|\{(\w+)\}|(\w+))", re.ASCII)


RESERVED_HEADERS = frozenset(
    """
    host content-encoding content-length content-type x-prometheus-remote-write-version user-agent connection
    keep-alive proxy-authenticate proxy-authorization www-authenticate accept-encoding te trailer transfer-encoding
    upgrade x-prometheus-remote-read-version
    """.split()  # noqa: SIM905 - a table of names reads better than quoted ones
)
"""Of remote write and read: ours to set."""


def _protocols(value: object) -> object:
    for name in value if isinstance(value, list | tuple) else ():
        if name not in PROTOCOLS:
            raise ValueError(f"unknown scrape protocol {name!r}, supported: {sorted(PROTOCOLS)}")
    if isinstance(value, list) and len(set(map(str, value))) != len(value):
        raise ValueError("duplicated protocol in scrape_protocols")
    return value


def _one_protocol(value: object) -> object:
    if value and value not in PROTOCOLS:
        raise ValueError(f"unknown scrape protocol {value!r}, supported: {sorted(PROTOCOLS)}")
    return value


Protocols = Annotated[tuple[str, ...], BeforeValidator(_protocols)]
Protocol = Annotated[str, BeforeValidator(_one_protocol)]
Block = dict[str, Any]


def _label_names(value: dict[str, str]) -> dict[str, str]:
    for name in value:
        if not name:
            raise ValueError("'' is not a valid label name")
    return value


class Limits(Strict):
    """What both global and scrape_configs may set. None: inherit."""

    body_size_limit: Bytes | None = None
    sample_limit: Count | None = None
    target_limit: Count | None = None
    label_limit: Count | None = None
    label_name_length_limit: Count | None = None
    label_value_length_limit: Count | None = None
    keep_dropped_targets: Count | None = None
    metric_name_validation_scheme: str = ""
    metric_name_escaping_scheme: str = ""
    scrape_native_histograms: Bool | None = None
    convert_classic_histograms_to_nhcb: Bool | None = None
    always_scrape_classic_histograms: Bool | None = None
    extra_scrape_metrics: Bool | None = None
    scrape_failure_log_file: str = ""

    @field_validator("metric_name_validation_scheme")
    @classmethod
    def _scheme(cls, value: str) -> str:
        if value not in ("", "utf8", "legacy"):
            raise ValueError(f"unknown global name validation method {value!r}, must be either '', 'legacy' or 'utf8'")
        return value

    @field_validator("metric_name_escaping_scheme")
    @classmethod
    def _escaping(cls, value: str) -> str:
        if value not in ("", "allow-utf-8", "underscores", "dots", "values"):
            raise ValueError(f"unknown escaping scheme {value!r}: allow-utf-8, underscores, dots or values")
        return value


class GlobalConfig(Limits):
    scrape_interval: Duration = 60_000
    scrape_timeout: Duration = 0
    scrape_protocols: Protocols = ()
    evaluation_interval: Duration = 60_000
    rule_query_offset: Duration = 0
    query_log_file: str = ""
    external_labels: dict[str, str] = Field(default_factory=dict)

    _external = field_validator("external_labels")(_label_names)

    @model_validator(mode="after")
    def _timeout_fits(self) -> "GlobalConfig":
        if self.scrape_timeout > self.scrape_interval:
            raise ValueError("global scrape timeout greater than scrape interval")
        return self


class StaticGroup(Strict):
    """Addresses that share labels."""

    targets: tuple[str, ...] = ()
    labels: dict[str, str] = Field(default_factory=dict)

    _names = field_validator("labels")(_label_names)

    @field_validator("targets")
    @classmethod
    def _addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for address in value:
            if "/" in address:
                raise ValueError(f"{address!r} is not a valid hostname")
        return value


class FileDiscovery(Strict):
    files: tuple[str, ...]
    refresh_interval: Duration = 300_000

    @field_validator("files")
    @classmethod
    def _patterns(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("file service discovery config must contain at least one path name")
        for name in value:
            if _FILE_SD.fullmatch(name) is None:
                raise ValueError(f"path name {name!r} is not valid for file discovery")
        return value


class ScrapeConfig(HttpClientConfig, Limits):
    """One job, as written; `PrometheusConfig.jobs` has the same with the global defaults filled in."""

    job_name: str = ""
    honor_labels: Bool = False
    honor_timestamps: Bool = True
    track_timestamps_staleness: Bool = False
    params: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    scrape_interval: Duration = 0
    scrape_timeout: Duration = 0
    scrape_protocols: Protocols = ()
    fallback_scrape_protocol: Protocol = ""
    metrics_path: str = "/metrics"
    scheme: str = "http"
    enable_compression: Bool = True
    native_histogram_bucket_limit: Count = 0
    native_histogram_min_bucket_factor: float = 0
    relabel_configs: tuple[RelabelConfig, ...] = ()
    metric_relabel_configs: tuple[RelabelConfig, ...] = ()
    static_configs: tuple[StaticGroup, ...] = ()
    file_sd_configs: tuple[FileDiscovery, ...] = ()
    # The mechanisms that are not there yet: kept as they are.
    aws_sd_configs: tuple[Block, ...] = ()
    azure_sd_configs: tuple[Block, ...] = ()
    consul_sd_configs: tuple[Block, ...] = ()
    digitalocean_sd_configs: tuple[Block, ...] = ()
    dns_sd_configs: tuple[Block, ...] = ()
    docker_sd_configs: tuple[Block, ...] = ()
    dockerswarm_sd_configs: tuple[Block, ...] = ()
    ec2_sd_configs: tuple[Block, ...] = ()
    eureka_sd_configs: tuple[Block, ...] = ()
    gce_sd_configs: tuple[Block, ...] = ()
    hetzner_sd_configs: tuple[Block, ...] = ()
    http_sd_configs: tuple[Block, ...] = ()
    ionos_sd_configs: tuple[Block, ...] = ()
    kubernetes_sd_configs: tuple[Block, ...] = ()
    kuma_sd_configs: tuple[Block, ...] = ()
    lightsail_sd_configs: tuple[Block, ...] = ()
    linode_sd_configs: tuple[Block, ...] = ()
    marathon_sd_configs: tuple[Block, ...] = ()
    nerve_sd_configs: tuple[Block, ...] = ()
    nomad_sd_configs: tuple[Block, ...] = ()
    oci_sd_configs: tuple[Block, ...] = ()
    openstack_sd_configs: tuple[Block, ...] = ()
    outscale_sd_configs: tuple[Block, ...] = ()
    ovhcloud_sd_configs: tuple[Block, ...] = ()
    puppetdb_sd_configs: tuple[Block, ...] = ()
    scaleway_sd_configs: tuple[Block, ...] = ()
    serverset_sd_configs: tuple[Block, ...] = ()
    stackit_sd_configs: tuple[Block, ...] = ()
    triton_sd_configs: tuple[Block, ...] = ()
    uyuni_sd_configs: tuple[Block, ...] = ()
    vultr_sd_configs: tuple[Block, ...] = ()
    scrape_classic_histograms: Bool | None = None
    """What always_scrape_classic_histograms was called before Prometheus 3."""

    @property
    def classic_histograms_too(self) -> bool:
        """Whether a target's classic buckets are stored beside its native histograms."""
        return bool(self.always_scrape_classic_histograms or self.scrape_classic_histograms)

    @model_validator(mode="after")
    def _named(self) -> "ScrapeConfig":
        if not self.job_name:
            raise ValueError("job_name is empty")
        return self

    @property
    def relabel_rules(self) -> tuple[RelabelRule, ...]:
        return tuple(config.rule() for config in self.relabel_configs)

    @property
    def metric_relabel_rules(self) -> tuple[RelabelRule, ...]:
        return tuple(config.rule() for config in self.metric_relabel_configs)


FUTURE_DISCOVERIES = tuple(
    name for name in ScrapeConfig.model_fields if name.endswith("_sd_configs") and name != "file_sd_configs"
)
"""Mechanisms that load and are reported, but find nothing yet. static_configs and file_sd_configs work."""


class AlertingConfig(Strict):
    alert_relabel_configs: tuple[RelabelConfig, ...] = ()
    alertmanagers: tuple[Block, ...] = ()


def _changeable(headers: dict[str, str]) -> dict[str, str]:
    for name in headers:
        if name.lower() == "authorization":
            raise ValueError(
                "authorization header must be changed via the basic_auth, authorization, oauth2, sigv4, azuread or "
                "google_iam parameter"
            )
        if name.lower() in RESERVED_HEADERS:
            raise ValueError(f"{name} is a reserved header. It must not be changed")
    return headers


class RemoteWriteConfig(HttpClientConfig):
    url: HttpUrlText
    name: str = ""
    protobuf_message: str = "prometheus.WriteRequest"
    remote_timeout: Duration = 30_000
    headers: dict[str, str] = Field(default_factory=dict)
    write_relabel_configs: tuple[RelabelConfig, ...] = ()
    send_exemplars: Bool = False
    _headers = field_validator("headers")(_changeable)
    send_native_histograms: Bool = False
    round_robin_dns: Bool = False
    sigv4: Block | None = None
    azuread: Block | None = None
    google_iam: Block | None = None
    queue_config: Block = Field(default_factory=dict)
    metadata_config: Block = Field(default_factory=dict)


class RemoteReadConfig(HttpClientConfig):
    url: HttpUrlText
    name: str = ""
    remote_timeout: Duration = 60_000
    headers: dict[str, str] = Field(default_factory=dict)
    _headers = field_validator("headers")(_changeable)
    required_matchers: dict[str, str] = Field(default_factory=dict)
    read_recent: Bool = False
    chunked_read_limit: Count = 50 << 20
    filter_external_labels: Bool = True


class RetentionConfig(Strict):
    time: Duration | None = None
    size: Bytes | None = None
    percentage: float | None = None


class TsdbConfig(Strict):
    out_of_order_time_window: Duration = 0
    stale_series_compaction_threshold: float = 0
    retention: RetentionConfig = RetentionConfig.model_construct()


class ExemplarsConfig(Strict):
    max_exemplars: Count = 100_000


class StorageConfig(Strict):
    tsdb: TsdbConfig = TsdbConfig.model_construct()
    exemplars: ExemplarsConfig = ExemplarsConfig.model_construct()


class RuntimeConfig(Strict):
    gogc: int = 75


class OtlpConfig(Strict):
    promote_all_resource_attributes: Bool = False
    ignore_resource_attributes: tuple[str, ...] = ()
    promote_resource_attributes: tuple[str, ...] = ()
    translation_strategy: str = "UnderscoreEscapingWithSuffixes"
    keep_identifying_resource_attributes: Bool = False
    convert_histograms_to_nhcb: Bool = False
    promote_scope_metadata: Bool = False
    label_name_underscore_sanitization: Bool = True
    label_name_preserve_multiple_underscores: Bool = True


class PrometheusConfig(Strict):
    """The whole file. `global_` is the block `global`. Use `jobs` for scraping: defaults filled in, files included."""

    global_: GlobalConfig = Field(default=GlobalConfig.model_construct(), alias="global")
    runtime: RuntimeConfig = RuntimeConfig.model_construct()
    scrape_configs: tuple[ScrapeConfig, ...] = ()
    scrape_config_files: tuple[str, ...] = ()
    rule_files: tuple[str, ...] = ()
    alerting: AlertingConfig = AlertingConfig.model_construct()
    remote_write: tuple[RemoteWriteConfig, ...] = ()
    remote_read: tuple[RemoteReadConfig, ...] = ()
    storage: StorageConfig = StorageConfig.model_construct()
    tracing: Block | None = None
    otlp: OtlpConfig = OtlpConfig.model_construct()
    jobs: tuple[ScrapeConfig, ...] = Field(default=(), exclude=True, alias="(jobs)")

    @field_validator("rule_files", "scrape_config_files")
    @classmethod
    def _patterns(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if _RULE_PATH.fullmatch(name) is None:
                raise ValueError(f"{name!r} is not valid: a * may stand in the last part of the path only")
        return value

    @model_validator(mode="after")
    def _unique_names(self) -> "PrometheusConfig":
        for kind, names in (
            ("write", [c.name for c in self.remote_write]),
            ("read", [c.name for c in self.remote_read]),
        ):
            twice = next((name for name in names if name and names.count(name) > 1), "")
            if twice:
                raise ValueError(f'found multiple remote {kind} configs with job name "{twice}"')
        return self

    @property
    def external_labels(self) -> dict[str, str]:
        return self.global_.external_labels


class _ScrapeFile(Strict):
    """A file of scrape_config_files."""

    scrape_configs: tuple[ScrapeConfig, ...] = ()


@dataclass(frozen=True, slots=True)
class PrometheusFile:
    """A loaded file. folder: what relative paths in it are relative to. warnings: `file:line: key: what it does not do`."""

    config: PrometheusConfig
    warnings: tuple[str, ...]
    text: str
    folder: Path


def load_prometheus(path: Path, *, environment: Mapping[str, str] = os.environ) -> tuple[PrometheusConfig, list[str]]:
    """Read a prometheus.yml. Returns the configuration and the warnings. Raises ConfigError."""
    loaded = read_prometheus_file(path, environment=environment)
    return loaded.config, list(loaded.warnings)


def read_prometheus_file(path: Path, *, environment: Mapping[str, str] = os.environ) -> PrometheusFile:
    """The same with the text and the folder. Raises ConfigError."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError("no such file", file=str(path)) from None
    except (OSError, UnicodeDecodeError) as err:
        raise ConfigError(getattr(err, "strerror", None) or str(err), file=str(path)) from None
    return parse_prometheus(text, file=str(path), folder=path.absolute().parent, environment=environment)


def parse_prometheus(
    text: str, *, file: str, folder: Path, environment: Mapping[str, str] = os.environ
) -> PrometheusFile:
    """A prometheus.yml from text. Raises ConfigError."""
    document = _without_nulls(parse_yaml(text, file=file, scalars_as_text=True))
    config = document.validate(PrometheusConfig)
    warnings = _Warnings(document)
    expanded = _external_labels(config, environment, warnings)
    jobs = _jobs(config, document, folder, warnings)
    warnings.of_main(config)
    settings = config.global_.model_copy(update={"external_labels": expanded})
    config = config.model_copy(update={"global_": settings, "jobs": jobs})
    return PrometheusFile(config, warnings.sorted(), text, folder)


def _without_nulls(document: Document) -> Document:
    """A key without a value keeps its default, as in Go. An empty file is an empty configuration."""
    data = document.data
    if data is None:
        data = {}
    if not isinstance(data, dict):
        raise ConfigError("should be a mapping of blocks such as global and scrape_configs", file=document.file, line=1)
    return Document(document.file, _pruned(data, (), document), document.lines)


def _pruned(value: object, path: KeyPath, document: Document) -> object:
    if isinstance(value, dict):
        return {key: _pruned(v, (*path, key), document) for key, v in value.items() if v is not None}
    if isinstance(value, list):
        if path and path[-1] == "scrape_configs" and None in value:
            raise document.error((*path, value.index(None)), "empty or null scrape config section")
        return [_pruned(v, (*path, index), document) for index, v in enumerate(value) if v is not None]
    return value


def _external_labels(config: PrometheusConfig, environment: Mapping[str, str], warnings: "_Warnings") -> dict[str, str]:
    """`$VAR`, `${VAR}` and `$$` in the values, as upstream expands them there and nowhere else."""

    def expand(name: str, value: str) -> str:
        def of(match: re.Match[str]) -> str:
            dollar, braced, bare = match.groups()
            variable = braced or bare
            if dollar:
                return "$"
            if variable not in environment:
                path = ("global", "external_labels", name)
                warnings.add(path, f"the environment has no variable {variable}: it stands for nothing")
            return environment.get(variable, "")

        return _REFERENCE.sub(of, value)

    return {name: expand(name, value) for name, value in config.global_.external_labels.items()}


def _jobs(
    config: PrometheusConfig, document: Document, folder: Path, warnings: "_Warnings"
) -> tuple[ScrapeConfig, ...]:
    """All jobs with global defaults, those of scrape_config_files included; names must be unique."""
    jobs: list[ScrapeConfig] = []
    seen: dict[str, str] = {}
    sources = [(document, index, job) for index, job in enumerate(config.scrape_configs)]
    for included in _included(config, document, folder):
        parsed = included.validate(_ScrapeFile)
        sources.extend((included, index, job) for index, job in enumerate(parsed.scrape_configs))
    for source, index, job in sources:
        path: KeyPath = ("scrape_configs", index)
        if job.job_name in seen:
            message = f'found multiple scrape configs with job name "{job.job_name}"'
            raise source.error((*path, "job_name"), message)
        seen[job.job_name] = source.file
        jobs.append(_completed(job, config.global_, source, path))
        warnings.of_job(job, source, path)
    return tuple(jobs)


def _included(config: PrometheusConfig, document: Document, folder: Path) -> list[Document]:
    found: list[Document] = []
    for index, pattern in enumerate(config.scrape_config_files):
        try:
            names = sorted(glob.glob(str(folder / pattern)))
        except re.error as err:
            raise document.error(("scrape_config_files", index), f"is no file pattern: {err}") from None
        found.extend(_without_nulls(read_yaml(Path(name), scalars_as_text=True)) for name in names)
    return found


def _completed(job: ScrapeConfig, settings: GlobalConfig, source: Document, path: KeyPath) -> ScrapeConfig:
    """The job with what it does not say taken from global."""
    interval = job.scrape_interval or settings.scrape_interval
    timeout = job.scrape_timeout
    if timeout > interval:
        raise source.error(
            (*path, "scrape_timeout"),
            f'scrape timeout greater than scrape interval for scrape config with job name "{job.job_name}"',
        )
    # A timeout that nobody wrote is 10 s, or the interval where that is shorter.
    inherited = settings.scrape_timeout or min(10_000, settings.scrape_interval)
    native = settings.scrape_native_histograms if job.scrape_native_histograms is None else job.scrape_native_histograms
    # Native histograms come in the protobuf format only, so it is asked for first.
    default = ("PrometheusProto", *DEFAULT_PROTOCOLS) if native else DEFAULT_PROTOCOLS
    protocols = job.scrape_protocols or settings.scrape_protocols or default
    update: dict[str, object] = {
        "scrape_interval": interval,
        "scrape_timeout": timeout or min(inherited, interval),
        "scrape_protocols": protocols,
    }
    for name in Limits.model_fields:
        own = getattr(job, name)
        # As upstream has it, a limit of 0 is none of the job's own: global's holds.
        if own is None or own == "" or (own == 0 and own is not False):
            update[name] = getattr(settings, name)
    return job.model_copy(update=update)


class _Warnings:
    """Gathers `file:line: key: text`."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._found: list[tuple[str, int, str]] = []

    def add(self, path: KeyPath, text: str, document: Document | None = None) -> None:
        source = document or self._document
        line = source.line(path)
        place = f"{source.file}:{line}" if line else source.file
        self._found.append((source.file, line, f"{place}: {dotted(path)}: {text}"))

    def sorted(self) -> tuple[str, ...]:
        return tuple(text for _, _, text in sorted(self._found))

    def of_job(self, job: ScrapeConfig, source: Document, path: KeyPath) -> None:
        for name in FUTURE_DISCOVERIES:
            if getattr(job, name):
                self.add((*path, name), "this discovery is not supported yet: it finds no targets", source)
        if job.native_histogram_bucket_limit or job.native_histogram_min_bucket_factor:
            key = (
                "native_histogram_bucket_limit"
                if job.native_histogram_bucket_limit
                else "native_histogram_min_bucket_factor"
            )
            self.add((*path, key), "not supported yet: native histograms are stored as they come", source)
        if job.scheme not in ("http", "https"):
            self.add((*path, "scheme"), f"{job.scheme!r} is neither http nor https: every scrape will fail", source)
        if job.scrape_failure_log_file:
            self.add((*path, "scrape_failure_log_file"), "not supported yet: failures are on the targets page", source)
        if job.scrape_classic_histograms is not None:
            text = "removed in Prometheus 3, taken as always_scrape_classic_histograms"
            self.add((*path, "scrape_classic_histograms"), text, source)
        if job.convert_classic_histograms_to_nhcb:
            self.add((*path, "convert_classic_histograms_to_nhcb"), "not supported yet: stays classic", source)

    def of_main(self, config: PrometheusConfig) -> None:
        notes: Sequence[tuple[bool, str, str]] = (
            (bool(config.rule_files), "rule_files", "rules are loaded by a later version: none is evaluated"),
            (bool(config.alerting.alertmanagers), "alerting", "alerts are sent by a later version"),
            (bool(config.remote_write), "remote_write", "sending is part of a later version: nothing is sent"),
            (bool(config.remote_read), "remote_read", "reading from elsewhere is part of a later version"),
            (config.tracing is not None, "tracing", "has no meaning here: ignored"),
        )
        for holds, key, text in notes:
            if holds:
                self.add((key,), text)
