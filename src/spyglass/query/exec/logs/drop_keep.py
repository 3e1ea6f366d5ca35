"""`| drop a, b="x"` and `| keep a, b=~"y"`. keep never takes `__error__` and its kin away."""

from spyglass.model.log_stages import DropLabels, KeepLabels, StringPredicate
from spyglass.model.matchers import Matcher
from spyglass.query.exec.logs.rows import SPECIAL, Rows
from spyglass.query.exec.logs.stage import Needs, RunStage, makes


@makes(DropLabels)
def drop_labels(stage: DropLabels, needs: Needs) -> RunStage:  # noqa: ARG001
    plain, tests = frozenset(stage.names), _tests(stage.matchers)

    def run(rows: Rows) -> Rows:
        if plain:
            rows.restrict(lambda name: name not in plain)
        for place in range(rows.size) if tests else ():
            labels = rows.merged(place)
            names = frozenset(name for name, test in tests if name in labels and test.matches(labels[name]))
            if names:
                rows.delete(place, names)
        return rows

    return run


@makes(KeepLabels)
def keep_labels(stage: KeepLabels, needs: Needs) -> RunStage:  # noqa: ARG001
    plain, tests = frozenset(stage.names) | SPECIAL, _tests(stage.matchers)

    def run(rows: Rows) -> Rows:
        if not tests:
            rows.restrict(plain.__contains__)
            return rows
        for place in range(rows.size):
            labels = rows.merged(place)
            kept = plain | {name for name, test in tests if name in labels and test.matches(labels[name])}
            gone = labels.keys() - kept
            if gone:
                rows.delete(place, frozenset(gone))
        return rows

    return run


def _tests(predicates: tuple[StringPredicate, ...]) -> list[tuple[str, Matcher]]:
    return [(p.name, Matcher.of(p.name, p.op, p.value)) for p in predicates]
