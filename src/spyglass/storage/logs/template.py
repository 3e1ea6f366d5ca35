"""Templates: the part of a line that repeats. `{"level":"` `","duration":` `}` are constants, what stands between are slots.

A template is found by reading one line; matching all other lines of a batch against it is done in columns (`matching.py`). Because a
line is only ever *split* at constants, putting the pieces together again gives the very bytes that came in.

Anchors make that fast: the quotes of a JSON line, the equals signs of a logfmt line. Every inner constant holds at least one
anchor and a slot holds none, so a slot ends where the next anchor says, and comparing the bytes there with the constant decides. An
escaped quote is no anchor. Lines with a control character, two backslashes in a row, or (outside JSON) any backslash are left alone:
what is a quote in them is not seen at a glance.
"""

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal

import orjson

TemplateKind = Literal["json", "logfmt", "raw"]
MAX_SLOTS = 64
MAX_TEMPLATE_LINE = 8192
_ANCHORS = {"json": b'"', "logfmt": b"=", "raw": b""}

_JSON_TOKEN = re.compile(rb'([ ]*)([{}\[\],:]|"(?:[^"\\]|\\.)*"|[^\s{}\[\],:"]+)')
_LOGFMT_PAIR = re.compile(rb'([A-Za-z_][A-Za-z0-9_.\-]*)=(?:"([^"\\]*)"|([^\s"=]*))(?: |$)')


@dataclass(frozen=True)
class Template:
    """consts: m+1 byte strings around m slots. quoted[i]: slot i stood between quotes. paths[i]: the keys that lead to it."""

    kind: TemplateKind
    consts: tuple[bytes, ...]
    quoted: tuple[bool, ...]
    paths: tuple[tuple[str, ...], ...]

    @property
    def slot_count(self) -> int:
        return len(self.quoted)

    @cached_property
    def anchor(self) -> bytes:
        return _ANCHORS[self.kind]

    @cached_property
    def const_bytes(self) -> int:
        return sum(map(len, self.consts))

    def to_json(self) -> dict[str, object]:
        """For the block's index. Constants are UTF-8, since whole lines are and slots are cut at ASCII."""
        return {
            "kind": self.kind,
            "consts": [const.decode() for const in self.consts],
            "quoted": self.quoted,
            "paths": self.paths,
        }

    @staticmethod
    def from_json(value: dict[str, object]) -> "Template":
        consts, quoted, paths = value["consts"], value["quoted"], value["paths"]
        assert isinstance(consts, list)
        assert isinstance(quoted, list)
        assert isinstance(paths, list)
        kind: TemplateKind = value["kind"]  # type: ignore[assignment]
        made = Template(kind, tuple(c.encode() for c in consts), tuple(quoted), tuple(tuple(path) for path in paths))
        return _interned(made)


RAW = Template("raw", (b"", b""), (False,), ((),))
"""The template of lines that have none: one slot, the whole line."""


@lru_cache(maxsize=4096)
def _interned(template: Template) -> Template:
    """One object for equal templates, so that comparing them is cheap."""
    return template


def find_template(line: bytes) -> Template | None:
    """The template of a JSON object or a logfmt line, or None where it has none that `match` could use."""
    if len(line) > MAX_TEMPLATE_LINE:
        return None
    template = _json_template(line) if line[:1] == b"{" else _logfmt_template(line)
    if template is None or not 0 < template.slot_count <= MAX_SLOTS:
        return None
    inner = template.consts[1:-1]
    return template if all(template.anchor in const for const in inner) else None


def _json_template(line: bytes) -> Template | None:
    try:
        if not isinstance(orjson.loads(line), dict):
            return None
    except orjson.JSONDecodeError:
        return None
    return _JsonReader(line).read()


class _JsonReader:
    """Cuts a valid JSON object without backslashes into constants and slots. Arrays of bare values are one slot."""

    def __init__(self, line: bytes) -> None:
        self.line = line
        self.at = 0
        self.const_start = 0
        self.consts: list[bytes] = []
        self.quoted: list[bool] = []
        self.paths: list[tuple[str, ...]] = []

    def read(self) -> Template | None:
        if not self._object(()):
            return None
        self.consts.append(self.line[self.const_start :])
        return Template("json", tuple(self.consts), tuple(self.quoted), tuple(self.paths))

    def _token(self) -> bytes:
        found = _JSON_TOKEN.match(self.line, self.at)
        if found is None:
            return b""
        self.at = found.end()
        return found.group(2)

    def _object(self, path: tuple[str, ...]) -> bool:
        if self._token() != b"{":
            return False
        while True:
            key = self._token()
            if key == b"}":
                return True
            if key[:1] != b'"' or b"\\" in key or self._token() != b":" or not self._value((*path, key[1:-1].decode())):
                return False
            separator = self._token()
            if separator == b"}":
                return True
            if separator != b",":
                return False

    def _value(self, path: tuple[str, ...]) -> bool:
        before = self.at
        token = self._token()
        if token == b"{":
            self.at = before
            return self._object(path)
        start = self.at - len(token)
        if token == b"[":
            end = self.line.find(b"]", start)
            if end < 0 or b'"' in self.line[start:end] or b"[" in self.line[start + 1 : end]:
                return False
            self.at = end + 1
            self._slot(start, self.at, quoted=False, path=path)
        elif token[:1] == b'"':
            self._slot(start + 1, self.at - 1, quoted=True, path=path)
        elif token and token not in b"]},:":
            self._slot(start, self.at, quoted=False, path=path)
        else:
            return False
        return True

    def _slot(self, start: int, end: int, *, quoted: bool, path: tuple[str, ...]) -> None:
        self.consts.append(self.line[self.const_start : start])
        self.quoted.append(quoted)
        self.paths.append(path)
        self.const_start = end


def _logfmt_template(line: bytes) -> Template | None:
    consts: list[bytes] = []
    quoted: list[bool] = []
    paths: list[tuple[str, ...]] = []
    at, const_start = 0, 0
    while at < len(line):
        found = _LOGFMT_PAIR.match(line, at)
        if found is None:
            return None
        group = 2 if found.group(2) is not None else 3
        consts.append(line[const_start : found.start(group)])
        quoted.append(group == 2)
        paths.append((found.group(1).decode(),))
        const_start = found.end(group)
        at = found.end()
    if len(quoted) < 2:
        return None
    consts.append(line[const_start:])
    return Template("logfmt", tuple(consts), tuple(quoted), tuple(paths))
