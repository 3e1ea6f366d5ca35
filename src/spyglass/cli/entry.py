"""Entry point of the `spyglass` script: a drop-in command line is started before anything for people is imported."""

import gc
import importlib
import os
import sys

DROP_INS = {
    "prometheus": "run the metrics part with prometheus' own flags",
    "loki": "run the logs part with loki's own flags",
    "promtail": "run the agent with promtail's own flags",
}


def main() -> None:
    """Dispatch."""
    # While modules are imported nearly all objects stay: looking at them is a tenth of the time that starting takes.
    # A command that is no server has the collector back once it is imported, a server once it runs.
    gc.disable()
    # None of our models knows a plugin; looking for some reads the metadata of every installed package.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    arguments = sys.argv[1:]
    if arguments and arguments[0] in DROP_INS:
        sys.exit(importlib.import_module(f"spyglass.cli.dropin.{arguments[0]}").run(arguments[1:]))
    importlib.import_module("spyglass.cli.main").main(arguments, DROP_INS)
