"""Remote write 2.0 (io.prometheus.write.v2.Request), read.

Labels and metadata are numbers in one table of symbols per body, so its keys are labels.
Source: prompb/io/prometheus/write/v2/types.proto.
"""

import numpy as np

from spyglass.formats import wire
from spyglass.formats.native_histogram import decode_histogram
from spyglass.formats.remote_write.columns import NOTHING_KNOWN, Gathered, KnownKeys, WriteColumns, metadata_kind
from spyglass.formats.remote_write.labels import BadLabels, checked, shown
from spyglass.model.errors import MalformedBody
from spyglass.model.histograms import FloatHistogram
from spyglass.model.labels import METRIC_NAME
from spyglass.model.samples import Exemplar, Metadata


def decode_v2(data: bytes, known: KnownKeys = NOTHING_KNOWN) -> WriteColumns:
    """An io.prometheus.write.v2.Request; its keys are labels, so `known` does not matter. Raises: MalformedBody."""
    del known
    symbols: list[str] = []
    entries: list[bytes] = []
    for number, _, value in wire.fields(data):
        if number == 4:
            symbols.append(wire.text(value))
        elif number == 5:
            entries.append(wire.message(value))
    if symbols and symbols[0] != "":
        raise MalformedBody("the first symbol of a remote write 2.0 body must be empty")
    out = Gathered()
    metadata: dict[str, Metadata] = {}
    for entry in entries:
        _entry_v2(out, entry, symbols, metadata)
    return out.columns(metadata)


def _entry_v2(out: Gathered, entry: bytes, symbols: list[str], metadata: dict[str, Metadata]) -> None:
    index = len(out.keys)
    times: list[int] = []
    values: list[float] = []
    starts: list[int] = []
    created_ms = 0
    refs: list[int] = []
    exemplars: list[Exemplar] = []
    histograms: list[tuple[int, FloatHistogram]] = []
    described: Metadata | None = None
    for number, kind, value in wire.fields(entry):
        if number == 1:
            refs.extend(wire.packed_varints(kind, value))
        elif number == 2:
            sample, time_ms, start_ms = _sample_v2(wire.message(value))
            values.append(sample)
            times.append(time_ms)
            starts.append(start_ms)
        elif number == 3:
            histograms.append(decode_histogram(wire.message(value)))
        elif number == 4:
            exemplars.append(_exemplar_v2(wire.message(value), symbols))
        elif number == 5:
            described = _metadata_v2(wire.message(value), symbols)
        elif number == 6:
            # Before 2.0-rc.4 a series had one start for all of its samples.
            created_ms = wire.signed(value)
    try:
        labels = checked(_pairs(refs, symbols))
    except BadLabels as err:
        out.bad.append(str(err))
        return
    if not (times or histograms):
        if exemplars or described is None:
            out.bad.append(f"TimeSeries must contain at least one sample or histogram for series {shown(list(labels))}")
        return
    out.note_starts([start or created_ms for start in starts])
    out.block(labels, times, np.array(values, np.float64))
    out.exemplars.extend((index, exemplar) for exemplar in exemplars)
    out.histograms.extend((index, time_ms, histogram) for time_ms, histogram in histograms)
    if described is not None and described != Metadata():
        metadata[dict(labels)[METRIC_NAME]] = described


def _sample_v2(data: bytes) -> tuple[float, int, int]:
    """(value, time in ms, start timestamp in ms or 0)."""
    sample, time_ms, start_ms = 0.0, 0, 0
    for number, _, value in wire.fields(data):
        if number == 1:
            sample = wire.double(value)
        elif number == 2:
            time_ms = wire.signed(value)
        elif number == 3:
            start_ms = wire.signed(value)
    return sample, time_ms, start_ms


def _pairs(refs: list[int], symbols: list[str]) -> list[tuple[str, str]]:
    if len(refs) % 2:
        raise MalformedBody(f"invalid labelRefs length {len(refs)}")
    try:
        return [(symbols[refs[at]], symbols[refs[at + 1]]) for at in range(0, len(refs), 2)]
    except IndexError:
        raise MalformedBody(
            f"labelRefs {max(refs)} (name or value) outside of symbols table (size {len(symbols)})"
        ) from None


def _exemplar_v2(data: bytes, symbols: list[str]) -> Exemplar:
    refs: list[int] = []
    sample, time_ms = 0.0, 0
    for number, kind, value in wire.fields(data):
        if number == 1:
            refs.extend(wire.packed_varints(kind, value))
        elif number == 2:
            sample = wire.double(value)
        elif number == 3:
            time_ms = wire.signed(value)
    return Exemplar(tuple(sorted(pair for pair in _pairs(refs, symbols) if pair[1])), sample, time_ms)


def _metadata_v2(data: bytes, symbols: list[str]) -> Metadata:
    found = {1: 0, 3: 0, 4: 0}
    for number, _, value in wire.fields(data):
        if number in found:
            found[number] = wire.whole(value)
    if max(found[3], found[4]) >= max(len(symbols), 1):
        raise MalformedBody(f"a metadata reference is outside of the symbols table (size {len(symbols)})")
    texts = symbols or [""]
    return Metadata(metadata_kind(found[1]), texts[found[3]], texts[found[4]])
