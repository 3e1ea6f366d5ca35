"""Failed logins, counted by address and by address and login, so that guessing is slow and nobody is locked out by others."""

from collections import OrderedDict, deque

WINDOW_S = 300.0
PER_LOGIN = 5
"""Failures of one address on one login in five minutes; Grafana's number."""
PER_ADDRESS = 30
"""Failures of one address on any login: a proxy in front makes many people one address, so it is not tight."""
MAX_KEYS = 20_000
"""Addresses and logins remembered; the oldest go first. More cost memory when somebody floods us."""


class Throttle:
    """Sliding windows. Times are monotonic seconds. Used from the event loop's thread only."""

    def __init__(self) -> None:
        self._failures: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()

    def wait_s(self, address: str, login: str, now_s: float) -> float:
        """How long this address must wait before it may try this login; 0: it may now."""
        return max(
            self._wait((address, login.lower()), PER_LOGIN, now_s),
            self._wait((address, ""), PER_ADDRESS, now_s),
        )

    def _wait(self, key: tuple[str, str], limit: int, now_s: float) -> float:
        times = self._failures.get(key)
        if times is None:
            return 0.0
        while times and times[0] <= now_s - WINDOW_S:
            times.popleft()
        if not times:
            del self._failures[key]
        return times[-limit] + WINDOW_S - now_s if len(times) >= limit else 0.0

    def failed(self, address: str, login: str, now_s: float) -> None:
        for key in ((address, login.lower()), (address, "")):
            self._failures.setdefault(key, deque(maxlen=PER_ADDRESS)).append(now_s)
            self._failures.move_to_end(key)
        while len(self._failures) > MAX_KEYS:
            self._failures.popitem(last=False)

    def succeeded(self, address: str, login: str) -> None:
        self._failures.pop((address, login.lower()), None)
