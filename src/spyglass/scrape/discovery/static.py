"""static_configs: the targets stand in the file."""

from collections.abc import Sequence

from spyglass.config.prometheus import ScrapeConfig, StaticGroup

Found = dict[str, str]
"""The labels that discovery gives one target; __address__ among them."""


def static_targets(job: ScrapeConfig) -> list[Found]:
    """Every address with its group's labels."""
    return [found for group in job.static_configs for found in of_group(group)]


def of_group(group: StaticGroup, extra: Sequence[tuple[str, str]] = ()) -> list[Found]:
    return [{**dict(extra), **group.labels, "__address__": address} for address in group.targets]
