"""Library panels and variables in the state file. Source of the rules: Grafana's documentation of its library element API."""

import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from spyglass.dashboards import documents
from spyglass.dashboards.migrate.library_panels import FindModel
from spyglass.dashboards.state import State
from spyglass.protocols.library_elements import (
    PANEL,
    VARIABLE,
    ElementChange,
    ElementFilter,
    ElementModel,
    ElementRefused,
    LibraryElement,
    LibraryElements,
)

_COLUMNS = (
    "uid, kind, name, folder_uid, type, description, packed, version, created_ms, updated_ms, created_by, updated_by"
)
_NOT_FOUND = "library element could not be found"
MAX_UID = 40


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


class SqliteLibraryElements(LibraryElements):
    def __init__(self, state: State, *, now_ms: Callable[[], int] = _wall_ms) -> None:
        self._state, self._now_ms = state, now_ms

    def find(self, wanted: ElementFilter) -> tuple[Sequence[LibraryElement], int]:
        where, parameters = _conditions(wanted)
        total = self._state.read(f"SELECT count(*) AS n FROM library_elements WHERE {where}", parameters)[0]["n"]
        order = "DESC" if wanted.descending else "ASC"
        rows = self._state.read(
            f"SELECT * FROM library_elements WHERE {where} ORDER BY name COLLATE NOCASE {order}, uid LIMIT ? OFFSET ?",
            [*parameters, wanted.per_page, (wanted.page - 1) * wanted.per_page],
        )
        return [self._element(row) for row in rows], int(total)

    def get(self, uid: str) -> LibraryElement | None:
        rows = self._state.read("SELECT * FROM library_elements WHERE uid = ?", (uid,))
        return self._element(rows[0]) if rows else None

    def named(self, name: str) -> Sequence[LibraryElement]:
        rows = self._state.read("SELECT * FROM library_elements WHERE name = ? ORDER BY uid", (name,))
        return [self._element(row) for row in rows]

    def create(
        self, name: str, model: ElementModel, *, kind: int = PANEL, folder_uid: str = "", uid: str = "", by: str = ""
    ) -> LibraryElement:
        now = self._now_ms()
        uid = uid or documents.fresh_uid()
        made = LibraryElement(
            uid,
            0,
            kind,
            name,
            model,
            folder_uid=folder_uid,
            created_ms=now,
            updated_ms=now,
            created_by=by,
            updated_by=by,
        )
        made = _checked(made)
        with self._state.write() as connection:
            if connection.execute("SELECT 1 FROM library_elements WHERE uid = ?", (uid,)).fetchone():
                raise _exists()
            self._check_name(connection, made)
            _put(connection, made)
        return replace(made, id=self._number(uid))

    def change(self, uid: str, change: ElementChange, *, by: str = "") -> LibraryElement:
        with self._state.write() as connection:
            row = connection.execute("SELECT * FROM library_elements WHERE uid = ?", (uid,)).fetchone()
            if row is None:
                raise ElementRefused("not-found", _NOT_FOUND)
            old = _from_row(row)
            if change.version != old.version:
                raise ElementRefused("version-mismatch", "the library element has been changed by someone else")
            given = {
                "uid": change.uid or None,
                "name": change.name or None,
                "model": change.model,
                "folder_uid": change.folder_uid,
                "kind": change.kind,
            }
            fields: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
            made = _checked(replace(old, **fields, version=old.version + 1, updated_ms=self._now_ms(), updated_by=by))
            if (
                made.uid != uid
                and connection.execute("SELECT 1 FROM library_elements WHERE uid = ?", (made.uid,)).fetchone()
            ):
                raise _exists()
            connection.execute("DELETE FROM library_elements WHERE uid = ?", (uid,))
            self._check_name(connection, made)
            _put(connection, made)
        return replace(made, id=self._number(made.uid))

    def delete(self, uid: str) -> LibraryElement:
        found = self.get(uid)
        if found is None:
            raise ElementRefused("not-found", _NOT_FOUND)
        with self._state.write() as connection:
            connection.execute("DELETE FROM library_elements WHERE uid = ?", (uid,))
        return found

    @staticmethod
    def _check_name(connection: sqlite3.Connection, element: LibraryElement) -> None:
        same = connection.execute(
            "SELECT 1 FROM library_elements WHERE name = ? AND folder_uid = ? AND kind = ? AND uid != ?",
            (element.name, element.folder_uid, element.kind, element.uid),
        ).fetchone()
        if same:
            raise _exists()

    def _element(self, row: sqlite3.Row) -> LibraryElement:
        return replace(_from_row(row), id=self._number(row["uid"]))

    def _number(self, uid: str) -> int:
        return self._state.number(f"library-element/{uid}")


