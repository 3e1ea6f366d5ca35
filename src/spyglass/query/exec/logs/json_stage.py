"""`| json` and `| json a="b.c[0]"`."""

from typing import Any

from spyglass.model.log_stages import JsonParser
from spyglass.query.exec.logs.json_quick import QuickFields
from spyglass.query.exec.logs.parsers import JSON_ERROR, complete, fail, free_name
from spyglass.query.exec.logs.rows import EXTRACTED, Fields, Rows
from spyglass.query.exec.logs.stage import Needs, RunStage, makes
from spyglass.text.jsonlines import (
    Pairs,
    Raw,
    at_path,
    clean_text,
    decode_object,
    nested_name,
    parse_path,
    sanitize_name,
    unescape_raw,
)


@makes(JsonParser)
def json_stage(stage: JsonParser, needs: Needs) -> RunStage:
    if needs.nothing:
        return lambda rows: rows
    if stage.expressions:
        return _expressions(stage.expressions, needs)
    if needs.labels is not None:
        return _some_fields(needs.labels, needs)
    return _all_fields(needs)


def _all_fields(needs: Needs) -> RunStage:
    def run(rows: Rows) -> Rows:
        parsed, metadata, bases = rows.writable(), rows.metadata, rows.streams.base
        for place, (line, number) in enumerate(zip(rows.lines, rows.stream.tolist(), strict=True)):
            _extract(rows, place, line, parsed[place], bases[number], metadata[place] if metadata else None, needs)
        return rows

    return run


def _extract(
    rows: Rows, place: int, line: str, fields: Fields, base: frozenset[str], metadata: Fields | None, needs: Needs
) -> None:
    """All (needed) fields of one line."""
    if needs.labels is not None and complete(fields, needs):
        return
    pairs, problem = decode_object(line)
    doubtful = "\\u" in line or not line.isascii()
    _collect(pairs, "", fields, base, metadata, needs.labels, doubtful)
    if problem and not complete(fields, needs):
        fail(rows, place, JSON_ERROR, problem, needs)


def _collect(
    pairs: Pairs,
    prefix: str,
    fields: Fields,
    base: frozenset[str],
    metadata: Fields | None,
    wanted: frozenset[str] | None,
    doubtful: bool,
) -> None:
    for key, value in pairs:
        kind = value.__class__
        if kind is list or value is None:
            continue
        name = nested_name(prefix, key) if prefix else sanitize_name(key)
        if kind is tuple:
            _collect(value, name, fields, base, metadata, wanted, doubtful)
            continue
        if kind is bool:
            value = "true" if value else "false"
        if name in base or (metadata is not None and name in metadata):
            name += EXTRACTED
        # Of a repeated key the first counts.
        if name and name not in fields and (wanted is None or name in wanted):
            fields[name] = clean_text(value) if doubtful else value


def _some_fields(wanted: frozenset[str], needs: Needs) -> RunStage:
    """Few fields of each line: a faster decoder, and the exact one where the faster one could differ."""
    quick = QuickFields(wanted)

    def run(rows: Rows) -> Rows:
        parsed, metadata, bases = rows.writable(), rows.metadata, rows.streams.base
        for place, (line, number) in enumerate(zip(rows.lines, rows.stream.tolist(), strict=True)):
            fields, base = parsed[place], bases[number]
            of_line = metadata[place] if metadata else None
            if not of_line and not fields:
                found = quick.read(line, base)
                if found is not None:
                    fields.update(found)
                    continue
            _extract(rows, place, line, fields, base, of_line, needs)
        return rows

    return run


def _expressions(expressions: tuple[tuple[str, str], ...], needs: Needs) -> RunStage:
    paths = [(name, parse_path(text)) for name, text in expressions]
    top = [(name, str(path[0])) for name, path in paths if len(path) == 1 and isinstance(path[0], str)]
    flat = len(top) == len(paths)

    def values_of(line: str) -> dict[str, str]:
        """The values found, by target name."""
        if flat:
            found = _top_level(line, top)
            if found is not None:
                return found
        return {name: _shown(value) for name, path in paths if (value := at_path(line, path)) is not None}

    def run(rows: Rows) -> Rows:
        parsed, metadata, bases = rows.writable(), rows.metadata, rows.streams.base
        for place, (line, number) in enumerate(zip(rows.lines, rows.stream.tolist(), strict=True)):
            if not line:
                continue
            if line[0] not in '{["':
                fail(rows, place, JSON_ERROR, "", needs)
                continue
            found, fields = values_of(line), parsed[place]
            of_line = metadata[place] if metadata else None
            for name, value in found.items():
                fields[free_name(name, bases[number], of_line)] = clean_text(value)
            if len(found) < len(paths):
                _fill(rows, place, [name for name, _ in paths if name not in found], of_line)
        return rows

    return run


def _shown(value: str) -> str:
    """Objects as they are spelled; arrays with their escapes resolved, as upstream has it."""
    return unescape_raw(value) if isinstance(value, Raw) and value.startswith("[") else str(value)


def _top_level(line: str, names: list[tuple[str, str]]) -> dict[str, str] | None:
    """Scalars of a flat object; None where only the exact reader can tell."""
    pairs, problem = decode_object(line)
    if problem:
        return None
    data: dict[str, Any] = {}
    for key, value in pairs:
        data.setdefault(key, value)
    found: dict[str, str] = {}
    for name, key in names:
        if key not in data:
            continue
        value = data[key]
        kind = value.__class__
        if kind is list or kind is tuple:
            return None
        found[name] = value if kind is str else "" if value is None else "true" if value else "false"
    return found


def _fill(rows: Rows, place: int, names: list[str], metadata: Fields | None) -> None:
    """A label that was asked for is there, if empty, unless the line has it from elsewhere."""
    labels, fields = rows.streams.labels[int(rows.stream[place])], rows.writable()[place]
    for name in names:
        if name not in labels and name not in fields and not (metadata is not None and name in metadata):
            fields[name] = ""
