"""promtail-config.yml, 2.9 and 3.x: every key loads; what has no meaning yet is named with file and line.

Upstream is strict at the top (an unknown key is an error) and lax inside pipeline_stages (an unknown key is ignored);
so are we, and what is ignored becomes a warning. Every scalar is read as text first, as Go does for string fields:
a label value `1.10` keeps its zero. Source of names and defaults: the Promtail configuration reference.
"""

import codecs
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from spyglass.config.http_client import HttpClientConfig, HttpUrlText
from spyglass.config.loki import expand_environment
from spyglass.config.promtail_stages import LATER, LISTS, MAPPINGS, STAGES, MetricStage, SourceMap, Stage
from spyglass.config.relabel import RelabelConfig
from spyglass.config.source import Document, KeyPath, dotted, parse_yaml
from spyglass.config.units import DurationNs, SizeBytes
from spyglass.model.errors import ConfigError

SECOND_NS = 1_000_000_000
DEFAULT_POSITIONS = "/var/log/positions.yaml"

LATER_SOURCES = (
    "journal",
    "syslog",
    "gcplog",
    "loki_push_api",
    "windows_events",
    "kafka",
    "azure_event_hubs",
    "gelf",
    "cloudflare",
    "heroku_drain",
)
"""Sources of lines that are not there yet."""

LATER_DISCOVERY = tuple(
    f"{name}_sd_configs"
    for name in (
        "kubernetes",
        "consul",
        "consulagent",
        "dns",
        "azure",
        "ec2",
        "gce",
        "marathon",
        "nerve",
        "openstack",
        "serverset",
        "triton",
    )
)
"""Ways of finding targets that are not there yet."""


class Section(BaseModel):
    """A block where an unknown key is an error and a key without value keeps its default."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _nulls_keep_defaults(cls, data: Any) -> Any:
        return _without_null_keys(data)


def _without_null_keys(data: Any) -> Any:
    if data is None:
        return {}
    return {k: v for k, v in data.items() if v is not None} if isinstance(data, dict) else data


def _plain_map(value: object) -> object:
    """`labels: {job: null}` is an empty value."""
    return {k: "" if v is None else v for k, v in value.items()} if isinstance(value, dict) else value


def _encoding(value: str) -> str:
    try:
        codecs.lookup(value or "utf-8")
    except LookupError:
        raise ValueError(f"there is no encoding {value!r}; an IANA name such as UTF-16LE or windows-1252") from None
    return value


LabelMap = Annotated[dict[str, str], BeforeValidator(_plain_map)]


class ServerConfig(BaseModel):
    """Where the agent's own page listens. The many other keys of upstream's server are taken and have no meaning here."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)
    http_listen_address: str = ""
    http_listen_port: int = Field(default=80, ge=0, le=65535)
    grpc_listen_port: int = Field(default=9095, ge=0, le=65535)
    log_level: str = "info"
    disable: bool = False
    external_url: str = ""
    enable_runtime_reload: bool = False
    health_check_target: bool = True

    @model_validator(mode="before")
    @classmethod
    def _nulls_keep_defaults(cls, data: Any) -> Any:
        return _without_null_keys(data)


class BackoffConfig(Section):
    min_period: DurationNs = SECOND_NS // 2
    max_period: DurationNs = 300 * SECOND_NS
    max_retries: int = 10


class ClientConfig(HttpClientConfig):
    """A Loki to push to. proxy, tls and credentials are inherited."""

    url: HttpUrlText
    name: str = ""
    tenant_id: str = ""
    headers: dict[str, str] = Field(default_factory=dict)
    batchwait: DurationNs = SECOND_NS
    batchsize: SizeBytes = 1 << 20
    backoff_config: BackoffConfig = BackoffConfig.model_construct()
    external_labels: LabelMap = Field(default_factory=dict)
    timeout: DurationNs = 10 * SECOND_NS
    drop_rate_limited_batches: bool = False
    stream_lag_labels: Any = None

    @model_validator(mode="before")
    @classmethod
    def _nulls_keep_defaults(cls, data: Any) -> Any:
        return _without_null_keys(data)


class PositionsConfig(Section):
    filename: str = DEFAULT_POSITIONS
    sync_period: DurationNs = 10 * SECOND_NS
    ignore_invalid_yaml: bool = False


class DecompressionConfig(Section):
    enabled: bool = False
    initial_delay: DurationNs = 0
    format: str = ""


class StaticGroup(Section):
    """What to read (`__path__`) and the labels of its lines. Targets have no meaning any more and are ignored."""

    targets: tuple[str, ...] = ()
    labels: LabelMap = Field(default_factory=dict)


class FileDiscovery(Section):
    files: tuple[str, ...]
    refresh_interval: DurationNs = 300 * SECOND_NS


class DockerFilter(Section):
    name: str
    values: tuple[str, ...] = ()


class DockerDiscovery(HttpClientConfig):
    host: str
    port: int = 80
    filters: tuple[DockerFilter, ...] = ()
    host_networking_host: str = "localhost"
    match_first_network: bool = True
    refresh_interval: DurationNs = 60 * SECOND_NS