def panel_models(elements: LibraryElements) -> FindModel:
    """What a dashboard's library panels are."""

    def find(uid: str) -> ElementModel | None:
        found = elements.get(uid)
        return found.model if found is not None and found.kind == PANEL else None

    return find


def _exists() -> ElementRefused:
    return ElementRefused("exists", "library element with that name or UID already exists")


def _checked(element: LibraryElement) -> LibraryElement:
    """The element with type and description of its model, and a variable's name in it. Raises: ElementRefused."""
    if not element.name.strip():
        raise ElementRefused("bad-request", "a library element needs a name")
    if element.kind not in (PANEL, VARIABLE):
        raise ElementRefused("bad-request", f"a library element's kind is {PANEL} (panel) or {VARIABLE} (variable)")
    if len(element.uid) > MAX_UID:
        raise ElementRefused("bad-request", f"uid too long, max {MAX_UID} characters")
    if not documents.VALID_UID.fullmatch(element.uid):
        raise ElementRefused("bad-request", "uid contains illegal characters")
    if documents.is_too_deep(element.model):
        raise ElementRefused("bad-request", f"the model is nested more than {documents.MAX_DEPTH} levels deep")
    model = {**element.model, "name": element.name} if element.kind == VARIABLE else element.model
    kind, description = model.get("type"), model.get("description")
    return replace(
        element,
        model=model,
        type=kind if isinstance(kind, str) else "",
        description=description if isinstance(description, str) else "",
    )


def _conditions(wanted: ElementFilter) -> tuple[str, list[Any]]:
    parts: list[str] = ["1"]
    parameters: list[Any] = []
    if wanted.text:
        parts.append("(instr(lower(name), lower(?)) OR instr(lower(description), lower(?)))")
        parameters += [wanted.text, wanted.text]
    if wanted.kind:
        parts.append("kind = ?")
        parameters.append(wanted.kind)
    if wanted.exclude_uid:
        parts.append("uid != ?")
        parameters.append(wanted.exclude_uid)
    for column, values in (("type", wanted.types or None), ("folder_uid", wanted.folder_uids)):
        if values is not None:
            parts.append(f"{column} IN ({', '.join('?' * len(values))})")
            parameters += values
    return " AND ".join(parts), parameters


def _put(connection: sqlite3.Connection, one: LibraryElement) -> None:
    connection.execute(
        f"INSERT INTO library_elements ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            one.uid,
            one.kind,
            one.name,
            one.folder_uid,
            one.type,
            one.description,
            documents.pack(one.model),
            one.version,
            one.created_ms,
            one.updated_ms,
            one.created_by,
            one.updated_by,
        ),
    )


def _from_row(row: sqlite3.Row) -> LibraryElement:
    return LibraryElement(
        row["uid"],
        0,
        row["kind"],
        row["name"],
        documents.unpack(row["packed"]),
        folder_uid=row["folder_uid"],
        type=row["type"],
        description=row["description"],
        version=row["version"],
        created_ms=row["created_ms"],
        updated_ms=row["updated_ms"],
        created_by=row["created_by"],
        updated_by=row["updated_by"],
    )
