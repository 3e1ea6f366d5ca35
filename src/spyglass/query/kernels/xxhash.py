"""XXH64, the hash that upstream places label sets with for limit_ratio. Source: the xxHash specification (Collet).

In plain Python: a microsecond or ten per label set, and only limit_ratio asks.
"""

_M = (1 << 64) - 1
_P1, _P2, _P3, _P4, _P5 = (
    0x9E3779B185EBCA87,
    0xC2B2AE3D27D4EB4F,
    0x165667B19E3779F9,
    0x85EBCA77C2B2AE63,
    0x27D4EB2F165667C5,
)


def _rotated(value: int, bits: int) -> int:
    return ((value << bits) | (value >> (64 - bits))) & _M


def _round(lane: int, word: int) -> int:
    return _rotated((lane + word * _P2) & _M, 31) * _P1 & _M


def xxh64(data: bytes) -> int:
    """The 64-bit hash with seed 0.

    >>> hex(xxh64(b""))
    '0xef46db3751d8e999'
    """
    at, size = 0, len(data)
    if size >= 32:
        lanes = [(_P1 + _P2) & _M, _P2, 0, -_P1 & _M]
        while at <= size - 32:
            for lane in range(4):
                word = int.from_bytes(data[at + 8 * lane : at + 8 * lane + 8], "little")
                lanes[lane] = _round(lanes[lane], word)
            at += 32
        value = sum(_rotated(lane, bits) for lane, bits in zip(lanes, (1, 7, 12, 18), strict=True)) & _M
        for lane in lanes:
            value = ((value ^ _round(0, lane)) * _P1 + _P4) & _M
    else:
        value = _P5
    return _finished((value + size) & _M, data[at:])


def _finished(value: int, rest: bytes) -> int:
    while len(rest) >= 8:
        value ^= _round(0, int.from_bytes(rest[:8], "little"))
        value = (_rotated(value, 27) * _P1 + _P4) & _M
        rest = rest[8:]
    if len(rest) >= 4:
        value ^= int.from_bytes(rest[:4], "little") * _P1 & _M
        value = (_rotated(value, 23) * _P2 + _P3) & _M
        rest = rest[4:]
    for byte in rest:
        value = _rotated(value ^ (byte * _P5 & _M), 11) * _P1 & _M
    value = ((value ^ (value >> 33)) * _P2) & _M
    value = ((value ^ (value >> 29)) * _P3) & _M
    return value ^ (value >> 32)
