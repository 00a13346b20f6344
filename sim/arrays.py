"""How arrays are annotated, and record types: arrays whose elements have named fields."""

from typing import Any, get_type_hints

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
FIELD_KINDS = {int: "<i8", bool: "<i8", float: "<f8"}


def record(*fields: tuple[str, str]) -> np.dtype[Any]:
    """A record type from names, separated by spaces, and their type; fields lie where a compiler expects them."""
    return np.dtype([(name, kind) for names, kind in fields for name in names.split()], align=True)


def record_of(declared: type) -> np.dtype[Any]:
    """The record type of a class's fields that are single numbers, or yes or no (1 or 0); it has no others."""
    hints = get_type_hints(declared).items()
    return record(*((name, FIELD_KINDS[kind]) for name, kind in hints if kind in FIELD_KINDS))
