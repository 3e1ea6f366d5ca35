"""`| label_format a=b, c="{{.d}}"`: rename labels, or set them from templates."""

from spyglass.model.log_stages import LabelFormat
from spyglass.query.exec.logs.line_format import TEMPLATE_ERROR
from spyglass.query.exec.logs.rows import Rows
from spyglass.query.exec.logs.stage import Needs, RunStage, makes
from spyglass.text.gotemplate import StringMap, Template, TemplateError
from spyglass.text.template_functions import line_template


@makes(LabelFormat)
def label_format(stage: LabelFormat, needs: Needs) -> RunStage:  # noqa: ARG001
    compiled = [
        (target, source, line_template(source) if is_template else None)
        for target, source, is_template in stage.formats
    ]

    def run(rows: Rows) -> Rows:
        for place, time_ns in enumerate(rows.times.tolist()):
            _format(rows, place, time_ns, compiled)
        return rows

    return run


def _format(rows: Rows, place: int, time_ns: int, formats: list[tuple[str, str, Template | None]]) -> None:
    # Templates see the labels as they were when the stage's first template ran: renames before it included.
    data: StringMap | None = None
    for target, source, template in formats:
        if template is None:
            _rename(rows, place, target, source)
            continue
        if data is None:
            data = StringMap(rows.merged(place))
        try:
            rows.set(place, target, template.execute(data, {"line": rows.lines[place], "time_ns": time_ns}))
        except TemplateError as err:
            rows.fail(place, TEMPLATE_ERROR, str(err))


def _rename(rows: Rows, place: int, target: str, source: str) -> None:
    labels = rows.merged(place)
    if source in labels:
        rows.set(place, target, labels[source])
        if source != target:
            rows.delete(place, frozenset((source,)))
