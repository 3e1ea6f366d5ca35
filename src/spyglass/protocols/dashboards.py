"""The seam between Grafana's HTTP API and whatever keeps dashboards, people and annotations.

Synchronous and thread-safe: the API calls these in a worker thread. Times are milliseconds since 1970 UTC. One organisation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from spyglass.model.errors import SpyglassError

Role = Literal["Viewer", "Editor", "Admin"]
DashboardJson = Mapping[str, Any]


class SaveRefused(SpyglassError):
    """A dashboard or folder that cannot be saved or removed. reason: Grafana's status word, which the API turns into a code.

    version-mismatch, name-exists (412); not-found (404); empty-name, provisioned, bad-request (400).
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason, self.message = reason, message


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of dashboards. The General folder has uid "" and id 0."""

    uid: str
    title: str
    id: int = 0
    provisioned: bool = False
    created_ms: int = 0
    updated_ms: int = 0
    version: int = 1
    slug: str = "general"


GENERAL = Folder("", "General")


@dataclass(frozen=True, slots=True)
class DashboardInfo:
    """What lists show of a dashboard.

    slug: the readable part of its address `/d/<uid>/<slug>`.
    file: the provisioned file's path relative to its provider's folder, "" where it is not provisioned. may_save: False for
    provisioned ones without allowUiUpdates. problem: why the newest version of its file is not the one that is shown.
    """

    uid: str
    id: int
    title: str
    folder: Folder
    slug: str = ""
    tags: tuple[str, ...] = ()
    version: int = 1
    provider: str = ""
    file: str = ""
    may_save: bool = True
    created_ms: int = 0
    updated_ms: int = 0
    created_by: str = ""
    updated_by: str = ""
    problem: str = ""

    @property
    def provisioned(self) -> bool:
        return bool(self.provider)


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A stored dashboard. original: exactly what was stored. model: the same, migrated to today's schema, for rendering."""

    info: DashboardInfo
    original: DashboardJson
    model: DashboardJson


@dataclass(frozen=True, slots=True)
class SavedVersion:
    """One entry of a dashboard's history."""

    version: int
    created_ms: int
    created_by: str
    message: str
    original: DashboardJson


class KnownSource(Protocol):
    """A data source, as far as a dashboard's references to it go."""

    @property
    def uid(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def type(self) -> str: ...

    @property
    def is_default(self) -> bool: ...


class DashboardLibrary(Protocol):
    """Provisioned and saved dashboards as one collection. uids are unique over it; a provisioned file wins over a saved one."""

    def get(self, uid: str, sources: Sequence[KnownSource] = ()) -> Dashboard | None:
        """sources: what names and defaults of data sources in old dashboards mean."""
        ...

    def library_panels(self, uid: str) -> frozenset[str]:
        """The uids of the library panels that a dashboard shows; none where there is no such dashboard."""
        ...

    def all(self) -> Sequence[DashboardInfo]:
        """Every dashboard, by folder title and title."""
        ...

    def folders(self) -> Sequence[Folder]:
        """Every folder but General, by title."""
        ...

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
        """Create or replace, as POST /api/dashboards/db. folder_uid None: by folder_id. Raises: SaveRefused."""
        ...

    def delete(self, uid: str) -> DashboardInfo:
        """Remove a saved dashboard; returns what was removed. Raises: SaveRefused (not-found, provisioned)."""
        ...

    def versions(self, uid: str) -> Sequence[SavedVersion]:
        """The saved versions, newest first; a provisioned dashboard that was never saved has none."""
        ...

    def save_folder(self, title: str, *, uid: str = "") -> Folder:
        """Create a folder. Raises: SaveRefused."""
        ...

    def rename_folder(self, uid: str, title: str, *, version: int | None = None) -> Folder:
        """Raises: SaveRefused; version None: whatever it is."""
        ...

    def delete_folder(self, uid: str) -> Folder:
        """Remove a folder and the saved dashboards in it. Raises: SaveRefused."""
        ...

    def problems(self) -> Sequence[tuple[str, str]]:
        """Files that could not be used and why: (path, reason)."""
        ...

    def migrate(self, dashboard: DashboardJson, sources: Sequence[KnownSource] = ()) -> DashboardJson:
        """Any dashboard JSON in today's schema: what is not understood passes through. Raises: SaveRefused past the depth limit."""
        ...


@dataclass(frozen=True, slots=True)
class User:
    """A person who can log in."""

    id: int
    login: str
    name: str = ""
    email: str = ""
    role: Role = "Viewer"
    is_admin: bool = False


class Accounts(Protocol):
    """People, their sessions, stars and preferences. Password checks take tens of milliseconds of CPU on purpose."""

    def verify(self, login: str, password: str) -> User | None:
        """The user, or None: takes as long for an unknown user as for a wrong password."""
        ...

    def open_session(self, user_id: int, *, address: str = "", agent: str = "") -> str:
        """A new session's token, to be kept by the browser; only its hash is stored."""
        ...

    def session_user(self, token: str) -> User | None:
        """Whose session it is; None where it ended or never was."""
        ...

    def close_session(self, token: str) -> None: ...

    def change_password(self, user_id: int, old: str, new: str) -> bool:
        """False where `old` is wrong. All other sessions of the user end."""
        ...

    def stars(self, user_id: int) -> frozenset[str]:
        """uids of the dashboards that the user starred."""
        ...

    def set_star(self, user_id: int, uid: str, *, starred: bool) -> None: ...

    def preferences(self, user_id: int) -> Mapping[str, Any]: ...

    def set_preferences(self, user_id: int, preferences: Mapping[str, Any]) -> None: ...


@dataclass(frozen=True, slots=True)
class Annotation:
    """A stored remark on a moment or a stretch of time. dashboard_uid "": of the whole organisation. panel_id 0: of no panel."""

    id: int
    text: str
    time_ms: int
    time_end_ms: int
    tags: tuple[str, ...] = ()
    dashboard_uid: str = ""
    panel_id: int = 0
    login: str = ""
    created_ms: int = 0
    updated_ms: int = 0


@dataclass(frozen=True, slots=True)
class AnnotationFilter:
    """What to find. from_ms/to_ms 0: open. tags: all of them unless match_any."""

    from_ms: int = 0
    to_ms: int = 0
    dashboard_uid: str | None = None
    panel_id: int = 0
    tags: tuple[str, ...] = ()
    match_any: bool = False
    limit: int = 100


class Annotations(Protocol):
    """Stored annotations."""

    def find(self, wanted: AnnotationFilter) -> Sequence[Annotation]:
        """Those that touch the time range, newest first."""
        ...

    def get(self, annotation_id: int) -> Annotation | None: ...

    def add(self, annotation: Annotation) -> Annotation:
        """Store; the id of the argument is not looked at."""
        ...

    def update(self, annotation: Annotation) -> bool:
        """False where there is none with its id."""
        ...

    def delete(self, annotation_id: int) -> bool: ...


@dataclass(frozen=True, slots=True)
class FirstAccount:
    """What opening the accounts made: password is not "" only where one was generated and must be shown now or never."""

    login: str
    password: str = ""
    demo: bool = False
