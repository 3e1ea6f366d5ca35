"""Stores: metrics, logs, and the in-memory oracle. Synchronous."""
