"""spyglass import: take over what another server stored."""

import time
from pathlib import Path

import typer

from spyglass.cli.console import err, out
from spyglass.cli.places import metrics_of
from spyglass.cli.plain import fail

app = typer.Typer(no_args_is_help=True)


@app.callback()
def root() -> None:
    """Take over what another server stored. Its files are only read."""


@app.command("prometheus")
def prometheus(
    folder: Path = typer.Argument(..., help="Prometheus' data directory (--storage.tsdb.path), or a snapshot of it."),
    config: Path = typer.Option(Path("config"), help="The configuration folder whose data gets the samples."),
    data: Path | None = typer.Option(None, help="The metrics folder itself, instead of --config."),
) -> None:
    """Import a Prometheus data directory: its blocks and its write-ahead log. Spyglass must not run on the same data meanwhile.

    Stop Prometheus first, or import a snapshot: of a log that is being written the newest records are missing.

    Examples:  spyglass import prometheus /var/lib/prometheus/metrics2
               spyglass import prometheus /prometheus/snapshots/20261101T120000Z-1a2b --data var/spyglass/metrics
    """
    from spyglass.model.errors import StorageError, StoreLocked
    from spyglass.storage.clock import SystemClock
    from spyglass.storage.files import RealFiles
    from spyglass.storage.metrics.options import MetricStoreOptions
    from spyglass.storage.metrics.prometheus_import import import_prometheus
    from spyglass.storage.metrics.store import DiskMetricStore
    from spyglass.storage.metrics.stores import open_metric_stores

    place = metrics_of(config, data)
    began = time.monotonic()
    if not folder.is_dir():
        fail(f"{folder} is no folder", hint="name Prometheus' --storage.tsdb.path or a snapshot")
    try:
        stores = open_metric_stores(
            place, files=RealFiles(), clock=SystemClock(), options=MetricStoreOptions(retention_ms=0)
        )
    except StoreLocked as error:
        fail(str(error), hint="stop it with `spyglass down` and import again")
    try:
        store = stores.store()
        assert isinstance(store, DiskMetricStore), "these are the disk's"
        report = import_prometheus(folder, store, progress=lambda text: err.print(text, style="dim", markup=False))
    except StorageError as error:
        fail(str(error))
    finally:
        stores.close()
    for note in report.notes:
        err.print(f"warning: {note}", style="yellow", markup=False)
    seconds = time.monotonic() - began
    log = f" and {report.log_records} records of the write-ahead log" if report.log_records else ""
    out.print(
        f"imported {report.samples} samples of {report.series} series from {report.blocks} blocks{log} in {seconds:.1f} s"
    )
