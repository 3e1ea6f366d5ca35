"""How targets are found: one mechanism per file."""
