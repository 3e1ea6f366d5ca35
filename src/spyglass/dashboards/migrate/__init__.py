"""Dashboards of every generation, brought to today's classic schema. `migrate` is the only door."""

from spyglass.dashboards.migrate.dashboard import migrate

__all__ = ["migrate"]
