"""Read numbers and texts from bytes, as encoding/binary and Prometheus' encoding package write them (big-endian)."""

import struct


class ByteReader:
    """Every method raises IndexError, struct.error or UnicodeDecodeError where the bytes end first or are no text."""

    __slots__ = ("at", "data")

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data, self.at = data, at

    def __bool__(self) -> bool:
        """Whether there are bytes left."""
        return self.at < len(self.data)

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def u64(self) -> int:
        (number,) = struct.unpack_from(">Q", self.data, self.at)
        self.at += 8
        return int(number)

    def i64(self) -> int:
        (number,) = struct.unpack_from(">q", self.data, self.at)
        self.at += 8
        return int(number)

    def f64(self) -> float:
        (number,) = struct.unpack_from(">d", self.data, self.at)
        self.at += 8
        return float(number)

    def uvarint(self) -> int:
        found = shift = 0
        while True:
            byte = self.byte()
            found |= (byte & 127) << shift
            if byte < 128:
                return found & 0xFFFF_FFFF_FFFF_FFFF
            shift += 7
            if shift > 63:
                raise IndexError("a varint of more than ten bytes")

    def varint(self) -> int:
        found = self.uvarint()
        return found >> 1 ^ -(found & 1)

    def text(self) -> str:
        size = self.uvarint()
        start, self.at = self.at, self.at + size
        if self.at > len(self.data):
            raise IndexError("a text is cut off")
        return self.data[start : self.at].decode()
