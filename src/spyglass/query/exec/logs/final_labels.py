"""The label sets that lines leave a pipeline with, sorted, and where each label came from.

Lines mostly have few shapes: the names they hold, and from which of the three places. What follows from the names alone (their order,
which category each is in) is worked out once per shape.
"""

from dataclasses import dataclass, field
from itertools import compress

from spyglass.model.labels import Labels
from spyglass.protocols.queries import LabelCategories
from spyglass.query.exec.logs.rows import Fields, Rows

Names = tuple[str, ...]
_NONE: Fields = {}


@dataclass(frozen=True, slots=True)
class _Masks:
    """Which of the sorted labels are the stream's, the metadata's, the stages'."""

    stream: tuple[bool, ...]
    metadata: tuple[bool, ...]
    parsed: tuple[bool, ...]


@dataclass(slots=True)
class FinalLabels:
    """Labels of the lines of one query. Extracted labels may have empty values."""

    _orders: dict[Names, Names] = field(default_factory=dict)
    _masks: dict[tuple[Names, Names, Names], _Masks] = field(default_factory=dict)

    def groups(self, rows: Rows) -> dict[Labels, list[int]]:
        """The places of the lines by their labels: ascending, groups in order of their first line."""
        found: dict[Labels, list[int]] = {}
        if rows.parsed is not None and any(rows.parsed):
            for place in range(rows.size):
                found.setdefault(self.of(rows, place), []).append(place)
            return found
        by_source: dict[object, list[int]] = {}
        # Lines share their metadata's dictionaries, which live as long as the rows.
        stream = rows.stream.tolist()
        keys = stream if rows.metadata is None else zip(stream, map(id, rows.metadata), strict=True)
        for place, key in enumerate(keys):
            try:
                by_source[key].append(place)
            except KeyError:
                by_source[key] = [place]
        for places in by_source.values():
            labels = self.of(rows, places[0])
            known = found.get(labels)
            # Two streams can be the same once a stage has taken a label from them.
            found[labels] = places if known is None else sorted(known + places)
        return found

    def of(self, rows: Rows, place: int) -> Labels:
        """One line's labels."""
        merged = rows.merged(place)
        names = tuple(merged)
        order = self._orders.get(names)
        if order is None:
            order = self._orders[names] = tuple(sorted(names))
        return tuple(zip(order, map(merged.__getitem__, order), strict=True))

    def categories(self, labels: Labels, rows: Rows, place: int) -> LabelCategories:
        """labels: those of the line at `place`; each is where it was last given."""
        parsed = rows.parsed[place] if rows.parsed is not None else _NONE
        metadata = rows.metadata[place] if rows.metadata is not None else _NONE
        if not parsed and not metadata:
            return LabelCategories(labels)
        names = tuple([name for name, _ in labels])
        key = (names, tuple(metadata), tuple(parsed))
        masks = self._masks.get(key)
        if masks is None:
            masks = self._masks[key] = _masks_of(names, metadata, parsed)
        return LabelCategories(
            tuple(compress(labels, masks.stream)),
            tuple(compress(labels, masks.metadata)),
            tuple(compress(labels, masks.parsed)),
        )


def _masks_of(names: Names, metadata: Fields, parsed: Fields) -> _Masks:
    of_parsed = tuple(name in parsed for name in names)
    of_metadata = tuple(name in metadata and name not in parsed for name in names)
    rest = tuple(not (a or b) for a, b in zip(of_parsed, of_metadata, strict=True))
    return _Masks(rest, of_metadata, of_parsed)
