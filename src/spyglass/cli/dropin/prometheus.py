"""spyglass prometheus: the metrics part on prometheus' own flags, exit codes and signals.

Exit codes as upstream: 0 after SIGTERM, 1 for a bad command line or a failed start, 2 for a configuration that does not load.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from spyglass import __version__
from spyglass.app.settings import Address, MetricsSettings, QuerySettings, Settings
from spyglass.cli.dropin.goflags import FlagError, Flags
from spyglass.cli.dropin.prometheus_flags import TABLE
from spyglass.cli.plain import note
from spyglass.cli.serving import serve
from spyglass.text.units import parse_any_duration_ns, parse_size

USAGE = """usage: spyglass prometheus [<flags>]

The metrics part of Spyglass on prometheus' flags, for instance
  spyglass prometheus --config.file=prometheus.yml --storage.tsdb.path=data/ --web.listen-address=127.0.0.1:9090 \\
      --storage.tsdb.retention.time=15d --web.enable-lifecycle --web.enable-remote-write-receiver

Flags with a meaning here: {used}
All other flags of prometheus are accepted and named once."""

DAY_MS = 86_400_000


def run(arguments: Sequence[str]) -> int:
    """Entry point. Returns the exit code."""
    try:
        flags = TABLE.parse(arguments)
        if flags.on("help"):
            print(USAGE.format(used=", ".join(f"--{name}" for name in sorted(TABLE.used))))
            return 0
        if flags.on("version"):
            print(f"prometheus, version 3.14.0 (spyglass {__version__})")
            return 0
        settings = settings_of(flags)
    except (FlagError, ValueError) as error:
        print(f"prometheus: error: {error}, try --help", file=sys.stderr)
        return 1
    if flags.ignored:
        note(f"flags without a meaning here: {', '.join('--' + name for name in flags.ignored)}")
    serve(settings, quiet=True, config_exit=2)
    return 0


def settings_of(flags: Flags) -> Settings:
    """Raises: ValueError for a value that cannot be read."""
    address = parse_address(flags.text("web.listen-address", "0.0.0.0:9090"))
    data = Path(flags.text("storage.tsdb.path", "data/")).absolute()
    retention = flags.text("storage.tsdb.retention.time") or flags.text("storage.tsdb.retention")
    size = flags.text("storage.tsdb.retention.size")
    # As upstream: a size alone means no bound by time.
    retention_ms = milliseconds(retention, "storage.tsdb.retention.time") if retention else 0 if size else 15 * DAY_MS
    features = frozenset(name for value in flags.all("enable-feature") for name in value.split(",") if name)
    metrics = MetricsSettings(
        address,
        data,
        Path(flags.text("config.file", "prometheus.yml")).absolute(),
        retention_ms=retention_ms,
        retention_bytes=_size(size) if size else 0,
        lifecycle=flags.on("web.enable-lifecycle"),
        remote_write_receiver=flags.on("web.enable-remote-write-receiver"),
        admin_api=flags.on("web.enable-admin-api"),
        lookback_ms=milliseconds(flags.text("query.lookback-delta", "5m"), "query.lookback-delta"),
        external_url=flags.text("web.external-url"),
        features=features,
        read_samples_max=int(flags.text("storage.remote.read-sample-limit", "50000000")),
        read_frame_bytes_max=int(flags.text("storage.remote.read-max-bytes-in-frame", "1048576")),
        flags={name: values[-1] for name, values in flags.values.items()},
    )
    queries = QuerySettings(
        timeout_s=milliseconds(flags.text("query.timeout", "2m"), "query.timeout") / 1000,
        max_samples=int(flags.text("query.max-samples", "50000000")),
    )
    # The store locks its own folder; ours is beside its files.
    return Settings(data=data / ".spyglass", metrics=metrics, queries=queries)


def parse_address(text: str) -> Address:
    """`:9090`, `127.0.0.1:9090`, `[::]:9090`. Raises ValueError."""
    host, separator, port = text.rpartition(":")
    if not separator or not port.isdigit() or int(port) > 65535:
        raise ValueError(f"{text!r} is no address: use host:port, such as 127.0.0.1:9090")
    return Address(host.strip("[]") or "0.0.0.0", int(port))


def milliseconds(text: str, flag: str) -> int:
    """Raises ValueError that names the flag."""
    try:
        value = parse_any_duration_ns(text)
    except ValueError as error:
        raise ValueError(f"--{flag}: {error}, found {text!r}") from None
    assert isinstance(value, int), "text gives a number"
    return value // 1_000_000


def _size(text: str) -> int:
    value = parse_size(text)
    assert isinstance(value, int), "text gives a number"
    return value
