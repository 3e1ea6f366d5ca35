"""limits_config.otlp_config: what becomes of the attributes of OpenTelemetry's resources, scopes and records.

    otlp_config:
      resource_attributes: {ignore_defaults: false, attributes_config: [{action: index_label, attributes: [team], regex: ...}]}
      scope_attributes: [{action: drop, attributes: [...]}]
      log_attributes: [{action: structured_metadata, regex: ...}]
      severity_text_as_label: false

The first entry that names an attribute decides; those that none names become structured metadata. Source: the Loki configuration reference.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from spyglass.text.regex import RegexError, compile_regex

Action = Literal["index_label", "structured_metadata", "drop"]


class AttributesConfig(BaseModel):
    """attributes or regex, which must match all of a name."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)
    action: Action = "structured_metadata"
    attributes: tuple[str, ...] = ()
    regex: str = ""

    @field_validator("regex")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            compile_regex(value)
        except RegexError as err:
            raise ValueError(str(err)) from None
        return value

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if not self.attributes and not self.regex:
            raise ValueError("attributes or regex must be set")
        if self.attributes and self.regex:
            raise ValueError("only one of attributes or regex must be set")
        return self

    def names(self, attribute: str) -> bool:
        if self.regex:
            return compile_regex(self.regex).fullmatch(attribute) is not None
        return attribute in self.attributes


class ResourceAttributesConfig(BaseModel):
    """ignore_defaults: the attributes that Loki indexes by itself are like all others."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)
    ignore_defaults: bool = False
    attributes_config: tuple[AttributesConfig, ...] = ()


class OtlpConfig(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)
    resource_attributes: ResourceAttributesConfig = ResourceAttributesConfig()
    scope_attributes: tuple[AttributesConfig, ...] = ()
    log_attributes: tuple[AttributesConfig, ...] = ()
    severity_text_as_label: bool = False

    @field_validator("scope_attributes")
    @classmethod
    def _no_labels_of_scopes(cls, value: tuple[AttributesConfig, ...]) -> tuple[AttributesConfig, ...]:
        if any(one.action == "index_label" for one in value):
            raise ValueError("index_label action is only supported for resource_attributes")
        return value


KEPT_NAMES = 4096
"""Attributes whose action is remembered per list of entries. A sender that makes up names only makes us look them up again."""


def action_of(entries: Sequence[AttributesConfig]) -> Callable[[str], Action]:
    """From an attribute's name to what becomes of it."""

    @lru_cache(maxsize=KEPT_NAMES)
    def action(attribute: str) -> Action:
        return next((one.action for one in entries if one.names(attribute)), "structured_metadata")

    return action
