"""replace: every captured group of every match is replaced, by a Go template over the captured text (`.Value`).

Named groups also become extracted values: what they were replaced by.
"""

from spyglass.agent.entry import Entry
from spyglass.agent.stages.base import Stage, StageContext, each
from spyglass.agent.stages.template import compile_template, values_of
from spyglass.agent.stages.values import text_of
from spyglass.config.promtail import StageSpec
from spyglass.config.promtail_stages import ReplaceStage
from spyglass.text.gotemplate import StringMap, Template, TemplateError
from spyglass.text.regex import compile_regex


def build(spec: StageSpec, context: StageContext) -> Stage:
    options: ReplaceStage = spec.options
    program, template, source = compile_regex(options.expression), compile_template(options.replace), options.source
    names = list(program.groupindex.items())

    def change(entry: Entry) -> None:
        text = entry.line if source is None else text_of(entry.extracted.get(source))
        first = program.search(text) if text is not None else None
        if first is None or text is None:
            return
        try:
            result, replaced = _replaced(program.finditer(text), text, template, values_of(entry))
        except (TemplateError, ValueError):
            context.metrics.pipeline_errors.inc("replace", "failed")
            return
        if source is None:
            entry.line = result
        else:
            entry.extracted[source] = result
        for name, index in names:
            if (captured := first.group(index)) in replaced:
                entry.extracted[name] = replaced[captured]

    return each(change)


def _replaced(matches, text: str, template: Template, data: StringMap) -> tuple[str, dict[str, str]]:  # type: ignore[no-untyped-def]
    """The new text, and what each captured text became. A group inside one that was replaced is left alone."""
    parts, at, replaced = [], 0, {}
    for match in matches:
        for index in range(1, match.re.groups + 1):
            start, end = match.span(index)
            if start < 0:
                continue
            data["Value"] = text[start:end]
            new = template.execute(data)
            if start >= at:
                parts.append(text[at:start] + new)
                at = end
            replaced[text[start:end]] = new
    return "".join(parts) + text[at:], replaced
