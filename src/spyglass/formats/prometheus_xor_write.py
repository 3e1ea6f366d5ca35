"""Write Prometheus' XOR chunks, many at once. The counterpart of prometheus_xor.py; the format is described there."""

import numpy as np

from spyglass.formats.bit_fields import TIME_WIDTHS, Cells, pack, signed_cells, varint_cells, xor_cells
from spyglass.model.arrays import F64, I64, U64

CHUNK_SAMPLES = 120
"""Upstream's target for a chunk. More samples make a chunk smaller per sample and slower to enter in its middle."""


def encode_xor_chunks(times: I64, values: F64, offsets: I64) -> list[bytes]:
    """C chunks of samples in ascending order of time.

    Args:    times [M] ms, values [M]; chunk c owns [offsets[c], offsets[c+1]), at least one sample, fewer than 2**16.
    Returns: each chunk's data without length, encoding and checksum.
    """
    lengths = np.diff(offsets)
    if not len(lengths):
        return []
    # Chunks as columns [N,C]; what lies beyond a chunk's end repeats its last sample and is not written.
    row = np.arange(int(lengths.max()))[:, None]
    places = offsets[:-1] + np.minimum(row, lengths - 1)
    beyond = row >= lengths
    cells = [_time_cells(times[places]), xor_cells(values[places].view(np.uint64))]
    fields = np.stack([cell.values for cell in cells], axis=2)
    widths = np.stack([cell.widths for cell in cells], axis=2)
    widths[beyond] = 0
    data, starts = pack(*_with_counts(fields, widths, lengths))
    return [data[start:end] for start, end in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True)]


def _time_cells(times: I64) -> Cells:
    """times [N,C]: the first as a varint, the second's delta as an uvarint, then deltas of deltas."""
    deltas = np.diff(times, axis=0)
    first = times[:1]
    parts = [
        varint_cells(((first << 1) ^ (first >> 63)).view(np.uint64)),
        varint_cells(deltas[:1].view(np.uint64)),
        signed_cells(np.diff(deltas, axis=0), TIME_WIDTHS),
    ]
    return Cells(np.concatenate([p.values for p in parts]), np.concatenate([p.widths for p in parts]))


def _with_counts(fields: U64, widths: I64, lengths: I64) -> tuple[U64, I64, I64]:
    """Fields [N,C,2,2] in order of chunks, the number of samples in 16 bits before each."""
    chunks, per_chunk = len(lengths), fields.shape[0] * 4
    flat = np.empty((chunks, per_chunk + 1), np.uint64)
    flat_widths = np.empty((chunks, per_chunk + 1), np.int64)
    flat[:, 0], flat_widths[:, 0] = lengths.view(np.uint64), 16
    flat[:, 1:] = fields.transpose(1, 0, 2, 3).reshape(chunks, per_chunk)
    flat_widths[:, 1:] = widths.transpose(1, 0, 2, 3).reshape(chunks, per_chunk)
    return flat.ravel(), flat_widths.ravel(), np.arange(chunks) * (per_chunk + 1)
