"""What comes along with samples: exemplars in a bounded ring, and metadata of metric families. In memory; the journal and the
checkpoint hold them. Not thread-safe.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence

from spyglass.model.labels import Labels
from spyglass.model.matchers import Matcher
from spyglass.model.samples import Exemplar, Metadata

_ENTRIES_PER_FAMILY_MAX = 16
_FAMILIES_MAX = 200_000

ExemplarRow = tuple[Labels, Exemplar]


class ExemplarRing:
    """The newest `limit` exemplars of all series; 0 keeps none. Source: Prometheus tsdb/exemplar.go."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._arrival: deque[Labels] = deque()
        self._by_series: dict[Labels, deque[Exemplar]] = {}

    def add(self, labels: Labels, exemplar: Exemplar) -> bool:
        """False: the series' newest is the same or newer, so this one is dropped, as upstream does."""
        held = self._by_series.get(labels)
        if not self._limit or (held and (held[-1] == exemplar or exemplar.time_ms < held[-1].time_ms)):
            return False
        if held is None:
            held = self._by_series[labels] = deque()
        held.append(exemplar)
        self._arrival.append(labels)
        if len(self._arrival) > self._limit:
            self._drop_oldest()
        return True

    def select(
        self, matcher_sets: Sequence[Sequence[Matcher]], start_ms: int, end_ms: int
    ) -> list[tuple[Labels, list[Exemplar]]]:
        answer = []
        for labels, held in self._by_series.items():
            kept = [exemplar for exemplar in held if start_ms <= exemplar.time_ms <= end_ms]
            if kept and _matches_any(labels, matcher_sets):
                answer.append((labels, kept))
        return answer

    def rows(self) -> list[ExemplarRow]:
        """All of them, oldest first within each series."""
        return [(labels, exemplar) for labels, held in self._by_series.items() for exemplar in held]

    def _drop_oldest(self) -> None:
        labels = self._arrival.popleft()
        held = self._by_series[labels]
        held.popleft()
        if not held:
            del self._by_series[labels]


class MetadataBook:
    """Per family the entries that targets gave, newest last."""

    def __init__(self) -> None:
        self._families: dict[str, list[Metadata]] = {}

    def news(self, given: Mapping[str, Metadata]) -> dict[str, Metadata]:
        """What of it is not known yet."""
        return {name: entry for name, entry in given.items() if entry not in self._families.get(name, ())}

    def add(self, given: Mapping[str, Metadata]) -> None:
        for name, entry in given.items():
            if name not in self._families and len(self._families) >= _FAMILIES_MAX:
                continue
            entries = self._families.setdefault(name, [])
            entries.append(entry)
            del entries[:-_ENTRIES_PER_FAMILY_MAX]

    def all(self) -> dict[str, list[Metadata]]:
        return {name: list(entries) for name, entries in self._families.items()}


def _matches_any(labels: Labels, matcher_sets: Sequence[Sequence[Matcher]]) -> bool:
    held = dict(labels)
    return not matcher_sets or any(all(m.matches(held.get(m.name, "")) for m in ms) for ms in matcher_sets)


def encode_extras(exemplars: Iterable[ExemplarRow], metadata: Mapping[str, Sequence[Metadata]]) -> dict[str, object]:
    """JSON-ready."""
    return {
        "exemplars": [(labels, e.labels, e.value, e.time_ms) for labels, e in exemplars],
        "metadata": {name: [(m.kind, m.help, m.unit) for m in entries] for name, entries in metadata.items()},
    }


def decode_extras(value: object) -> tuple[list[ExemplarRow], dict[str, list[Metadata]]]:
    assert isinstance(value, dict), "extras are a JSON object"
    exemplars = [
        (_labels(labels), Exemplar(_labels(own), float(number) if number is not None else float("nan"), int(time_ms)))
        for labels, own, number, time_ms in value["exemplars"]
    ]
    return exemplars, {name: [Metadata(*entry) for entry in entries] for name, entries in value["metadata"].items()}


def _labels(pairs: Sequence[Sequence[str]]) -> Labels:
    return tuple((name, value) for name, value in pairs)
