"""The functions of Loki's line_format and label_format templates, and the cached compiler of such templates.

One function per name of the LogQL documentation's list ("Template functions"); where that points to the sprig library, its semantics.
Arguments are converted as sprig converts them: numbers may come as text. Whatever raises ValueError becomes the line's
TemplateFormatErr.
"""

import base64
import json
import math
import re
import string
from collections.abc import Callable
from decimal import Decimal, DivisionByZero, InvalidOperation
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_plus

from spyglass.text.bytesize import parse_bytes
from spyglass.text.durations import parse_go_duration
from spyglass.text.gonumbers import parse_go_float
from spyglass.text.gotemplate import Function, Run, Template, contextual, parse_template, quote_query, truth, type_name
from spyglass.text.gotime import TIME_FUNCTIONS, TemplateTime
from spyglass.text.regex import compile_regex, expand

_ZERO_FRACTION = re.compile(r"\.0*\Z")
_OCTAL = re.compile(r"[+-]?0[0-7]+")

MAX_REPEAT = 1 << 20
"""Characters that repeat and indent may make at once."""


@lru_cache(maxsize=1024)
def line_template(source: str) -> Template:
    """A line_format or label_format template. Raises: TemplateError."""
    return parse_template(source, LINE_FUNCTIONS, name="line")


# --- arguments ------------------------------------------------------------------------------------------------------------


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"wrong type for value; expected string; got {type_name(value)}")
    return value


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"wrong type for value; expected int; got {type_name(value)}")
    return value


def _integer(value: Any) -> int:
    """sprig's toInt64: what is no whole number is 0; texts may be hexadecimal or, with a leading 0, octal."""
    if isinstance(value, str):
        text = _ZERO_FRACTION.sub("", value)
        try:
            return int(text, 8) if _OCTAL.fullmatch(text) else int(text, 0)
        except ValueError:
            return 0
    if isinstance(value, int | float):
        return int(value) if math.isfinite(value) else 0
    return 0


def _float(value: Any) -> float:
    if isinstance(value, str):
        try:
            return parse_go_float(value)
        except ValueError:
            return 0.0
    return float(value) if isinstance(value, int | float) else 0.0


@lru_cache(maxsize=512)
def _regex(pattern: str) -> Any:
    return compile_regex(pattern)


# --- text -----------------------------------------------------------------------------------------------------------------


def _cased(text: str, change: Callable[[str], str]) -> str:
    """Case by single characters, as Go: `ß` has no upper case."""
    if text.isascii():
        return change(text)
    return "".join(changed if len(changed := change(char)) == 1 else char for char in text)


def _title(text: str) -> str:
    """Go's strings.Title, which takes an apostrophe for the end of a word.

    >>> _title("it's a foo-bar, é–x")
    "It'S A Foo-Bar, É–x"
    """
    out, start = [], True
    for char in text:
        out.append(_cased(char, str.upper) if start else char)
        start = not (char.isalnum() or char == "_") if char.isascii() else char.isspace()
    return "".join(out)


def _bytes_slice(text: str, start: int, end: int) -> str:
    return text.encode()[start:end].decode("utf-8", "replace")


def _trunc(size: int, text: str) -> str:
    length = len(text.encode())
    if _count(size) < 0 and length + size > 0:
        return _bytes_slice(text, length + size, length)
    return _bytes_slice(text, 0, size) if 0 <= size < length else text


def _substr(start: int, end: int, text: str) -> str:
    length = len(_text(text).encode())
    if start < 0:
        return _bytes_slice(text, 0, max(end, 0))
    return _bytes_slice(text, start, length if end < 0 or end > length else end)


def _indent(spaces: int, text: str) -> str:
    padding = " " * _count(spaces)
    if len(padding) * (text.count("\n") + 1) > MAX_REPEAT:
        raise ValueError("the result is too long")
    return padding + text.replace("\n", "\n" + padding)


def _repeat(count: int, text: str) -> str:
    if _count(count) < 0:
        raise ValueError("strings: negative Repeat count")
    if count * len(_text(text)) > MAX_REPEAT:
        raise ValueError("strings: Repeat output length overflow")
    return text * count


def _align_left(count: int, text: str) -> str:
    return text[:count].ljust(count) if _count(count) >= 0 else text


