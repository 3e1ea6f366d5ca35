"""pipeline_stages of a Promtail file: one model per stage, with Promtail's names and defaults.

Upstream ignores keys that a stage does not know; so do we, with a warning (see promtail.py).
Source of names and defaults: the Promtail configuration reference, 2.9 and 3.x.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from spyglass.config.units import DurationNs, SizeBytes
from spyglass.text.regex import RegexError, compile_regex

SECOND_NS = 1_000_000_000


class Stage(BaseModel):
    """A stage's own block. Keys that are not known are kept aside in `model_extra`."""

    model_config = ConfigDict(extra="allow", frozen=True, populate_by_name=True, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _nulls_keep_defaults(cls, data: Any) -> Any:
        if data is None:
            return {}
        return {k: v for k, v in data.items() if v is not None} if isinstance(data, dict) else data


def _regex(value: str) -> str:
    try:
        compile_regex(value)
    except RegexError as err:
        raise ValueError(str(err)) from None
    return value


def _sources(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _self_named(value: object) -> object:
    """`{level: null}` means `{level: level}`."""
    return {k: k if v in (None, "") else v for k, v in value.items()} if isinstance(value, dict) else value


SourceMap = Annotated[dict[str, str], BeforeValidator(_self_named)]
"""Name -> where its value comes from; a name without value is its own source."""


class JsonStage(Stage):
    expressions: SourceMap
    source: str | None = None
    drop_malformed: bool = False


class LogfmtStage(Stage):
    mapping: SourceMap
    source: str | None = None


class RegexStage(Stage):
    expression: str
    source: str | None = None
    labels_from_groups: bool = False

    @field_validator("expression")
    @classmethod
    def _compiles(cls, value: str) -> str:
        _regex(value)
        if not compile_regex(value).groupindex:
            raise ValueError("at least one named capture group must be supplied")
        return value


class ReplaceStage(Stage):
    expression: str
    source: str | None = None
    replace: str = ""

    _compiles = field_validator("expression")(_regex)


class TemplateStage(Stage):
    source: str
    template: str


class TimestampStage(Stage):
    source: str
    format: str
    fallback_formats: tuple[str, ...] = ()
    location: str | None = None
    action_on_failure: Literal["fudge", "skip"] = "fudge"


class OutputStage(Stage):
    source: str


class TenantStage(Stage):
    label: str = ""
    source: str = ""
    value: str = ""

    @model_validator(mode="after")
    def _one(self) -> "TenantStage":
        if sum(map(bool, (self.label, self.source, self.value))) != 1:
            raise ValueError("exactly one of label, source and value must be given")
        return self


class MatchStage(Stage):
    selector: str
    pipeline_name: str | None = None
    action: Literal["keep", "drop"] = "keep"
    drop_counter_reason: str = "match_stage"
    stages: tuple[dict[str, Any], ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> "MatchStage":
        if self.action == "drop" and self.stages:
            raise ValueError("a match stage with action drop cannot have stages")
        if self.action == "keep" and not self.stages:
            raise ValueError("a match stage needs stages, unless its action is drop")
        return self


class DropStage(Stage):
    source: Annotated[tuple[str, ...], BeforeValidator(_sources)] = ()
    separator: str = ";"
    expression: str | None = None
    value: str | None = None
    older_than: DurationNs | None = None
    longer_than: SizeBytes | None = None
    drop_counter_reason: str = "drop_stage"

    @model_validator(mode="after")
    def _consistent(self) -> "DropStage":
        conditions = (self.source, self.expression, self.older_than, self.longer_than)
        if all(c is None or c == () for c in conditions):
            raise ValueError("needs at least one of source, expression, older_than and longer_than")
        if self.expression is not None and self.value is not None:
            raise ValueError("only one of expression and value may be given")
        if self.value is not None and not self.source:
            raise ValueError("value needs a source")
        if self.expression is not None:
            _regex(self.expression)
        return self


class MultilineStage(Stage):
    firstline: str
    max_wait_time: DurationNs = 3 * SECOND_NS
    max_lines: int = Field(default=128, ge=1)

    _compiles = field_validator("firstline")(_regex)


class CriStage(Stage):
    max_partial_lines: int = 100
    max_partial_line_size: SizeBytes = 0
    max_partial_line_size_truncate: bool = False


class LimitStage(Stage):
    rate: float = Field(gt=0)
    burst: int = Field(gt=0)
    drop: bool = False
    by_label_name: str = ""
    max_distinct_labels: int = 10_000

    @model_validator(mode="after")
    def _consistent(self) -> "LimitStage":
        if self.by_label_name and not self.drop:
            raise ValueError("by_label_name needs drop: true")
        return self


class SamplingStage(Stage):
    rate: float = Field(ge=0, le=1)


class PackStage(Stage):
    labels: tuple[str, ...]
    ingest_timestamp: bool = True


class MetricConfig(Stage):
    match_all: bool = False
    count_entry_bytes: bool = False
    value: str | None = None
    action: str = ""
    buckets: tuple[float, ...] = ()


class MetricStage(Stage):
    """One metric of a metrics stage."""

    type: Literal["counter", "gauge", "histogram"]
    description: str = ""
    source: str | None = None
    prefix: str = "promtail_custom_"
    max_idle_duration: DurationNs = 300 * SECOND_NS
    config: MetricConfig = MetricConfig.model_construct()

    @field_validator("type", mode="before")
    @classmethod
    def _any_case(cls, value: Any) -> Any:
        return value.lower() if isinstance(value, str) else value

    @model_validator(mode="after")
    def _consistent(self) -> "MetricStage":
        actions = _ACTIONS[self.type]
        if self.type != "histogram" and self.config.action.lower() not in actions:
            raise ValueError(
                f"the action of a {self.type} is one of {', '.join(actions)}, found {self.config.action!r}"
            )
        sized = self.type == "counter" and self.config.count_entry_bytes
        if sized and (not self.config.match_all or self.config.action.lower() != "add"):
            raise ValueError("count_entry_bytes needs match_all: true and action: add")
        return self


_ACTIONS = {"counter": ("inc", "add"), "gauge": ("set", "inc", "dec", "add", "sub"), "histogram": ()}

STAGES: dict[str, type[Stage]] = {
    "json": JsonStage,
    "logfmt": LogfmtStage,
    "regex": RegexStage,
    "replace": ReplaceStage,
    "template": TemplateStage,
    "timestamp": TimestampStage,
    "output": OutputStage,
    "tenant": TenantStage,
    "match": MatchStage,
    "drop": DropStage,
    "multiline": MultilineStage,
    "docker": Stage,
    "cri": CriStage,
    "limit": LimitStage,
    "sampling": SamplingStage,
    "pack": PackStage,
    "decolorize": Stage,
}
"""Stages whose block is a mapping of options."""

MAPPINGS = frozenset(["labels", "static_labels", "structured_metadata", "non_indexed_labels"])
"""Stages whose block maps names to sources (or values)."""

LISTS = frozenset(["labeldrop", "labelallow"])
"""Stages whose block is a list of label names."""

LATER = frozenset(["geoip", "eventlogmessage", "windowsevent"])
"""Stages of upstream that are not there yet: lines pass them unchanged."""
