"""The order in which the migrations run. Each is one file, looks for what it knows, and leaves the rest alone.

They look at what is there more than at `schemaVersion`: hand-made files often carry a wrong one. Source: the behaviour of
Grafana with old dashboards, and its documentation of the JSON model.
"""

import copy
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from spyglass.dashboards.documents import body_of, is_resource
from spyglass.dashboards.migrate import (
    annotations,
    datasources,
    field_config,
    gauge,
    graph,
    heatmap,
    inputs,
    library_panels,
    links,
    lists,
    panel_ids,
    piechart,
    resource,
    rows,
    settings,
    singlestat,
    stat_options,
    table,
    table_old,
    targets,
    templating,
    text_panel,
    transformations,
)
from spyglass.dashboards.migrate.library_panels import FindModel
from spyglass.dashboards.migrate.values import Json, panels_of, whole
from spyglass.protocols.dashboards import KnownSource

log = logging.getLogger(__name__)

SCHEMA_VERSION = 41
"""What the result says it is."""

PanelMigration = Callable[[Json, int], None]

PANEL_MIGRATIONS: Sequence[PanelMigration] = (
    graph.migrate,
    gauge.migrate,
    singlestat.migrate,
    stat_options.migrate,
    table_old.migrate,
    table.migrate,
    piechart.migrate,
    heatmap.migrate,
    text_panel.migrate,
    lists.migrate,
    field_config.migrate,
    transformations.migrate,
    links.migrate_panel,
)


def migrate(
    dashboard: Mapping[str, Any],
    sources: Sequence[KnownSource] = (),
    *,
    problems: list[str] | None = None,
    library_panel: FindModel | None = None,
) -> Json:
    """A classic dashboard in today's schema. sources: what names and defaults of data sources mean.

    Changes no argument but problems, which takes a sentence for each panel that had to stay as it was.
    library_panel: what the library has; `__elements` of the dashboard come after it.
    """
    if is_resource(dashboard) or is_resource(body_of(dashboard)):
        model = resource.to_classic(copy.deepcopy(dict(dashboard)))
    else:
        model = copy.deepcopy(dict(body_of(dashboard)))
    version = whole(model.get("schemaVersion"))
    inputs.resolve(model, sources)
    if library_panel is not None:
        library_panels.inline(model, library_panel)
    rows.migrate(model)
    settings.migrate(model)
    panel_ids.migrate(model)
    for panel in list(panels_of(model)):
        _migrate_panel(panel, version, problems)
    templating.migrate(model)
    annotations.migrate(model)
    datasources.migrate(model, sources)
    for panel in panels_of(model):
        targets.migrate(panel)
    links.migrate_dashboard(model)
    model["schemaVersion"] = max(version, SCHEMA_VERSION)
    return model


def _migrate_panel(panel: Json, version: int, problems: list[str] | None) -> None:
    for migration in PANEL_MIGRATIONS:
        before = copy.copy(panel)
        try:
            migration(panel, version)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            # One odd panel must not cost the dashboard: it is shown as it was, and the log says why.
            log.warning(
                "panel %r of type %r could not be migrated", panel.get("title"), panel.get("type"), exc_info=True
            )
            panel.clear()
            panel.update(before)
            if problems is not None:
                problems.append(f"panel {panel.get('title')!r} of type {panel.get('type')!r} could not be migrated")
