"""Annotations in the state file."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from spyglass.dashboards.state import State
from spyglass.protocols.dashboards import Annotation, AnnotationFilter, Annotations

_COLUMNS = "dashboard_uid, panel_id, text, tags, time_ms, time_end_ms, login, created_ms, updated_ms"


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


class SqliteAnnotations(Annotations):
    def __init__(self, state: State, *, now_ms: Callable[[], int] = _wall_ms) -> None:
        self._state, self._now_ms = state, now_ms

    def find(self, wanted: AnnotationFilter) -> Sequence[Annotation]:
        sql, parameters = f"SELECT id, {_COLUMNS} FROM annotations WHERE 1", []
        conditions: list[tuple[bool, str, object]] = [
            (wanted.from_ms > 0, "time_end_ms >= ?", wanted.from_ms),
            (wanted.to_ms > 0, "time_ms <= ?", wanted.to_ms),
            (wanted.dashboard_uid is not None, "dashboard_uid = ?", wanted.dashboard_uid),
            (wanted.panel_id > 0, "panel_id = ?", wanted.panel_id),
        ]
        for applies, condition, value in conditions:
            if applies:
                sql += f" AND {condition}"
                parameters.append(value)
        if wanted.tags:
            # A tag is `name` or `name:value`; the column is a JSON list.
            one = "EXISTS (SELECT 1 FROM json_each(tags) WHERE value = ?)"
            sql += " AND (" + (" OR " if wanted.match_any else " AND ").join([one] * len(wanted.tags)) + ")"
            parameters += wanted.tags
        sql += " ORDER BY time_ms DESC, id DESC LIMIT ?"
        return [_annotation(row) for row in self._state.read(sql, [*parameters, max(wanted.limit, 1)])]

    def get(self, annotation_id: int) -> Annotation | None:
        rows = self._state.read(f"SELECT id, {_COLUMNS} FROM annotations WHERE id = ?", (annotation_id,))
        return _annotation(rows[0]) if rows else None

    def add(self, annotation: Annotation) -> Annotation:
        now = self._now_ms()
        stored = replace(annotation, created_ms=now, updated_ms=now)
        with self._state.write() as connection:
            cursor = connection.execute(
                f"INSERT INTO annotations ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", _values(stored)
            )
        return replace(stored, id=int(cursor.lastrowid or 0))

    def update(self, annotation: Annotation) -> bool:
        assignments = ", ".join(f"{column} = ?" for column in _COLUMNS.split(", "))
        values = _values(replace(annotation, updated_ms=self._now_ms()))
        with self._state.write() as connection:
            return (
                connection.execute(
                    f"UPDATE annotations SET {assignments} WHERE id = ?", (*values, annotation.id)
                ).rowcount
                > 0
            )

    def delete(self, annotation_id: int) -> bool:
        with self._state.write() as connection:
            return connection.execute("DELETE FROM annotations WHERE id = ?", (annotation_id,)).rowcount > 0


def _values(a: Annotation) -> tuple[object, ...]:
    tags = json.dumps(list(a.tags))
    return (a.dashboard_uid, a.panel_id, a.text, tags, a.time_ms, a.time_end_ms, a.login, a.created_ms, a.updated_ms)


def _annotation(row: Any) -> Annotation:
    return Annotation(
        id=row["id"],
        text=row["text"],
        time_ms=row["time_ms"],
        time_end_ms=row["time_end_ms"],
        tags=tuple(json.loads(row["tags"])),
        dashboard_uid=row["dashboard_uid"],
        panel_id=row["panel_id"],
        login=row["login"],
        created_ms=row["created_ms"],
        updated_ms=row["updated_ms"],
    )
