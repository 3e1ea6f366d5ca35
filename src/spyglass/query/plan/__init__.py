"""The plan that both languages lower to: nodes, and one rewrite per file."""
