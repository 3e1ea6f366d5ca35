"""Commands: parse arguments, call the composition root or a running server, print. No logic lives here."""
