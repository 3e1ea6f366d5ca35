"""Start timestamps of a text exposition: OpenMetrics says in a `_created` sample since when its family's other samples have been counting.

    # TYPE jobs counter
    jobs_total{q="a"} 7
    jobs_created{q="a"} 1700000000.5

Source: the OpenMetrics 1.0 specification, "Counter", "Histogram", "Summary".
"""

import numpy as np

from spyglass.formats.exposition.parser import DecodedBody, ExpositionDecoder
from spyglass.model.arrays import I64
from spyglass.model.labels import METRIC_NAME, Labels

_SUFFIXES = {
    "counter": ("_total",),
    "histogram": ("_bucket", "_count", "_sum"),
    "summary": ("_count", "_sum", ""),
}
"""By the family's kind: what its samples that count from its start end in."""

_CREATED = "_created"
_OWN_LABELS = frozenset((METRIC_NAME, "le", "quantile"))

Key = tuple[str, Labels]
"""The family and the labels that its samples share with `_created`."""


class CreatedTimes:
    """Of one decoder. Series are looked at once, when the decoder meets them."""

    def __init__(self, decoder: ExpositionDecoder) -> None:
        self._decoder = decoder
        self._created: dict[Key, int] = {}
        self._waiting: list[tuple[int, Key]] = []
        # By slot, the slot of the `_created` sample; -1: there is none.
        self._slot_of = np.zeros(0, np.int64)

    def starts(self, decoded: DecodedBody) -> I64 | None:
        """Start timestamps [n] in ms of the body's samples, 0 where nothing is said; None: of none."""
        if len(self._slot_of) < self._decoder.size:
            self._learn()
        created = self._slot_of[decoded.slots]
        told = created >= 0
        if not told.any():
            return None
        seconds = np.zeros(self._decoder.size)
        seconds[decoded.slots] = decoded.values
        found = np.where(told, seconds[created], 0.0)
        usable = np.isfinite(found) & (np.abs(found) < 2**52)
        return np.round(np.where(usable, found, 0.0) * 1000).astype(np.int64)

    def _learn(self) -> None:
        for slot in range(len(self._slot_of), self._decoder.size):
            self._note(slot, dict(self._decoder.labels(slot)))
        slot_of = np.full(self._decoder.size, -1, np.int64)
        slot_of[: len(self._slot_of)] = self._slot_of
        waiting = []
        for slot, key in self._waiting:
            created = self._created.get(key)
            if created is None:
                waiting.append((slot, key))
            else:
                slot_of[slot] = created
        self._slot_of, self._waiting = slot_of, waiting

    def _note(self, slot: int, labels: dict[str, str]) -> None:
        name = labels.get(METRIC_NAME, "")
        shared = tuple((label, value) for label, value in labels.items() if label not in _OWN_LABELS)
        if name.endswith(_CREATED) and self._kind(name.removesuffix(_CREATED)) in _SUFFIXES:
            self._created[name.removesuffix(_CREATED), shared] = slot
            return
        for kind, suffixes in _SUFFIXES.items():
            for suffix in suffixes:
                family = name.removesuffix(suffix)
                if name.endswith(suffix) and self._kind(family) == kind:
                    self._waiting.append((slot, (family, shared)))
                    return

    def _kind(self, family: str) -> str:
        known = self._decoder.metadata.get(family)
        return "" if known is None else known.kind
