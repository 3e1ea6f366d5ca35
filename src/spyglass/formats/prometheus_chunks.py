"""A chunk of a Prometheus series, encoded; in blocks, head files and remote read alike. Source: Prometheus tsdb/chunkenc/chunk.go."""

from dataclasses import dataclass

XOR, HISTOGRAM, FLOAT_HISTOGRAM = 1, 2, 3
"""Encodings. Numbers as on disk and on the wire."""


@dataclass(frozen=True, slots=True)
class EncodedChunk:
    """min_ms, max_ms: its first and last sample. data: without length, encoding and checksum."""

    min_ms: int
    max_ms: int
    encoding: int
    data: bytes
