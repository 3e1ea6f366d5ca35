"""What several test rooms need: running stacks, free ports, waiting."""