def _align_right(count: int, text: str) -> str:
    if _count(count) < 0:
        return text
    return text[len(text) - count :] if len(text) > count else text.rjust(count)


def _replace_some(text: str, old: str, new: str, count: int) -> str:
    return text.replace(old, new, -1 if count < 0 else count)


def _trim_prefix(prefix: str, text: str) -> str:
    return _text(text).removeprefix(prefix)


def _trim_suffix(suffix: str, text: str) -> str:
    return _text(text).removesuffix(suffix)


def _replace_all(pattern: str, text: str, replacement: str) -> str:
    return str(_regex(pattern).sub(lambda match: expand(replacement, match), text))


def _replace_literal(pattern: str, text: str, replacement: str) -> str:
    return str(_regex(pattern).sub(lambda _: replacement, text))


def _matches(pattern: str, text: str) -> int:
    return sum(1 for _ in _regex(pattern).finditer(text))


_BASE64 = frozenset(string.ascii_letters + string.digits + "+/")


def _b64dec(text: str) -> str:
    """What is no base64 gives the text of the error as its value, as sprig has it.

    >>> _b64dec("YQ=="), _b64dec("YQ"), _b64dec("a!"), _b64dec("YQ==x")
    ('a', 'illegal base64 data at input byte 0', 'illegal base64 data at input byte 1', 'illegal base64 data at input byte 4')
    """
    wrong = _not_base64(_text(text))
    if wrong is not None:
        return f"illegal base64 data at input byte {wrong}"
    return base64.b64decode(text).decode("utf-8", "replace")


def _not_base64(text: str) -> int | None:
    """Where Go's decoder gives up: at the character, or, where the text ends too early, at the last four characters' start."""
    places = [(at, char) for at, char in enumerate(text) if char not in "\r\n"]
    for number, (at, char) in enumerate(places):
        if char in _BASE64:
            continue
        padding = places[number:]
        needed = {2: 2, 3: 1}.get(number % 4, 0)
        if char != "=" or not needed:
            return at
        if needed == 2 and len(padding) == 1:
            return len(text)
        if needed == 2 and padding[1][1] != "=":
            return at + 1 if padding[1][0] == at + 1 else padding[1][0] - 1
        return padding[needed][0] if len(padding) > needed else None
    short = len(places) % 4
    return len(text) - short if short else None


def _urldecode(text: str) -> str:
    at = text.find("%")
    while at >= 0:
        if len(text) < at + 3 or not all(char in "0123456789abcdefABCDEF" for char in text[at + 1 : at + 3]):
            raise ValueError(f'invalid URL escape "{text[at : at + 3]}"')
        at = text.find("%", at + 3)
    return unquote_plus(text, errors="replace")


# --- numbers --------------------------------------------------------------------------------------------------------------


def _wrap(value: int) -> int:
    """As an int64."""
    return (value + 2**63) % 2**64 - 2**63


def _add(*values: Any) -> int:
    return _wrap(sum(map(_integer, values)))


def _sub(left: Any, right: Any) -> int:
    return _wrap(_integer(left) - _integer(right))


def _mul(first: Any, *others: Any) -> int:
    result = _integer(first)
    for other in others:
        result = _wrap(result * _integer(other))
    return result


def _div(left: Any, right: Any) -> int:
    a, b = _integer(left), _integer(right)
    if b == 0:
        raise ValueError("runtime error: integer divide by zero")
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def _mod(left: Any, right: Any) -> int:
    a, b = _integer(left), _integer(right)
    if b == 0:
        raise ValueError("runtime error: integer divide by zero")
    return int(math.copysign(abs(a) % abs(b), a)) if a % b else 0


def _decimals(values: tuple[Any, ...], step: Callable[[Decimal, Decimal], Decimal]) -> float:
    """Decimal arithmetic, as sprig: 0.1 + 0.2 is 0.3."""
    result = Decimal(repr(_float(values[0])))
    try:
        for value in values[1:]:
            result = step(result, Decimal(repr(_float(value))))
    except (DivisionByZero, InvalidOperation):
        raise ValueError("decimal division by 0") from None
    return float(result)


def _max(first: Any, *others: Any) -> int:
    return max(map(_integer, (first, *others)))


def _min(first: Any, *others: Any) -> int:
    return min(map(_integer, (first, *others)))


