"""Aggregation across series: kernels over groups of rows.

Rows are put in order of their group once; each group is then a stretch of rows.
Shapes: values, present [S,T]; group_ids [S]; results [G,T].
Source: Prometheus promql/engine.go, aggregation.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from spyglass.model.arrays import F64, I64, Mask
from spyglass.query.kernels.quantiles import quantile_of_sorted
from spyglass.query.kernels.summation import kahan_add

_SMALL_GROUP = 32
"""Groups up to this size are summed together with others of their size, larger ones one by one."""
_BLOCK_VALUES = 1 << 15
"""Values that are summed at once: a few arrays of 256 kB stay in the cache."""


@dataclass(frozen=True, slots=True)
class Groups:
    """order [S]: row numbers, group by group, in their original order within each.  starts [G], sizes [G]: each group's stretch."""

    order: I64
    starts: I64
    sizes: I64

    @staticmethod
    def of(group_ids: I64, count: int) -> "Groups":
        """count: number of groups; none may be empty."""
        sizes = np.bincount(group_ids, minlength=count).astype(np.int64)
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64) if count else np.zeros(0, np.int64)
        return Groups(np.argsort(group_ids, kind="stable"), starts, sizes)

    def fold(self, reduce: "np.ufunc", rows: "F64 | Mask | I64") -> F64:
        """A ufunc folded over the rows of each group [G,T]; rows [S,T] in original order."""
        if len(self.starts) == 0:
            return np.zeros((0, rows.shape[1]))
        ordered = rows if _is_identity(self.order) else rows[self.order]
        folded: F64 = reduce.reduceat(ordered, self.starts, axis=0)
        return folded

    def count(self, present: Mask) -> I64:
        """Samples per group and step [G,T]."""
        if present.all():
            return np.repeat(self.sizes[:, None], present.shape[1], axis=1)
        return self.fold(np.add, present.astype(np.int64)).astype(np.int64)

    def any(self, present: Mask) -> Mask:
        """Where a group has a sample [G,T]."""
        if present.all():
            return np.ones((len(self.starts), present.shape[1]), bool)
        return self.fold(np.logical_or, present).astype(bool)


def _is_identity(order: I64) -> bool:
    return bool((order == np.arange(len(order))).all())


def _positions(groups: Groups, chosen: I64) -> Iterator[tuple[I64, I64]]:
    """For the chosen groups by position: (which of them have so many rows, those rows)."""
    sizes = groups.sizes[chosen]
    for position in range(int(sizes.max(initial=0))):
        having = np.flatnonzero(sizes > position)
        yield having, groups.order[groups.starts[chosen[having]] + position]


