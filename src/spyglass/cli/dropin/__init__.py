"""Command lines of the upstream programs: only the program name changes in a unit or compose file."""
