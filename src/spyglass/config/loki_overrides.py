"""Limits of single tenants: the file that `runtime_config.file` (or the older `limits_config.per_tenant_override_config`) names.

    overrides:
      team-a: {retention_period: 30d, ingestion_rate_mb: 10}
    configs: {...}          what a tenant's requests write into Loki's own log: without a meaning here

A tenant has the limits of limits_config with its own keys put over them. The file is read again every `runtime_config.period` (10 s);
one that cannot be read or is wrong changes nothing. Source: Loki's documentation of the runtime configuration file.
"""

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from spyglass.config.loki import LokiConfig, check_selector
from spyglass.config.loki_keys import KNOWN, meant
from spyglass.config.loki_limits import LimitsConfig
from spyglass.config.source import Document, parse_yaml
from spyglass.model.errors import ConfigError

log = logging.getLogger(__name__)

TOP_LEVEL = frozenset(["overrides", "configs", "multi_kv_config"])


@dataclass(frozen=True, slots=True)
class Overrides:
    """The limits of the tenants that have their own. text_hash: SHA-256 of what was read. warnings: keys that mean nothing here."""

    limits: Mapping[str, LimitsConfig] = field(default_factory=dict)
    text_hash: str = ""
    warnings: tuple[str, ...] = ()


class TenantLimits:
    """Everybody's limits. Thread-safe: `replace` swaps them as a whole."""

    def __init__(self, defaults: LimitsConfig, overrides: Mapping[str, LimitsConfig] | None = None) -> None:
        self.defaults = defaults
        self._overrides = overrides or {}

    def of(self, tenant: str) -> LimitsConfig:
        return self._overrides.get(tenant, self.defaults)

    def replace(self, overrides: Mapping[str, LimitsConfig]) -> None:
        self._overrides = overrides


class OverridesFile:
    """The file, read when it is time. Owned by one thread."""

    def __init__(
        self,
        config: LokiConfig,
        base: Path,
        *,
        map_path: Callable[[str], str] = str,
        expand: Callable[[str], str] = str,
    ) -> None:
        """base: what relative names are relative to, as upstream the working folder. map_path: from the file's name to ours. expand: what
        is done to the text before it is read. Reads nothing yet.
        """
        limits, runtime = config.limits_config, config.runtime_config
        names = (runtime.file or limits.per_tenant_override_config).split(",")
        self._paths = [base / map_path(name.strip()) for name in names if name.strip()]
        self._period_ns = runtime.period if runtime.file else limits.per_tenant_override_period
        self._defaults, self._expand = limits, expand
        self._due_ns = 0
        self._known = Overrides()
        self.failed = False
        """Whether the last reading went wrong."""

    @property
    def known(self) -> Overrides:
        """What was read last."""
        return self._known

    def read(self) -> Overrides:
        """Raises: ConfigError where a file cannot be read or is wrong."""
        self._known = read_overrides([(str(path), self._text(path)) for path in self._paths], self._defaults)
        return self._known

    def changed(self, now_ns: int) -> Overrides | None:
        """What the files say now, where it is time to look and they say something new. Mistakes are logged."""
        if not self._paths or now_ns < self._due_ns:
            return None
        self._due_ns = now_ns + self._period_ns
        before = self._known.text_hash
        try:
            found = self.read()
        except ConfigError as err:
            if not self.failed:
                log.error("the tenants' limits stay as they were: %s", err)
            self.failed = True
            return None
        self.failed = False
        return found if found.text_hash != before else None

    def _text(self, path: Path) -> str:
        try:
            return self._expand(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as err:
            raise ConfigError(getattr(err, "strerror", None) or str(err), file=str(path)) from None


def read_overrides(files: Sequence[tuple[str, str]], defaults: LimitsConfig) -> Overrides:
    """(name, text) of each file; later ones go before earlier ones, tenant by tenant and key by key. Raises: ConfigError."""
    keys: dict[str, dict[str, Any]] = {}
    warnings: list[str] = []
    digest = hashlib.sha256()
    for name, text in files:
        digest.update(text.encode())
        document = parse_yaml(text, file=name).without_nulls()
        for tenant, own in _tenants(document).items():
            _check(document, tenant, own, defaults)
            warnings.extend(_unknown(document, tenant, own))
            keys.setdefault(tenant, {}).update(own)
    limits = {tenant: _merged(defaults, own) for tenant, own in keys.items()}
    return Overrides(limits, digest.hexdigest(), tuple(warnings))


def _tenants(document: Document) -> dict[str, dict[str, Any]]:
    data = {} if document.data is None else document.data
    if not isinstance(data, dict):
        raise ConfigError("should be a mapping with overrides", file=document.file, line=1)
    for key in data:
        if key not in TOP_LEVEL:
            close = meant(str(key), TOP_LEVEL)
            raise document.error((key,), "is not known here" + (f"; did you mean {close}?" if close else ""))
    overrides = data.get("overrides", {})
    if not isinstance(overrides, dict):
        raise document.error(("overrides",), "should be a mapping of tenants")
    for tenant, own in overrides.items():
        if not isinstance(own, dict):
            raise document.error(("overrides", tenant), "should be a mapping of limits")
    return {str(tenant): own for tenant, own in overrides.items()}


def _check(document: Document, tenant: str, own: Mapping[str, Any], defaults: LimitsConfig) -> None:
    try:
        limits = _merged(defaults, own)
    except ValidationError as err:
        first = err.errors(include_url=False)[0]
        path = ("overrides", tenant, *first["loc"])
        raise document.error(path, first["msg"].removeprefix("Value error, ")) from None
    if "retention_stream" in own:
        for index, rule in enumerate(limits.retention_stream):
            check_selector(document, ("overrides", tenant, "retention_stream", index, "selector"), rule.selector)


def _merged(defaults: LimitsConfig, own: Mapping[str, Any]) -> LimitsConfig:
    """The model's own values are not validated again: durations are nanoseconds by now."""
    read = LimitsConfig.model_validate(own)
    changed = {name: getattr(read, name) for name in read.model_fields_set}
    merged: LimitsConfig = BaseModel.model_copy(defaults, update=changed)
    return merged


def _unknown(document: Document, tenant: str, own: Mapping[str, Any]) -> list[str]:
    found = []
    for key in own:
        if key not in KNOWN["limits_config"]:
            line, close = document.line(("overrides", tenant, key)), meant(str(key), KNOWN["limits_config"])
            hint = f"; did you mean {close}?" if close else ""
            found.append(
                f"{document.file}:{line}: overrides.{tenant}.{key}: no version of Loki has this limit{hint} Ignored"
            )
    return found
