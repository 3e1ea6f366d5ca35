"""Where lines come from: one source per file."""
