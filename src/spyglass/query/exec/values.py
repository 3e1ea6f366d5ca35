"""What evaluating a node gives: a Frame (vector), a Scalar per step, or a text."""

from dataclasses import dataclass

from spyglass.model.arrays import F64
from spyglass.model.frame import Frame
from spyglass.model.times import StepGrid


@dataclass(frozen=True, slots=True)
class Scalar:
    """One number per step: values [T]."""

    grid: StepGrid
    values: F64


@dataclass(frozen=True, slots=True)
class TextValue:
    """A string literal's value."""

    text: str


Value = Frame | Scalar | TextValue
