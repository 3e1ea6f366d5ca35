"""Where a label's value comes from in a part: a slot that a parser would extract, structured metadata, or the stream.

The naming is the executor's: keys are joined with `_` and made valid, a name that the stream has gets `_extracted`, the first of equal
names counts, nulls and arrays are no labels. Where a part does not settle it for all of its lines alike, it says so (`unsettled`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from spyglass.model.labels import Labels
from spyglass.model.log_stages import JsonParser, LogfmtParser
from spyglass.storage.logs.part import Part
from spyglass.storage.logs.template import Template
from spyglass.text.jsonlines import clean_text, decode_object, nested_name, sanitize_name

EXTRACTED = "_extracted"
Parser = JsonParser | LogfmtParser
Value = Callable[[str], str | None]
"""The label's text of a slot's text; None: the line has no such label."""


@dataclass(frozen=True, slots=True)
class Source:
    """slot: the slot that gives the label, or None.  in_metadata: some line's metadata has the name.

    unsettled: nothing is known; every line must be looked at on its own.
    """

    slot: int | None = None
    in_metadata: bool = False
    unsettled: bool = False


def parses(template: Template, parser: Parser) -> bool:
    """Whether the template's slots are what the parser would find in its lines, all of them."""
    return template.kind == parser.kind and _names(template) is not None


def source_of(part: Part, name: str, parser: Parser | None) -> Source:
    """Where `name` comes from after the parser has run (None: no parser)."""
    bases = part.streams().shared.names
    metadata = metadata_names(part)
    names = None if parser is None else _names(part.template) if part.template.kind == parser.kind else None
    if metadata and any(metadata & base for base in bases):
        return Source(unsettled=True)
    if parser is None:
        return Source(in_metadata=name in metadata)
    if names is None:
        return Source(unsettled=True)
    if metadata & {field for _, field in names}:
        return Source(unsettled=True)
    slots = {_slot(names, base, name) for base in bases}
    if len(slots) != 1:
        return Source(unsettled=True)
    return Source(slots.pop(), name in metadata)


def slot_value(template: Template, slot: int, parser: Parser) -> Value:
    """How the label's text follows from the slot's."""
    if isinstance(parser, JsonParser):
        return _string if template.quoted[slot] else _bare
    return clean_text if parser.keep_empty else _not_empty


def slot_values(template: Template, slot: int, parser: Parser, texts: Sequence[str]) -> Sequence[str | None]:
    """slot_value of each text."""
    value = slot_value(template, slot, parser)
    joined = "".join(texts) if value is _string else "\\"
    if joined.isascii() and "\\" not in joined:
        # Nothing to unescape in any of them.
        return texts
    return list(map(value, texts))


def _string(text: str) -> str:
    """What stood between quotes, unescaped.

    >>> _string(r"a\\nb"), _string("plain")
    ('a\\nb', 'plain')
    """
    if "\\" in text:
        pairs, _ = decode_object(f'{{"a":"{text}"}}')
        return clean_text(str(pairs[0][1]))
    return clean_text(text)


def _bare(text: str) -> str | None:
    """A number or a boolean as it is spelled; a null or an array is none.

    >>> _bare("1.50"), _bare("null"), _bare("[1]")
    ('1.50', None, None)
    """
    return None if text == "null" or text[:1] == "[" else text


def _not_empty(text: str) -> str | None:
    return clean_text(text) if text else None


def _slot(names: tuple[tuple[int, str], ...], base: frozenset[str], name: str) -> int | None:
    for slot, field in names:
        if (field + EXTRACTED if field in base else field) == name:
            return slot
    return None


@lru_cache(maxsize=4096)
def _names(template: Template) -> tuple[tuple[int, str], ...] | None:
    """(slot, label name) of every slot that has one; None where two have the same, so that a null could bring the second forward."""
    found: list[tuple[int, str]] = []
    for slot, path in enumerate(template.paths):
        name = _json_name(path) if template.kind == "json" else _logfmt_name(path[0]) if path else ""
        if name:
            found.append((slot, name))
    fields = [name for _, name in found]
    if len(set(fields)) != len(fields) or any(
        name.removesuffix(EXTRACTED) in fields for name in fields if name.endswith(EXTRACTED)
    ):
        return None
    return tuple(found)


def _json_name(path: tuple[str, ...]) -> str:
    name = ""
    for depth, key in enumerate(path):
        name = nested_name(name, key) if depth and name else sanitize_name(key)
    return name


def _logfmt_name(key: str) -> str:
    return key if key.isidentifier() and key.isascii() else sanitize_name(key)


def metadata_names(part: Part) -> frozenset[str]:
    """The names that occur in the structured metadata of the part's lines."""
    found = part.metadata()
    return frozenset() if found is None else frozenset(name for labels in found[1] for name, _ in labels)


def value_in(labels: Labels, name: str) -> str | None:
    return next((value for key, value in labels if key == name), None)
