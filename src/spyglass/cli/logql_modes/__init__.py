"""What `spyglass logql` can do besides asking for a range: one mode a file."""
