"""`# HELP`, `# TYPE` and `# UNIT` lines."""

from spyglass.model.samples import Metadata

_TEXT_TYPES = frozenset(
    ["counter", "gauge", "histogram", "summary", "untyped", "gaugehistogram", "info", "stateset", "unknown"]
)
_OPENMETRICS_TYPES = frozenset(
    ["counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset", "unknown"]
)
_FLOAT_LABELS = {"histogram": "le", "gaugehistogram": "le", "summary": "quantile"}


class FamilyComments:
    """The families of one body. float_label: the label whose values are floats in the family being read, or ""."""

    def __init__(self, openmetrics: bool) -> None:
        self._openmetrics = openmetrics
        self.families: dict[str, Metadata] = {}
        self.float_label = ""

    def read(self, line: bytes) -> None:
        """One comment line. Raises ValueError with what is wrong."""
        parts = line.split(None, 3) if not self._openmetrics else line.split(b" ", 3)
        keyword = parts[1] if len(parts) > 1 and parts[0] == b"#" else b""
        if keyword not in (b"HELP", b"TYPE", b"UNIT") or (keyword == b"UNIT" and not self._openmetrics):
            if self._openmetrics:
                raise ValueError(f"expected # HELP, # TYPE, # UNIT or # EOF, found {_shown(line)}")
            return
        if len(parts) < 3:
            raise ValueError(f"expected a metric name after {keyword.decode()}")
        name = _family_name(parts[2])
        text = _decode(parts[3]) if len(parts) > 3 else ""
        getattr(self, f"_{keyword.decode().lower()}")(name, text)

    def _help(self, name: str, text: str) -> None:
        self._update(name, help=_unescape(text, quotes=self._openmetrics))

    def _type(self, name: str, text: str) -> None:
        kind = text if self._openmetrics else text.strip()
        if kind not in (_OPENMETRICS_TYPES if self._openmetrics else _TEXT_TYPES):
            raise ValueError(f"invalid metric type {kind!r} of {name}")
        kind = "unknown" if kind == "untyped" else kind
        self.float_label = _FLOAT_LABELS.get(kind, "")
        self._update(name, kind=kind)

    def _unit(self, name: str, text: str) -> None:
        if text and not name.endswith("_" + text):
            raise ValueError(f"unit {text!r} is not a suffix of the metric name {name!r}")
        self._update(name, unit=text)

    def _update(self, name: str, *, kind: str | None = None, help: str | None = None, unit: str | None = None) -> None:
        old = self.families.get(name, Metadata())
        self.families[name] = Metadata(
            old.kind if kind is None else kind, old.help if help is None else help, old.unit if unit is None else unit
        )


def _family_name(raw: bytes) -> str:
    name = _decode(raw)
    return _unescape(name[1:-1], quotes=True) if len(name) > 1 and name[0] == name[-1] == '"' else name


def _unescape(text: str, *, quotes: bool) -> str:
    if "\\" not in text:
        return text
    pairs = {"\\": "\\", "n": "\n", '"': '"'} if quotes else {"\\": "\\", "n": "\n"}
    out, position = [], 0
    while position < len(text):
        character = text[position]
        following = text[position + 1 : position + 2]
        if character == "\\" and following in pairs and following:
            out.append(pairs[following])
            position += 2
        else:
            out.append(character)
            position += 1
    return "".join(out)


def _decode(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8") from None


def _shown(line: bytes) -> str:
    return repr(line[:40].decode("utf-8", "replace"))
