"""HTTP doors: decode a request, ask a protocol, encode the answer. No decisions."""
