"""drop: lines for which every given condition holds do not go on."""

from collections.abc import Callable

from spyglass.agent.entry import Entry
from spyglass.agent.stages.base import Simple, Stage, StageContext
from spyglass.agent.stages.values import text_of
from spyglass.config.promtail import StageSpec
from spyglass.config.promtail_stages import DropStage
from spyglass.text.regex import compile_regex

Test = Callable[[Entry], bool]


def build(spec: StageSpec, context: StageContext) -> Stage:
    options: DropStage = spec.options
    tests = _tests(options, context)

    def run(entries: list[Entry]) -> list[Entry]:
        kept = [entry for entry in entries if not all(test(entry) for test in tests)]
        if len(kept) < len(entries):
            context.metrics.dropped_lines.inc(options.drop_counter_reason, by=len(entries) - len(kept))
        return kept

    return Simple(run)


def _tests(options: DropStage, context: StageContext) -> list[Test]:
    tests: list[Test] = []
    if options.longer_than is not None:
        longest = options.longer_than
        tests.append(lambda entry: len(entry.line.encode()) > longest)
    if options.older_than is not None:
        age_ns = options.older_than
        tests.append(lambda entry: entry.time_ns < context.now_ns() - age_ns)
    if options.expression is not None:
        tests.append(_expression(options, options.expression))
    elif options.value is not None:
        tests.append(_value(options, options.value))
    elif options.source:
        tests.append(lambda entry: all(name in entry.extracted for name in options.source))
    return tests


def _joined(entry: Entry, options: DropStage) -> str | None:
    """The sources' values in one text; missing ones are left out. None where one has no text."""
    values = [text_of(entry.extracted[name]) for name in options.source if name in entry.extracted]
    return None if None in values else options.separator.join(value for value in values if value is not None)


def _expression(options: DropStage, expression: str) -> Test:
    program = compile_regex(expression)
    if not options.source:
        return lambda entry: program.search(entry.line) is not None

    def test(entry: Entry) -> bool:
        joined = _joined(entry, options)
        return joined is not None and program.search(joined) is not None

    return test


def _value(options: DropStage, value: str) -> Test:
    return lambda entry: _joined(entry, options) == value
