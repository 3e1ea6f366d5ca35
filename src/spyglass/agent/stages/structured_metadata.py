"""structured_metadata (older name: non_indexed_labels): extracted values become structured metadata."""

from spyglass.agent.entry import Entry
from spyglass.agent.stages.base import Stage, StageContext, each
from spyglass.agent.stages.values import text_of
from spyglass.config.promtail import StageSpec


def build(spec: StageSpec, context: StageContext) -> Stage:  # noqa: ARG001
    names: list[tuple[str, str]] = list(spec.options.items())

    def change(entry: Entry) -> None:
        for name, source in names:
            if source in entry.extracted and (value := text_of(entry.extracted[source])) is not None:
                entry.metadata[name] = value

    return each(change)
