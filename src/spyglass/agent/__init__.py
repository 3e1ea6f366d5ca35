"""The Promtail dialect: tail, pipeline stages, positions, push client."""
