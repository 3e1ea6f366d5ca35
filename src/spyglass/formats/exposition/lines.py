"""One sample line, strictly: `name{label="value"} 1.5 1395066363000`, and OpenMetrics' `... 1.5 1395066363.1 # {trace_id="x"} 0.7`.

line     = series value [time] [exemplar]
series   = name [ "{" labels "}" ]  |  "{" quoted-name ["," labels] "}"
labels   = [ label { "," label } [ "," ] ]
label    = (name | quoted-name) "=" quoted-value
exemplar = "#" "{" labels "}" value [time]                      (OpenMetrics only)
"""

import math
import re
from dataclasses import dataclass

from spyglass.model.labels import METRIC_NAME, Labels

_METRIC = rb"[a-zA-Z_:][a-zA-Z0-9_:]*+"
_BRACES = rb'\{(?:[^"{}]|"(?:[^"\\]|\\.)*")*+\}'
_LINE = re.compile(
    rb"((?>" + _METRIC + rb"(?:[ \t]*" + _BRACES + rb")?|" + _BRACES + rb"))[ \t]*"  # series
    rb"([^ \t{][^ \t]*+)(?:[ \t]+([^ \t]+))?[ \t]*",  # value, time
    re.DOTALL,
)
_OPENMETRICS_LINE = re.compile(
    rb"((?>" + _METRIC + rb"(?:" + _BRACES + rb")?|" + _BRACES + rb")) ([^ {]+)(?: ([^ #]\S*))?"  # series, value, time
    rb"(?: # (" + _BRACES + rb") (\S+)(?: (\S+))?)?",  # exemplar: labels, value, time
    re.DOTALL,
)
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_SIMPLE_PAIR = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="([^"\\]*)"')
"""What nearly all labels are; the text is put together again to see that nothing stood between."""
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_NUMBER = re.compile(
    rb"[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[iI][nN][fF](?:[iI][nN][iI][tT][yY])?)|[nN][aA][nN]|[-+]?0[xX][0-9a-fA-F]+"
)
_MAX_TIME_MS = 2**63 - 1
EXEMPLAR_RUNES_MAX = 128
"""OpenMetrics: the names and values of an exemplar's labels together."""


@dataclass(frozen=True, slots=True)
class SampleLine:
    """series: the bytes that name it, as in the line.  exemplar: (labels, value, time in ms or None)."""

    series: bytes
    value: float
    time_ms: int | None = None
    exemplar: tuple[Labels, float, int | None] | None = None


def read_sample_line(line: bytes, openmetrics: bool) -> SampleLine:
    """Raises: ValueError saying what is wrong with the line."""
    match = (_OPENMETRICS_LINE if openmetrics else _LINE).fullmatch(line if openmetrics else line.strip(b" \t"))
    if match is None:
        raise ValueError(_diagnosis(line))
    if not openmetrics:
        series, value, time = match.groups()
        return SampleLine(series, read_number(value), None if time is None else _whole_ms(time))
    series, value, time, labels, exemplar_value, exemplar_time = match.groups()
    exemplar = None if labels is None else _exemplar(labels, exemplar_value, exemplar_time)
    return SampleLine(series, read_number(value), None if time is None else _seconds(time), exemplar)


def read_number(text: bytes) -> float:
    """A sample's value. Raises: ValueError."""
    if _NUMBER.fullmatch(text) is None:
        raise ValueError(f"expected a number as the value, found {_shown(text)}")
    return float(int(text, 16)) if b"x" in text or b"X" in text else float(text)


def _whole_ms(text: bytes) -> int:
    if re.fullmatch(rb"-?\d{1,19}", text) is None or abs(int(text)) > _MAX_TIME_MS:
        raise ValueError(f"expected a timestamp in whole milliseconds, found {_shown(text)}")
    return int(text)


def _seconds(text: bytes) -> int:
    seconds = read_number(text)
    if not math.isfinite(seconds) or abs(seconds) > _MAX_TIME_MS / 1000:
        raise ValueError(f"invalid timestamp {_shown(text)}")
    return round(seconds * 1000)


def _exemplar(labels: bytes, value: bytes, time: bytes | None) -> tuple[Labels, float, int | None]:
    pairs = _labels(_decode(labels), 1, named=False)[0]
    if sum(len(name) + len(text) for name, text in pairs) > EXEMPLAR_RUNES_MAX:
        raise ValueError(f"the labels of an exemplar have more than {EXEMPLAR_RUNES_MAX} characters")
    return _canonical(pairs), read_number(value), None if time is None else _seconds(time)


