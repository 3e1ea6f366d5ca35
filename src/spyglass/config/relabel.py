"""relabel_configs as files write them, for every file that has them."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, field_validator, model_validator

from spyglass.config.http_client import Strict
from spyglass.config.scalars import Count
from spyglass.model.relabel import ACTIONS, RelabelRule
from spyglass.text.regex import RegexError, anchored_program

_TARGET = re.compile(r"^(?:[a-zA-Z_]|\$(?:\{\w+\}|\w+))[\w$\{\}]*$", re.ASCII)
_NO_OTHERS = {"labeldrop", "labelkeep"}
_DEFAULTS = RelabelRule()


def _scalar(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else str(value) if isinstance(value, int | float) else value


Text = Annotated[str, BeforeValidator(_scalar)]


class RelabelConfig(Strict):
    """One rule as in the file, checked as upstream checks it."""

    source_labels: tuple[str, ...] = ()
    separator: Text = ";"
    regex: Text = "(.*)"
    modulus: Count = 0
    target_label: Text = ""
    replacement: Text = "$1"
    action: str = "replace"

    @field_validator("action", mode="before")
    @classmethod
    def _known(cls, value: Any) -> Any:
        action = value.lower() if isinstance(value, str) else value
        if action not in ACTIONS:
            raise ValueError(f"unknown relabel action {value!r}; there are {', '.join(sorted(ACTIONS))}")
        return action

    @field_validator("regex")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            anchored_program(value)
        except RegexError as err:
            raise ValueError(str(err)) from None
        return value

    @model_validator(mode="after")
    def _consistent(self) -> "RelabelConfig":
        problem = _problem(self)
        if problem:
            raise ValueError(problem)
        return self

    def rule(self) -> RelabelRule:
        return RelabelRule(
            source_labels=self.source_labels,
            separator=self.separator,
            regex=self.regex,
            modulus=self.modulus,
            target_label=self.target_label,
            replacement=self.replacement,
            action=self.action,
        )


def _problem(rule: RelabelConfig) -> str:
    action = rule.action
    if action == "hashmod" and rule.modulus == 0:
        return "relabel configuration for hashmod requires non-zero modulus"
    needs_target = ("replace", "hashmod", "lowercase", "uppercase", "keepequal", "dropequal")
    if action in needs_target and not rule.target_label:
        return f"relabel configuration for {action} action requires 'target_label' value"
    if (
        action in ("replace", "lowercase", "uppercase", "hashmod")
        and rule.target_label
        and not _good(rule.target_label, action)
    ):
        return f"{rule.target_label!r} is invalid 'target_label' for {action} action"
    if action in ("lowercase", "uppercase", "keepequal", "dropequal") and rule.replacement != _DEFAULTS.replacement:
        return f"'replacement' can not be set for {action} action"
    if action in ("keepequal", "dropequal") and (rule.regex, rule.modulus, rule.separator) != ("(.*)", 0, ";"):
        return f"{action} action requires only 'source_labels' and `target_label`, and no other fields"
    others = (rule.source_labels, rule.target_label, rule.modulus, rule.separator, rule.replacement)
    if action in _NO_OTHERS and others != ((), "", 0, ";", "$1"):
        return f"{action} action requires only 'regex', and no other fields"
    return ""


def _good(target: str, action: str) -> bool:
    if "$" in target:
        return action == "replace" and _TARGET.match(target) is not None
    return target != ""
