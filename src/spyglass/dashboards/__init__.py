"""Dashboards and data sources: provisioning, migration, model."""
