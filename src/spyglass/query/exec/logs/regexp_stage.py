"""`| regexp "(?P<name>...)"`: named groups of the first match become labels."""

from spyglass.model.log_stages import RegexpParser
from spyglass.query.exec.logs.parsers import free_name
from spyglass.query.exec.logs.rows import Rows
from spyglass.query.exec.logs.stage import Needs, RunStage, makes
from spyglass.text.line_regex import line_captures


@makes(RegexpParser)
def regexp_stage(stage: RegexpParser, needs: Needs) -> RunStage:
    wanted = needs.labels
    names, capture = line_captures(stage.pattern)

    def run(rows: Rows) -> Rows:
        parsed, metadata, bases = rows.writable(), rows.metadata, rows.streams.base
        for place, (line, number) in enumerate(zip(rows.lines, rows.stream.tolist(), strict=True)):
            values = capture(line)
            if values is None:
                continue
            fields, of_line = parsed[place], metadata[place] if metadata else None
            for name, value in zip(names, values, strict=True):
                target = free_name(name, bases[number], of_line)
                if target not in fields and (wanted is None or target in wanted):
                    fields[target] = value
        return rows

    return run if not needs.nothing else lambda rows: rows
