"""What a query may use. One Budget per query, handed down through scan and kernels; cooperative, cheap to check."""

from typing import Protocol


class Budget(Protocol):
    """A running query's allowance. All methods are thread-safe and raise the matching QueryError."""

    def check(self) -> None:
        """Raise QueryTimeout after the deadline, QueryCanceled if the asker left. Call it between blocks and kernels."""
        ...

    def charge_samples(self, count: int) -> None:
        """Account for samples loaded. Raises BudgetExceeded past the limit."""
        ...

    def charge_bytes(self, count: int) -> None:
        """Account for memory that the query now holds; negative gives back. Raises BudgetExceeded past the limit."""
        ...
