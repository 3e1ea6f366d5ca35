"""Exposition bodies to columns: a fast path over lines seen before, a strict path for all others.

A target sends much the same lines every time: only what follows the last space of a line changes. So each target has one
`ExpositionDecoder`, whose cache maps the bytes before the value to a *slot*, a small number that stands for the series. The
fast path splits the body into lines, looks all prefixes up, and converts all values; a line that misses goes through the strict
path, which knows the grammar and says what is wrong. Where a body has the lines of the last one but for some values, only the
lines that changed are looked at: at short intervals those are few.

Formats: Prometheus text 0.0.4 and 1.0.0 (quoted UTF-8 names), OpenMetrics 0.0.1 and 1.0.0, and (without a fast path) protobuf.
Source: Prometheus docs/instrumenting/exposition_formats.md; the OpenMetrics 1.0 specification.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from spyglass.formats.exposition.comments import FamilyComments
from spyglass.formats.exposition.lines import SampleLine, read_sample_line, read_series
from spyglass.formats.exposition.protobuf import exemplars_of, read_families
from spyglass.model.arrays import F64, I32, I64
from spyglass.model.errors import MalformedBody
from spyglass.model.histograms import FloatHistogram
from spyglass.model.labels import Labels
from spyglass.model.samples import Exemplar, Metadata
from spyglass.text.gofloat import format_label_float

NO_TIME = np.iinfo(np.int64).min
"""In `times`: the line had no timestamp of its own."""

_FORBIDDEN = (b"\r", b"\x00")
_ODD_IN_VALUES = (b"_", b"\t")


@dataclass(frozen=True, slots=True)
class DecodedBody:
    """One body in columns, n samples in the order of the lines.

    slots [n]: which series (ExpositionDecoder.labels says its labels).  values [n].  times [n] ms, NO_TIME where the line had
    none; None where no line had one.  same_series: the slots are those of the last body, element by element.
    exemplars: (slot, exemplar); an exemplar without a time has time_ms NO_TIME.
    metadata: every family's, where it differs from the last body's; else empty.
    histograms: native ones: (slot, time in ms or NO_TIME, histogram); only the protobuf format has them.
    starts [n] ms: start timestamps, 0 where there is none; None: nowhere. Only the protobuf format has them with the samples.
    """

    slots: I64
    values: F64
    times: I64 | None = None
    same_series: bool = False
    exemplars: Sequence[tuple[int, Exemplar]] = ()
    metadata: dict[str, Metadata] = field(default_factory=dict)
    histograms: Sequence[tuple[int, int, FloatHistogram]] = ()
    starts: I64 | None = None

    @property
    def size(self) -> int:
        return len(self.slots)


class ExpositionDecoder:
    """The decoder of one target. Not thread-safe: a target has one scrape at a time."""

    def __init__(self) -> None:
        self._keys: list[bytes | Labels] = []
        self._float_labels: list[str] = []
        self._taken = 0
        self.metadata: dict[str, Metadata] = {}
        self._slots: dict[bytes | Labels, int] = {}
        self._last_comments: list[bytes] = []
        self._shape: _Shape | None = None

    def decode(self, body: bytes, *, openmetrics: bool = False) -> DecodedBody:
        """The samples of a body.

        Raises: MalformedBody with the line's number and what is wrong; then nothing of the body counts.
        """
        if not any(byte in body for byte in _FORBIDDEN):
            decoded = self._fast(body.split(b"\n"), openmetrics)
            if decoded is not None:
                return decoded
        return self._strict(body, openmetrics)

    def decode_protobuf(self, body: bytes, *, native: bool = True, classic_too: bool = False) -> DecodedBody:
        """The samples of a protobuf body. native False: the classic buckets only.

        Raises: MalformedBody; then nothing of the body counts.
        """
        state = _Reading(FamilyComments(openmetrics=False))
        families: dict[str, Metadata] = {}
        histograms: list[tuple[int, int, FloatHistogram]] = []
        starts: list[int] = []
        for name, metadata, samples in read_families(body, native=native, classic_too=classic_too):
            families[name] = metadata
            for sample in samples:
                slot = self._slot_of(sample.labels)
                if sample.histogram is None:
                    state.add_value(slot, sample.value, sample.time_ms)
                    starts.append(sample.start_ms)
                else:
                    time_ms = NO_TIME if sample.time_ms is None else sample.time_ms
                    histograms.append((slot, time_ms, sample.histogram))
                state.exemplars.extend((slot, exemplar) for exemplar in exemplars_of(sample, NO_TIME))
        changed = self._learn_families(families)
        self._shape = None
        known = np.array(starts, np.int64) if any(starts) else None
        return replace(state.decoded(changed), histograms=histograms, starts=known)

    def _slot_of(self, labels: Labels) -> int:
        """Series of the protobuf format are named by their labels: there is no text to go by."""
        slot = self._slots.get(labels)
        if slot is None:
            slot = self._number(labels, "")
        return slot

    def _number(self, key: bytes | Labels, float_label: str) -> int:
        """A slot for a new series. Its labels are not kept: the key gives them again when they are asked for."""
        slot = self._slots[key] = len(self._keys)
        self._keys.append(key)
        self._float_labels.append(float_label)
        return slot

    @property
    def size(self) -> int:
        """How many slots there are."""
        return len(self._keys)

    def labels(self, slot: int) -> Labels:
        """The labels of a series, as the target exposes it."""
        key = self._keys[slot]
        return key if isinstance(key, tuple) else _labels_of_text(key, self._float_labels[slot])

    def take_new(self, most: int | None = None) -> list[Labels]:
        """The labels of the slots made since the last call, in order of their numbers; of `most` of them if there are more."""
        end = self.size if most is None else min(self.size, self._taken + most)
        new = [self.labels(slot) for slot in range(self._taken, end)]
        self._taken = end
        return new

    def _learn_families(self, families: dict[str, Metadata]) -> dict[str, Metadata]:
        """Remember what is new of the families; returns it."""
        changed = {name: meta for name, meta in families.items() if self.metadata.get(name) != meta}
        if changed:
            self.metadata = {**self.metadata, **changed}
        return changed

    def _fast(self, lines: list[bytes], openmetrics: bool) -> DecodedBody | None:
        """The body where every series is known; None where one is not, or anything looks odd."""
        digests = np.fromiter(map(hash, lines), np.int64, len(lines))
        repeated = self._repeated(lines, digests)
        if repeated is not None:
            return repeated
        samples = [line for line in lines if line and line[:1] != b"#"]
        comments = [line for line in lines if line[:1] == b"#"]
        if comments != self._last_comments or not samples or (openmetrics and not _ends_well(lines)):
            return None
        parts = [line.rpartition(b" ") for line in samples]
        found = list(map(self._slots.get, [part[0] for part in parts]))
        if None in found:
            return self._mixed(samples, openmetrics)
        values = self._values([part[2] for part in parts])
        if values is None:
            return None
        slots = np.array(found, np.int64)
        self._shape = _Shape.of(lines, digests, slots, values)
        return DecodedBody(slots, values)

    def _repeated(self, lines: list[bytes], digests: I64) -> DecodedBody | None:
        """The body where line by line only values differ from the last one's: most lines do not differ at all."""
        shape = self._shape
        if shape is None or len(lines) != len(shape.lines):
            return None
        changed = np.flatnonzero(digests != shape.lines)
        values = shape.values.copy()
        if len(changed):
            rows = shape.row_of_line[changed]
            if int(rows.min()) < 0:
                return None
            parts = [lines[at].rpartition(b" ") for at in changed.tolist()]
            if [part[0] for part in parts] != [self._keys[slot] for slot in shape.slots[rows].tolist()]:
                return None
            fresh = self._values([part[2] for part in parts])
            if fresh is None:
                return None
            values[rows] = fresh
            shape.lines, shape.values = digests, values
        return DecodedBody(shape.slots, values, same_series=True)

    def _mixed(self, samples: list[bytes], openmetrics: bool) -> DecodedBody | None:
        """Known series, some with timestamps or exemplars; None where a series is new."""
        state = _Reading(FamilyComments(openmetrics))
        for line in samples:
            try:
                sample = read_sample_line(line, openmetrics)
            except ValueError:
                return None
            slot = self._slots.get(sample.series)
            if slot is None:
                return None
            state.add(slot, sample)
        return state.decoded({})

    @staticmethod
    def _values(texts: list[bytes]) -> F64 | None:
        joined = b" ".join(texts)
        if any(byte in joined for byte in _ODD_IN_VALUES):
            return None
        try:
            return np.array(list(map(float, texts)), np.float64)
        except ValueError:
            return None

    def _strict(self, body: bytes, openmetrics: bool) -> DecodedBody:
        """Line by line. Series already known are still found in the cache: only new ones have their labels read."""
        text_lines = body.split(b"\n")
        state = _Reading(FamilyComments(openmetrics))
        if openmetrics:
            text_lines = _openmetrics_lines(text_lines)
        for number, line in enumerate(text_lines, 1):
            try:
                self._line(line, state, openmetrics)
            except ValueError as err:
                raise MalformedBody(f"line {number}: {err}") from None
        return self._finish(state, text_lines, openmetrics)

    def _line(self, line: bytes, state: "_Reading", openmetrics: bool) -> None:
        stripped = line.lstrip(b" \t")
        if not stripped:
            if openmetrics:
                raise ValueError("OpenMetrics has no empty lines")
            return
        if stripped[:1] == b"#":
            state.comments.read(line if openmetrics else stripped)
            return
        sample = read_sample_line(line, openmetrics)
        slot = self._slots.get(sample.series)
        if slot is None:
            slot = self._new_slot(sample.series, state)
        state.add(slot, sample)

    def _new_slot(self, series: bytes, state: "_Reading") -> int:
        float_label = state.comments.float_label
        # What has no labels is refused now; what has is read again when it is asked for, a few at a time: held for all of a
        # target's series at its first scrape, their labels would take more memory than anything else of it.
        _labels_of_text(series, float_label)
        return self._number(series, float_label)

    def _finish(self, state: "_Reading", lines: list[bytes], openmetrics: bool) -> DecodedBody:
        changed = self._learn_families(state.comments.families)
        decoded = state.decoded(changed)
        self._last_comments = [line for line in lines if line[:1] == b"#"]
        if openmetrics:
            self._last_comments.append(b"# EOF")
        self._shape = None
        return decoded


