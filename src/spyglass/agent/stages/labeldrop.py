"""labeldrop: labels that do not go on."""

from spyglass.agent.entry import Entry
from spyglass.agent.stages.base import Stage, StageContext, each
from spyglass.config.promtail import StageSpec


def build(spec: StageSpec, context: StageContext) -> Stage:  # noqa: ARG001
    names: tuple[str, ...] = spec.options

    def change(entry: Entry) -> None:
        for name in names:
            entry.labels.pop(name, None)

    return each(change)
