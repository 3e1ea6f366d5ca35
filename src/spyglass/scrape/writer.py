"""From a body to the store: decode, label, append, mark what ended. Synchronous; runs in the ingestion pool, one at a time per target.

Per target it keeps, per slot of the decoder, the store's reference of that series, so that in the steady state a scrape is a
decode, one fancy index and one append. Slots hold: a reference (> 0), DROPPED (relabelling), REFUSED (series limit).
Source for labels, staleness and the automatic series: Prometheus scrape/scrape.go.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from spyglass.config.prometheus import ScrapeConfig
from spyglass.formats.exposition.parser import NO_TIME, DecodedBody, ExpositionDecoder
from spyglass.ingest.metrics import LabelLimits, MetricIngest
from spyglass.model.arrays import F64, I64, Mask
from spyglass.model.errors import IngestError, StorageError, Unavailable
from spyglass.model.histograms import FloatHistogram
from spyglass.model.labels import METRIC_NAME, Labels, labels_of
from spyglass.model.relabel import relabel
from spyglass.model.samples import STALE, Exemplar, Metadata, WriteBatch, WriteOutcome, is_stale
from spyglass.protocols.metric_store import MetricWriter
from spyglass.scrape.content import BodyKind
from spyglass.scrape.created import CreatedTimes

DROPPED = 0
REFUSED = -1
RETRY_REFUSED_MS = 60_000
RESOLVED_AT_ONCE = 2000
"""So many new series have their labels in memory together."""

FUTURE_MS_MAX = 600_000
"""Samples further ahead than this are refused, as upstream does."""

REPORT_NAMES = (
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
)
EXTRA_REPORT_NAMES = ("scrape_timeout_seconds", "scrape_sample_limit", "scrape_body_size_bytes")


class LimitExceeded(IngestError):
    """sample_limit or a label limit: the whole scrape fails."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A decoded body on its way into the store. rows of refs/times/values/starts; tracked: references to watch for staleness."""

    refs: I64
    times: I64
    values: F64
    tracked: I64 | None
    scraped: int
    kept: int
    added: int
    decoded: DecodedBody
    histograms: Sequence[tuple[int, int, FloatHistogram]] = ()
    starts: I64 | None = None


@dataclass(frozen=True, slots=True)
class ScrapeReport:
    """What the automatic series say. error "": the target is up."""

    error: str
    seconds: float
    scraped: int = 0
    kept: int = 0
    added: int = 0
    body_bytes: int = 0


@dataclass(slots=True)
class _State:
    """What depends on the slots' numbering; thrown away together. refs [slots]: a reference, DROPPED or REFUSED."""

    decoder: ExpositionDecoder = field(default_factory=ExpositionDecoder)
    refs: I64 = field(default_factory=lambda: np.zeros(0, np.int64))
    created: CreatedTimes | None = None

    def starts(self, decoded: DecodedBody, kind: BodyKind) -> I64 | None:
        """The start timestamps that the body tells."""
        if kind != "openmetrics":
            return decoded.starts
        if self.created is None:
            self.created = CreatedTimes(self.decoder)
        return self.created.starts(decoded)

    def raw_labels(self, refs: Sequence[int]) -> dict[int, Labels]:
        """What the target exposed under these references, where they are of this state."""
        order = np.argsort(self.refs, kind="stable")
        places = np.searchsorted(self.refs[order], refs)
        found = {}
        for ref, place in zip(refs, places.tolist(), strict=True):
            if place < len(order) and self.refs[order[place]] == ref:
                found[ref] = self.decoder.labels(int(order[place]))
        return found


NOTHING = Prepared(
    np.zeros(0, np.int64),
    np.zeros(0, np.int64),
    np.zeros(0),
    None,
    0,
    0,
    0,
    DecodedBody(np.zeros(0, np.int64), np.zeros(0)),
)
"""What a scrape brought that failed."""


