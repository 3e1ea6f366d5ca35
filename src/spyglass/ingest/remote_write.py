"""Remote write bodies into a store: keys to references through a cache, one append, and upstream's account of what was refused."""

from dataclasses import dataclass

import numpy as np

from spyglass.formats.remote_write.columns import UNKNOWN, WriteColumns
from spyglass.formats.remote_write.decoders import DECODERS
from spyglass.formats.remote_write.labels import BadLabels, labels_of_key
from spyglass.formats.series_keys import Key
from spyglass.ingest.key_cache import KeyCache
from spyglass.ingest.metrics import LabelLimits, MetricIngest, shown
from spyglass.model.arrays import I64
from spyglass.model.labels import Labels
from spyglass.model.samples import Exemplar, WriteBatch, WriteOutcome
from spyglass.protocols.metric_store import MetricStore


@dataclass(frozen=True, slots=True)
class RemoteWriteResult:
    """What became of a body. problem "": all of it was stored; else the first refusal, in upstream's words."""

    samples: int
    histograms: int
    exemplars: int
    problem: str = ""


class RemoteWriteIngest:
    """The receiver. Thread-safe: the caches are only added to, and adding twice does no harm."""

    def __init__(self, ingest: MetricIngest, limits: LabelLimits | None = None) -> None:
        self._ingest = ingest
        self._limits = limits or LabelLimits()
        self._caches: dict[tuple[str, str], KeyCache] = {}

    def write(self, store: MetricStore, tenant: str, data: bytes, message: str) -> RemoteWriteResult:
        """Store a decompressed body durably. message: a key of formats.remote_write.decoders.DECODERS.

        Raises: MalformedBody: nothing was stored.  DiskFull, Unavailable.
        """
        cache = self._caches.setdefault((tenant, message), KeyCache())
        columns = DECODERS[message](data, cache)
        problems = list(columns.bad)
        entry_refs = self._resolve(store, cache, columns, problems)
        batch, rows = _batch(columns, entry_refs)
        result = self._ingest.append(
            store,
            batch,
            door="remote_write",
            labels_of=lambda refs: [labels_of_key(key) for key in _keys_of(refs, entry_refs, columns)],
            durable=True,
        )
        if result.moved is not None:
            old, new = result.moved
            cache.learn(list(zip(_keys_of(old, entry_refs, columns), new.tolist(), strict=True)))
        outcome = result.outcome
        self._ingest.reject("remote_write", "labels", len(problems))
        problems.extend(_refusals(outcome, batch, rows, columns))
        rejected = len(outcome.hist_rejected)
        return RemoteWriteResult(
            samples=outcome.accepted,
            histograms=len(batch.histograms) - rejected,
            exemplars=len(batch.exemplars),
            problem=problems[0] if problems else "",
        )

    def _resolve(self, store: MetricStore, cache: KeyCache, columns: WriteColumns, problems: list[str]) -> I64:
        """A reference per entry; UNKNOWN where there is none to be had."""
        found = cache.refs(columns.keys) if columns.known is None else columns.known
        fresh = np.flatnonzero(found == UNKNOWN).tolist()
        if not fresh:
            return found
        self._learn(store, cache, list(dict.fromkeys(columns.keys[at] for at in fresh)), problems)
        return cache.refs(columns.keys)

    def _learn(self, store: MetricStore, cache: KeyCache, keys: list[Key], problems: list[str]) -> None:
        wanted: list[tuple[Key, Labels]] = []
        for key in keys:
            try:
                labels = labels_of_key(key)
            except BadLabels as err:
                problems.append(str(err))
                continue
            problem = self._limits.problem(labels)
            if problem:
                problems.append(problem)
            else:
                wanted.append((key, labels))
        refs = store.resolve([labels for _, labels in wanted]).tolist()
        kept = [(key, ref) for (key, _), ref in zip(wanted, refs, strict=True) if ref > 0]
        cache.learn(kept)
        refused = [labels for (_, labels), ref in zip(wanted, refs, strict=True) if ref <= 0]
        problems.extend(f"the limit of active series is reached: {shown(labels)} is new" for labels in refused)


def _keys_of(refs: I64, entry_refs: I64, columns: WriteColumns) -> list[Key]:
    """The key of each reference. Cost: the body's entries, once in a long while."""
    key_of = dict(zip(entry_refs.tolist(), columns.keys, strict=True))
    return [key_of[ref] for ref in refs.tolist()]


def _batch(columns: WriteColumns, entry_refs: I64) -> tuple[WriteBatch, I64]:
    """The batch of usable rows, and the entry of each of its float rows."""
    entries = np.arange(len(entry_refs), dtype=np.int64)
    if len(columns.times) != len(entries) or not (columns.counts == 1).all():
        entries = np.repeat(entries, columns.counts)
    refs = entry_refs[entries]
    times, values, starts = columns.times, columns.values, columns.starts
    if len(refs) and refs.min() <= 0:
        good = refs > 0
        starts = None if starts is None else starts[good]
        refs, times, values, entries = refs[good], times[good], values[good], entries[good]
    histograms = [(int(entry_refs[e]), t, h) for e, t, h in columns.histograms if entry_refs[e] > 0]
    exemplars: list[tuple[int, Exemplar]] = [(int(entry_refs[e]), x) for e, x in columns.exemplars if entry_refs[e] > 0]
    batch = WriteBatch(
        refs,
        times,
        values,
        hist_refs=np.array([ref for ref, _, _ in histograms], np.int64) if histograms else None,
        hist_times=np.array([time for _, time, _ in histograms], np.int64) if histograms else None,
        histograms=[histogram for _, _, histogram in histograms],
        exemplars=exemplars,
        metadata=columns.metadata,
        starts=starts,
    )
    return batch, entries


def _refusals(outcome: WriteOutcome, batch: WriteBatch, rows: I64, columns: WriteColumns) -> list[str]:
    """Upstream's words, with the first series that each is about."""
    kinds = (
        (outcome.out_of_order, "out of order sample"),
        (outcome.too_old, "out of bounds"),
        (outcome.duplicate, "duplicate sample for timestamp"),
        (outcome.unknown, "the limit of active series is reached"),
    )
    found = []
    for refused, text in kinds:
        if len(refused):
            entry = int(rows[refused[0]])
            count = f" ({len(refused)} samples)" if len(refused) > 1 else ""
            found.append(f"{text}{count}, for example of series {shown(labels_of_key(columns.keys[entry]))}")
    if outcome.hist_rejected:
        found.append(
            f"{outcome.hist_rejected[0][1]} ({len(outcome.hist_rejected)} of {len(batch.histograms)} histograms)"
        )
    return found
