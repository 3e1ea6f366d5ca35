"""loki-config.yml of every generation (2.x and 3.x), read for what has a meaning in one process.

Loki 3 refuses files that hold keys it removed; a third of the files in use hold some. Here every key that any version took
loads: what has a meaning is honoured, the rest is named once in `LokiFile.warnings`. A top-level block that no version ever
had, or a value of the wrong kind in a key that we honour, is an error with its line; a key that looks like a misspelt one is named.
Source of names and defaults: the Loki configuration reference.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from spyglass.config.loki_keys import KNOWN, meant
from spyglass.config.loki_limits import LimitsConfig
from spyglass.config.source import Document, KeyPath, dotted, parse_yaml
from spyglass.config.units import DurationNs
from spyglass.model.errors import ConfigError
from spyglass.model.matchers import Matcher

TOP_LEVEL = frozenset(
    """
    analytics auth_enabled ballast_bytes block_builder block_scheduler bloom_build bloom_compactor bloom_gateway
    chunk_store_config common compactor compactor_client compactor_grpc_client config_file dataobj distributor
    frontend frontend_worker http_prefix index_gateway ingest_limits ingest_limits_frontend
    ingest_limits_frontend_client ingester ingester_client ingester_rf1 ingester_rf1_client internal_server
    kafka_config legacy_read_mode limits_config memberlist metastore metastore_client metrics_namespace
    operational_config overrides_exporter pattern_ingester profiling querier query_range query_scheduler ruler
    ruler_storage runtime_config schema_config server shutdown_delay storage_config table_manager target tracing
    ui use_thanos_objstore
    """.split()  # noqa: SIM905 - a table of names reads better than 60 quoted ones
)

REMOVED: Mapping[str, str] = {
    "compactor.shared_store": "removed in Loki 3 (now compactor.delete_request_store); Loki 3 refuses to start with it",
    "compactor.shared_store_key_prefix": "removed in Loki 3; Loki 3 refuses to start with it",
    "storage_config.boltdb_shipper.shared_store": "removed in Loki 3; Loki 3 refuses to start with it",
    "storage_config.tsdb_shipper.shared_store": "removed in Loki 3; Loki 3 refuses to start with it",
    "limits_config.enforce_metric_name": "removed in Loki 3; Loki 3 refuses to start with it",
    "ingester.max_transfer_retries": "removed in Loki 3; Loki 3 refuses to start with it",
    "chunk_store_config.max_look_back_period": "removed in Loki 3 (now limits_config.max_query_lookback)",
    "ingester.lifecycler.interface_names": "of the ring; there is no ring in one process",
}

_REFERENCE = re.compile(r"\$\{([A-Za-z_]\w*)(?::([-=?+])?([^}]*))?\}|\$([A-Za-z_]\w*)")


_DAY_NS = 24 * 3600 * 10**9


class ServerConfig(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)
    http_listen_address: str = ""
    http_listen_port: int = Field(default=3100, ge=0, le=65535)
    log_level: str = "info"


class CompactorConfig(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)
    retention_enabled: bool = False
    delete_request_store: str = ""
    delete_request_cancel_period: DurationNs = _DAY_NS


class TableManagerConfig(BaseModel):
    """2.x retention: honoured as retention_period where it is switched on."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)
    retention_deletes_enabled: bool = False
    retention_period: DurationNs = 0


class QuerierConfig(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)
    multi_tenant_queries_enabled: bool = False


class RuntimeConfig(BaseModel):
    """Where the tenants' own limits are (config/loki_overrides.py). file: one or more, with commas between. period: of reading them."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)
    file: str = ""
    period: DurationNs = 10 * 10**9


class CommonConfig(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)
    path_prefix: str = ""


class LokiConfig(BaseModel):
    """What Spyglass honours of the file."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)
    auth_enabled: bool = True
    server: ServerConfig = ServerConfig.model_construct()
    common: CommonConfig = CommonConfig.model_construct()
    querier: QuerierConfig = QuerierConfig.model_construct()
    limits_config: LimitsConfig = LimitsConfig.model_construct()
    compactor: CompactorConfig = CompactorConfig.model_construct()
    table_manager: TableManagerConfig = TableManagerConfig.model_construct()
    runtime_config: RuntimeConfig = RuntimeConfig.model_construct()

    @property
    def retention_ns(self) -> int:
        """How long lines are kept; 0: for ever. As in Loki, retention_period alone does nothing: something must be on."""
        return self.retention_of(self.limits_config)

    def retention_of(self, limits: LimitsConfig) -> int:
        """The same for a tenant with these limits."""
        if self.compactor.retention_enabled:
            return limits.retention_period
        if self.table_manager.retention_deletes_enabled:
            return self.table_manager.retention_period
        return 0


@dataclass(frozen=True, slots=True)
class LokiFile:
    """A loaded file. warnings: `file:line: key: what it does not do`, in file order. generation: 2 or 3, for defaults."""

    config: LokiConfig
    warnings: tuple[str, ...]
    text: str
    generation: int


_SECTIONS: dict[str, type[BaseModel]] = {
    "limits_config": LimitsConfig,
    "compactor": CompactorConfig,
    "table_manager": TableManagerConfig,
    "server": ServerConfig,
    "common": CommonConfig,
    "querier": QuerierConfig,
    "runtime_config": RuntimeConfig,
}

_HONOURED: frozenset[KeyPath] = frozenset(
    [("auth_enabled",), *((section, name) for section, model in _SECTIONS.items() for name in model.model_fields)]
)


