"""The composition root: builds the parts from settings, starts them, reloads them, stops them. Nothing below knows it."""
