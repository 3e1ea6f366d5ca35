"""Every stage by its name in pipeline_stages. A new stage is a file and a line here (and its options in config/promtail_stages.py).

`match` holds stages itself, so it is given this table instead of importing it.
"""

from functools import partial

from spyglass.agent.stages import (
    cri,
    decolorize,
    docker,
    drop,
    json,
    labelallow,
    labeldrop,
    labels,
    limit,
    line_size,
    logfmt,
    match,
    metrics,
    multiline,
    output,
    pack,
    regex,
    replace,
    sampling,
    static_labels,
    structured_metadata,
    template,
    tenant,
    timestamp,
)
from spyglass.agent.stages.base import Builder

BUILDERS: dict[str, Builder] = {
    "cri": cri.build,
    "decolorize": decolorize.build,
    "docker": docker.build,
    "drop": drop.build,
    "json": json.build,
    "labelallow": labelallow.build,
    "labeldrop": labeldrop.build,
    "labels": labels.build,
    "limit": limit.build,
    line_size.NAME: line_size.build,
    "logfmt": logfmt.build,
    "metrics": metrics.build,
    "multiline": multiline.build,
    "output": output.build,
    "pack": pack.build,
    "regex": regex.build,
    "replace": replace.build,
    "sampling": sampling.build,
    "static_labels": static_labels.build,
    "structured_metadata": structured_metadata.build,
    "template": template.build,
    "tenant": tenant.build,
    "timestamp": timestamp.build,
    "non_indexed_labels": structured_metadata.build,
}
BUILDERS["match"] = partial(match.build, builders=BUILDERS)
