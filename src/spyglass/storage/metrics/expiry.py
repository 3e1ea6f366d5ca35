"""Retention per series: what the rules say, and which blocks are to be rewritten because of them.

A series is kept for as long as the longest of the rules that match it says, else for the store's retention. Blocks go as a whole when
everything in them is past its time (retention.py); before that, what has a shorter time is left out when a block is written anew: at
any merge, and here, when enough of it has gathered. Samples go a window at a time, and at the latest a quarter of their time late.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spyglass.model.arrays import I64
from spyglass.model.errors import CorruptData
from spyglass.model.labels import LabelTable
from spyglass.storage.metrics.block import Block
from spyglass.storage.metrics.matching import match_rows
from spyglass.storage.metrics.options import MetricStoreOptions, RetentionRule

_FOR_EVER = 2**62
_LATE_SHARE = 4
"""A block is rewritten when what is past its time is late by this share of it: 2 would rewrite half as often, and keep longer."""


@dataclass(frozen=True, slots=True)
class _Group:
    """Series of a block that are kept for keep_ms, and the newest sample of each window that has any of them, ascending."""

    keep_ms: int
    ends_ms: Sequence[int]


class Expiry:
    """The rules of one store. Used under the store's upkeep lock."""

    def __init__(self, options: MetricStoreOptions) -> None:
        self._rules, self._range_ms = options.retention_rules, options.block_range_ms
        self._default_ms = options.retention_ms or _FOR_EVER
        keeps = [self._default_ms, *(rule.keep_ms or _FOR_EVER for rule in self._rules)]
        self._shortest_ms, self._longest_ms = min(keeps), max(keeps)
        self._groups: dict[int, list[_Group]] = {}

    @property
    def longest_ms(self) -> int:
        """After this a block can go whole. 0: never."""
        return 0 if self._longest_ms == _FOR_EVER else self._longest_ms

    @property
    def keeps_some_longer(self) -> bool:
        """Whether a rule keeps series longer than the store's retention."""
        return self._longest_ms > self._default_ms

    def shortest_ms(self, table: LabelTable, *, at_least_ms: int) -> int:
        """How long all of these series are kept, but at_least_ms. 0: for ever."""
        keep = max(int(kept_ms(table, self._rules, self._default_ms).min(initial=_FOR_EVER)), at_least_ms)
        return 0 if keep == _FOR_EVER else keep

    def cutoffs(self, table: LabelTable, newest_ms: int) -> I64:
        """[S]: samples before this time are past their time. Series that are kept longest have none: they go with whole blocks."""
        keep = kept_ms(table, self._rules, self._default_ms)
        return np.where(keep < self._longest_ms, newest_ms - keep, -_FOR_EVER)

    def is_due(self, block: Block, newest_ms: int) -> bool:
        """Whether the block is worth writing anew. Its tables are read once, when its oldest sample may first be past its time."""
        if block.min_ms >= newest_ms - self._shortest_ms or self._shortest_ms == self._longest_ms:
            return False
        groups = self._groups.get(block.number)
        if groups is None:
            try:
                groups = self._groups[block.number] = self._read(block)
            except CorruptData:
                # Reading and merging tell of it; here it is no reason to write.
                groups = self._groups[block.number] = []
        return any(self._is_late(group, block, newest_ms) for group in groups)

    def forget_all_but(self, blocks: Sequence[Block]) -> None:
        """Drop what is known of blocks that are gone."""
        held = {block.number for block in blocks}
        self._groups = {number: groups for number, groups in self._groups.items() if number in held}

    def _is_late(self, group: _Group, block: Block, newest_ms: int) -> bool:
        cutoff = newest_ms - group.keep_ms
        slack = max(self._range_ms, group.keep_ms // _LATE_SHARE)
        return group.ends_ms[0] < (cutoff if block.max_ms < cutoff else cutoff - slack)

    def _read(self, block: Block) -> list[_Group]:
        """The block's groups but the one that is kept longest. Raises: CorruptData."""
        keep = kept_ms(block.labels, self._rules, self._default_ms)
        ends: dict[int, set[int]] = defaultdict(set)
        for number, meta in enumerate(block.stripes):
            for keep_ms in np.unique(keep[block.stripe(number).rows]).tolist():
                ends[keep_ms].add(meta.max_ms)
        if block.file.meta["histogram_range"] is not None:
            for first, last, newest_ms in block.native.spans():
                for keep_ms in np.unique(keep[first : last + 1]).tolist():
                    ends[keep_ms].add(newest_ms)
        return [_Group(k, sorted(times)) for k, times in ends.items() if k < self._longest_ms]


def kept_ms(table: LabelTable, rules: Sequence[RetentionRule], default_ms: int) -> I64:
    """[S]: how long each series is kept: the longest of the rules that match it, else default_ms."""
    keep = np.full(table.size, -1, np.int64)
    for rule in rules:
        rows = match_rows(table.columns, table.size, rule.matchers, lambda name, value: _code(table, name, value))
        keep[rows] = np.maximum(keep[rows], rule.keep_ms or _FOR_EVER)
    keep[keep < 0] = default_ms
    return keep


def _code(table: LabelTable, name: str, value: str) -> int:
    values = table.columns[name].values
    try:
        return values.index(value)
    except ValueError:
        return -1
