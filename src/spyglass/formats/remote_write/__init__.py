"""Remote write bodies to columns, and 1.0 back."""
