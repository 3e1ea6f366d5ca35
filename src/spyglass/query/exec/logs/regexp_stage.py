"""`| regexp "(?P<name>...)"`: named groups of the first match become labels."""

from spyglass.model.log_stages import RegexpParser
from spyglass.query.exec.logs.parsers import free_name
from spyglass.query.exec.logs.rows import Rows
from spyglass.query.exec.logs.stage import Needs, RunStage, makes
from spyglass.text.regex import compile_regex


@makes(RegexpParser)
def regexp_stage(stage: RegexpParser, needs: Needs) -> RunStage:
    wanted = needs.labels
    program = compile_regex(stage.pattern)
    groups = [(name, index) for name, index in program.groupindex.items()]
    search = program.search

    def run(rows: Rows) -> Rows:
        parsed, metadata, bases = rows.writable(), rows.metadata, rows.streams.base
        for place, (line, number) in enumerate(zip(rows.lines, rows.stream.tolist(), strict=True)):
            match = search(line)
            if match is None:
                continue
            fields, of_line = parsed[place], metadata[place] if metadata else None
            for name, index in groups:
                target = free_name(name, bases[number], of_line)
                if target not in fields and (wanted is None or target in wanted):
                    fields[target] = match.group(index) or ""
        return rows

    return run if not needs.nothing else lambda rows: rows
