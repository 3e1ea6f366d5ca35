"""labelallow: the only labels that go on."""

from spyglass.agent.entry import Entry
from spyglass.agent.stages.base import Stage, StageContext, each
from spyglass.config.promtail import StageSpec


def build(spec: StageSpec, context: StageContext) -> Stage:  # noqa: ARG001
    names = frozenset(spec.options)

    def change(entry: Entry) -> None:
        entry.labels = {name: value for name, value in entry.labels.items() if name in names}

    return each(change)
