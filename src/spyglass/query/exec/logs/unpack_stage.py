"""`| unpack`: the reverse of the agent's pack stage: string fields become labels, `_entry` becomes the line."""

from spyglass.model.log_stages import UnpackParser
from spyglass.query.exec.logs.parsers import JSON_ERROR, fail, free_name
from spyglass.query.exec.logs.rows import Rows
from spyglass.query.exec.logs.stage import Needs, RunStage, makes
from spyglass.text.jsonlines import JsonProblem, Raw, clean_text, scan_object

ENTRY = "_entry"


@makes(UnpackParser)
def unpack_stage(stage: UnpackParser, needs: Needs) -> RunStage:  # noqa: ARG001
    if needs.nothing:
        return lambda rows: rows

    def run(rows: Rows) -> Rows:
        lines, metadata, bases = list(rows.lines), rows.metadata, rows.streams.base
        parsed = rows.writable()
        for place, (line, number) in enumerate(zip(lines, rows.stream.tolist(), strict=True)):
            if not line:
                continue
            try:
                found = _strings(line)
            except JsonProblem as problem:
                fail(rows, place, JSON_ERROR, str(problem), needs)
                continue
            # Nothing is unpacked where nothing was packed.
            if ENTRY not in found:
                continue
            lines[place] = found.pop(ENTRY)
            of_line = metadata[place] if metadata else None
            for name, value in found.items():
                target = free_name(name, bases[number], of_line)
                if needs.labels is None or target in needs.labels:
                    parsed[place].setdefault(target, clean_text(value))
        rows.lines = lines
        return rows

    return run


def _strings(line: str) -> dict[str, str]:
    """The string fields of an object; others are skipped. Raises: JsonProblem."""
    if not line.lstrip(" \t\r\n").startswith("{"):
        raise JsonProblem("expecting json object(6), but it is not")
    return {key: value for key, value in scan_object(line, 0) if value is not None and not isinstance(value, Raw)}
