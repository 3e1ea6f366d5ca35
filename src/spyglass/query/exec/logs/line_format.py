"""`| line_format "{{.msg}}"`: a new line from a template over all labels."""

from spyglass.model.log_stages import LineFormat
from spyglass.query.exec.logs.rows import Rows
from spyglass.query.exec.logs.stage import Needs, RunStage, makes
from spyglass.text.gotemplate import StringMap, TemplateError
from spyglass.text.template_functions import line_template

TEMPLATE_ERROR = "TemplateFormatErr"


@makes(LineFormat)
def line_format(stage: LineFormat, needs: Needs) -> RunStage:  # noqa: ARG001
    template = line_template(stage.template)

    def run(rows: Rows) -> Rows:
        lines = list(rows.lines)
        for place, time_ns in enumerate(rows.times.tolist()):
            extra = {"line": lines[place], "time_ns": time_ns}
            try:
                lines[place] = template.execute(StringMap(rows.merged(place)), extra)
            except TemplateError as err:
                rows.fail(place, TEMPLATE_ERROR, str(err))
        rows.lines = lines
        return rows

    return run
