"""How an array of numbers is annotated."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
