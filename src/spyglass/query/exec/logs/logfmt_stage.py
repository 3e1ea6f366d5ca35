"""`| logfmt [--strict] [--keep-empty]` and `| logfmt a="b"`."""

from spyglass.model.log_stages import LogfmtParser
from spyglass.query.exec.logs.parsers import LOGFMT_ERROR, complete, fail, free_name
from spyglass.query.exec.logs.rows import EXTRACTED, Rows
from spyglass.query.exec.logs.stage import Needs, RunStage, makes
from spyglass.text.jsonlines import clean_text, sanitize_name
from spyglass.text.logfmt import parse_logfmt


@makes(LogfmtParser)
def logfmt_stage(stage: LogfmtParser, needs: Needs) -> RunStage:
    if needs.nothing:
        return lambda rows: rows
    return _expressions(stage, needs) if stage.expressions else _all_fields(stage, needs)


def _all_fields(stage: LogfmtParser, needs: Needs) -> RunStage:
    strict, keep_empty, wanted = stage.strict, stage.keep_empty, needs.labels

    def run(rows: Rows) -> Rows:
        parsed, metadata, bases = rows.writable(), rows.metadata, rows.streams.base
        for place, (line, number) in enumerate(zip(rows.lines, rows.stream.tolist(), strict=True)):
            fields, base = parsed[place], bases[number]
            of_line = metadata[place] if metadata else None
            pairs, problem = parse_logfmt(line, strict=strict)
            ascii_only = line.isascii()
            for key, value in pairs:
                name = key if key.isidentifier() and key.isascii() else sanitize_name(key)
                if not name or (not value and not keep_empty):
                    continue
                if name in base or (of_line is not None and name in of_line):
                    name += EXTRACTED
                if name not in fields and (wanted is None or name in wanted):
                    fields[name] = value if ascii_only else clean_text(value)
            if problem and strict and not complete(fields, needs):
                fail(rows, place, LOGFMT_ERROR, problem, needs)
        return rows

    return run


def _expressions(stage: LogfmtParser, needs: Needs) -> RunStage:
    """Each target gets its key's value, or is there empty."""
    strict = stage.strict
    sources: dict[str, list[str]] = {}
    for target, source in stage.expressions:
        sources.setdefault(source, []).append(target)

    def run(rows: Rows) -> Rows:
        parsed, metadata, bases = rows.writable(), rows.metadata, rows.streams.base
        for place, (line, number) in enumerate(zip(rows.lines, rows.stream.tolist(), strict=True)):
            fields, base = parsed[place], bases[number]
            of_line = metadata[place] if metadata else None
            for target, _ in stage.expressions:
                if target not in base and not (of_line is not None and target in of_line):
                    fields.setdefault(target, "")
            pairs, problem = parse_logfmt(line, strict=strict)
            seen: set[str] = set()
            for key, value in pairs:
                name = sanitize_name(key)
                if name in seen:
                    continue
                for target in sources.get(name, ()):
                    seen.add(name)
                    fields[free_name(target, base, of_line)] = clean_text(value)
            if problem and strict:
                fail(rows, place, LOGFMT_ERROR, problem, needs)
        return rows

    return run
