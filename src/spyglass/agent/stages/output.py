"""output: an extracted value becomes the line."""

from spyglass.agent.entry import Entry
from spyglass.agent.stages.base import Stage, StageContext, each
from spyglass.agent.stages.values import text_of
from spyglass.config.promtail import StageSpec


def build(spec: StageSpec, context: StageContext) -> Stage:  # noqa: ARG001
    source: str = spec.options.source

    def change(entry: Entry) -> None:
        value = text_of(entry.extracted.get(source))
        if value is not None:
            entry.line = value

    return each(change)
