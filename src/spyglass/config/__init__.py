"""One file per upstream configuration dialect. Reading only, no side effects."""
