"""Examining dashboards: one check a file, each says what is wrong and what is not supported; none touches the page or the disk."""
