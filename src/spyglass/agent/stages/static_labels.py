"""static_labels: fixed labels."""

from spyglass.agent.entry import Entry
from spyglass.agent.stages.base import Stage, StageContext, each
from spyglass.config.promtail import StageSpec


def build(spec: StageSpec, context: StageContext) -> Stage:  # noqa: ARG001
    labels: dict[str, str] = {name: value for name, value in spec.options.items() if value}

    def change(entry: Entry) -> None:
        entry.labels.update(labels)

    return each(change)
