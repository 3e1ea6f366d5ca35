"""Query languages, plans, kernels, execution. Synchronous; engine.py is the only door."""
