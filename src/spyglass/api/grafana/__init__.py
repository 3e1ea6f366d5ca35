"""Grafana's HTTP API and the web UI's files."""
