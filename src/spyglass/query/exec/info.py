"""info(): series enriched with the labels of info series (target_info) of the same instance and job.

Source: Prometheus promql/info.go.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from spyglass.model.arrays import I64, Mask
from spyglass.model.errors import ExecutionError
from spyglass.model.frame import Frame
from spyglass.model.labels import METRIC_NAME, Labels, LabelTable, labels_of
from spyglass.model.matchers import Matcher
from spyglass.query.exec.aggregate import rows_of
from spyglass.query.exec.context import EvalContext
from spyglass.query.exec.matching import show
from spyglass.query.exec.names import merged
from spyglass.query.exec.registry import evaluate_frame, evaluates
from spyglass.query.exec.select import newest_samples
from spyglass.query.plan.nodes import Info, Instant, SeriesScan
from spyglass.text.regex import quote_meta

IDENTIFYING = ("instance", "job")
DEFAULT_INFO = "target_info"
ANY_INFO = ".+_info"


@dataclass(frozen=True, slots=True)
class _InfoSeries:
    """An info series: labels, name, the labels it may add, the time of its newest sample per step [T] (ms), where it has one [T]."""

    labels: Labels
    name: str
    data: Labels
    times: I64
    present: Mask


@evaluates(Info)
def evaluate_info(node: Info, ctx: EvalContext) -> Frame:
    """Raises: ExecutionError where two info series of the same name and age contradict each other."""
    base = evaluate_frame(node.child, ctx)
    name_matchers = _name_matchers(node.data_matchers)
    data_matchers = [m for m in node.data_matchers if m.name != METRIC_NAME]
    labels = base.labels.all_labels()
    is_info = [_is_info(dict(row).get(METRIC_NAME, ""), name_matchers) for row in labels]
    keys = {_key(row) for row, info in zip(labels, is_info, strict=True) if not info}
    by_key = _info_series(node, keys, name_matchers, data_matchers, ctx)
    wanted = {m.name for m in data_matchers}
    required = not all(m.matches_empty() for m in data_matchers)
    rows: list[Labels] = []
    sources: list[int] = []
    masks: list[Mask] = []
    for row, own in enumerate(labels):
        if is_info[row]:
            combos = [(own, np.ones(ctx.grid.count, bool))]
        else:
            combos = _combinations(own, by_key.get(_key(own), []), wanted, required, ctx)
        for enriched, mask in combos:
            rows.append(enriched)
            sources.append(row)
            masks.append(mask)
    taken = rows_of(base, np.array(sources, np.int64))
    present = taken.present & np.array(masks, bool).reshape(taken.present.shape)
    return merged(replace(taken, labels=_table(rows), present=present))


def _table(rows: Sequence[Labels]) -> LabelTable:
    return LabelTable.from_labels(rows) if rows else LabelTable(0)


def _name_matchers(data_matchers: Sequence[Matcher]) -> list[Matcher]:
    """What the name of an info series must match. Excluding names alone does not make an info series of every other one."""
    given = [m for m in data_matchers if m.name == METRIC_NAME]
    if not given:
        return [Matcher.of(METRIC_NAME, "=", DEFAULT_INFO)]
    if all(m.is_negative for m in given):
        return [Matcher.of(METRIC_NAME, "=~", ANY_INFO), *given]
    return given


def _is_info(name: str, name_matchers: Sequence[Matcher]) -> bool:
    """Info series themselves are not enriched."""
    return all(m.matches(name) for m in name_matchers)


def _key(labels: Labels) -> tuple[str, ...]:
    values = dict(labels)
    return tuple(values.get(name, "") for name in IDENTIFYING)


def _info_series(
    node: Info,
    keys: set[tuple[str, ...]],
    name_matchers: Sequence[Matcher],
    data_matchers: Sequence[Matcher],
    ctx: EvalContext,
) -> dict[tuple[str, ...], list[_InfoSeries]]:
    """The info series of all identities that occur."""
    if not any(any(key) for key in keys):
        return {}
    matchers = [*data_matchers, *name_matchers]
    for at, name in enumerate(IDENTIFYING):
        # A base series without the label looks for info series by the other one alone.
        values = sorted({key[at] for key in keys} - {""})
        if values:
            matchers.append(Matcher.of(name, "=~", "|".join(quote_meta(value) for value in values)))
    instant = Instant(SeriesScan(tuple(matchers)), offset_ms=node.offset_ms, at_ms=node.at_ms)
    frame, times = newest_samples(instant, ctx)
    if frame.histograms is not None:
        raise ExecutionError("info sample should be float")
    out: dict[tuple[str, ...], list[_InfoSeries]] = {}
    for row, labels in enumerate(frame.labels.all_labels()):
        name = dict(labels).get(METRIC_NAME, "")
        rest = tuple(pair for pair in labels if pair[0] not in (METRIC_NAME, *IDENTIFYING))
        out.setdefault(_key(labels), []).append(_InfoSeries(labels, name, rest, times[row], frame.present[row]))
    return out


def _combinations(
    own: Labels, infos: Sequence[_InfoSeries], wanted: set[str], required: bool, ctx: EvalContext
) -> list[tuple[Labels, Mask]]:
    """The label sets that a series gets, and at which steps [T] each. required: it is left out where no info series matched."""
    names = sorted({info.name for info in infos})
    chosen = np.full((len(names), ctx.grid.count), -1, np.int64)
    for place, name in enumerate(names):
        _choose_newest(chosen[place], infos, name)
    patterns, which = (np.zeros((1, 0), np.int64), np.zeros(ctx.grid.count, np.int64))
    if names:
        patterns, which = np.unique(chosen.T, axis=0, return_inverse=True)
    out: list[tuple[Labels, Mask]] = []
    for number, pattern in enumerate(patterns.tolist()):
        matched = [infos[at] for at in pattern if at >= 0]
        if matched or not required:
            added = _added(matched, dict(own), wanted)
            out.append((labels_of({**added, **dict(own)}), which.reshape(-1) == number))
    return out


def _choose_newest(chosen: I64, infos: Sequence[_InfoSeries], name: str) -> None:
    """At each step [T] the number of the info series of that name with the newest sample. Raises: ExecutionError for a tie."""
    best = np.full(len(chosen), np.iinfo(np.int64).min)
    for at, info in enumerate(infos):
        if info.name != name:
            continue
        tied = np.flatnonzero(info.present & (chosen >= 0) & (info.times == best))
        if len(tied):
            existing, time_ms = infos[chosen[tied[0]]], int(best[tied[0]])
            raise ExecutionError(
                "found duplicate series for info metric: "
                f"existing {_shown(existing)} @ {time_ms}, new {_shown(info)} @ {time_ms}"
            )
        newer = info.present & (info.times > best)
        chosen[newer] = at
        best[newer] = info.times[newer]


def _shown(info: _InfoSeries) -> str:
    return info.name + show(tuple(pair for pair in info.labels if pair[0] != METRIC_NAME))


def _added(infos: Sequence[_InfoSeries], own: dict[str, str], wanted: set[str]) -> dict[str, str]:
    """The labels that info series add: those asked for, that the series has not."""
    added: dict[str, str] = {}
    for info in infos:
        for name, value in info.data:
            if (wanted and name not in wanted) or name in own:
                continue
            if added.setdefault(name, value) != value:
                raise ExecutionError(f"conflicting label: {name}")
    return added
