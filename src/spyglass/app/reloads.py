"""How the last loading of the configuration went: for /metrics, runtimeinfo and notifications."""

from collections.abc import Mapping, Sequence

from spyglass.api.prometheus.targets import rfc3339
from spyglass.model.telemetry import Registry
from spyglass.protocols.clock import Clock

FAILED = "Configuration reload has failed."


class Reloads:
    """Made when a configuration has been loaded for the first time."""

    def __init__(self, registry: Registry, clock: Clock) -> None:
        self._clock = clock
        self._failed_ns = 0
        prefix = "prometheus_config_last_reload"
        self._good = registry.gauge(
            f"{prefix}_successful", "Whether the last configuration reload attempt was successful."
        )
        self._when = registry.gauge(
            f"{prefix}_success_timestamp_seconds", "Timestamp of the last successful configuration reload."
        )
        self.succeeded()

    def succeeded(self) -> None:
        """The configuration in force was loaded now."""
        self._loaded_ns, self._failed_ns = self._clock.now_ns(), 0
        self._good.set(1)
        self._when.set(self._loaded_ns / 1e9)

    def failed(self) -> None:
        """What was loaded before stays in force."""
        self._failed_ns = self._clock.now_ns()
        self._good.set(0)

    def runtime(self) -> Mapping[str, object]:
        """The keys of runtimeinfo."""
        return {"reloadConfigSuccess": not self._failed_ns, "lastConfigTime": rfc3339(self._loaded_ns)}

    def notices(self) -> Sequence[tuple[str, int]]:
        """What people should know, and since when (ns)."""
        return [(FAILED, self._failed_ns)] if self._failed_ns else []
