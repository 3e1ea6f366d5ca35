"""Our own /metrics: the families of a registry as Prometheus text 0.0.4 or OpenMetrics 1.0."""

import re
from collections.abc import Iterable, Sequence

from spyglass.model.telemetry import Family
from spyglass.text.gofloat import format_shortest

TEXT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"

_PLAIN_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")


def encode_text(families: Iterable[Family]) -> bytes:
    """Text 0.0.4."""
    lines: list[str] = []
    for family in families:
        kind = "untyped" if family.kind == "unknown" else family.kind
        lines.append(f"# HELP {family.name} {_help(family.help)}\n# TYPE {family.name} {kind}\n")
        lines.extend(_line(family.name + suffix, labels, value) for suffix, labels, value in family.samples)
    return "".join(lines).encode()


def encode_openmetrics(families: Iterable[Family]) -> bytes:
    """OpenMetrics 1.0: a counter's family name is without the _total that its sample has."""
    lines: list[str] = []
    for family in families:
        counter = family.kind == "counter"
        base = family.name.removesuffix("_total") if counter else family.name
        lines.append(f"# HELP {base} {_quoted(family.help)}\n# TYPE {base} {family.kind}\n")
        for suffix, labels, value in family.samples:
            lines.append(_line(base + ("_total" if counter else suffix), labels, value))
    return ("".join(lines) + "# EOF\n").encode()


def series_text(name: str, labels: Sequence[tuple[str, str]]) -> str:
    """`name{a="b"}`; names that are no plain identifiers are quoted, as text 1.0.0 has it."""
    pairs = [f'{_label_name(label)}="{_quoted(value)}"' for label, value in labels]
    if name and _PLAIN_NAME.fullmatch(name) is None:
        pairs.insert(0, f'"{_quoted(name)}"')
        name = ""
    return f"{name}{{{','.join(pairs)}}}" if pairs or not name else name


def _line(name: str, labels: Sequence[tuple[str, str]], value: float) -> str:
    return f"{series_text(name, labels)} {format_shortest(value)}\n"


def _label_name(name: str) -> str:
    return name if _PLAIN_NAME.fullmatch(name) and ":" not in name else f'"{_quoted(name)}"'


def _help(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _quoted(text: str) -> str:
    return _help(text).replace('"', '\\"')
