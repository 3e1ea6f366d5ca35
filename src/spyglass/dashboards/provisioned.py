"""One provider's folder of dashboard files, as of one look at the disk.

`scan` compares with the look before: files whose signature (size, time of change) is the same are not read again; one that
broke keeps its last good version and says why; one that is gone is gone.
"""

import hashlib
import os
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from spyglass.config.grafana import DashboardProvider
from spyglass.dashboards import documents

Signature = tuple[int, int, int]

MAX_FILES = 10_000
"""More files than this in one provider's folder are not looked at: the folder is surely not one of dashboards."""


@dataclass(frozen=True, slots=True)
class ProvisionedFile:
    """One file. packed b"": it never was a dashboard. problem: why the newest content is not used, "" where it is.

    folder_title "": General. checksum: of the good content.
    """

    path: Path
    relative: str
    signature: Signature
    folder_title: str
    folder_uid: str = ""
    uid: str = ""
    title: str = ""
    tags: tuple[str, ...] = ()
    version: int = 0
    checksum: str = ""
    packed: bytes = b""
    problem: str = ""
    changed_ms: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a provider's folder held. files: by relative path, sorted. problem: why the folder itself could not be read."""

    provider: DashboardProvider
    files: Mapping[str, ProvisionedFile] = field(default_factory=dict)
    problem: str = ""


def scan(provider: DashboardProvider, before: Snapshot | None = None) -> Snapshot:
    """Look at the provider's folder. Never fails: what is wrong is in the snapshot."""
    known = before.files if before is not None else {}
    if not provider.path.exists():
        # What was shown stays: a folder that is away for a moment (a mount, a swap of links) is no deletion of everything.
        return Snapshot(provider, known, f"{provider.path}: there is no such folder")
    files: dict[str, ProvisionedFile] = {}
    try:
        for path in _dashboard_files(provider.path):
            found = _look(provider, path, known)
            if found is not None:
                files[found.relative] = found
            if len(files) >= MAX_FILES:
                return Snapshot(
                    provider, files, f"{provider.path}: holds more than {MAX_FILES} files; the others are not read"
                )
    except OSError as err:
        # The folder could not be listed just now: what was there stays.
        return Snapshot(provider, known, f"{provider.path}: {err.strerror or err}")
    return Snapshot(provider, dict(sorted(files.items())))


def _dashboard_files(root: Path) -> Iterator[Path]:
    """Every .json file below, links followed (Kubernetes mounts files as links into a hidden folder), each folder once."""
    if root.is_file():
        yield root
        return
    seen: set[str] = set()
    for folder, folders, names in os.walk(root, followlinks=True, onerror=_raise):
        real = os.path.realpath(folder)
        folders[:] = [] if real in seen else sorted(name for name in folders if not name.startswith("."))
        if real in seen:
            continue
        seen.add(real)
        yield from (Path(folder, name) for name in sorted(names) if name.endswith(".json") and not name.startswith("."))


def _raise(error: OSError) -> None:
    raise error


def _look(provider: DashboardProvider, path: Path, known: Mapping[str, ProvisionedFile]) -> ProvisionedFile | None:
    relative = path.name if path == provider.path else path.relative_to(provider.path).as_posix()
    old = known.get(relative)
    try:
        stat = path.stat()
        signature = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        if old is not None and old.signature == signature:
            return old
        fresh = ProvisionedFile(path, relative, signature, *_folder_of(provider, path))
        return _read(fresh, old, changed_ms=stat.st_mtime_ns // 1_000_000)
    except FileNotFoundError:
        return None
    except OSError as err:
        kept = old or ProvisionedFile(path, relative, (0, 0, 0), *_folder_of(provider, path))
        # No signature: it is tried again at the next look.
        return replace(kept, problem=str(err.strerror or err), signature=(0, 0, 0))


def _folder_of(provider: DashboardProvider, path: Path) -> tuple[str, str]:
    """Title and uid of the Grafana folder the file belongs to."""
    if provider.folders_from_files and path.parent != provider.path and path != provider.path:
        return path.parent.name, ""
    return provider.folder, provider.folder_uid


def _read(fresh: ProvisionedFile, old: ProvisionedFile | None, *, changed_ms: int) -> ProvisionedFile:
    if fresh.signature[1] > documents.MAX_BYTES:
        return _broken(fresh, old, f"is larger than {documents.MAX_BYTES >> 20} MiB")
    content = fresh.path.read_bytes()
    checksum = hashlib.sha256(content).hexdigest()
    try:
        data = documents.parse_dashboard(content)
    except documents.NotADashboard as err:
        return _broken(fresh, old, str(err))
    return replace(
        fresh,
        uid=documents.uid_of(data),
        title=documents.title_of(data),
        tags=documents.tags_of(data),
        version=documents.version_of(data),
        checksum=checksum,
        packed=zlib.compress(content, 6),
        changed_ms=changed_ms,
    )


def _broken(fresh: ProvisionedFile, old: ProvisionedFile | None, problem: str) -> ProvisionedFile:
    return replace(old or fresh, signature=fresh.signature, problem=problem)
