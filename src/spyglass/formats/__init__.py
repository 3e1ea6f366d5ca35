"""Codecs without I/O: one file per wire or exposition format."""
