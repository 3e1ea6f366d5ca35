"""regex: named groups become extracted values. RE2, unanchored."""

from spyglass.agent.entry import Entry
from spyglass.agent.stages.base import Stage, StageContext, each
from spyglass.agent.stages.values import text_of
from spyglass.config.promtail import StageSpec
from spyglass.config.promtail_stages import RegexStage
from spyglass.text.regex import compile_regex


def build(spec: StageSpec, context: StageContext) -> Stage:  # noqa: ARG001
    options: RegexStage = spec.options
    program = compile_regex(options.expression)
    names = list(program.groupindex.items())
    source, as_labels = options.source, options.labels_from_groups

    def change(entry: Entry) -> None:
        text = entry.line if source is None else text_of(entry.extracted.get(source))
        match = program.search(text) if text is not None else None
        if match is None:
            return
        for name, index in names:
            value = match.group(index) or ""
            entry.extracted[name] = value
            if as_labels:
                entry.labels[name] = value

    return each(change)
