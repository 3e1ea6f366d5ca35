"""Template functions that pipelines have beyond those of log queries: two hashes, and more of the sprig library.

Source: the Promtail documentation of the template stage; sprig's function list.
"""

import hashlib
from typing import Any

from spyglass.text.goformat import print_value
from spyglass.text.gostring import quote
from spyglass.text.gotemplate import Function, truth


def _digest(name: str, text: str) -> str:
    return hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest()


def _integer(value: Any) -> int:
    try:
        return int(float(value)) if not isinstance(value, str) else int(value, 10)
    except (ValueError, TypeError, OverflowError):
        return 0


def _abbreviated(width: int, text: str) -> str:
    return text if len(text) <= width or width < 4 else text[: width - 3] + "..."


EXTRA_FUNCTIONS: dict[str, Function] = {
    "Hash": lambda salt, text: _digest("sha3_256", salt + text),
    "Sha2Hash": lambda salt, text: _digest("sha256", salt + text),
    "sha1sum": lambda text: _digest("sha1", text),
    "sha256sum": lambda text: _digest("sha256", text),
    "sha512sum": lambda text: _digest("sha512", text),
    "coalesce": lambda *values: next((value for value in values if truth(value)), None),
    "ternary": lambda yes, no, test: yes if test else no,
    "empty": lambda value: not truth(value),
    "quote": lambda *values: " ".join(quote(print_value(value)) for value in values if value is not None),
    "squote": lambda *values: " ".join(f"'{print_value(value)}'" for value in values if value is not None),
    "cat": lambda *values: " ".join(print_value(value) for value in values if value is not None),
    "nospace": lambda text: "".join(text.split()),
    "abbrev": _abbreviated,
    "untitle": lambda text: " ".join(word[:1].lower() + word[1:] for word in text.split(" ")),
    "toString": print_value,
    "atoi": _integer,
    "int64": _integer,
    "splitList": lambda separator, text: text.split(separator) if separator else list(text),
    "join": lambda separator, values: separator.join(print_value(value) for value in values),
    "list": lambda *values: list(values),
    "first": lambda values: values[0] if values else None,
    "last": lambda values: values[-1] if values else None,
}
