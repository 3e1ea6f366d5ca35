"""Grafana's provisioning files, read as Grafana reads them.

A provisioning folder holds `datasources/*.yml` and `dashboards/*.yml` (and kinds that we name and skip). Values, never keys,
are expanded: `$VAR`, `${VAR}`, `$__env{VAR}`, `$__file{/path}`; `$$` is a dollar. Keys that mean nothing here are warned about
with their line; a file that Grafana would refuse is a ConfigError. The oldest form (no apiVersion, snake_case keys, a bare
list of providers) loads too. Source: Grafana's documentation, "Provision Grafana".
"""

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from spyglass.config.grafana_files import (
    Block,
    DashboardsFile,
    DatasourceEntry,
    DatasourcesFile,
    DeleteEntry,
    ProviderEntry,
    ProviderOptions,
)
from spyglass.config.grafana_references import Mapper, expand, unchanged
from spyglass.config.source import Document, KeyPath, read_yaml
from spyglass.model.errors import ConfigError

Kind = Literal["datasources", "dashboards", "other"]


@dataclass(frozen=True, slots=True)
class Datasource:
    """A data source ready for use: uid derived, URL mapped, secrets apart from what is shown.

    id: 1-based, stable for one set of files. file_url: as written. secure: secureJsonData, never sent to a client.
    """

    id: int
    uid: str
    name: str
    type: str
    url: str
    file_url: str = ""
    access: str = "proxy"
    is_default: bool = False
    editable: bool = False
    user: str = ""
    database: str = ""
    basic_auth: bool = False
    basic_auth_user: str = ""
    with_credentials: bool = False
    version: int = 1
    json_data: Mapping[str, Any] = field(default_factory=dict)
    secure: Mapping[str, str] = field(default_factory=dict)

    def headers(self) -> dict[str, str]:
        """The extra request headers: jsonData.httpHeaderName1.. with secureJsonData.httpHeaderValue1.."""
        pairs: dict[str, str] = {}
        for key, name in self.json_data.items():
            if key.startswith("httpHeaderName") and isinstance(name, str):
                pairs[name] = self.secure.get("httpHeaderValue" + key.removeprefix("httpHeaderName"), "")
        return pairs


@dataclass(frozen=True, slots=True)
class DashboardProvider:
    """A folder of dashboard files. path: on this machine. folder "": the General folder.

    folders_from_files: a file in a subfolder goes to the Grafana folder named as the subfolder. Files at the top go to
    `folder` (Grafana puts them into General and leaves `folder` unused; the option together with `folder` is common).
    """

    name: str
    path: Path
    folder: str = ""
    folder_uid: str = ""
    folders_from_files: bool = False
    update_interval_seconds: float = 10.0
    allow_ui_updates: bool = False
    disable_deletion: bool = False


@dataclass(frozen=True, slots=True)
class Provisioning:
    """Everything a provisioning folder says. warnings: `file:line: key: what it does not do`, in file order."""

    datasources: tuple[Datasource, ...] = ()
    providers: tuple[DashboardProvider, ...] = ()
    deleted_datasources: tuple[str, ...] = ()
    prune: bool = False
    warnings: tuple[str, ...] = ()


@dataclass(slots=True)
class _Reading:
    environment: Mapping[str, str]
    map_path: Mapper
    map_url: Mapper
    datasources: dict[str, Datasource] = field(default_factory=dict)
    providers: dict[str, DashboardProvider] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    prune: bool = False
    warnings: list[str] = field(default_factory=list)
    pending: list[tuple[int, str]] = field(default_factory=list)

    def warn(self, document: Document, path: KeyPath, message: str) -> None:
        self.pending.append((document.line(path), str(document.error(path, message))))

    def file_done(self) -> None:
        """Put the file's warnings behind those of the files before it, in the order of its lines."""
        self.warnings += [text for _, text in sorted(self.pending, key=lambda pair: pair[0])]
        self.pending = []

    def result(self) -> Provisioning:
        return Provisioning(
            tuple(self.datasources.values()),
            tuple(self.providers.values()),
            tuple(self.deleted),
            self.prune,
            tuple(self.warnings),
        )


def load_provisioning(
    folder: Path,
    *,
    environment: Mapping[str, str] = os.environ,
    map_path: Mapper = unchanged,
    map_url: Mapper = unchanged,
) -> Provisioning:
    """Read a provisioning folder (as /etc/grafana/provisioning). Raises ConfigError."""
    reading = _Reading(environment, map_path, map_url)
    for kind in ("datasources", "dashboards"):
        for file in _yaml_files(folder / kind):
            _read_into(reading, read_yaml(file), expected=kind)
    for kind in ("alerting", "notifiers", "plugins", "access-control"):
        reading.warnings += [f"{file}: {kind} provisioning is not read here" for file in _yaml_files(folder / kind)]
    return reading.result()


