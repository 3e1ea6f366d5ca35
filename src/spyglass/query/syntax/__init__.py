"""What both grammars share: positions, carets, string and number literals."""
