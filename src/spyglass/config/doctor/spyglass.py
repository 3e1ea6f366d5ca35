"""spyglass.yml: downsampling that comes too late, or to nothing."""

from collections.abc import Iterator

from spyglass.config.doctor.finding import Finding, warning
from spyglass.config.source import KeyPath, dotted, read_yaml
from spyglass.config.spyglass import Installation, MetricsSection
from spyglass.text.durations import format_prometheus_duration as shown

Flaw = tuple[KeyPath, str, str]
"""(where, what does not do what it seems to, what to do)."""


def examine(installation: Installation) -> list[Finding]:
    """Findings in spyglass.yml. Raises ConfigError."""
    file = installation.file
    if file is None:
        return []
    document = read_yaml(file)
    found = [
        warning(file, document.line(path), dotted(path), message, remedy)
        for path, message, remedy in downsampling_flaws(installation.config.metrics)
    ]
    return sorted(found, key=lambda finding: finding.line)


def downsampling_flaws(metrics: MetricsSection) -> Iterator[Flaw]:
    """What about `metrics.downsampling` makes no sense together with the other times."""
    finer, finer_keep_ms = "samples", metrics.retention
    for number, one in enumerate(metrics.downsampling):
        here = ("metrics", "downsampling", number)
        name, made = shown(one.resolution), shown(one.made_ms)
        if finer_keep_ms and finer_keep_ms < one.made_ms:
            key = "metrics.retention" if not number else f"metrics.downsampling[{number - 1}].keep"
            yield (
                (*here, "after"),
                f"{finer} are kept {shown(finer_keep_ms)}, and are in buckets of {name} at the age of {made} at the latest: "
                "some or all are gone by then, in every resolution",
                f"set {key} to {made} or more",
            )
        if one.keep and (not finer_keep_ms or one.keep <= finer_keep_ms):
            kept = f"{shown(finer_keep_ms)}" if finer_keep_ms else "for ever"
            yield (
                (*here, "keep"),
                f"buckets of {name} are kept {shown(one.keep)}, {finer} {kept}: nothing is answered from these buckets alone",
                "keep the coarser resolution longer",
            )
        if one.after < metrics.out_of_order_window:
            yield (
                (*here, "after"),
                f"samples may come up to {shown(metrics.out_of_order_window)} late (out_of_order_window); those that come after "
                f"their window was made at {shown(one.after)} are missing from the buckets of {name}",
                f"set it to {shown(metrics.out_of_order_window)} or more",
            )
        finer, finer_keep_ms = f"buckets of {name}", one.keep
