"""The evaluator's door: importing this module registers every shared operator.

A language engine imports `evaluate` from here and its own leaves besides.
"""

from spyglass.query.exec import absent, aggregate, basics, binary, calls, info, select, window
from spyglass.query.exec.registry import evaluate, evaluate_frame, load

OPERATORS = (absent, aggregate, basics, binary, calls, info, select, window)
"""The modules whose import registers the operators; named so that none is taken for unused."""

__all__ = ["OPERATORS", "evaluate", "evaluate_frame", "load"]
