"""Types of arrays that several parts of the codec share."""

from typing import Any

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.uint8]
"""RGB samples [H, W, 3], or one channel [H, W]."""
Floats = npt.NDArray[np.float32]
AnyArray = npt.NDArray[Any]
