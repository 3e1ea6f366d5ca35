"""What a stage is: a batch of entries in, a batch out; and what it may know of the world."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from spyglass.agent.entry import Entry
from spyglass.agent.metrics import AgentMetrics
from spyglass.config.promtail import StageSpec
from spyglass.model.errors import ConfigError, QueryError

Run = Callable[[list[Entry]], list[Entry]]


class Stage(Protocol):
    """One stage of one pipeline. Not thread-safe: a pipeline is run by one thread at a time."""

    def run(self, entries: list[Entry]) -> list[Entry]:
        """The entries that go on, in order. They may be changed in place; those left out are dropped or held."""
        ...

    def flush(self, now_ns: int | None) -> list[Entry]:
        """Entries that were held long enough at `now_ns` (monotonic); None: all of them."""
        ...

    def held_start(self) -> int | None:
        """Where the oldest held entry begins in its source; None where nothing is held."""
        ...


class Simple:
    """A stage that holds nothing back."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def flush(self, now_ns: int | None) -> list[Entry]:  # noqa: ARG002
        return []

    def held_start(self) -> int | None:
        return None


class Chain:
    """Stages one behind the other; itself a stage."""

    def __init__(self, stages: Sequence[Stage]) -> None:
        self.stages = list(stages)

    def run(self, entries: list[Entry]) -> list[Entry]:
        """The entries that leave the last stage now, in order."""
        return self._from(0, entries)

    def flush(self, now_ns: int | None) -> list[Entry]:
        """What stages held long enough (None: everything they hold), sent through the stages behind them."""
        out: list[Entry] = []
        for index, stage in enumerate(self.stages):
            held = stage.flush(now_ns)
            if held:
                out.extend(self._from(index + 1, held))
        return out

    def held_start(self) -> int | None:
        """Where the oldest entry that a stage holds begins in the source."""
        starts = [start for stage in self.stages if (start := stage.held_start()) is not None]
        return min(starts, default=None)

    def _from(self, index: int, entries: list[Entry]) -> list[Entry]:
        for stage in self.stages[index:]:
            if not entries:
                return entries
            entries = stage.run(entries)
        return entries


def each(change: Callable[[Entry], None]) -> Simple:
    """A stage that changes every entry and drops none."""

    def run(entries: list[Entry]) -> list[Entry]:
        for entry in entries:
            change(entry)
        return entries

    return Simple(run)


@dataclass(slots=True)
class StageContext:
    """What stages of one scrape config share, over all of its files.

    shared: state that belongs to the job and not to one file (rate limits, custom metrics), by the stage's place.
    delay_s: how long the reader should pause, asked for by limits that do not drop; the reader resets it.
    wrap: put around every stage that is built, told its name.
    """

    metrics: AgentMetrics
    now_ns: Callable[[], int]
    monotonic_ns: Callable[[], int]
    job: str = ""
    dice: random.Random = field(default_factory=random.Random)
    shared: dict[Any, Any] = field(default_factory=dict)
    delay_s: float = 0.0
    wrap: Callable[[str, Stage], Stage] = lambda name, stage: stage  # noqa: ARG005

    def share(self, key: Any, make: Callable[[], Any]) -> Any:
        """The job's one object under `key`, made at first use."""
        if key not in self.shared:
            self.shared[key] = make()
        return self.shared[key]


Builder = Callable[[StageSpec, StageContext], Stage]
"""Makes a stage for one pipeline. `spec` is shared by the pipelines of a job, so its id can serve as the key of shared state."""


def build_stage(spec: StageSpec, context: StageContext, builders: dict[str, Builder]) -> Stage:
    """Make one stage. Raises: ConfigError with the stage's place where its texts (template, selector, path) are wrong."""
    try:
        return context.wrap(spec.name, builders[spec.name](spec, context))
    except (QueryError, ValueError, KeyError, OSError) as err:
        text = f"unknown time zone {err.args[0]}" if isinstance(err, KeyError) else str(err)
        raise ConfigError(text, file=spec.file, line=spec.line, key=spec.key) from None
