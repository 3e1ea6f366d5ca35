"""How far each source has been read and *acknowledged*, in two files.

`positions.yaml` is Promtail's own format (`positions: {path: "offset"}`), so that either program can carry on where the other
stopped. Beside it, `<positions>.state` makes sending exact: before a batch leaves, its bytes and the positions behind it are
written there and synced. After a crash the same bytes are sent again - same times, same lines, so that a store that drops
exact duplicates keeps each line once - and reading goes on behind them. It also remembers which file (device, inode, first
bytes) an offset belongs to, which Promtail's format cannot say.

State file:  `spyglass-agent 1 <crc32 of the rest> <header bytes>\n`  header (JSON)  body  body  ...
"""

import os
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import yaml

from spyglass.model.errors import ConfigError

_HEAD = re.compile(rb"spyglass-agent 1 (\d+) (\d+)")


@dataclass(frozen=True, slots=True)
class Position:
    """Where reading goes on. offset: bytes of a file, or nanoseconds since 1970 of a log that is read by time.

    device, inode: the file that the offset is in; 0 where it is not known.  head_size, head_crc: a checksum of its first bytes, by which
    a file that was truncated and written anew is told from one that grew.
    """

    offset: int
    device: int = 0
    inode: int = 0
    head_size: int = 0
    head_crc: int = 0


GONE = Position(-1)
"""In the place of a position: the source is gone and its key is to be forgotten."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One request body on its way to one client. entries and size (bytes of lines) are for the counters."""

    client: str
    tenant: str
    body: bytes
    entries: int = 0
    size: int = 0


@dataclass(slots=True)
class Positions:
    """The positions of all sources. Synchronous; one thread at a time.

    `unsent` holds the parcels that a previous life may not have delivered.
    """

    file: Path
    ignore_invalid: bool = False
    unsent: tuple[Parcel, ...] = ()
    _written: tuple[int, ...] = ()
    _current: dict[str, Position] = field(default_factory=dict)
    _dirty: bool = False

    @property
    def state_file(self) -> Path:
        return self.file.with_name(self.file.name + ".state")

    def load(self) -> None:
        """Read both files. Raises: ConfigError where positions.yaml is not what it should be, and may not be ignored."""
        text = self._read_text()
        offsets = self._offsets(text)
        # Who removes positions.yaml wants everything to be read again: the state file must not know better.
        header, parcels = self._read_state() if text is not None else ({}, ())
        state = {key: Position(*values) for key, values in header.get("positions", {}).items()}
        self._written = tuple(header.get("written", ()))
        if text is not None and zlib.crc32(text) in self._written:
            self._current = state
        else:
            # Promtail, or an operator, wrote positions.yaml after us.
            self._current = {key: Position(offset) for key, offset in offsets.items()}
            self._current.update((k, p) for k, p in state.items() if k in offsets and _same(k, offsets[k], p.offset))
        self.unsent = parcels
        self._dirty = True

    def get(self, key: str) -> Position | None:
        return self._current.get(key)

    def items(self) -> list[tuple[str, Position]]:
        return sorted(self._current.items())

    def prepare(self, changes: Mapping[str, Position], parcels: Sequence[Parcel]) -> None:
        """Write down what is about to be sent and the positions behind it; durable on return."""
        self.advance(changes)
        self._write_state(parcels)

    def advance(self, changes: Mapping[str, Position]) -> None:
        """Move positions in memory: over lines of which nothing was left to send, or ahead of `prepare`."""
        self._dirty = self._dirty or bool(changes)
        for key, position in changes.items():
            if position is GONE:
                self._current.pop(key, None)
            else:
                self._current[key] = position

    def settle(self) -> None:
        """Everything prepared has been delivered: write positions.yaml, and the state without parcels."""
        if not self._dirty and self.file.exists():
            return
        offsets = {key: _shown(key, p.offset) for key, p in self.items() if not is_retired(key)}
        text = yaml.safe_dump({"positions": offsets}, width=10_000).encode()
        # The state names the positions.yaml of before and after, so that it is believed with either of them.
        self._written = (*self._written[-1:], zlib.crc32(text))
        self._write_state(())
        replace_file(self.file, text)
        self.unsent = ()
        self._dirty = False

    def _read_text(self) -> bytes | None:
        try:
            return self.file.read_bytes()
        except FileNotFoundError:
            return None

    def _offsets(self, text: bytes | None) -> dict[str, int]:
        try:
            positions = (yaml.safe_load(text or b"") or {}).get("positions") or {}
            return {str(key): _exact(str(key), int(offset)) for key, offset in positions.items()}
        except (yaml.YAMLError, ValueError, TypeError, AttributeError) as err:
            if self.ignore_invalid:
                return {}
            message = "is no positions file; remove it, or set positions.ignore_invalid_yaml to read everything again"
            raise ConfigError(f"{message} ({type(err).__name__})", file=str(self.file)) from None

    def _read_state(self) -> tuple[dict[str, Any], tuple[Parcel, ...]]:
        """Empty where there is none. A state that fails its checksum was torn by hand or disk: it counts as none."""
        try:
            data = self.state_file.read_bytes()
        except FileNotFoundError:
            return {}, ()
        head, _, rest = data.partition(b"\n")
        match = _HEAD.fullmatch(head)
        if match is None or int(match.group(1)) != zlib.crc32(rest):
            return {}, ()
        size = int(match.group(2))
        header: dict[str, Any] = orjson.loads(rest[:size])
        parcels, at = [], size
        for client, tenant, entries, line_bytes, length in header["parcels"]:
            parcels.append(Parcel(client, tenant, rest[at : at + length], entries, line_bytes))
            at += length
        return header, tuple(parcels)

    def _write_state(self, parcels: Sequence[Parcel]) -> None:
        positions = {key: [p.offset, p.device, p.inode, p.head_size, p.head_crc] for key, p in self._current.items()}
        listed = [[p.client, p.tenant, p.entries, p.size, len(p.body)] for p in parcels]
        header = orjson.dumps({"positions": positions, "parcels": listed, "written": self._written})
        rest = header + b"".join(p.body for p in parcels)
        replace_file(self.state_file, b"spyglass-agent 1 %d %d\n%s" % (zlib.crc32(rest), len(header), rest))


_RETIRED = "\0"


def retired_key(key: str, inode: int) -> str:
    """The key of a file that was renamed away while it was being read: it is in the state file only."""
    return f"{key}{_RETIRED}{inode}"


def is_retired(key: str) -> bool:
    return _RETIRED in key


def retired_of(positions: Positions, key: str) -> list[tuple[str, Position]]:
    """The renamed predecessors of `key` that are still to be read to their ends."""
    return [(name, position) for name, position in positions.items() if name.startswith(key + _RETIRED)]


_CURSOR = "cursor-"
"""Promtail's prefix of keys whose value is a time in seconds."""


def cursor_key(name: str) -> str:
    return _CURSOR + name


def _shown(key: str, offset: int) -> str:
    return str(offset // 10**9 if key.startswith(_CURSOR) else offset)


def _exact(key: str, offset: int) -> int:
    return offset * 10**9 if key.startswith(_CURSOR) else offset


def _same(key: str, written: int, exact: int) -> bool:
    return written == _exact(key, int(_shown(key, exact)))


def replace_file(path: Path, data: bytes) -> None:
    """Write a file so that it is always either the old or the new one, also after power loss."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".new")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
