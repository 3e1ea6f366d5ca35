"""The line-level kit: RE2, Go durations and layouts, Go templates, logfmt, patterns."""
