"""What a scrape's request says, whichever client sends it."""

from pathlib import Path

from spyglass import __version__
from spyglass.config.prometheus import ScrapeConfig
from spyglass.scrape.content import accept_header
from spyglass.scrape.target import Target


def request_headers(job: ScrapeConfig, target: Target, folder: Path) -> dict[str, str]:
    """Its headers but for Host; files with credentials are read now. Raises: OSError where one cannot be read."""
    return {
        "Accept": accept_header(job.scrape_protocols),
        "Accept-Encoding": "gzip" if job.enable_compression else "identity",
        "User-Agent": f"Spyglass/{__version__}",
        "X-Prometheus-Scrape-Timeout-Seconds": f"{target.timeout_ms / 1000:g}",
        **job.request_headers(folder),
    }