def load_provisioning_file(
    path: Path,
    *,
    environment: Mapping[str, str] = os.environ,
    map_path: Mapper = unchanged,
    map_url: Mapper = unchanged,
) -> Provisioning:
    """Read one file of either kind. Raises ConfigError."""
    reading = _Reading(environment, map_path, map_url)
    _read_into(reading, read_yaml(path), expected="")
    return reading.result()


def _yaml_files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix in (".yml", ".yaml") and path.is_file())


def kind_of(data: object) -> Kind:
    """Which kind of provisioning file the data is."""
    if isinstance(data, list):
        return "dashboards"
    if isinstance(data, dict):
        if "providers" in data:
            return "dashboards"
        if any(key in data for key in ("datasources", "deleteDatasources", "delete_datasources", "prune")):
            return "datasources"
    return "other"


def _read_into(reading: _Reading, document: Document, *, expected: str) -> None:
    if document.data is None:
        return
    kind = kind_of(document.data)
    if kind == "other":
        wanted = expected or "datasources or providers"
        if not isinstance(document.data, dict):
            raise ConfigError(f"should be a mapping with {wanted}", file=document.file, line=1)
        reading.warnings.append(f"{document.file}: holds neither datasources nor providers; nothing is read from it")
    elif kind == "datasources":
        _read_datasources(reading, document)
    else:
        _read_providers(reading, document)
    reading.file_done()


def _read_datasources(reading: _Reading, document: Document) -> None:
    expanded = _expanded(reading, document)
    parsed = expanded.validate(DatasourcesFile)
    _warn_unknown(
        reading, expanded, DatasourcesFile, {"datasources": DatasourceEntry, "deleteDatasources": DeleteEntry}
    )
    reading.prune |= parsed.prune
    for deletion in parsed.delete_datasources:
        reading.deleted.append(deletion.name)
        reading.datasources.pop(deletion.name, None)
    for index, entry in enumerate(parsed.datasources):
        place = ("datasources", index)
        source = _datasource(reading, entry)
        _check_datasource(reading, expanded, place, source)
        reading.datasources[source.name] = source


def _check_datasource(reading: _Reading, document: Document, place: KeyPath, source: Datasource) -> None:
    others = [other for other in reading.datasources.values() if other.name != source.name]
    default = next((other for other in others if other.is_default), None)
    if source.is_default and default is not None:
        raise document.error(
            (*place, "isDefault"), f"only one data source may be the default, and {default.name!r} already is"
        )
    twin = next((other for other in others if other.uid == source.uid), None)
    if twin is not None:
        raise document.error((*place, "uid"), f"{source.uid!r} is the uid of {twin.name!r} already")
    if source.access not in ("proxy", "direct", "server", "browser", ""):
        reading.warn(document, (*place, "access"), f"{source.access!r} is no way of access; proxy is used")


def _datasource(reading: _Reading, entry: DatasourceEntry) -> Datasource:
    secure = dict(entry.secure_json_data)
    if entry.password:
        secure.setdefault("password", entry.password)
    if entry.basic_auth_password:
        secure.setdefault("basicAuthPassword", entry.basic_auth_password)
    known = reading.datasources.get(entry.name)
    return Datasource(
        id=known.id if known else len(reading.datasources) + 1,
        uid=entry.uid or derived_uid(entry.name),
        name=entry.name,
        type=entry.type,
        url=reading.map_url(entry.url.strip().rstrip("/")),
        file_url=entry.url,
        access="direct" if entry.access in ("direct", "browser") else "proxy",
        is_default=entry.is_default,
        editable=entry.editable,
        user=entry.user,
        database=entry.database,
        basic_auth=entry.basic_auth,
        basic_auth_user=entry.basic_auth_user,
        with_credentials=entry.with_credentials,
        version=entry.version,
        json_data=entry.json_data,
        secure={key: value for key, value in secure.items() if value},
    )


def derived_uid(name: str) -> str:
    """The uid Grafana gives to a provisioned data source without one, so that dashboards made there fit here.

    >>> derived_uid("Prometheus")
    'PBFA97CFB590B2093'
    """
    return "P" + hashlib.sha256(name.encode()).hexdigest()[:16].upper()