def read_series(raw: bytes) -> Labels:
    """The labels of a series text, metric name included. Raises: ValueError."""
    text = _decode(raw)
    match = _NAME.match(text)
    name = match.group() if match else ""
    at = len(name)
    while text[at : at + 1] in (" ", "\t") and at < len(text):
        at += 1
    pairs: list[tuple[str, str]] = []
    if at < len(text):
        simple = _SIMPLE_PAIR.findall(text, at + 1)
        if name and text[at + 1 :] == ",".join([f'{label}="{value}"' for label, value in simple]) + "}":
            return _canonical([(METRIC_NAME, name), *simple])
        pairs, quoted = _labels(text, at + 1, named=not name)
        name = name or quoted
    if not name:
        raise ValueError("a sample has no metric name")
    return _canonical([(METRIC_NAME, name), *pairs])


def _labels(text: str, at: int, *, named: bool) -> tuple[list[tuple[str, str]], str]:
    """Read from after the opening brace to the closing one. named: a lone quoted string is the metric's name."""
    pairs: list[tuple[str, str]] = []
    metric = ""
    while True:
        at = _blank(text, at)
        if text[at] == "}":
            return pairs, metric
        label, at, quoted = _label_name(text, at)
        at = _blank(text, at)
        if text[at] == "=":
            value, at = _value(text, _blank(text, at + 1), label)
            pairs.append((label, value))
        elif quoted and named and not metric:
            metric = label
        else:
            raise ValueError(f'expected "=" after the label name {label!r}, found {text[at]!r}')
        at = _blank(text, at)
        if text[at] == ",":
            at += 1
        elif text[at] != "}":
            raise ValueError(f'expected "," or "}}" after the label {label!r}, found {text[at]!r}')


def _label_name(text: str, at: int) -> tuple[str, int, bool]:
    quoted = _QUOTED.match(text, at)
    if quoted is not None:
        return _unescape(quoted.group(1)), quoted.end(), True
    plain = _LABEL_NAME.match(text, at)
    if plain is None:
        raise ValueError(f"expected a label name, found {text[at]!r}")
    return plain.group(), plain.end(), False


def _value(text: str, at: int, label: str) -> tuple[str, int]:
    match = _QUOTED.match(text, at)
    if match is None:
        raise ValueError(f"expected a quoted value of the label {label!r}, found {text[at]!r}")
    return _unescape(match.group(1)), match.end()


def _blank(text: str, at: int) -> int:
    while text[at] in " \t":
        at += 1
    return at


def _canonical(pairs: list[tuple[str, str]]) -> Labels:
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"label name {twice!r} is not unique")
    return tuple(sorted((name, value) for name, value in pairs if value))


def _unescape(text: str) -> str:
    if "\\" not in text:
        return text
    # An escape that is none of these stays as it is, backslash included, as upstream has it.
    return _ESCAPE.sub(lambda m: {"n": "\n", "\\": "\\", '"': '"'}.get(m.group(1), m.group()), text)


def _diagnosis(line: bytes) -> str:
    """Why a line is none. Only asked once the whole-line pattern has failed, so it may be slow."""
    text = line.decode("utf-8", "replace").strip(" \t")
    name = _NAME.match(text)
    rest = text[name.end() :] if name else text
    if name is None and not rest.startswith("{"):
        return f"expected a metric name, found {_shown(line)}"
    rest = rest.lstrip(" \t")
    if rest.startswith("{"):
        braces = re.match(_BRACES.decode(), rest, re.DOTALL)
        if braces is None:
            unclosed = rest.replace('\\"', "").count('"') % 2
            return f"{'a label value has no closing quote' if unclosed else 'the labels have no closing brace'} in {_shown(line)}"
        rest = rest[braces.end() :].lstrip(" \t")
    if not rest:
        return f"expected a value after the metric {_shown(line)}"
    return f"expected a value and at most a timestamp, found {rest[:60]!r}"


def _decode(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as err:
        raise ValueError(f"is not UTF-8 (byte {err.start + 1} of the series)") from None


def _shown(raw: bytes) -> str:
    return repr(raw[:60].decode("utf-8", "replace"))
