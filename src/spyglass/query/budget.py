"""A query's allowance: a deadline, samples, bytes, and a way to stop it from another thread."""

import threading
import time

from spyglass.model.errors import BudgetExceeded, QueryCanceled, QueryTimeout

DEFAULT_MAX_SAMPLES = 50_000_000
"""Prometheus' --query.max-samples."""
DEFAULT_MAX_BYTES = 1 << 30
DEFAULT_TIMEOUT_SECONDS = 120.0
"""Prometheus' --query.timeout."""


class QueryBudget:
    """One query's protocols.budget.Budget. Thread-safe; `cancel` may come from anywhere.

    timeout_seconds 0: no deadline.  max_samples, max_bytes 0: no limit.
    """

    def __init__(
        self,
        *,
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
        max_samples: int = DEFAULT_MAX_SAMPLES,
        max_bytes: int = DEFAULT_MAX_BYTES,
    ) -> None:
        self._timeout = timeout_seconds
        self._deadline = time.monotonic() + timeout_seconds if timeout_seconds else None
        self._max_samples, self._max_bytes = max_samples, max_bytes
        self._canceled = threading.Event()
        self._lock = threading.Lock()
        self.samples = 0
        self.bytes = 0
        self.peak_bytes = 0

    def cancel(self) -> None:
        """Make the next check raise QueryCanceled."""
        self._canceled.set()

    @property
    def canceled(self) -> bool:
        return self._canceled.is_set()

    def check(self) -> None:
        """Raises: QueryCanceled, QueryTimeout."""
        if self._canceled.is_set():
            raise QueryCanceled("query was canceled in expression evaluation")
        if self._deadline is not None and time.monotonic() > self._deadline:
            raise QueryTimeout(
                "query timed out in expression evaluation",
                hint=f"it may run for {self._timeout:g} s; ask for less time or fewer series",
            )

    def charge_samples(self, count: int) -> None:
        """Raises: BudgetExceeded past the limit of samples."""
        with self._lock:
            self.samples += count
            over = self._max_samples and self.samples > self._max_samples
        if over:
            raise BudgetExceeded(
                "query processing would load too many samples into memory in query execution",
                hint=f"a query may load {self._max_samples} samples; ask for less time or fewer series",
            )

    def charge_bytes(self, count: int) -> None:
        """Negative counts give back. Raises: BudgetExceeded past the limit of memory."""
        with self._lock:
            self.bytes += count
            self.peak_bytes = max(self.peak_bytes, self.bytes)
            over = self._max_bytes and self.bytes > self._max_bytes
        if over:
            raise BudgetExceeded(
                "query processing would use too much memory in query execution",
                hint=f"a query may hold {self._max_bytes >> 20} MiB; ask for less time or fewer series",
            )