def load_loki(path: Path, *, expand_env: bool = False, environment: Mapping[str, str] = os.environ) -> LokiFile:
    """Read a Loki file. Raises ConfigError."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as err:
        raise ConfigError(getattr(err, "strerror", None) or str(err), file=str(path)) from None
    if expand_env:
        text = expand_environment(text, environment)
    return read_loki(text, file=str(path))


def read_loki(text: str, *, file: str) -> LokiFile:
    """The same from text."""
    document = parse_yaml(text, file=file)
    data = document.data
    if data is None:
        data = {}
    if not isinstance(data, dict):
        raise ConfigError("should be a mapping of blocks such as server and limits_config", file=file, line=1)
    for key in data:
        if key not in TOP_LEVEL:
            close = meant(str(key), TOP_LEVEL)
            raise document.error(
                (key,), "no version of Loki has this block" + (f"; did you mean {close}?" if close else "")
            )
    config = document.without_nulls().validate(LokiConfig)
    for index, entry in enumerate(config.limits_config.retention_stream):
        check_selector(document, ("limits_config", "retention_stream", index, "selector"), entry.selector)
    generation = 2 if any(_lookup(data, key) is not None for key in REMOVED) or _old_schema(data) else 3
    return LokiFile(config, tuple(_warnings(document, config)), text, generation)


def check_selector(document: Document, path: KeyPath, selector: str) -> list[Matcher]:
    """The matchers of a retention selector. Raises ConfigError at its line."""
    try:
        return parse_selector(selector)
    except ValueError as err:
        raise document.error(path, str(err)) from None


_PAIR = re.compile(r'\s*([A-Za-z_]\w*)\s*(=~|!~|!=|=)\s*("(?:[^"\\]|\\.)*"|`[^`]*`)\s*(,|$)')


def parse_selector(selector: str) -> list[Matcher]:
    """`{a="b", c=~"d"}` as matchers. Raises ValueError. (Configuration must not depend on the query room.)"""
    body = selector.strip()
    if not (body.startswith("{") and body.endswith("}")):
        raise ValueError(f'{selector!r} is not a stream selector such as {{job="backend"}}')
    rest, matchers = body[1:-1].strip().rstrip(","), []
    while rest:
        match = _PAIR.match(rest)
        if match is None:
            raise ValueError(f"{selector!r} is not a stream selector: cannot read {rest!r}")
        name, op, quoted = match.group(1), match.group(2), match.group(3)
        value = quoted[1:-1] if quoted[0] == "`" else re.sub(r"\\(.)", r"\1", quoted[1:-1])
        matchers.append(Matcher.of(name, op, value))
        rest = rest[match.end() :].strip()
    return matchers


def expand_environment(text: str, environment: Mapping[str, str]) -> str:
    """`-config.expand-env`: `${VAR}`, `$VAR`, `${VAR:default}`, `${VAR:-default}`; `$$` stays a dollar.

    >>> expand_environment("a: ${X:-7}, $Y", {"Y": "y"})
    'a: 7, y'
    """

    def value(match: re.Match[str]) -> str:
        braced, _, default, bare = match.groups()
        found = environment.get(braced or bare, "")
        return found or default or ""

    return "$".join(_REFERENCE.sub(value, part) for part in text.split("$$"))


def _lookup(data: object, key: str) -> object:
    for part in key.split("."):
        if not isinstance(data, dict):
            return None
        data = data.get(part)
    return data


def _old_schema(data: dict[str, object]) -> bool:
    configs = _lookup(data, "schema_config.configs")
    newest = configs[-1] if isinstance(configs, list) and configs else {}
    return isinstance(newest, dict) and newest.get("store") in ("boltdb", "boltdb-shipper")


def _warnings(document: Document, config: LokiConfig) -> list[str]:
    found: list[tuple[int, str]] = []
    ignored: list[str] = []
    for path in _leaf_blocks(document.data or {}):
        key = dotted(path)
        reason = next((why for name, why in REMOVED.items() if key == name), None)
        if reason:
            found.append((document.line(path), f"{document.file}:{document.line(path)}: {key}: {reason}; ignored here"))
        elif path not in _HONOURED and path[:2] not in _HONOURED:
            hint = _misspelt(path)
            if hint:
                found.append((document.line(path), f"{document.file}:{document.line(path)}: {hint}"))
            else:
                ignored.append(key)
    limits = config.limits_config
    if limits.retention_period and not config.retention_ns:
        line = document.line(("limits_config", "retention_period"))
        idle = "deletes nothing while compactor.retention_enabled is off"
        found.append((line, f"{document.file}:{line}: limits_config.retention_period: {idle}"))
    if ignored:
        blocks = ", ".join(dict.fromkeys(".".join(key.split(".")[:2]) for key in ignored))
        found.append((10**9, f"{document.file}: without a meaning in one process, ignored: {blocks}"))
    return [text for _, text in sorted(found)]


def _misspelt(path: KeyPath) -> str:
    """What is wrong with the key, where it looks like another one."""
    block, key = (str(part) for part in path[:2]) if len(path) > 1 else ("", str(path[0]))
    known = KNOWN.get(block, frozenset())
    close = "" if key in known else meant(key, known)
    return f"{block}.{key}: no version of Loki has this key; did you mean {close}? Ignored" if close else ""


def _leaf_blocks(data: object, path: KeyPath = ()) -> list[KeyPath]:
    """Every key path that holds no further mapping."""
    if isinstance(data, dict) and data:
        return [leaf for key, value in data.items() for leaf in _leaf_blocks(value, (*path, str(key)))]
    return [path] if path else []
