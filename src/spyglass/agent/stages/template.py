"""template: a Go template over the extracted values makes (or changes, or with empty output removes) one of them.

`.Value` is the source's present value, `.Entry` the line; a name that was not extracted is the empty string.
"""

from functools import lru_cache
from typing import Any

from spyglass.agent.entry import Entry
from spyglass.agent.stages.base import Stage, StageContext, each
from spyglass.agent.stages.template_extra import EXTRA_FUNCTIONS
from spyglass.agent.stages.values import text_of
from spyglass.config.promtail import StageSpec
from spyglass.config.promtail_stages import TemplateStage
from spyglass.text.gotemplate import Function, StringMap, Template, TemplateError, parse_template
from spyglass.text.template_functions import LINE_FUNCTIONS

FUNCTIONS: dict[str, Function] = {
    **{name: function for name, function in LINE_FUNCTIONS.items() if not name.startswith("__")},
    **EXTRA_FUNCTIONS,
}


@lru_cache(maxsize=512)
def compile_template(source: str) -> Template:
    """Raises: TemplateError."""
    return parse_template(source, FUNCTIONS, name="pipeline_template")


def values_of(entry: Entry) -> StringMap:
    """What a template sees of an entry."""
    found = ((name, text_of(value)) for name, value in entry.extracted.items())
    return StringMap((name, value) for name, value in found if value is not None)


def build(spec: StageSpec, context: StageContext) -> Stage:
    options: TemplateStage = spec.options
    template, source = compile_template(options.template), options.source

    def change(entry: Entry) -> None:
        data: Any = values_of(entry)
        data["Value"] = data.get(source, "")
        data["Entry"] = entry.line
        try:
            result = template.execute(data)
        except (TemplateError, ValueError):
            context.metrics.pipeline_errors.inc("template", "failed")
            return
        if result:
            entry.extracted[source] = result
        else:
            entry.extracted.pop(source, None)

    return each(change)
