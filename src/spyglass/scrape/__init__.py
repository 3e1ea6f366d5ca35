"""Pull metrics from targets: manager, target, loop, discovery."""
