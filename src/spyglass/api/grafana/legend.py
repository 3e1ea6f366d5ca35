"""The name a series is shown under: `legendFormat` with `{{label}}`, `__auto`, or the series itself."""

import re
from collections.abc import Sequence

from spyglass.model.labels import METRIC_NAME, Labels

AUTO = "__auto"
_TEMPLATE = re.compile(r"\{\{\s*(.+?)\s*\}\}")


def display_names(series: Sequence[Labels], legend_format: str, expression: str) -> list[str]:
    """One name per series.

    A template: each `{{label}}` is the label's value, "" where it is absent. `__auto`: where all series together have but one label,
    its value, else the whole series. Nothing: the whole series. A series without labels is named by its expression.
    """
    if legend_format and legend_format != AUTO:
        return [_filled(labels, legend_format) for labels in series]
    if legend_format == AUTO:
        names = {name for labels in series for name, _ in labels}
        if len(names) == 1:
            return [labels[0][1] if labels else expression for labels in series]
    return [series_name(labels) or expression for labels in series]


def _filled(labels: Labels, template: str) -> str:
    values = dict(labels)
    return _TEMPLATE.sub(lambda match: values.get(match.group(1), ""), template)


def series_name(labels: Labels) -> str:
    """`name{a="b", c="d"}`, "" without labels.

    >>> series_name((("__name__", "up"), ("job", "x")))
    'up{job="x"}'
    """
    name = next((value for key, value in labels if key == METRIC_NAME), "")
    pairs = ", ".join(f'{key}="{value}"' for key, value in labels if key != METRIC_NAME)
    return f"{name}{{{pairs}}}" if pairs else name
