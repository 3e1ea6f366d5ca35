"""python -m spyglass."""

from spyglass.cli.entry import main

if __name__ == "__main__":
    main()
