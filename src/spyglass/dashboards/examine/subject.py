"""What a check is given: one dashboard, as it was written and as it was migrated, with what is known of its surroundings."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from spyglass.dashboards.examine.evidence import LogEvidence, MetricEvidence
from spyglass.dashboards.examine.findings import Finding
from spyglass.dashboards.examine.known import LOKI, PROMETHEUS
from spyglass.dashboards.examine.scope import BUILTINS, Scope
from spyglass.dashboards.migrate.values import Json, obj, objects, text
from spyglass.protocols.dashboards import KnownSource


@dataclass(frozen=True, slots=True)
class Subject:
    """body: the dashboard as written. model: the same in today's schema.

    sources: the data sources there are, None where that is not known. metrics, logs: live or fixture data, None offline.
    """

    body: Json
    model: Json
    scope: Scope = field(default_factory=dict)
    sources: Sequence[KnownSource] | None = None
    metrics: MetricEvidence | None = None
    logs: LogEvidence | None = None

    def panels(self) -> Iterator[Json]:
        """Every panel of the model, rows and what they hold included."""
        waiting = objects(self.model.get("panels"))[::-1]
        while waiting:
            panel = waiting.pop()
            yield panel
            waiting.extend(objects(panel.get("panels"))[::-1])

    def written_panels(self) -> Iterator[Json]:
        """As written: migrating mends, or leaves out, some of what is looked for."""
        waiting = (objects(self.body.get("panels")) + objects(self.body.get("rows")))[::-1]
        while waiting:
            panel = waiting.pop()
            yield panel
            waiting.extend(objects(panel.get("panels"))[::-1])

    def variables(self) -> list[Json]:
        return objects(obj(self.model.get("templating")).get("list"))

    def knows(self, name: str) -> bool:
        """Whether a query may refer to the name."""
        return name in self.scope or name in BUILTINS

    def kind_of(self, reference: object) -> str:
        """The type of the data source that a reference means, "" where it cannot be told."""
        given = obj(reference)
        kind = text(given.get("type"))
        if kind:
            return kind
        uid = text(given.get("uid"))
        name = uid.strip("${}[]").partition(":")[0]
        if uid.startswith(("$", "[[")):
            for variable in self.variables():
                if variable.get("name") == name and variable.get("type") == "datasource":
                    return text(variable.get("query"))
        for source in self.sources or ():
            if uid in (source.uid, source.name):
                return source.type
        return ""

    def language_of(self, reference: object) -> str:
        """ "promql", "logql", "" where the kind is not known, "other" for any other kind."""
        kind = self.kind_of(reference)
        return "promql" if kind in PROMETHEUS else "logql" if kind in LOKI else "other" if kind else ""


Check = Callable[[Subject], Iterator[Finding]]


def place_of(panel: Json) -> str:
    """How people find the panel."""
    title = text(panel.get("title"))
    shown = title if len(title) <= 60 else title[:57] + "..."
    return f"panel {panel.get('id')} {shown!r}" if shown else f"panel {panel.get('id')}"
