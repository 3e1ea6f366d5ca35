"""A rate with a burst."""


class TokenBucket:
    """`rate` tokens a second, at most `burst` saved up. Not thread-safe: the owner locks."""

    __slots__ = ("_at_ns", "_burst", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float, now_ns: int) -> None:
        self._rate, self._burst, self._tokens, self._at_ns = rate, burst, burst, now_ns

    def limit(self, rate: float, burst: float) -> None:
        """From now on. A smaller burst takes effect with the next `take`."""
        self._rate, self._burst = rate, burst

    def take(self, amount: float, now_ns: int) -> bool:
        self._tokens = min(self._burst, self._tokens + max(now_ns - self._at_ns, 0) * self._rate / 1e9)
        self._at_ns = now_ns
        if amount > self._tokens:
            return False
        self._tokens -= amount
        return True
