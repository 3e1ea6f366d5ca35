"""labels: extracted values become labels."""

from spyglass.agent.entry import Entry
from spyglass.agent.stages.base import Stage, StageContext, each
from spyglass.agent.stages.values import text_of
from spyglass.config.promtail import StageSpec


def build(spec: StageSpec, context: StageContext) -> Stage:  # noqa: ARG001
    names: list[tuple[str, str]] = list(spec.options.items())

    def change(entry: Entry) -> None:
        extracted, labels = entry.extracted, entry.labels
        for label, source in names:
            if source in extracted and (value := text_of(extracted[source])) is not None:
                labels[label] = value

    return each(change)
