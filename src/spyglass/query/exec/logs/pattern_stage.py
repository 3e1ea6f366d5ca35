"""`| pattern "<ip> - <_> <status>"`."""

from spyglass.model.log_stages import PatternParser
from spyglass.query.exec.logs.parsers import free_name
from spyglass.query.exec.logs.rows import Rows
from spyglass.query.exec.logs.stage import Needs, RunStage, makes
from spyglass.text.pattern import pattern_parser


@makes(PatternParser)
def pattern_stage(stage: PatternParser, needs: Needs) -> RunStage:
    if needs.nothing:
        return lambda rows: rows
    wanted = needs.labels
    names, capture = pattern_parser(stage.pattern)

    def run(rows: Rows) -> Rows:
        parsed, metadata, bases = rows.writable(), rows.metadata, rows.streams.base
        for place, (line, number) in enumerate(zip(rows.lines, rows.stream.tolist(), strict=True)):
            fields, of_line = parsed[place], metadata[place] if metadata else None
            # A line that ends early fills fewer captures than there are names.
            for name, value in zip(names, capture(line), strict=False):
                target = free_name(name, bases[number], of_line)
                if target not in fields and (wanted is None or target in wanted):
                    fields[target] = value
        return rows

    return run
