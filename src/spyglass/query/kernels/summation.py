"""Sums that do not lose small addends: Kahan's summation in Neumaier's variant, in columns.

Source: Prometheus util/kahansum. Each step works on all series and steps at once; the loop runs over the position in the window.
"""

import numpy as np

from spyglass.model.arrays import F64


def kahan_add(addend: F64, total: F64, lost: F64) -> tuple[F64, F64]:
    """One addition: the new total and the new compensation, elementwise."""
    with np.errstate(all="ignore"):
        new = total + addend
        bigger = np.abs(total) >= np.abs(addend)
        error = np.where(bigger, (total - new) + addend, (addend - new) + total)
        # An infinite total makes the error NaN; upstream then starts the compensation anew.
        return new, np.where(np.isinf(new), 0.0, lost + error)
