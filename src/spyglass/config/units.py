"""Durations and sizes as pydantic types."""

from typing import Annotated

from pydantic import BeforeValidator

from spyglass.text.units import parse_any_duration_ns, parse_size


def _duration_ms(value: object) -> object:
    ns = parse_any_duration_ns(value)
    return ns // 1_000_000 if isinstance(ns, int) else ns


SizeBytes = Annotated[int, BeforeValidator(parse_size)]
DurationMs = Annotated[int, BeforeValidator(_duration_ms)]
DurationNs = Annotated[int, BeforeValidator(parse_any_duration_ns)]