class ScrapeConfig(Section):
    """One job: where lines come from, and what is done to them. `pipeline_stages` are checked by `load_promtail`."""

    job_name: str = ""
    pipeline_stages: tuple[Any, ...] = ()
    static_configs: tuple[StaticGroup, ...] = ()
    file_sd_configs: tuple[FileDiscovery, ...] = ()
    docker_sd_configs: tuple[DockerDiscovery, ...] = ()
    relabel_configs: tuple[RelabelConfig, ...] = ()
    decompression: DecompressionConfig = DecompressionConfig.model_construct()
    encoding: Annotated[str, AfterValidator(_encoding)] = ""
    journal: dict[str, Any] | None = None
    syslog: dict[str, Any] | None = None
    gcplog: dict[str, Any] | None = None
    loki_push_api: dict[str, Any] | None = None
    windows_events: dict[str, Any] | None = None
    kafka: dict[str, Any] | None = None
    azure_event_hubs: dict[str, Any] | None = None
    gelf: dict[str, Any] | None = None
    cloudflare: dict[str, Any] | None = None
    heroku_drain: dict[str, Any] | None = None
    kubernetes_sd_configs: tuple[Any, ...] = ()
    consul_sd_configs: tuple[Any, ...] = ()
    consulagent_sd_configs: tuple[Any, ...] = ()
    dns_sd_configs: tuple[Any, ...] = ()
    azure_sd_configs: tuple[Any, ...] = ()
    ec2_sd_configs: tuple[Any, ...] = ()
    gce_sd_configs: tuple[Any, ...] = ()
    marathon_sd_configs: tuple[Any, ...] = ()
    nerve_sd_configs: tuple[Any, ...] = ()
    openstack_sd_configs: tuple[Any, ...] = ()
    serverset_sd_configs: tuple[Any, ...] = ()
    triton_sd_configs: tuple[Any, ...] = ()

    @property
    def relabel_rules(self) -> tuple[Any, ...]:
        return tuple(config.rule() for config in self.relabel_configs)


class FileWatchConfig(Section):
    min_poll_frequency: DurationNs = SECOND_NS // 4
    max_poll_frequency: DurationNs = SECOND_NS // 4


class GlobalConfig(Section):
    file_watch_config: FileWatchConfig = FileWatchConfig.model_construct()


class LimitsConfig(Section):
    readline_rate_enabled: bool = False
    readline_rate: float = 10_000
    readline_burst: int = 10_000
    readline_rate_drop: bool = True
    max_streams: int = 0
    max_line_size: SizeBytes = 0
    max_line_size_truncate: bool = False


class TargetConfig(Section):
    sync_period: DurationNs = 10 * SECOND_NS
    stdin: bool = False


class OptionsConfig(Section):
    stream_lag_labels: Any = None


class PromtailConfig(Section):
    """The whole file."""

    global_: GlobalConfig = Field(default=GlobalConfig.model_construct(), alias="global")
    server: ServerConfig = ServerConfig.model_construct()
    client: ClientConfig | None = None
    clients: tuple[ClientConfig, ...] = ()
    positions: PositionsConfig = PositionsConfig.model_construct()
    scrape_configs: tuple[ScrapeConfig, ...] = ()
    limits_config: LimitsConfig = LimitsConfig.model_construct()
    target_config: TargetConfig = TargetConfig.model_construct()
    options: OptionsConfig = OptionsConfig.model_construct()
    tracing: dict[str, Any] | None = None
    wal: dict[str, Any] | None = None

    @property
    def all_clients(self) -> tuple[ClientConfig, ...]:
        """`clients`, and the older `client` before them."""
        return ((self.client,) if self.client else ()) + self.clients


@dataclass(frozen=True, slots=True)
class StageSpec:
    """One checked stage. options: its model, a name map, or a list of names, as its kind has it. inner: of match.

    file, line, key: where it stands, for errors that only building it can find.
    """

    name: str
    options: Any
    inner: tuple["StageSpec", ...] = ()
    file: str = ""
    line: int = 0
    key: str = ""


@dataclass(frozen=True, slots=True)
class PromtailFile:
    """A loaded file. pipelines: the checked stages of each scrape config. warnings: `file:line: key: text`, in file order."""

    config: PromtailConfig
    pipelines: tuple[tuple[StageSpec, ...], ...]
    warnings: tuple[str, ...]
    text: str
    folder: Path