def _maxf(first: Any, *others: Any) -> float:
    return max(map(_float, (first, *others)))


def _minf(first: Any, *others: Any) -> float:
    return min(map(_float, (first, *others)))


def _round(value: Any, places: Any, round_on: Any = 0.5) -> float:
    scale = 10.0 ** _integer(places)
    scaled = scale * _float(value)
    fraction = math.modf(scaled)[0]
    return (math.ceil(scaled) if fraction >= _float(round_on) else math.floor(scaled)) / scale


def _duration(text: str) -> float:
    return parse_go_duration(_text(text)) / 1e9


def _bytes(text: str) -> float:
    return float(parse_bytes(_text(text)))


# --- the rest -------------------------------------------------------------------------------------------------------------


def _from_json(text: str) -> Any:
    """A decoded value with all numbers as floats; nil where it is no JSON."""
    try:
        return json.loads(_text(text), parse_int=float)
    except (ValueError, RecursionError):
        return None


def _default(fallback: Any, value: Any = None) -> Any:
    return value if truth(value) else fallback


@contextual
def _line(run: Run) -> str:
    return str(run.extra.get("line", ""))


@contextual
def _timestamp(run: Run) -> TemplateTime:
    return TemplateTime.at(int(run.extra.get("time_ns", 0)))


LINE_FUNCTIONS: dict[str, Function] = {
    "__line__": _line,
    "__timestamp__": _timestamp,
    "alignLeft": _align_left,
    "alignRight": _align_right,
    "b64enc": lambda text: base64.b64encode(_text(text).encode()).decode(),
    "b64dec": _b64dec,
    "bytes": _bytes,
    "duration": _duration,
    "duration_seconds": _duration,
    "contains": lambda part, text: _text(part) in _text(text),
    "hasPrefix": lambda part, text: _text(text).startswith(_text(part)),
    "hasSuffix": lambda part, text: _text(text).endswith(_text(part)),
    "count": _matches,
    "default": _default,
    "fromJson": _from_json,
    "indent": _indent,
    "nindent": lambda spaces, text: "\n" + _indent(spaces, text),
    "lower": lambda text: _cased(_text(text), str.lower),
    "upper": lambda text: _cased(_text(text), str.upper),
    "title": lambda text: _title(_text(text)),
    "regexReplaceAll": _replace_all,
    "regexReplaceAllLiteral": _replace_literal,
    "repeat": _repeat,
    "replace": lambda old, new, text: _text(text).replace(_text(old), _text(new)),
    "substr": _substr,
    "trunc": _trunc,
    "trim": lambda text: _text(text).strip(),
    "trimAll": lambda chars, text: _text(text).strip(_text(chars)),
    "trimPrefix": _trim_prefix,
    "trimSuffix": _trim_suffix,
    "urlencode": lambda text: quote_query(_text(text)),
    "urldecode": lambda text: _urldecode(_text(text)),
    "add": _add,
    "sub": _sub,
    "mul": _mul,
    "div": _div,
    "mod": _mod,
    "addf": lambda *values: _decimals((0.0, *values), lambda a, b: a + b),
    "subf": lambda *values: _decimals(values, lambda a, b: a - b),
    "mulf": lambda *values: _decimals(values, lambda a, b: a * b),
    "divf": lambda *values: _decimals(values, lambda a, b: a / b),
    "max": _max,
    "min": _min,
    "maxf": _maxf,
    "minf": _minf,
    "ceil": lambda value: float(math.ceil(_float(value))),
    "floor": lambda value: float(math.floor(_float(value))),
    "round": _round,
    "int": _integer,
    "float64": _float,
    **TIME_FUNCTIONS,
    # Spellings of Go's strings package, deprecated upstream but found in dashboards.
    "ToLower": lambda text: _cased(_text(text), str.lower),
    "ToUpper": lambda text: _cased(_text(text), str.upper),
    "Replace": _replace_some,
    "Trim": lambda text, chars: _text(text).strip(chars),
    "TrimLeft": lambda text, chars: _text(text).lstrip(chars),
    "TrimRight": lambda text, chars: _text(text).rstrip(chars),
    "TrimPrefix": lambda text, part: _text(text).removeprefix(part),
    "TrimSuffix": lambda text, part: _text(text).removesuffix(part),
    "TrimSpace": lambda text: _text(text).strip(),
}
