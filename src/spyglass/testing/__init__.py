"""The shipped test kit: script runners, conformance suites for stores, virtual clock, faulty files."""
