"""The log store: hot part, write-ahead log, Parquet blocks, fields, token filters."""
