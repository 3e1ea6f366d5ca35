"""A Frame is what every metric expression is: label columns, a value matrix, and a presence mask.

Absence and NaN differ: a NaN with present=True is a value, absence is no sample at that step. See
docs/decisions/0001-absence-is-a-mask.md.
"""

from dataclasses import dataclass

from spyglass.model.arrays import F64, Mask, Objects
from spyglass.model.labels import LabelTable
from spyglass.model.times import StepGrid


@dataclass(frozen=True, slots=True)
class Frame:
    """S series over the T steps of `grid`.

    labels: S rows.  values [S,T] float64; unspecified where absent.  present [S,T] bool: True where there is a sample, be
    it a float or a histogram.  histograms [S,T] objects (FloatHistogram or None), or None where there are none at all; where an
    element is a histogram the float at that place is unspecified.
    Rows with no sample at all may be there; answers drop them.
    drop_names [S] bool: rows whose metric name goes when the query is done (delayed name removal), or None: none.
    """

    labels: LabelTable
    grid: StepGrid
    values: F64
    present: Mask
    histograms: Objects | None = None
    drop_names: Mask | None = None

    @property
    def size(self) -> int:
        return self.labels.size
