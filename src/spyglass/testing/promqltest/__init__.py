"""A runner for upstream's PromQL test scripts (`.test` files), against a store or against a server's HTTP API."""