def _read_providers(reading: _Reading, document: Document) -> None:
    if isinstance(document.data, list):
        # The form before apiVersion: the list of providers alone.
        lines = {("providers", *path): line for path, line in document.lines.items()}
        document = Document(document.file, {"providers": document.data}, lines)
    expanded = _expanded(reading, document)
    parsed = expanded.validate(DashboardsFile)
    _warn_unknown(reading, expanded, DashboardsFile, {"providers": ProviderEntry, "providers.options": ProviderOptions})
    for index, entry in enumerate(parsed.providers):
        place: KeyPath = ("providers", index)
        if entry.type not in ("file", ""):
            reading.warn(expanded, (*place, "type"), f"providers of type {entry.type!r} are not known; skipped")
            continue
        provider = _provider(reading, entry)
        if provider is None:
            raise expanded.error((*place, "options", "path"), "is required: the folder that holds the dashboards")
        if provider.name in reading.providers:
            raise expanded.error((*place, "name"), f"{provider.name!r} is given twice; provider names must differ")
        reading.providers[provider.name] = provider


def _provider(reading: _Reading, entry: ProviderEntry) -> DashboardProvider | None:
    path = entry.options.path or entry.options.folder
    if not path:
        return None
    return DashboardProvider(
        name=entry.name,
        path=Path(reading.map_path(path)),
        folder=entry.folder,
        folder_uid=entry.folder_uid,
        folders_from_files=entry.options.folders_from_files_structure,
        # Grafana takes 0 as "not given" and polls every ten seconds then.
        update_interval_seconds=entry.update_interval_seconds or 10.0,
        allow_ui_updates=entry.allow_ui_updates,
        disable_deletion=entry.disable_deletion,
    )


def _expanded(reading: _Reading, document: Document) -> Document:
    """The document with every value expanded; keys without a value dropped, so that they keep their default."""

    def walk(value: object, path: KeyPath) -> object:
        if isinstance(value, dict):
            return {str(k): walk(v, (*path, str(k))) for k, v in value.items() if v is not None}
        if isinstance(value, list):
            return [walk(item, (*path, index)) for index, item in enumerate(value)]
        if isinstance(value, str) and "$" in value:
            return _expand_value(reading, document, path, value)
        return value

    return replace(document, data=walk(document.data, ()))


def _expand_value(reading: _Reading, document: Document, path: KeyPath, value: str) -> str:
    try:
        text, missing = expand(value, reading.environment, map_path=reading.map_path)
    except OSError as err:
        raise document.error(path, f"$__file cannot be read: {err}") from None
    for name in missing:
        reading.warn(document, path, f"environment variable {name} is not set; it is empty")
    return text


def _warn_unknown(reading: _Reading, document: Document, root: type[Block], blocks: Mapping[str, type[Block]]) -> None:
    """Name every key that no model field takes. `blocks`: models of the nested blocks by their key path without indices."""
    for path, mapping in _mappings(document.data, ()):
        where = ".".join(str(part) for part in path if isinstance(part, str))
        model = root if not path else blocks.get(where)
        if model is None:
            continue
        names = {info.alias or key for key, info in model.model_fields.items()}
        for key in mapping:
            if key not in names and key not in model.model_fields and (where, key) not in _MEANINGLESS:
                reading.warn(document, (*path, key), f"is not known{_suggestion(key, names)}; ignored")


_MEANINGLESS = frozenset({("datasources", "correlations"), ("datasources", "readOnly"), ("datasources", "typeLogoUrl")})
"""Keys that Grafana takes and that change nothing here."""


def _suggestion(key: str, known: set[str]) -> str:
    folded = {name.lower().replace("_", ""): name for name in sorted(known)}
    close = folded.get(key.lower().replace("_", "").replace("-", ""))
    return f" (did you mean {close}?)" if close else ""


def _mappings(value: object, path: KeyPath) -> Iterator[tuple[KeyPath, dict[str, object]]]:
    if isinstance(value, dict):
        yield path, value
        for key, inner in value.items():
            if key not in ("jsonData", "secureJsonData", "json_data", "secure_json_data"):
                yield from _mappings(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _mappings(inner, (*path, index))


def describe(provisioning: Provisioning) -> list[str]:
    """What was read, a line each, for `check config` and the log at start."""
    sources = [f"data source {s.name!r} ({s.type}) at {s.url or 'no URL'}" for s in provisioning.datasources]
    return sources + [f"dashboards {p.name!r} from {p.path}" for p in provisioning.providers]
