"""file_sd_configs: groups of targets in JSON or YAML files that others write; read again when they change.

A file that cannot be read keeps what it said before. The label __meta_filepath names the file.
"""

import glob
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import RootModel

from spyglass.config.prometheus import FileDiscovery, StaticGroup
from spyglass.config.source import read_yaml
from spyglass.model.errors import ConfigError
from spyglass.scrape.discovery.static import Found, of_group

CHECK_SECONDS = 2.0
"""How often the files' times and sizes are looked at."""


class _Groups(RootModel[tuple[StaticGroup, ...]]):
    """A file's content. JSON is YAML."""


@dataclass(slots=True)
class FileTargets:
    """The targets of one file_sd_configs entry. `read` is synchronous and cheap where nothing has changed."""

    config: FileDiscovery
    folder: Path
    errors: dict[str, str] = field(default_factory=dict)
    _seen: dict[str, tuple[int, int]] = field(default_factory=dict)
    _targets: dict[str, list[Found]] = field(default_factory=dict)

    def read(self) -> bool:
        """Look at the files. Returns whether the targets may have changed."""
        names = sorted({name for pattern in self.config.files for name in glob.glob(str(self.folder / pattern))})
        changed = set(names) != set(self._seen)
        for gone in set(self._seen) - set(names):
            del self._seen[gone]
            self._targets.pop(gone, None)
            self.errors.pop(gone, None)
        for name in names:
            changed = self._read_one(name) or changed
        return changed

    def targets(self) -> list[Found]:
        return [found for name in sorted(self._targets) for found in self._targets[name]]

    def _read_one(self, name: str) -> bool:
        try:
            status = Path(name).stat()
            stamp = (status.st_mtime_ns, status.st_size)
            if self._seen.get(name) == stamp:
                return False
            self._seen[name] = stamp
            document = read_yaml(Path(name), scalars_as_text=True)
            groups = document.validate(_Groups).root if document.data else ()
        except (ConfigError, OSError) as err:
            self.errors[name] = str(err)
            return False
        self.errors.pop(name, None)
        path = [("__meta_filepath", name)]
        self._targets[name] = [found for group in groups for found in of_group(group, path)]
        return True
