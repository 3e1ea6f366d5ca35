"""LogQL: grammar, AST, checks, printer, lowering to the plan."""
