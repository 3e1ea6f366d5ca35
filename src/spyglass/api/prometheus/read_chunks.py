"""Remote read in streamed chunks: a selection becomes frames, some series at a time.

A stored series is not kept in Prometheus' chunks, so they are made here, of at most 120 samples as upstream's, many per call.
Source: Prometheus storage/remote/codec.go, StreamChunkedReadResponses.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from spyglass.api.prometheus.pieces import NO_RUN, Run, floats_by_row, histograms_by_row
from spyglass.formats.chunked_read import encode_frames
from spyglass.formats.prometheus_chunks import XOR, EncodedChunk
from spyglass.formats.prometheus_histogram_write import encode_histogram_chunks
from spyglass.formats.prometheus_xor_write import CHUNK_SAMPLES, encode_xor_chunks
from spyglass.model.arrays import I64
from spyglass.model.histograms import FloatHistogram
from spyglass.model.labels import Labels, labels_of
from spyglass.model.samples import Selection

BATCH_CHUNKS = 128
"""XOR chunks encoded in one call: enough for columns to pay, few enough for them to stay in the processor's cache."""

Histograms = Sequence[tuple[int, FloatHistogram]]


@dataclass(slots=True)
class _Batch:
    """Series on their way out. cuts: per series the lengths of its XOR chunks."""

    labels: list[Labels] = field(default_factory=list)
    floats: list[Run] = field(default_factory=list)
    cuts: list[list[int]] = field(default_factory=list)
    histograms: list[list[EncodedChunk]] = field(default_factory=list)
    chunks: int = 0


def frames_of(
    found: Selection, external: Mapping[str, str], *, query_index: int, frame_bytes_max: int
) -> Iterator[bytes]:
    """The selection's series in order of their labels, several frames per item. External labels give way to a series' own."""
    floats, histograms = floats_by_row(found), histograms_by_row(found)
    rows = {*floats, *histograms}
    ordered = sorted((labels_of({**external, **dict(found.labels.labels(row))}), row) for row in rows)
    batch = _Batch()
    for labels, row in ordered:
        _add(batch, labels, floats.get(row, NO_RUN), histograms.get(row, ()))
        if batch.chunks >= BATCH_CHUNKS:
            yield _frames(batch, query_index, frame_bytes_max)
            batch = _Batch()
    if batch.labels:
        yield _frames(batch, query_index, frame_bytes_max)


def _add(batch: _Batch, labels: Labels, floats: Run, histograms: Histograms) -> None:
    float_runs, histogram_runs = _alternating(floats[0], histograms)
    cuts = [min(CHUNK_SAMPLES, size - at) for size in float_runs for at in range(0, size, CHUNK_SAMPLES)]
    batch.labels.append(labels)
    batch.floats.append(floats)
    batch.cuts.append(cuts)
    batch.histograms.append([chunk for run in histogram_runs for chunk in encode_histogram_chunks(run)])
    batch.chunks += len(cuts) + len(batch.histograms[-1])


def _alternating(times: I64, histograms: Histograms) -> tuple[list[int], list[Histograms]]:
    """Chunks of a series must not overlap: the sizes of the runs of floats without a histogram between them, and the other way round."""
    if not histograms or not len(times):
        return [len(times)], [histograms]
    histogram_times = np.asarray([time_ms for time_ms, _ in histograms], np.int64)
    float_cuts = np.flatnonzero(np.diff(np.searchsorted(histogram_times, times))) + 1
    sizes = np.diff(np.concatenate([[0], float_cuts, [len(times)]])).tolist()
    cuts = np.flatnonzero(np.diff(np.searchsorted(times, histogram_times))) + 1
    bounds = [0, *cuts.tolist(), len(histograms)]
    return sizes, [histograms[start:end] for start, end in pairwise(bounds)]


def _frames(batch: _Batch, query_index: int, frame_bytes_max: int) -> bytes:
    lengths = [length for cuts in batch.cuts for length in cuts]
    offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    times = np.concatenate([times for times, _ in batch.floats])
    values = np.concatenate([values for _, values in batch.floats])
    encoded = encode_xor_chunks(times, values, offsets)
    firsts, lasts = times[offsets[:-1]].tolist(), times[offsets[1:] - 1].tolist()
    ready = map(EncodedChunk, firsts, lasts, [XOR] * len(encoded), encoded)
    out: list[bytes] = []
    for labels, cuts, histograms in zip(batch.labels, batch.cuts, batch.histograms, strict=True):
        chunks = [next(ready) for _ in cuts]
        for chunk in histograms:
            chunks.insert(bisect_left(chunks, chunk.min_ms, key=lambda one: one.min_ms), chunk)
        out += encode_frames(labels, chunks, query_index=query_index, frame_bytes_max=frame_bytes_max)
    return b"".join(out)
