"""What configuration files do not do although they seem to: one file per kind of file that is examined."""
