"""The seam between Grafana's HTTP API and whatever keeps library panels (and library variables).

Synchronous and thread-safe: the API calls these in a worker thread. Times are milliseconds since 1970 UTC.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from spyglass.model.errors import SpyglassError

PANEL, VARIABLE = 1, 2
"""Kinds, as Grafana numbers them."""

ElementModel = Mapping[str, Any]


class ElementRefused(SpyglassError):
    """An element that cannot be kept, changed or removed.

    reason: not-found (404), version-mismatch (412), in-use (403), exists and bad-request (400).
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason, self.message = reason, message


@dataclass(frozen=True, slots=True)
class LibraryElement:
    """folder_uid "": General. type and description are the model's own."""

    uid: str
    id: int
    kind: int
    name: str
    model: ElementModel
    folder_uid: str = ""
    type: str = ""
    description: str = ""
    version: int = 1
    created_ms: int = 0
    updated_ms: int = 0
    created_by: str = ""
    updated_by: str = ""


@dataclass(frozen=True, slots=True)
class ElementFilter:
    """text: part of the name or description. None and empty: any. page: from 1."""

    text: str = ""
    kind: int = 0
    types: Sequence[str] = ()
    folder_uids: Sequence[str] | None = None
    exclude_uid: str = ""
    descending: bool = False
    page: int = 1
    per_page: int = 100


@dataclass(frozen=True, slots=True)
class ElementChange:
    """What a change names; None: stays. version: the one that was changed."""

    version: int
    name: str | None = None
    model: ElementModel | None = None
    folder_uid: str | None = None
    kind: int | None = None
    uid: str | None = None


class LibraryElements(Protocol):
    """Elements by uid; names are unique within a folder and kind. Raises ElementRefused where it says no."""

    def find(self, wanted: ElementFilter) -> tuple[Sequence[LibraryElement], int]:
        """A page by name, and how many there are on all pages."""
        ...

    def get(self, uid: str) -> LibraryElement | None: ...

    def named(self, name: str) -> Sequence[LibraryElement]:
        """Of any folder and kind."""
        ...

    def create(
        self, name: str, model: ElementModel, *, kind: int = PANEL, folder_uid: str = "", uid: str = "", by: str = ""
    ) -> LibraryElement: ...

    def change(self, uid: str, change: ElementChange, *, by: str = "") -> LibraryElement: ...

    def delete(self, uid: str) -> LibraryElement: ...