def compensated_sum(groups: Groups, values: F64, present: Mask) -> tuple[F64, F64]:
    """Sum and what it lost to rounding, per group and step [G,T] each."""
    steps = values.shape[1]
    sums, lost = np.zeros((len(groups.starts), steps)), np.zeros((len(groups.starts), steps))
    clean = values if present.all() else np.where(present, values, 0.0)
    small = groups.sizes <= _SMALL_GROUP
    for size in np.unique(groups.sizes[small]).tolist():
        alike = np.flatnonzero(groups.sizes == size)
        groups_at_once = max(_BLOCK_VALUES // max(steps, 1), 1)
        for at in range(0, len(alike), groups_at_once):
            chosen = alike[at : at + groups_at_once]
            rows = groups.order[groups.starts[chosen] + np.arange(size)[:, None]]
            running, errors = _sums_of_rows(clean, rows)
            sums[chosen], lost[chosen] = running, _meaningful(errors)
    for group in np.flatnonzero(~small).tolist():
        rows = groups.order[groups.starts[group] : groups.starts[group] + groups.sizes[group]]
        sums[group], lost[group] = column_sums(clean, rows)
    return sums, lost


def _sums_of_rows(values: F64, rows: I64) -> tuple[F64, F64]:
    """For each group the sum of its rows and their rounding errors [G,T]. rows [n,G]: the numbers of the first row of each, the second...

    As `_running`, but all groups a row further at a time: arrays are added from one end to the other.
    """
    sums = values[rows[0]]
    errors = np.zeros(sums.shape)
    with np.errstate(all="ignore"):
        for numbers in rows[1:]:
            added = values[numbers]
            after = sums + added
            virtual = after - sums
            added -= virtual
            np.subtract(after, virtual, out=virtual)
            np.subtract(sums, virtual, out=virtual)
            virtual += added
            errors += virtual
            sums = after
    return sums, errors


def column_sums(values: F64, rows: I64) -> tuple[F64, F64]:
    """Sums down the columns of some rows and their rounding errors [T], a block of rows at a time."""
    steps = values.shape[1]
    sums, errors = values[rows[0]], np.zeros(steps)
    rows_at_once = max(_BLOCK_VALUES // max(steps, 1), _SMALL_GROUP)
    for at in range(1, len(rows), rows_at_once):
        block = np.concatenate([sums[None, :], values[rows[at : at + rows_at_once]]])
        sums, lost = _running(block)
        errors = errors + lost
    return sums, _meaningful(errors)


def _running(block: F64) -> tuple[F64, F64]:
    """Sums over the next to last axis of [...,n,T] and the rounding errors of all additions, which running sums give exactly."""
    with np.errstate(all="ignore"):
        running = np.cumsum(block, axis=-2)
        before, after, added = running[..., :-1, :], running[..., 1:, :], block[..., 1:, :]
        virtual = after - before
        errors = before - (after - virtual)
        np.subtract(added, virtual, out=virtual)
        errors += virtual
        return running[..., -1, :], errors.sum(axis=-2)


def _meaningful(errors: F64) -> F64:
    """An infinite sum has no error."""
    return np.where(np.isfinite(errors), errors, 0.0)


def total(groups: Groups, values: F64, present: Mask) -> F64:
    sums, lost = compensated_sum(groups, values, present)
    with np.errstate(all="ignore"):
        return np.where(np.isinf(sums), sums, sums + lost)


def average(groups: Groups, values: F64, present: Mask) -> F64:
    """The mean; by a running mean where the sum would overflow."""
    sums, lost = compensated_sum(groups, values, present)
    count = groups.count(present)
    with np.errstate(all="ignore"):
        mean: F64 = sums / count + lost / count
        if np.isinf(sums).any():
            mean = np.where(np.isinf(sums), _running_mean(groups, values, present), mean)
    return mean


def _running_mean(groups: Groups, values: F64, present: Mask) -> F64:
    """Upstream's path where sums overflow: a plain sum until it would, then an incremental mean. Slow: row by row."""
    shape = (len(groups.starts), values.shape[1])
    sums, mean, lost, count = np.zeros(shape), np.zeros(shape), np.zeros(shape), np.zeros(shape)
    incremental = np.zeros(shape, bool)
    with np.errstate(all="ignore"):
        for having, rows in _positions(groups, np.arange(shape[0])):
            has, value = present[rows], values[rows]
            n = count[having] + has
            first = has & (n == 1)
            new_sum, new_lost = kahan_add(value, sums[having], lost[having])
            turns = has & ~first & ~incremental[having] & np.isinf(new_sum)
            mean[having] = np.where(turns, sums[having] / (n - 1), mean[having])
            lost[having] = np.where(turns, lost[having] / (n - 1), lost[having])
            incremental[having] |= turns
            running, plain = has & incremental[having], has & ~incremental[having]
            share = (n - 1) / n
            new_mean, mean_lost = kahan_add(value / n, share * mean[having], share * lost[having])
            mean[having] = np.where(running, new_mean, mean[having])
            lost[having] = np.where(running, mean_lost, np.where(plain & ~first, new_lost, lost[having]))
            sums[having] = np.where(first, value, np.where(plain, new_sum, sums[having]))
            count[having] = n
        return np.where(incremental, mean + lost, sums / count + lost / count)


def extreme(groups: Groups, values: F64, present: Mask, reduce: "np.ufunc") -> F64:
    """np.fmax or np.fmin per group; NaN only where there is nothing else."""
    return groups.fold(reduce, np.where(present, values, np.nan))


def variance(groups: Groups, values: F64, present: Mask) -> F64:
    """Population variance. NaN where any value is NaN or infinite."""
    count = groups.count(present)
    with np.errstate(all="ignore"):
        sums, lost = compensated_sum(groups, values, present)
        mean = sums / count + lost / count
        per_row = np.empty(values.shape)
        per_row[groups.order] = np.repeat(mean, groups.sizes, axis=0)
        squares, squares_lost = compensated_sum(groups, (values - per_row) ** 2, present)
        result: F64 = (squares + squares_lost) / count
    return result


def quantile(groups: Groups, values: F64, present: Mask, wanted: F64) -> F64:
    """wanted [T]: the quantile of each group at each step. Groups of equal size are done together."""
    steps = values.shape[1]
    out = np.zeros((len(groups.starts), steps))
    for size in np.unique(groups.sizes).tolist():
        chosen = np.flatnonzero(groups.sizes == size)
        rows = groups.order[groups.starts[chosen][:, None] + np.arange(size)]
        block, has = values[rows].swapaxes(1, 2), present[rows].swapaxes(1, 2)
        nans = np.isnan(block) & has
        # NaN counts as smallest: it travels as -Inf and comes back by its number; absence sorts behind everything.
        ordered = np.sort(np.where(has, np.where(nans, -np.inf, block), np.inf), axis=2)
        ordered = np.where(np.arange(size) < nans.sum(axis=2, keepdims=True), np.nan, ordered)
        count = has.sum(axis=2).reshape(-1)
        found = quantile_of_sorted(ordered.reshape(-1, size), count, np.tile(wanted, len(chosen)))
        out[chosen] = found.reshape(len(chosen), steps)
    return out


def best(group_ids: I64, values: F64, present: Mask, limits: I64, *, largest: bool) -> tuple[Mask, I64]:
    """topk and bottomk: which samples stay [S,T], and the rows of the first step in their order of merit.

    limits [T]: how many per group. NaN comes after every number; ties go to the earlier row.
    """
    rank_class = np.where(present, np.where(np.isnan(values), 1, 0), 2)
    merit = np.where(rank_class == 0, -values if largest else values, 0.0)
    owner = np.broadcast_to(group_ids[:, None], values.shape)
    order = np.lexsort((merit, rank_class, owner), axis=0)
    sorted_owner = np.take_along_axis(owner, order, axis=0)
    kept_sorted = _rank_in_runs(sorted_owner) < limits
    kept = np.zeros(values.shape, bool)
    np.put_along_axis(kept, order, kept_sorted, axis=0)
    return kept & present, order[:, 0] if values.shape[1] else np.arange(len(group_ids))


def _rank_in_runs(owners: I64) -> I64:
    """For columns of sorted owners the position of each element within its run."""
    rows = np.arange(len(owners))[:, None]
    first = np.ones(owners.shape, bool)
    first[1:] = owners[1:] != owners[:-1]
    starts = np.maximum.accumulate(np.where(first, rows, 0), axis=0)
    rank: I64 = rows - starts
    return rank


def first_few(groups: Groups, present: Mask, limits: I64) -> Mask:
    """limitk: the first `limits [T]` present samples of each group, in order of rows."""
    kept = np.zeros(present.shape, bool)
    ordered = present[groups.order].astype(np.int64)
    running = np.cumsum(ordered, axis=0)
    before = np.concatenate([np.zeros((1, present.shape[1]), np.int64), running])[groups.starts]
    kept[groups.order] = (running - np.repeat(before, groups.sizes, axis=0)) <= limits
    return kept & present
