"""Label sets as JSON objects, column by column: each distinct value is written once, and a series joins what its labels wrote."""

import orjson

from spyglass.model.labels import LabelColumn, Labels, LabelTable


def metric_json(labels: Labels) -> bytes:
    """One label set."""
    return orjson.dumps(dict(labels))


def metrics_json(table: LabelTable) -> list[bytes]:
    """`{"name":"value",...}` of every series [S], names ascending."""
    columns = [_members(name, table.columns[name]) for name in sorted(table.columns)]
    if not columns:
        return [b"{}"] * table.size
    # Every member brings the comma before it; the first one's is cut off.
    return [b"{" + b"".join(members)[1:] + b"}" for members in zip(*columns, strict=True)]


def _members(name: str, column: LabelColumn) -> list[bytes]:
    """`,"name":"value"` of every series, nothing where the label is absent."""
    key = b"," + orjson.dumps(name) + b":"
    codes, places = column.distinct()
    values = (column.values[code] for code in codes.tolist())
    texts = [key + orjson.dumps(value) if value else b"" for value in values]
    return [texts[place] for place in places.tolist()]
