"""Time as a seam, so that tests run on a virtual clock and clock jumps can be tried."""

from typing import Protocol


class Clock(Protocol):
    """Wall time and monotonic time."""

    def now_ns(self) -> int:
        """Nanoseconds since 1970 UTC. May jump either way."""
        ...

    def monotonic_ns(self) -> int:
        """Nanoseconds from an arbitrary start. Never goes back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait. A virtual clock returns when the test has advanced that far."""
        ...
