"""The exposition formats: Prometheus text and OpenMetrics, decoded to columns and encoded from our own registry."""
