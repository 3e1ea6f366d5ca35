"""json: fields of a JSON object become extracted values, by JMESPath expressions.

Numbers are floats, as upstream decodes them; objects and arrays stay JSON text; null is kept as null (which is no label).
"""

import json
import re
from collections.abc import Callable
from typing import Any

import jmespath
import orjson
from jmespath.exceptions import JMESPathError

from spyglass.agent.entry import Entry
from spyglass.agent.stages.base import Simple, Stage, StageContext
from spyglass.agent.stages.values import go_json, text_of
from spyglass.config.promtail import StageSpec
from spyglass.config.promtail_stages import JsonStage

_PLAIN = re.compile(r"[A-Za-z_]\w*", re.ASCII)

Search = Callable[[dict[str, Any]], Any]


def build(spec: StageSpec, context: StageContext) -> Stage:
    options: JsonStage = spec.options
    searches = [(name, _search(expression)) for name, expression in options.expressions.items()]
    source, drop_malformed = options.source, options.drop_malformed

    def run(entries: list[Entry]) -> list[Entry]:
        kept = []
        for entry in entries:
            text = entry.line if source is None else text_of(entry.extracted.get(source))
            data = _object(text)
            if data is None:
                if text is not None:
                    context.metrics.pipeline_errors.inc("json", "malformed")
                    if drop_malformed:
                        continue
                kept.append(entry)
                continue
            extracted = entry.extracted
            for name, search in searches:
                try:
                    extracted[name] = _value(search(data))
                except JMESPathError:
                    context.metrics.pipeline_errors.inc("json", "expression")
            kept.append(entry)
        return kept

    return Simple(run)


def _search(expression: str) -> Search:
    """A plain name is looked up directly: that is the common case, and JMESPath costs ten times as much."""
    if _PLAIN.fullmatch(expression):
        return lambda data: data.get(expression)
    compiled = jmespath.compile(expression)
    return lambda data: compiled.search(data)


def _object(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        data = orjson.loads(text)
    except orjson.JSONDecodeError:
        data = _with_lone_surrogates(text) if "\\u" in text else None
    return data if isinstance(data, dict) else None


def _with_lone_surrogates(text: str) -> Any:
    """Go reads half of a surrogate pair as U+FFFD; orjson refuses it."""
    try:
        data = json.loads(text, parse_constant=float.fromhex)
        return orjson.loads(json.dumps(data, ensure_ascii=False).encode("utf-8", "replace"))
    except ValueError:
        return None


def _value(value: Any) -> Any:
    if isinstance(value, str | bool) or value is None:
        return value
    if isinstance(value, int | float):
        return float(value)
    return go_json(value)
