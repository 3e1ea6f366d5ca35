"""A pipeline: the stages of one scrape config, for one source of lines.

Every source (a file, a container) has a pipeline of its own, so that what its stages hold back belongs to that source and its
position can wait for it. What a job's sources share (rate limits, custom metrics) is in the StageContext.
"""

from collections.abc import Sequence

from spyglass.agent.stages.base import Chain, StageContext
from spyglass.agent.stages.registry import BUILDERS
from spyglass.config.promtail import StageSpec


class Pipeline(Chain):
    """Runs batches of entries through the stages. Raises: QueryError, TemplateError where a stage's text is wrong."""

    def __init__(self, specs: Sequence[StageSpec], context: StageContext) -> None:
        super().__init__([BUILDERS[spec.name](spec, context) for spec in specs])
        self.context = context

    @property
    def is_empty(self) -> bool:
        return not self.stages
