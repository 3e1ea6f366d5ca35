"""Array aliases used in every signature, so that a dtype is named in one place.

Shapes are named once and kept: `values [S,T]` (S series, T steps), `times [N]`, `offsets [S+1]`, `group_ids [S]`.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]
U8 = npt.NDArray[np.uint8]
U64 = npt.NDArray[np.uint64]
Mask = npt.NDArray[np.bool_]
Objects = npt.NDArray[Any]
