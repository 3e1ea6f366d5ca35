"""One stage per file; registry.py names them all."""
