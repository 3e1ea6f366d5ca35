"""Templates: the part of a line that repeats. `{"level":"` `","duration":` `}` are constants, what stands between are slots.

A template is found by reading one line; matching all other lines of a batch against it is done in columns (`match`). Because a
line is only ever *split* at constants, putting the pieces together again gives the very bytes that came in.

Anchors make that fast: the quotes of a JSON line, the equals signs of a logfmt line. Every inner constant holds at least one
anchor and a slot holds none, so a line with the template's number of anchors has its constants at known places, and comparing the
bytes there decides. An escaped quote is no anchor. Lines with a control character, two backslashes in a row, or (outside JSON) any
backslash are left alone: what is a quote in them is not seen at a glance.
"""

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal

import numpy as np
import orjson

from spyglass.model.arrays import I32, I64, U8, Mask

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
    def anchor_count(self) -> int:
        return sum(const.count(self.anchor) for const in self.consts)

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


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines in one buffer: line i is buffer[starts[i]:ends[i]]; the buffer is padded by at least `PADDING` bytes."""

    buffer: U8
    starts: I64
    ends: I64
    escapes: bool = False
    """Whether there is a backslash anywhere."""


_BACKSLASH = 92
PADDING = MAX_TEMPLATE_LINE
CHUNK_ROWS = 2048
CHUNK_BYTES = 512 << 10
"""Lines are worked on in pieces that stay in the processor's second-level cache."""


def windows(buffer: U8, starts: I64, width: int) -> U8:
    """[r, width]: the bytes from each start on. A copy. Starts lie at most len(buffer) - width into the buffer."""
    view = np.ndarray((len(buffer) - width + 1,), dtype=f"V{width}", buffer=buffer, strides=(1,))
    return view[starts].view(np.uint8).reshape(len(starts), width)


@dataclass(frozen=True, slots=True)
class Anchors:
    """Where the anchor byte stands in the buffer, and per line the index of its first one; firsts [n+1]."""

    positions: I32
    firsts: I64

    @staticmethod
    def find(lines: Lines, anchor: bytes) -> "Anchors":
        chunks = range(0, len(lines.buffer), CHUNK_BYTES)
        found = [_places(lines.buffer[at : at + CHUNK_BYTES], anchor[0], at) for at in chunks]
        positions = np.concatenate(found)
        if anchor == b'"' and lines.escapes:
            positions = positions[lines.buffer[positions - 1] != _BACKSLASH]
        firsts = np.searchsorted(positions, np.append(lines.starts, lines.ends[-1:]).astype(np.int32))
        return Anchors(positions, firsts)

    def counts(self) -> I64:
        return np.diff(self.firsts)


def _places(piece: U8, byte: int, at: int) -> I32:
    """Where the byte stands. 32 bits: a batch is far smaller than 2 GB."""
    places: I32 = np.flatnonzero(piece == byte).astype(np.int32)
    places += np.int32(at)
    return places


def match(template: Template, lines: Lines, anchors: Anchors, rows: I64) -> tuple[I64, I64, I64]:
    """Which of `rows` have the template, and where their slots are.

    rows must have exactly the template's number of anchors.
    Returns: matched rows [r] (a subset of rows, in order); slot starts [m, r]; slot lengths [m, r].
    """
    found = [
        _match_chunk(template, lines, anchors, rows[at : at + CHUNK_ROWS]) for at in range(0, len(rows), CHUNK_ROWS)
    ]
    return (
        np.concatenate([matched for matched, _, _ in found]),
        np.concatenate([starts for _, starts, _ in found], axis=1),
        np.concatenate([lengths for _, _, lengths in found], axis=1),
    )


def _match_chunk(template: Template, lines: Lines, anchors: Anchors, rows: I64) -> tuple[I64, I64, I64]:
    begins = _const_begins(template, lines, anchors, rows)
    sizes = np.asarray([len(const) for const in template.consts], np.int64)
    ends = begins + sizes[:, None]
    fits: Mask = (begins[1:] >= ends[:-1]).all(axis=0) & (begins[0] >= lines.starts[rows])
    for const, begin in zip(template.consts, begins, strict=True):
        if const:
            # A start that is out of range can only belong to a row that does not fit.
            fits &= _equal(windows(lines.buffer, np.maximum(begin, 0), len(const)), const)
    keep = np.flatnonzero(fits)
    return rows[keep], ends[:-1, keep], (begins[1:] - ends[:-1])[:, keep]


def _const_begins(template: Template, lines: Lines, anchors: Anchors, rows: I64) -> I64:
    """[consts, r] where each constant would begin."""
    firsts = anchors.firsts[rows]
    begins = np.empty((len(template.consts), len(rows)), np.int64)
    begins[0] = lines.starts[rows]
    begins[-1] = lines.ends[rows] - len(template.consts[-1])
    at = template.consts[0].count(template.anchor)
    for index, const in enumerate(template.consts[1:-1], start=1):
        begins[index] = anchors.positions[firsts + at] - const.index(template.anchor)
        at += const.count(template.anchor)
    return begins


def _equal(pieces: U8, const: bytes) -> Mask:
    """[r] whether each row is the constant; compared in words where it is long enough."""
    size = len(const)
    if size < 8:
        short: Mask = (pieces == np.frombuffer(const, np.uint8)).all(axis=1)
        return short
    wanted = np.frombuffer(const, np.uint8)
    whole = size // 8 * 8
    head = np.ascontiguousarray(pieces[:, :whole]).view(np.uint64) == wanted[:whole].view(np.uint64)
    equal: Mask = np.asarray(head.all(axis=1), np.bool_)
    if whole < size:
        tail = np.ascontiguousarray(pieces[:, size - 8 :]).view(np.uint64) == wanted[size - 8 :].copy().view(np.uint64)
        equal &= tail[:, 0]
    return equal


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
