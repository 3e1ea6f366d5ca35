"""Which paths a scrape config reads: static groups and files of groups, relabelled."""

import glob
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import RootModel

from spyglass.agent.globs import alternatives, is_shallow, literal_folder
from spyglass.config.promtail import ScrapeConfig, StaticGroup
from spyglass.config.source import read_yaml
from spyglass.model.errors import ConfigError
from spyglass.model.relabel import RelabelRule, relabel


@dataclass(frozen=True, slots=True)
class Found:
    """A target as discovery gave it. dropped: why it is not read, or ""."""

    discovered: tuple[tuple[str, str], ...]
    labels: tuple[tuple[str, str], ...]
    path: str = ""
    exclude: str = ""
    dropped: str = ""


class _Groups(RootModel[tuple[StaticGroup, ...]]):
    """A file_sd file's content."""


@dataclass(slots=True)
class FileDiscoverer:
    """Groups of targets from file_sd files; a file that cannot be read keeps what it said before."""

    job: ScrapeConfig
    folder: Path
    map_path: Callable[[str], str]
    problems: dict[str, str] = field(default_factory=dict)
    _seen: dict[str, tuple[int, int]] = field(default_factory=dict)
    _groups: dict[str, tuple[StaticGroup, ...]] = field(default_factory=dict)

    def groups(self) -> Iterator[tuple[StaticGroup, dict[str, str]]]:
        """Every group with the labels that its way of discovery adds."""
        for group in self.job.static_configs:
            yield group, {}
        patterns = [str(self.folder / self.map_path(name)) for sd in self.job.file_sd_configs for name in sd.files]
        names = sorted({name for pattern in patterns for name in glob.glob(pattern)})
        for gone in set(self._groups) - set(names):
            del self._groups[gone], self._seen[gone]
        for name in names:
            self._read(name)
            for group in self._groups.get(name, ()):
                yield group, {"__meta_filepath": name}

    def _read(self, name: str) -> None:
        try:
            status = os.stat(name)
            stamp = (status.st_mtime_ns, status.st_size)
            if self._seen.get(name) == stamp:
                return
            self._seen[name] = stamp
            document = read_yaml(Path(name), scalars_as_text=True)
            self._groups[name] = document.validate(_Groups).root if document.data else ()
            self.problems.pop(name, None)
        except (ConfigError, OSError) as err:
            self._groups.setdefault(name, ())
            self.problems[name] = str(err)


def targets_of(discoverer: FileDiscoverer, rules: tuple[RelabelRule, ...]) -> list[Found]:
    """All targets, the dropped ones too; one that would read the same with the same labels is there once."""
    found: dict[Found, None] = {}
    for group, extra in discoverer.groups():
        for address in group.targets or ("localhost",):
            found[_target({**extra, **group.labels, "__address__": address}, rules)] = None
    return list(found)


def _target(discovered: Mapping[str, str], rules: tuple[RelabelRule, ...]) -> Found:
    before = tuple(sorted(discovered.items()))
    after = relabel(dict(discovered), rules)
    if after is None:
        return Found(before, (), dropped="dropped by relabel_configs")
    labels = public(after)
    path = after.get("__path__", "")
    if not path:
        return Found(before, labels, dropped="no path for target")
    host = after.get("__host__", "")
    if host and host != socket.gethostname():
        return Found(before, labels, path, dropped=f"it is of the host {host}")
    return Found(before, labels, path, after.get("__path_exclude__", ""))


def public(labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The labels that lines carry: those that do not begin with two underscores."""
    return tuple(sorted((name, value) for name, value in labels.items() if not name.startswith("__")))


@dataclass(frozen=True, slots=True)
class MappedPattern:
    """A pattern of the configuration where it is on this machine. shown_base, real_base: the parts that differ."""

    shown: str
    real: str
    shown_base: str
    real_base: str

    @staticmethod
    def of(pattern: str, map_path: Callable[[str], str]) -> "MappedPattern":
        """Maps the part before the first wildcard; a pattern without wildcards is mapped as a whole."""
        base = literal_folder(pattern)
        whole = map_path(pattern)
        if whole != pattern and not any(char in pattern for char in "*?[{"):
            return MappedPattern(pattern, whole, pattern, whole)
        real = map_path(base)
        return MappedPattern(pattern, real + pattern[len(base) :] if real != base else pattern, base, real)

    def shown_path(self, real_path: str) -> str:
        """The path as the configuration would name it."""
        if self.shown_base == self.real_base or not real_path.startswith(self.real_base):
            return real_path
        return self.shown_base + real_path[len(self.real_base) :]

    def folder_stamp(self) -> tuple[int, ...] | None:
        """Changes when files come or go; None where only a scan can tell (wildcards in folders)."""
        if not is_shallow(self.real):
            return None
        return tuple(_mtime(os.path.dirname(plain) or ".") for plain in alternatives(self.real))


def _mtime(folder: str) -> int:
    try:
        return os.stat(folder).st_mtime_ns
    except OSError:
        return -1