@dataclass(slots=True)
class _Shape:
    """The last body whose lines were all known: what each line was, and per sample its slot and value.

    lines [L]: the lines' hashes instead of the lines, which would be most of what a target takes. Python hashes bytes under a key that
    each process draws: a line that changed passes for the old one with probability 2^-64, whatever the target sends.
    row_of_line [L]: the sample of a line, -1 for comments and empty lines.
    """

    lines: I64
    row_of_line: I32
    slots: I64
    values: F64

    @staticmethod
    def of(lines: list[bytes], digests: I64, slots: I64, values: F64) -> "_Shape":
        is_sample = np.array([bool(line) and line[:1] != b"#" for line in lines])
        row_of_line = np.where(is_sample, np.cumsum(is_sample) - 1, -1).astype(np.int32)
        return _Shape(digests, row_of_line, slots, values)


class _Reading:
    """What the strict path gathers."""

    def __init__(self, comments: FamilyComments) -> None:
        self.comments = comments
        self.slots: list[int] = []
        self.values: list[float] = []
        self.times: list[int] = []
        self.exemplars: list[tuple[int, Exemplar]] = []
        self.timed = False

    def add(self, slot: int, sample: SampleLine) -> None:
        self.add_value(slot, sample.value, sample.time_ms)
        if sample.exemplar is not None:
            labels, value, time_ms = sample.exemplar
            self.exemplars.append((slot, Exemplar(labels, value, NO_TIME if time_ms is None else time_ms)))

    def add_value(self, slot: int, value: float, time_ms: int | None) -> None:
        self.slots.append(slot)
        self.values.append(value)
        self.times.append(NO_TIME if time_ms is None else time_ms)
        self.timed = self.timed or time_ms is not None

    def decoded(self, metadata: dict[str, Metadata]) -> DecodedBody:
        slots, values = np.array(self.slots, np.int64), np.array(self.values, np.float64)
        times = np.array(self.times, np.int64) if self.timed else None
        return DecodedBody(slots, values, times, False, tuple(self.exemplars), metadata)


def _ends_well(lines: list[bytes]) -> bool:
    """Whether `# EOF` is the last line and no line is empty but what follows the last line feed."""
    if lines[-1] == b"":
        return len(lines) > 1 and lines[-2] == b"# EOF" and lines.count(b"") == 1
    return lines[-1] == b"# EOF" and b"" not in lines


def _openmetrics_lines(lines: list[bytes]) -> list[bytes]:
    """The lines before `# EOF`, which must be there and last."""
    if lines and lines[-1] == b"":
        lines = lines[:-1]
    if b"# EOF" not in lines:
        raise MalformedBody(f"line {max(len(lines), 1)}: data does not end with # EOF")
    end = lines.index(b"# EOF")
    if end != len(lines) - 1:
        raise MalformedBody(f"line {end + 2}: unexpected data after # EOF")
    return lines[:end]


def _labels_of_text(series: bytes, float_label: str) -> Labels:
    """Raises: ValueError."""
    labels = read_series(series)
    if not float_label:
        return labels
    return tuple((name, _normalised(value)) if name == float_label else (name, value) for name, value in labels)


def _normalised(value: str) -> str:
    try:
        return format_label_float(float(value))
    except ValueError:
        return value
