"""python -m spyglass."""

from spyglass.cli.main import main

if __name__ == "__main__":
    main()