def load_promtail(path: Path, *, expand_env: bool = False, environment: Mapping[str, str] = os.environ) -> PromtailFile:
    """Read a Promtail file. Raises ConfigError."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as err:
        raise ConfigError(getattr(err, "strerror", None) or str(err), file=str(path)) from None
    if expand_env:
        text = expand_environment(text, environment)
    return parse_promtail(text, file=str(path), folder=path.parent)


def parse_promtail(text: str, *, file: str, folder: Path = Path()) -> PromtailFile:
    """Parse a Promtail file's text. Raises ConfigError for the first problem."""
    document = parse_yaml(text, file=file, scalars_as_text=True)
    config = document.validate(PromtailConfig)
    found: list[tuple[KeyPath, str]] = []
    pipelines = tuple(
        tuple(_stages(document, ("scrape_configs", index, "pipeline_stages"), job.pipeline_stages, found))
        for index, job in enumerate(config.scrape_configs)
    )
    found.extend(_unsupported(config))
    found.sort(key=lambda item: document.line(item[0]))
    warnings = tuple(f"{file}:{document.line(path)}: {dotted(path)}: {message}" for path, message in found)
    return PromtailFile(config, pipelines, warnings, text, folder)


def _unsupported(config: PromtailConfig) -> Iterator[tuple[KeyPath, str]]:
    for index, job in enumerate(config.scrape_configs):
        for name in LATER_SOURCES:
            if getattr(job, name) is not None:
                yield ("scrape_configs", index, name), "not supported yet: this source gives no lines"
        for name in LATER_DISCOVERY:
            if getattr(job, name):
                yield ("scrape_configs", index, name), "not supported yet: this discovery finds no targets"
    for index, client in enumerate(config.clients):
        if client.oauth2 is not None:
            yield ("clients", index, "oauth2"), "not supported yet: requests go out without a token"
    if config.limits_config.max_streams:
        yield ("limits_config", "max_streams"), "not supported yet: the number of streams is not limited here"
    if config.tracing is not None:
        yield ("tracing",), "has no meaning here: ignored"
    if config.wal is not None:
        yield ("wal",), "not needed: a batch is on disk beside the positions before it is sent"
    if config.target_config.stdin:
        yield ("target_config", "stdin"), "not supported yet: ignored"


def _stages(document: Document, path: KeyPath, stages: Any, found: list[tuple[KeyPath, str]]) -> Iterator[StageSpec]:
    """The checked stages at `path`; what is ignored is added to `found`. Raises ConfigError."""
    for index, stage in enumerate(stages):
        place: KeyPath = (*path, index)
        if not isinstance(stage, dict) or len(stage) != 1:
            raise document.error(place, "a stage is a mapping with one key, its name")
        name, options = next(iter(stage.items()))
        place = (*place, name)
        if name in LATER:
            found.append((place, "this stage is not supported yet: lines pass it unchanged"))
            continue
        yield _stage(document, place, name, options, found)


def _stage(document: Document, place: KeyPath, name: str, options: Any, found: list[tuple[KeyPath, str]]) -> StageSpec:
    checked: Any
    if name in LISTS:
        checked = _checked(document, place, _NameList, {"names": options or []}).names
    elif name in MAPPINGS:
        checked = _mapping(document, place, name, options)
    elif name == "metrics":
        checked = _metrics(document, place, options, found)
    elif name in STAGES:
        checked = _checked(document, place, STAGES[name], options)
        _note_extra(checked, place, found)
    else:
        known = ", ".join(sorted([*STAGES, *MAPPINGS, *LISTS, "metrics"]))
        raise document.error(place, f"there is no stage of this name; there are {known}")
    inner = tuple(_stages(document, (*place, "stages"), checked.stages, found)) if name == "match" else ()
    return StageSpec(name, checked, inner, document.file, document.line(place), dotted(place))


class _NameList(Stage):
    names: tuple[str, ...]


class _NameMap(Stage):
    names: SourceMap


def _mapping(document: Document, place: KeyPath, name: str, options: Any) -> dict[str, str]:
    if not isinstance(options, dict):
        raise document.error(place, "should map label names to their sources")
    if name == "static_labels":
        return {key: "" if value is None else str(value) for key, value in options.items()}
    names: dict[str, str] = _checked(document, place, _NameMap, {"names": options}).names
    return names


def _metrics(
    document: Document, place: KeyPath, options: Any, found: list[tuple[KeyPath, str]]
) -> dict[str, MetricStage]:
    if not isinstance(options, dict):
        raise document.error(place, "should map names of metrics to their settings")
    metrics = {name: _checked(document, (*place, name), MetricStage, block) for name, block in options.items()}
    for name, metric in metrics.items():
        _note_extra(metric, (*place, name), found)
        _note_extra(metric.config, (*place, name, "config"), found)
    return metrics


def _note_extra(model: Stage, place: KeyPath, found: list[tuple[KeyPath, str]]) -> None:
    found.extend(((*place, key), "is not known here: ignored, as upstream does") for key in model.model_extra or {})


def _checked(document: Document, place: KeyPath, model: type[Any], options: Any) -> Any:
    """`options` as `model`; a problem carries the place in the file."""
    try:
        return model.model_validate({} if options is None else options)
    except ValidationError as err:
        problem = err.errors(include_url=False)[0]
        location = tuple(part for part in problem["loc"] if isinstance(part, str | int) and part != "names")
        message = "is required" if problem["type"] == "missing" else str(problem["msg"]).removeprefix("Value error, ")
        raise document.error((*place, *location), message) from None
