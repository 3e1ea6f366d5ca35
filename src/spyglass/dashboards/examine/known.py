"""What the web UI and the data source API can do. A test holds these lists against the UI's own registries."""

PANELS = frozenset(
    {
        *("alertlist", "barchart", "bargauge", "dashlist", "gauge", "heatmap", "histogram", "logs", "nodeGraph"),
        *("piechart", "row", "stat", "state-timeline", "status-history", "table", "text", "timeseries", "traces"),
    }
)
"""ui/src/panels/registry.ts, and rows."""

TRANSFORMATIONS = frozenset(
    {
        *("calculateField", "concatenate", "configFromData", "convertFieldType", "extractFields", "filterByRefId"),
        *("filterByValue", "filterFieldsByName", "formatString", "formatTime", "groupBy", "groupingToMatrix"),
        *("heatmap", "histogram", "joinByField", "joinByLabels", "labelsToFields", "limit", "merge", "organize"),
        *("partitionByValues", "prepareTimeSeries", "reduce", "renameByRegex", "rowsToFields", "seriesToColumns"),
        *("seriesToRows", "sortBy", "timeSeriesTable", "transpose"),
    }
)
"""ui/src/core/transformations/index.ts."""

VARIABLES = frozenset({"query", "custom", "interval", "constant", "textbox", "datasource", "adhoc", "switch"})

PROMETHEUS = frozenset(
    {
        "prometheus",
        "grafana-amazonprometheus-datasource",
        "grafana-azureprometheus-datasource",
        "victoriametrics-metrics-datasource",
    }
)
LOKI = frozenset({"loki"})
OWN_SOURCES = frozenset({"grafana", "datasource"})
"""Grafana's own: annotations, mixed queries, other panels' results."""
EXPRESSION = "__expr__"
DASHBOARD = "-- Dashboard --"

FORMATS = frozenset(
    {
        *("csv", "raw", "pipe", "regex", "glob", "json", "distributed", "lucene", "singlequote", "doublequote"),
        *("sqlstring", "percentencode", "uriencode", "queryparam", "date", "join", "text"),
    }
)
"""ui/src/core/interpolate.ts."""

IGNORED: dict[str, dict[str, frozenset[object]]] = {
    "heatmap": {"options.selectionMode": frozenset({"x", ""})},
    "logs": {"options.syntaxHighlighting": frozenset({False})},
    "timeseries": {"fieldConfig.defaults.custom.lineColor": frozenset({""})},
}
"""Type of panel -> settings that are not drawn -> the values that mean nothing. A test looks for them in the UI."""
