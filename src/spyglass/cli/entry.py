"""Entry point of the `spyglass` script: a drop-in command line is started before anything for people is imported."""

import gc
import importlib
import sys

DROP_INS = {
    "prometheus": "run the metrics part with prometheus' own flags",
    "loki": "run the logs part with loki's own flags",
    "promtail": "run the agent with promtail's own flags",
}


IMPORTED_OBJECTS = 100_000
"""So many new objects before the collector runs: while modules are imported nearly all objects stay, and looking at them is a tenth
of the time that starting takes. A server sets its own number once it runs."""


def main() -> None:
    """Dispatch."""
    gc.set_threshold(IMPORTED_OBJECTS)
    arguments = sys.argv[1:]
    if arguments and arguments[0] in DROP_INS:
        sys.exit(importlib.import_module(f"spyglass.cli.dropin.{arguments[0]}").run(arguments[1:]))
    importlib.import_module("spyglass.cli.main").main(arguments, DROP_INS)
