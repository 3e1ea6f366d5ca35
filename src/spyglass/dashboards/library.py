"""Provisioned and saved dashboards as one collection.

Provisioned files live in memory, packed (a tenth of their text); saved ones in the state file. Where a provider allows UI
updates, a saved copy of a provisioned dashboard is shown as long as its file has the content that it was saved over; when the
file changes, the file wins, as in Grafana. Saved versions stay in the history either way.
"""

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from spyglass.dashboards import documents
from spyglass.dashboards.migrate import migrate
from spyglass.dashboards.migrate.library_panels import FindModel, uids_of
from spyglass.dashboards.provisioned import ProvisionedFile, Snapshot
from spyglass.dashboards.state import State
from spyglass.protocols.dashboards import (
    GENERAL,
    Dashboard,
    DashboardInfo,
    DashboardJson,
    DashboardLibrary,
    Folder,
    KnownSource,
    SavedVersion,
    SaveRefused,
)

KEPT_VERSIONS = 20
"""Versions kept of each saved dashboard, as Grafana does; more cost disk."""

_NO_DASHBOARD = "Dashboard not found"


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


def _no_library_panel(_: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class _Entry:
    """A dashboard that is shown, and where its content is."""

    info: DashboardInfo
    packed: bytes
    checksum: str = ""


class Library(DashboardLibrary):
    """The collection. Reads are from memory; `save` and `delete` write the state file.

    now_ms: wall time. library_panel: the models that panels with a `libraryPanel` show.
    """

    def __init__(
        self, state: State, *, now_ms: Callable[[], int] = _wall_ms, library_panel: FindModel = _no_library_panel
    ) -> None:
        self._state, self._now_ms, self._library_panel = state, now_ms, library_panel
        self._lock = threading.RLock()
        self._snapshots: dict[str, Snapshot] = {}
        self._entries: dict[str, _Entry] = {}
        self._folders: dict[str, Folder] = {}
        self._problems: list[tuple[str, str]] = []
        self._rebuild()

    # -- what the watcher tells -----------------------------------------------------------------------------------------

    def replace_provider(self, snapshot: Snapshot) -> None:
        """Take a provider's newest look at its files in the place of the one before."""
        with self._lock:
            before = self._snapshots.get(snapshot.provider.name)
            if before is not None and before.files == snapshot.files and before.problem == snapshot.problem:
                return
            if before is not None and snapshot.provider.disable_deletion:
                self._keep_deleted(before, snapshot)
            self._snapshots[snapshot.provider.name] = snapshot
            self._rebuild()

    def drop_providers(self, kept: Sequence[str]) -> None:
        """Forget the providers that are not in `kept`: the configuration was reloaded."""
        with self._lock:
            self._snapshots = {name: snapshot for name, snapshot in self._snapshots.items() if name in kept}
            self._rebuild()

    def _keep_deleted(self, before: Snapshot, after: Snapshot) -> None:
        """disableDeletion: what lost its file lives on as a saved dashboard."""
        for relative, file in before.files.items():
            if relative in after.files or not file.packed:
                continue
            uid = _uid(before, file)
            entry = self._entries.get(uid)
            if entry is not None and entry.info.file == relative:
                saved = replace(entry.info, provider="", file="", may_save=True)
                self._store(saved, entry.packed, checksum="", message="kept: its file was removed")

    # -- reading --------------------------------------------------------------------------------------------------------

    def get(self, uid: str, sources: Sequence[KnownSource] = ()) -> Dashboard | None:
        with self._lock:
            entry = self._entries.get(uid)
        if entry is None:
            return None
        original = documents.unpack(entry.packed)
        model = migrate(original, sources, library_panel=self._library_panel)
        model["uid"], model["id"], model["version"] = uid, entry.info.id, entry.info.version
        return Dashboard(entry.info, original, model)

    def library_panels(self, uid: str) -> frozenset[str]:
        with self._lock:
            entry = self._entries.get(uid)
        if entry is None:
            return frozenset()
        original = documents.unpack(entry.packed)
        # A resource's panels are only found in its classic form.
        return uids_of(migrate(original) if documents.is_resource(original) else dict(documents.body_of(original)))

    def all(self) -> Sequence[DashboardInfo]:
        with self._lock:
            infos = [entry.info for entry in self._entries.values()]
        return sorted(infos, key=lambda info: (info.folder.title.lower(), info.title.lower(), info.uid))

    def folders(self) -> Sequence[Folder]:
        with self._lock:
            return sorted(self._folders.values(), key=lambda folder: (folder.title.lower(), folder.uid))

    def problems(self) -> Sequence[tuple[str, str]]:
        with self._lock:
            return list(self._problems)

    def migrate(self, dashboard: DashboardJson, sources: Sequence[KnownSource] = ()) -> DashboardJson:
        _check_depth(dashboard)
        return migrate(dashboard, sources, library_panel=self._library_panel)

    def versions(self, uid: str) -> Sequence[SavedVersion]:
        rows = self._state.read("SELECT * FROM dashboard_versions WHERE uid = ? ORDER BY version DESC", (uid,))
        return [
            SavedVersion(
                row["version"], row["created_ms"], row["created_by"], row["message"], documents.unpack(row["packed"])
            )
            for row in rows
        ]

    # -- dashboards -----------------------------------------------------------------------------------------------------

    def save(
        self,
        dashboard: DashboardJson,
        *,
        folder_uid: str | None = None,
        folder_id: int = 0,
        overwrite: bool = False,
        message: str = "",
        by: str = "",
    ) -> DashboardInfo:
        title = documents.title_of(dashboard)
        if not title.strip():
            raise SaveRefused("empty-name", "Dashboard title cannot be empty")
        _check_depth(dashboard)
        with self._lock:
            old = self._named(dashboard)
            folder = self._wanted_folder(folder_uid, folder_id, old)
            self._check_save(dashboard, old, folder, title, overwrite=overwrite)
            uid = old.info.uid if old else documents.uid_of(dashboard) or documents.fresh_uid()
            if not documents.VALID_UID.fullmatch(uid):
                raise SaveRefused("bad-request", "uid contains illegal characters or is longer than 40 characters")
            now = self._now_ms()
            info = DashboardInfo(
                uid=uid,
                id=old.info.id if old else self._state.number(f"dashboard/{uid}"),
                title=title,
                folder=folder,
                tags=documents.tags_of(dashboard),
                version=self._next_version(uid, old),
                created_ms=old.info.created_ms if old else now,
                created_by=old.info.created_by if old else by,
                updated_ms=now,
                updated_by=by,
            )
            checksum = old.checksum if old else ""
            self._store(info, documents.pack(dashboard), checksum=checksum, message=message)
            self._rebuild()
            return self._entries[uid].info

    def _named(self, dashboard: DashboardJson) -> _Entry | None:
        """The stored dashboard that a body means: by uid, else by numeric id."""
        uid, number = documents.uid_of(dashboard), documents.body_of(dashboard).get("id")
        if uid:
            return self._entries.get(uid)
        if isinstance(number, int) and number > 0:
            found = next((entry for entry in self._entries.values() if entry.info.id == number), None)
            if found is None:
                raise SaveRefused("not-found", _NO_DASHBOARD)
            return found
        return None

    def _wanted_folder(self, uid: str | None, number: int, old: _Entry | None) -> Folder:
        if uid is None and number == 0:
            return old.info.folder if old is not None and old.info.provisioned else GENERAL
        if uid in ("", "general") or (uid is None and number == 0):
            return GENERAL
        for folder in self._folders.values():
            if folder.uid == uid or (uid is None and folder.id == number):
                return folder
        raise SaveRefused("not-found", "folder not found")

    def _check_save(
        self, dashboard: DashboardJson, old: _Entry | None, folder: Folder, title: str, *, overwrite: bool
    ) -> None:
        if old is not None and old.info.provisioned and not old.info.may_save:
            raise SaveRefused("provisioned", "Cannot save provisioned dashboard")
        if overwrite:
            return
        if old is not None and documents.version_of(dashboard) != old.info.version:
            raise SaveRefused("version-mismatch", "The dashboard has been changed by someone else")
        for entry in self._entries.values():
            same = entry.info.folder.uid == folder.uid and entry.info.title.lower() == title.lower()
            if same and (old is None or entry.info.uid != old.info.uid):
                raise SaveRefused("name-exists", "A dashboard with the same name in the folder already exists")

    def _next_version(self, uid: str, old: _Entry | None) -> int:
        rows = self._state.read("SELECT max(version) AS newest FROM dashboard_versions WHERE uid = ?", (uid,))
        return max(int(rows[0]["newest"] or 0), old.info.version if old else 0) + 1

    def _store(self, info: DashboardInfo, packed: bytes, *, checksum: str, message: str) -> None:
        with self._state.write() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO dashboards VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    info.uid,
                    info.folder.uid,
                    info.title,
                    json.dumps(list(info.tags)),
                    info.version,
                    checksum,
                    packed,
                    info.created_ms,
                    info.updated_ms,
                    info.created_by,
                    info.updated_by,
                ),
            )
            connection.execute(
                "INSERT OR REPLACE INTO dashboard_versions VALUES (?, ?, ?, ?, ?, ?)",
                (info.uid, info.version, info.updated_ms, info.updated_by, message, packed),
            )
            connection.execute(
                "DELETE FROM dashboard_versions WHERE uid = ? AND version <= ?",
                (info.uid, info.version - KEPT_VERSIONS),
            )

    def delete(self, uid: str) -> DashboardInfo:
        with self._lock:
            entry = self._entries.get(uid)
            if entry is None:
                raise SaveRefused("not-found", _NO_DASHBOARD)
            if entry.info.provisioned:
                raise SaveRefused("provisioned", "provisioned dashboard cannot be deleted")
            with self._state.write() as connection:
                _forget(connection, uid)
            self._rebuild()
            return entry.info

    # -- folders --------------------------------------------------------------------------------------------------------

    def save_folder(self, title: str, *, uid: str = "") -> Folder:
        title = title.strip()
        if not title:
            raise SaveRefused("bad-request", "folder title cannot be empty")
        if uid and not documents.VALID_UID.fullmatch(uid):
            raise SaveRefused("bad-request", "uid contains illegal characters or is longer than 40 characters")
        with self._lock:
            if uid in self._folders:
                raise SaveRefused("version-mismatch", "the folder has been changed by someone else")
            if any(folder.title.lower() == title.lower() for folder in self._folders.values()):
                raise SaveRefused(
                    "name-exists", "a folder or dashboard in the general folder with the same name already exists"
                )
            uid, now = uid or documents.fresh_uid(), self._now_ms()
            with self._state.write() as connection:
                connection.execute("INSERT INTO folders VALUES (?, ?, 1, ?, ?)", (uid, title, now, now))
            self._rebuild()
            return self._folders[uid]

    def rename_folder(self, uid: str, title: str, *, version: int | None = None) -> Folder:
        with self._lock:
            folder = self._own_folder(uid)
            if version is not None and version != folder.version:
                raise SaveRefused("version-mismatch", "the folder has been changed by someone else")
            if not title.strip():
                raise SaveRefused("bad-request", "folder title cannot be empty")
            with self._state.write() as connection:
                connection.execute(
                    "UPDATE folders SET title = ?, version = version + 1, updated_ms = ? WHERE uid = ?",
                    (title.strip(), self._now_ms(), uid),
                )
            self._rebuild()
            return self._folders[uid]

    def delete_folder(self, uid: str) -> Folder:
        with self._lock:
            folder = self._own_folder(uid)
            inside = [entry.info for entry in self._entries.values() if entry.info.folder.uid == uid]
            with self._state.write() as connection:
                for info in inside:
                    _forget(connection, info.uid)
                connection.execute("UPDATE library_elements SET folder_uid = '' WHERE folder_uid = ?", (uid,))
                connection.execute("DELETE FROM folders WHERE uid = ?", (uid,))
            self._rebuild()
            return folder

    def _own_folder(self, uid: str) -> Folder:
        folder = self._folders.get(uid)
        if folder is None:
            raise SaveRefused("not-found", "folder not found")
        if folder.provisioned:
            raise SaveRefused("provisioned", "the folder comes from a provisioning file; change it there")
        return folder

    # -- the view -------------------------------------------------------------------------------------------------------

    def _rebuild(self) -> None:
        """Make the view anew from snapshots and state file. Called with the lock held; cost: the number of dashboards."""
        self._problems, self._entries = [], {}
        self._folders = {row["uid"]: self._saved_folder(row) for row in self._state.read("SELECT * FROM folders")}
        saved = {row["uid"]: row for row in self._state.read("SELECT * FROM dashboards")}
        files = [(snapshot, file) for snapshot in self._snapshots.values() for file in snapshot.files.values()]
        self._state.reserve(f"dashboard/{_uid(snapshot, file)}" for snapshot, file in files if file.packed)
        for snapshot in self._snapshots.values():
            if snapshot.problem:
                self._problems.append((str(snapshot.provider.path), snapshot.problem))
            for file in snapshot.files.values():
                self._add_file(snapshot, file, saved)
        for uid, row in saved.items():
            # A copy saved over a file that is gone stays in the state file, unseen, until the file is back.
            if uid not in self._entries and not row["file_checksum"]:
                self._entries[uid] = self._saved_entry(row)

    def _add_file(self, snapshot: Snapshot, file: ProvisionedFile, saved: Mapping[str, sqlite3.Row]) -> None:
        if file.problem:
            self._problems.append((str(file.path), file.problem))
        if not file.packed:
            return
        uid = _uid(snapshot, file)
        if uid in self._entries:
            other = self._entries[uid].info
            self._problems.append(
                (
                    str(file.path),
                    f"has the uid {uid!r} of {other.file} (provider {other.provider!r}) already; not shown",
                )
            )
            return
        info = DashboardInfo(
            uid=uid,
            id=self._state.number(f"dashboard/{uid}"),
            title=file.title,
            folder=self._provisioned_folder(file),
            slug=documents.slug(file.title),
            tags=file.tags,
            version=file.version or 1,
            provider=snapshot.provider.name,
            file=file.relative,
            may_save=snapshot.provider.allow_ui_updates,
            created_ms=file.changed_ms,
            updated_ms=file.changed_ms,
            problem=file.problem,
        )
        packed, row = file.packed, saved.get(uid)
        if row is not None and row["file_checksum"] == file.checksum and info.may_save:
            packed = row["packed"]
            shown = _from_row(info, row)
            info = replace(shown, folder=self._folders.get(row["folder_uid"], info.folder))
        self._entries[uid] = _Entry(info, packed, file.checksum)

    def _provisioned_folder(self, file: ProvisionedFile) -> Folder:
        title = file.folder_title.strip()
        if not title or title.lower() == "general":
            return GENERAL
        for folder in self._folders.values():
            if folder.uid == file.folder_uid or (not file.folder_uid and folder.title.lower() == title.lower()):
                return folder
        uid = file.folder_uid or documents.derived_uid("folder", title)
        folder = Folder(uid, title, self._state.number(f"folder/{uid}"), provisioned=True, slug=documents.slug(title))
        self._folders[uid] = folder
        return folder

    def _saved_folder(self, row: sqlite3.Row) -> Folder:
        return Folder(
            row["uid"],
            row["title"],
            self._state.number(f"folder/{row['uid']}"),
            created_ms=row["created_ms"],
            updated_ms=row["updated_ms"],
            version=row["version"],
            slug=documents.slug(row["title"]),
        )

    def _saved_entry(self, row: sqlite3.Row) -> _Entry:
        folder = self._folders.get(row["folder_uid"], GENERAL)
        info = DashboardInfo(row["uid"], self._state.number(f"dashboard/{row['uid']}"), row["title"], folder)
        return _Entry(_from_row(info, row), row["packed"])


def _check_depth(dashboard: DashboardJson) -> None:
    if documents.is_too_deep(dashboard):
        raise SaveRefused("bad-request", f"the dashboard is nested more than {documents.MAX_DEPTH} levels deep")


def _uid(snapshot: Snapshot, file: ProvisionedFile) -> str:
    """The uid that the file names, else one that lasts as long as its place."""
    return file.uid or documents.derived_uid(snapshot.provider.name, file.relative)


def _from_row(info: DashboardInfo, row: Any) -> DashboardInfo:
    return replace(
        info,
        title=row["title"],
        slug=documents.slug(row["title"]),
        tags=tuple(json.loads(row["tags"])),
        version=row["version"],
        created_ms=row["created_ms"],
        updated_ms=row["updated_ms"],
        created_by=row["created_by"],
        updated_by=row["updated_by"],
    )


def _forget(connection: sqlite3.Connection, uid: str) -> None:
    for table in ("dashboards", "dashboard_versions", "stars"):
        connection.execute(f"DELETE FROM {table} WHERE uid = ?", (uid,))
