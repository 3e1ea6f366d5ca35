"""spyglass export: samples as tables that other programs read."""

from pathlib import Path

import typer

from spyglass.cli.console import out
from spyglass.cli.places import metrics_of
from spyglass.cli.plain import fail
from spyglass.cli.times import parse_time


def command(
    parquet: Path = typer.Option(..., "--parquet", help="A new folder for the Parquet files, one for each two hours."),
    match: str = typer.Option('{__name__=~".+"}', help="Which series: a PromQL selector."),
    start: str = typer.Option("0", help="Start of the range: now-7d, RFC 3339 or seconds."),
    end: str = typer.Option("now", help="End of the range."),
    config: Path = typer.Option(Path("config"), help="The configuration folder whose data is read."),
    data: Path | None = typer.Option(None, help="The metrics folder itself, instead of --config."),
    tenant: str = typer.Option("", help="Whose samples."),
) -> None:
    """Write samples as Parquet (metric, labels, time, value) for DuckDB, Spark or ClickHouse.

    Spyglass must not run on the same data meanwhile.

    Example:  spyglass export --parquet /tmp/out --match 'http_requests_total{job="backend"}' --start now-7d
    """
    from spyglass.model.errors import NotFound, QueryError, StorageError, StoreLocked
    from spyglass.query.budget import QueryBudget
    from spyglass.query.promql.parser import parse_selector
    from spyglass.storage.clock import SystemClock
    from spyglass.storage.files import RealFiles
    from spyglass.storage.metrics.options import MetricStoreOptions
    from spyglass.storage.metrics.parquet_export import export_parquet
    from spyglass.storage.metrics.stores import open_metric_stores

    place = metrics_of(config, data)
    try:
        matchers = list(parse_selector(match))
        stores = open_metric_stores(
            place, files=RealFiles(), clock=SystemClock(), options=MetricStoreOptions(retention_ms=0)
        )
    except QueryError as error:
        fail(f"--match: {error}")
    except StoreLocked as error:
        fail(str(error), hint="stop it with `spyglass down`, or export from a snapshot")
    try:
        written = export_parquet(
            stores.store(tenant, create=False),
            parquet,
            matchers=matchers,
            start_ms=round(parse_time(start) * 1000),
            end_ms=round(parse_time(end) * 1000),
            budget=QueryBudget(timeout_seconds=0, max_samples=0, max_bytes=0),
        )
    except (StorageError, NotFound) as error:
        fail(str(error))
    finally:
        stores.close()
    out.print(f"wrote {written} samples to {parquet}", markup=False)
