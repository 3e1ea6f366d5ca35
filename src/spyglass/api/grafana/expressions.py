"""Expression queries (`__expr__`) of a request: which queries they need, in which order they run, and their frames."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spyglass.api.grafana.frames import Frame, entities
from spyglass.api.grafana.series import Answer, SeriesAnswer
from spyglass.model.errors import ExecutionError, InvalidParameter, QueryError
from spyglass.query.expressions.commands import Command, Range, decode
from spyglass.query.expressions.values import Value, number, series

UIDS = ("__expr__", "-100", "-- Expression --")
"""The data source of expressions, as present and older dashboards name it."""


def is_expression(query: Mapping[str, Any]) -> bool:
    source = query.get("datasource")
    if isinstance(source, dict):
        return source.get("uid") in UIDS or source.get("type") in UIDS
    return source in UIDS or query.get("datasourceId") == -100


@dataclass(frozen=True, slots=True)
class Expression:
    """command or, where it cannot be read, the error."""

    ref_id: str
    command: Command | None
    error: QueryError | None = None

    @property
    def refs(self) -> tuple[str, ...]:
        return self.command.refs if self.command is not None else ()


def read(query: Mapping[str, Any]) -> Expression:
    ref_id = str(query.get("refId") or "A")
    try:
        return Expression(ref_id, decode(query))
    except QueryError as err:
        return Expression(ref_id, None, err)


def needed(expressions: Sequence[Expression]) -> set[str]:
    """Every query that an expression refers to, hidden or not."""
    return {ref for one in expressions for ref in one.refs}


class Evaluation:
    """Evaluates expressions after what they refer to. inputs: the answers, or the error, of the other queries by refId."""

    def __init__(
        self, expressions: Sequence[Expression], inputs: Mapping[str, Answer | QueryError], span: Range
    ) -> None:
        self._expressions = {one.ref_id: one for one in expressions}
        self._inputs, self._span = inputs, span
        self._found: dict[str, list[Value] | QueryError] = {}

    def results(self, ref_id: str) -> list[Value]:
        """Raises: QueryError, with the refId of the query at fault in its message."""
        return self._results(ref_id, ())

    def _results(self, ref_id: str, path: tuple[str, ...]) -> list[Value]:
        if ref_id in path:
            raise ExecutionError(f"{path[0]}: {' -> '.join((*path, ref_id))} refer to each other")
        if ref_id not in self._found:
            try:
                self._found[ref_id] = self._evaluated(ref_id, path)
            except QueryError as err:
                self._found[ref_id] = err
        found = self._found[ref_id]
        if isinstance(found, QueryError):
            raise found
        return found

    def _evaluated(self, ref_id: str, path: tuple[str, ...]) -> list[Value]:
        expression = self._expressions.get(ref_id)
        if expression is None:
            return self._input(ref_id, path)
        if expression.command is None:
            assert expression.error is not None, "an expression is read or has an error"
            raise InvalidParameter(f"{ref_id}: {expression.error.message}")
        inputs = {ref: self._results(ref, (*path, ref_id)) for ref in expression.refs}
        try:
            return expression.command.run(inputs, self._span)
        except QueryError as err:
            raise ExecutionError(f"{ref_id}: {err.message}") from None

    def _input(self, ref_id: str, path: tuple[str, ...]) -> list[Value]:
        asker = path[-1] if path else ref_id
        if ref_id not in self._inputs:
            raise InvalidParameter(f"{asker}: there is no query {ref_id!r}")
        answer = self._inputs[ref_id]
        if isinstance(answer, QueryError):
            raise ExecutionError(f"{asker}: its query {ref_id} failed: {answer.message}")
        return values_of(answer, ref_id)


def values_of(answer: Answer, ref_id: str) -> list[Value]:
    """Ranges are series, instants numbers. Raises: ExecutionError for what is neither."""
    if not isinstance(answer, SeriesAnswer) or answer.kind == "string":
        raise ExecutionError(f"{ref_id}: only queries that answer with series or numbers can be used in expressions")
    if answer.kind in ("vector", "scalar") and answer.step_ms == 0:
        return [number(float(one.values[-1]), one.labels) for one in answer.series if len(one.values)]
    return [series(one.times, one.values, one.labels) for one in answer.series]


def value_frames(values: Sequence[Value], *, ref_id: str) -> list[Frame]:
    """A frame a value; its field is called as the query. Absent values are null."""
    return [_series_frame(one, ref_id) if one.kind == "series" else _number_frame(one, ref_id) for one in values]


def _series_frame(value: Value, ref_id: str) -> Frame:
    fields: list[dict[str, Any]] = [
        {"name": "Time", "type": "time", "typeInfo": {"frame": "time.Time"}},
        _value_field(value, ref_id),
    ]
    column, odd = _column(value)
    return _frame(ref_id, "timeseries-multi", fields, [value.times.tolist(), column], [None, odd])


def _number_frame(value: Value, ref_id: str) -> Frame:
    column, odd = _column(value)
    return _frame(ref_id, "numeric-multi", [_value_field(value, ref_id)], [column], [odd])


def _frame(ref_id: str, kind: str, fields: list[dict[str, Any]], columns: list[Any], odd: list[Any]) -> Frame:
    data: dict[str, Any] = {"values": columns}
    if any(odd):
        data["entities"] = odd
    return {"schema": {"refId": ref_id, "meta": {"type": kind, "typeVersion": [0, 1]}, "fields": fields}, "data": data}


def _value_field(value: Value, ref_id: str) -> dict[str, Any]:
    return {
        "name": ref_id,
        "type": "number",
        "typeInfo": {"frame": "float64", "nullable": True},
        "labels": dict(value.labels),
    }


def _column(value: Value) -> tuple[list[float | None], dict[str, list[int]] | None]:
    """The values with null where absent; NaN and infinities, which JSON lacks, by their places."""
    odd = entities(value.values)
    if odd:
        absent = {index for index, here in enumerate(value.present) if not here}
        odd = {kind: kept for kind, places in odd.items() if (kept := [at for at in places if at not in absent])}
    return value.values.tolist(), odd or None
