"""Where a command's data is. The dialects are imported only where a folder's files must be read for it."""

from pathlib import Path


def data_of(folder: Path, data: Path | None) -> Path:
    """`--data`, or what the configuration folder says. Raises ConfigError."""
    if data is not None:
        return data.absolute()
    from spyglass.config.spyglass import load_installation

    return load_installation(folder).data


def metrics_of(folder: Path, data: Path | None) -> Path:
    """The metric stores' folder: `--data` names it itself. Raises ConfigError."""
    return data.absolute() if data is not None else data_of(folder, None) / "metrics"