class TargetWriter:
    """One target's way into the store. start_timestamps: hand them on, where the target tells them."""

    def __init__(
        self,
        store: MetricWriter,
        ingest: MetricIngest,
        labels: Labels,
        job: ScrapeConfig,
        *,
        start_timestamps: bool = False,
    ) -> None:
        self._store, self._ingest, self._job = store, ingest, job
        self._start_timestamps = start_timestamps
        self._target = dict(labels)
        self._rules = job.metric_relabel_rules
        self._limits = LabelLimits(
            job.label_limit or 0,
            job.label_name_length_limit or 0,
            job.label_value_length_limit or 0,
            job.metric_name_validation_scheme == "legacy",
        )
        self._state = _State()
        # Where the labels of watched series are, until the first scrape under the present state is stored.
        self._previous: _State | None = None
        self._predecessor: TargetWriter | None = None
        self._tracked = np.zeros(0, np.int64)
        # Whether what is watched is what the last body of the decoder had.
        self._tracked_is_last = False
        self._report_refs = np.zeros(0, np.int64)
        self._metadata_sent: dict[str, Metadata] | None = None
        self._retry_at_ms = 0
        names = (*REPORT_NAMES, *(EXTRA_REPORT_NAMES if job.extra_scrape_metrics else ()))
        self._report_labels = [labels_of({**self._target, METRIC_NAME: name}) for name in names]

    @property
    def metadata_size(self) -> int:
        return len(self._state.decoder.metadata)

    @property
    def decoder(self) -> ExpositionDecoder:
        return self._state.decoder

    def inherit(self, other: "TargetWriter") -> None:
        """Take over what another writer of the same target watches, so that no series of it ends without a mark."""
        self._tracked = other._tracked
        self._predecessor = other

    def prepare(self, body: bytes, *, kind: BodyKind = "text", time_ms: int) -> Prepared:
        """Decode and label. Raises: MalformedBody, LimitExceeded: nothing was stored."""
        decoded = self._decode(body, kind)
        added = self._resolve_new()
        if time_ms >= self._retry_at_ms:
            self._retry_refused(time_ms)
        refs = self._state.refs[decoded.slots]
        keep = refs > DROPPED
        whole = bool(keep.all())
        refs, values = (refs, decoded.values) if whole else (refs[keep], decoded.values[keep])
        times, own = self._times(decoded, keep, time_ms)
        histograms = self._histograms(decoded, time_ms)
        scraped = decoded.size + len(decoded.histograms)
        kept = scraped - int((self._state.refs[decoded.slots] == DROPPED).sum()) - self._dropped_histograms(decoded)
        limit = self._job.sample_limit or 0
        if limit and int((~is_stale(values)).sum()) + len(histograms) > limit:
            raise LimitExceeded("sample limit exceeded")
        tracked = None
        if not (decoded.same_series and self._tracked_is_last):
            watched = refs if own is None or self._job.track_timestamps_staleness else refs[~own]
            tracked = np.unique(np.concatenate([watched, np.array([ref for ref, _, _ in histograms], np.int64)]))
        starts = self._state.starts(decoded, kind) if self._start_timestamps else None
        starts = starts if starts is None or whole else starts[keep]
        return Prepared(refs, times, values, tracked, scraped, kept, added, decoded, histograms, starts)

    def _decode(self, body: bytes, kind: BodyKind) -> DecodedBody:
        if kind != "protobuf":
            return self._state.decoder.decode(body, openmetrics=kind == "openmetrics")
        return self._state.decoder.decode_protobuf(
            body,
            native=bool(self._job.scrape_native_histograms),
            classic_too=self._job.classic_histograms_too,
        )

    def _histograms(self, decoded: DecodedBody, time_ms: int) -> Sequence[tuple[int, int, FloatHistogram]]:
        """(reference, time, histogram) of the native histograms that are kept."""
        if not decoded.histograms:
            return ()
        refs = self._state.refs[[slot for slot, _, _ in decoded.histograms]].tolist()
        own = self._job.honor_timestamps
        return [
            (ref, given if own and given != NO_TIME else time_ms, histogram)
            for ref, (_, given, histogram) in zip(refs, decoded.histograms, strict=True)
            if ref > DROPPED
        ]

    def _dropped_histograms(self, decoded: DecodedBody) -> int:
        return sum(int(self._state.refs[slot]) == DROPPED for slot, _, _ in decoded.histograms)

    def _times(self, decoded: DecodedBody, keep: Mask, time_ms: int) -> tuple[I64, Mask | None]:
        """Sample times, and which of them the target gave itself (None: none)."""
        count = int(keep.sum())
        if decoded.times is None or not self._job.honor_timestamps:
            return np.full(count, time_ms, np.int64), None
        given = decoded.times[keep]
        own = given != NO_TIME
        return np.where(own, given, time_ms), own

    def commit(self, prepared: Prepared, report: ScrapeReport, time_ms: int) -> WriteOutcome:
        """Store the samples, the marks of series that are gone, and the automatic series. Raises: DiskFull, Unavailable."""
        before, gone = self._tracked, np.zeros(0, np.int64)
        self._tracked_is_last = False
        if prepared.tracked is not None:
            gone = np.setdiff1d(self._tracked, prepared.tracked, assume_unique=True)
            # Before the append: it may give series new references, here too.
            self._tracked = prepared.tracked
        prepared = self._timely(prepared, time_ms)
        exemplars = self._exemplars(prepared, time_ms)
        known = self._state.decoder.metadata
        metadata = {} if known is self._metadata_sent else known
        try:
            outcome = self._append(prepared, gone, report, time_ms, exemplars, metadata)
        except (StorageError, Unavailable):
            self._tracked = before
            raise
        self._metadata_sent, self._tracked_is_last = known, True
        self._previous = self._predecessor = None
        self._forget_old(prepared.scraped)
        return outcome

    def _timely(self, prepared: Prepared, time_ms: int) -> Prepared:
        late = prepared.times > time_ms + FUTURE_MS_MAX
        if not late.any():
            return prepared
        self._ingest.reject("scrape", "out_of_bounds", int(late.sum()))
        starts = None if prepared.starts is None else prepared.starts[~late]
        return replace(
            prepared,
            refs=prepared.refs[~late],
            times=prepared.times[~late],
            values=prepared.values[~late],
            starts=starts,
        )

    def fail(self, report: ScrapeReport, time_ms: int) -> None:
        """A scrape that brought nothing: everything watched ends, and up is 0. Raises: DiskFull, Unavailable."""
        gone, nothing = self._tracked, np.zeros(0, np.int64)
        self._tracked_is_last = False
        self._append(NOTHING, gone, report, time_ms, [], {})
        self._tracked, self._previous, self._predecessor = nothing, None, None

    def end(self, time_ms: int) -> None:
        """The target is gone: its series and the automatic ones end."""
        gone = np.concatenate([self._tracked, self._report_refs])
        self._tracked = self._report_refs = np.zeros(0, np.int64)
        if len(gone):
            batch = WriteBatch(gone, np.full(len(gone), time_ms), np.full(len(gone), STALE))
            # A series that the store has forgotten needs no mark.
            self._store.append(batch, durable=False)

    def _append(
        self,
        prepared: Prepared,
        gone: I64,
        report: ScrapeReport,
        time_ms: int,
        exemplars: list[tuple[int, Exemplar]],
        metadata: dict[str, Metadata],
    ) -> WriteOutcome:
        if not len(self._report_refs):
            self._report_refs = self._store.resolve(self._report_labels)
        own = self._report_values(report)
        tail = len(gone) + len(own)
        stale = np.full(len(gone), STALE)
        starts, histograms = prepared.starts, prepared.histograms
        batch = WriteBatch(
            np.concatenate([prepared.refs, gone, self._report_refs]),
            np.concatenate([prepared.times, np.full(tail, time_ms, np.int64)]),
            np.concatenate([prepared.values, stale, own]),
            exemplars=exemplars,
            metadata=metadata,
            hist_refs=np.array([ref for ref, _, _ in histograms], np.int64) if histograms else None,
            hist_times=np.array([time for _, time, _ in histograms], np.int64) if histograms else None,
            histograms=[histogram for _, _, histogram in histograms],
            starts=None if starts is None else np.concatenate([starts, np.zeros(tail, np.int64)]),
        )
        result = self._ingest.append(
            self._store,
            batch,
            door="scrape",
            labels_of=self._labels_at,
            durable=False,
        )
        if result.moved is not None:
            self._rename(*result.moved)
        return result.outcome

    def _report_values(self, report: ScrapeReport) -> F64:
        values = [float(report.error == ""), report.seconds, report.scraped, report.kept, report.added]
        if self._job.extra_scrape_metrics:
            values += [self._job.scrape_timeout / 1000, float(self._job.sample_limit or 0), float(report.body_bytes)]
        return np.array(values, np.float64)

    def _exemplars(self, prepared: Prepared, time_ms: int) -> list[tuple[int, Exemplar]]:
        found = []
        for slot, exemplar in prepared.decoded.exemplars:
            ref = int(self._state.refs[slot])
            if ref > 0:
                time = time_ms if exemplar.time_ms == NO_TIME else exemplar.time_ms
                found.append((ref, Exemplar(exemplar.labels, exemplar.value, time)))
        return found

    def _resolve_new(self) -> int:
        """Label and resolve the slots that the decoder has made since. Returns how many series were added."""
        self._check_new()
        state, added = self._state, 0
        while fresh := state.decoder.take_new(RESOLVED_AT_ONCE):
            stored = [self._stored_labels(labels) for labels in fresh]
            kept = [index for index, labels in enumerate(stored) if labels is not None]
            refs = np.full(len(fresh), DROPPED, np.int64)
            if kept:
                resolved = self._store.resolve([labels for labels in stored if labels is not None])
                refs[kept] = np.where(resolved > 0, resolved, REFUSED)
                self._ingest.reject("scrape", "series_limit", int((resolved <= 0).sum()))
            state.refs = np.concatenate([state.refs, refs])
            added += len(kept)
        return added

    def _check_new(self) -> None:
        """Nothing of a scrape is stored if a limit refuses one of its series. Raises: LimitExceeded."""
        if not self._rules and self._limits == LabelLimits():
            # What a decoder accepts has a name, and nothing takes it away.
            return
        state = self._state
        try:
            for slot in range(len(state.refs), state.decoder.size):
                self._stored_labels(state.decoder.labels(slot))
        except LimitExceeded:
            # The slots are numbered but not labelled: start over, so that the next scrape meets them again.
            self._start_over()
            raise

    def _start_over(self) -> None:
        """A new numbering. The old one stays until a scrape is stored: it knows the labels of what is watched."""
        if self._previous is None:
            self._previous = self._state
        self._state = _State()

    def _retry_refused(self, time_ms: int) -> None:
        """Ask again for series that the limit refused: others may have gone since."""
        self._retry_at_ms = time_ms + RETRY_REFUSED_MS
        slots = np.flatnonzero(self._state.refs == REFUSED)
        if not len(slots):
            return
        stored = [self._stored_labels(self._state.decoder.labels(slot)) for slot in slots.tolist()]
        wanted = [labels for labels in stored if labels is not None]
        assert len(wanted) == len(slots), "a series that relabelling drops is never asked for"
        refs = self._store.resolve(wanted)
        self._state.refs[slots] = np.where(refs > 0, refs, REFUSED)

    def _stored_labels(self, raw: Labels) -> Labels | None:
        """The labels under which a series is stored; None where metric_relabel_configs drop it."""
        merged = honoured(dict(raw), self._target) if self._job.honor_labels else renamed(dict(raw), self._target)
        final = relabel(merged, self._rules) if self._rules else merged
        if final is None:
            return None
        labels = labels_of(final)
        problem = self._limits.problem(labels) if labels else "missing metric name (__name__ label)"
        if problem:
            raise LimitExceeded(problem)
        return labels

    def _labels_at(self, refs: I64) -> Sequence[Labels]:
        """The stored labels of references. Asked once in a long while, so they are made again and not kept."""
        found: dict[int, Labels] = dict(zip(self._report_refs.tolist(), self._report_labels, strict=True))
        for state in (self._state, self._previous):
            missing = [ref for ref in refs.tolist() if ref not in found]
            if state is not None and missing:
                raw = state.raw_labels(missing)
                found.update((ref, self._stored_labels(labels) or ()) for ref, labels in raw.items())
        missing = [ref for ref in refs.tolist() if ref not in found]
        if missing and self._predecessor is not None:
            labels = self._predecessor._labels_at(np.array(missing, np.int64))
            found.update(zip(missing, labels, strict=True))
        return [found[ref] for ref in refs.tolist()]

    def _rename(self, old: I64, new: I64) -> None:
        """The store gave series new references: use those from now on."""
        names = dict(zip(old.tolist(), new.tolist(), strict=True))
        states = [state for state in (self._state, self._previous) if state is not None]
        for array in (*(state.refs for state in states), self._tracked, self._report_refs):
            hit = np.isin(array, old)
            array[hit] = [names[ref] for ref in array[hit].tolist()]
        # What the limit refused now is asked for again later; there is nothing of it to watch.
        self._tracked = np.unique(self._tracked[self._tracked > DROPPED])

    def _forget_old(self, scraped: int) -> None:
        """Start over where most of the numbering is of series that no longer come."""
        if self._state.decoder.size > 2 * scraped + 1000:
            self._start_over()


def honoured(labels: dict[str, str], target: dict[str, str]) -> dict[str, str]:
    """honor_labels: what the target says wins."""
    return {**target, **labels}


def renamed(labels: dict[str, str], target: dict[str, str]) -> dict[str, str]:
    """The target's labels win; what it exposed under the same name moves to exported_<name>.

    >>> renamed({"job": "inner", "a": "1"}, {"job": "outer"})
    {'a': '1', 'job': 'outer', 'exported_job': 'inner'}
    """
    conflicts = {name: value for name, value in labels.items() if name in target}
    merged = {name: value for name, value in labels.items() if name not in target} | target
    for name, value in conflicts.items():
        fresh = f"exported_{name}"
        while fresh in merged or fresh in conflicts:
            fresh = f"exported_{fresh}"
        merged[fresh] = value
    return merged
