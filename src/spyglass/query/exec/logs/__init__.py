"""Running LogQL pipelines on batches of lines: one stage a file, scans, and range aggregations into Frames."""
