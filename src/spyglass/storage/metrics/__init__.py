"""The metric store: index, head, write-ahead log, blocks, compaction, retention."""
