"""A few fields of JSON lines, by a decoder that is twice as fast but keeps neither a number's spelling nor repeated keys.

So it is believed only where the two cannot differ: a key that matters must occur once in the text, and a number must be spelled as
Python spells it. Elsewhere the answer is None and the exact reader decides. Which keys of an object matter depends on its keys alone and
is worked out once per set of keys.
"""

from dataclasses import dataclass, field
from typing import Any

import orjson

from spyglass.query.exec.logs.rows import EXTRACTED, Fields
from spyglass.text.jsonlines import clean_text, nested_name, sanitize_name

MAX_SHAPES = 4096
"""Sets of keys remembered; lines whose keys are data (ids as keys) would fill any memory."""

Shape = tuple[tuple[str, str, str, bool], ...]
"""(key, label name, the key as it stands in the text, an object below it can matter) of the keys that matter, in their order."""


@dataclass(slots=True)
class QuickFields:
    """Reads the wanted labels (and `x_extracted` where `x` clashes with the stream)."""

    wanted: frozenset[str]
    _shapes: dict[tuple[str, tuple[str, ...]], Shape] = field(default_factory=dict)

    def read(self, line: str, base: frozenset[str]) -> Fields | None:
        """The wanted fields, or None where only the exact reader can tell."""
        try:
            data: Any = orjson.loads(line)
        except orjson.JSONDecodeError:
            return None
        found: Fields = {}
        if data.__class__ is not dict or not self._gather(line, data, "", base, found):
            return None
        return found

    def _gather(self, line: str, data: dict[str, Any], prefix: str, base: frozenset[str], found: Fields) -> bool:
        """False: not sure."""
        key_of_shape = (prefix, tuple(data))
        shape = self._shapes.get(key_of_shape)
        if shape is None:
            shape = self._remember(key_of_shape)
        for key, name, quoted, may_nest in shape:
            value = data[key]
            kind = value.__class__
            if value is None or kind is list:
                continue
            if line.count(quoted) != 1:
                return False
            if kind is dict:
                if may_nest and not self._gather(line, value, name, base, found):
                    return False
                continue
            if name in base:
                name += EXTRACTED
            if name not in self.wanted or name in found:
                continue
            text = _text(line, value, quoted)
            if text is None:
                return False
            found[name] = text
        return True

    def _remember(self, key_of_shape: tuple[str, tuple[str, ...]]) -> Shape:
        prefix, keys = key_of_shape
        found = []
        for key in keys:
            name = nested_name(prefix, key) if prefix else sanitize_name(key)
            may_nest = any(wanted.startswith(f"{name}_") for wanted in self.wanted) or not name
            if may_nest or name in self.wanted:
                found.append((key, name, f'"{key}"', may_nest))
        if len(self._shapes) >= MAX_SHAPES:
            self._shapes.clear()
        self._shapes[key_of_shape] = shape = tuple(found)
        return shape


def _text(line: str, value: Any, quoted: str) -> str | None:
    """A scalar as the exact reader gives it; None where the number is spelled otherwise."""
    if isinstance(value, str):
        return value if value.isascii() else clean_text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    text = repr(value)
    at = line.find(quoted) + len(quoted) + 1
    at += line[at : at + 1] == " "
    end = at + len(text)
    return text if line[at:end] == text and line[end : end + 1] in (",", "}", " ") else None
