"""Read a stream bit by bit, the most significant bit of each byte first."""

from spyglass.formats.bit_fields import VARBIT_WIDTHS

_VARBIT_WIDTHS = tuple(VARBIT_WIDTHS.tolist())


class BitReader:
    """Every method raises IndexError where the stream ends first."""

    __slots__ = ("_data", "_end", "_position")

    def __init__(self, data: bytes, position: int = 0) -> None:
        # Nine bytes of padding, so that a window of 72 bits can always be cut.
        self._data, self._position, self._end = data + b"\0" * 9, position, len(data) * 8

    def take(self, count: int) -> int:
        """The next bits, at most 64, as an unsigned number."""
        position = self._position
        after = position + count
        if after > self._end:
            raise IndexError
        self._position = after
        byte = position >> 3
        window = int.from_bytes(self._data[byte : byte + 9])
        return window >> (72 - (position & 7) - count) & ((1 << count) - 1)

    def ones(self, limit: int) -> int:
        """How many ones come next, at most `limit`; the zero that ends fewer is taken too."""
        found = 0
        while found < limit and self.take(1):
            found += 1
        return found

    def uvarint(self) -> int:
        """Raises: OverflowError: more than ten bytes."""
        found = shift = 0
        while True:
            byte = self.take(8)
            found |= (byte & 127) << shift
            if byte < 128:
                return found
            shift += 7
            if shift > 63:
                raise OverflowError("a varint of more than ten bytes")

    def varint(self) -> int:
        """Raises: OverflowError: more than ten bytes."""
        found = self.uvarint()
        return found >> 1 ^ -(found & 1)

    def signed(self, width: int) -> int:
        """Two's complement for 64 bits; narrower numbers keep +2^(n-1) and give up -2^(n-1)."""
        found = self.take(width)
        limit = 1 << (width - 1)
        return found - (1 << width) if found > limit or (width == 64 and found == limit) else found

    def varbit_int(self) -> int:
        """A signed number of a histogram chunk."""
        ones = self.ones(8)
        return self.signed(_VARBIT_WIDTHS[ones - 1]) if ones else 0

    def varbit_uint(self) -> int:
        """An unsigned number of a histogram chunk."""
        ones = self.ones(8)
        return self.take(_VARBIT_WIDTHS[ones - 1]) if ones else 0


class XorReader:
    """A column of floats' bits, each written as its change from the one before."""

    __slots__ = ("_leading", "_trailing", "value")

    def __init__(self, first: int) -> None:
        self.value, self._leading, self._trailing = first, 0, 0

    def read(self, stream: BitReader) -> int:
        """The next value's bits. Raises: OverflowError: a window wider than 64 bits."""
        if stream.take(1):
            if stream.take(1):
                self._leading = stream.take(5)
                width = stream.take(6) or 64
                self._trailing = 64 - self._leading - width
                if self._trailing < 0:
                    raise OverflowError("a value wider than 64 bits")
            self.value ^= stream.take(64 - self._leading - self._trailing) << self._trailing
        return self.value
