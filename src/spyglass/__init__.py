"""Spyglass: a self-hosted observability server; see ARCHITECTURE.md for the map of the rooms."""

__version__ = "0.1.0"
