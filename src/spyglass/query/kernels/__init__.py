"""Arrays in, arrays out: no labels, no I/O, no per-sample if."""
