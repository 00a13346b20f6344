"""Plain functions of arrays, run as Python: the same numbers as their machine code, a hundred times as slowly.

NumPy's own records take microseconds for every field that is read, so records are objects here while a function runs,
and go back into their arrays when it is done.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import FunctionType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.native.object_code import is_ours


def interpret(function: str, names: Mapping[str, Any], arguments: tuple[Any, ...]) -> int:
    """Call a function by its name. In its text, and in that of all it calls, each name means what `names` says."""
    meant = dict(names)
    for name, value in names.items():
        if is_ours(value):
            meant[name] = FunctionType(value.__code__, meant, name, value.__defaults__)
    opened: list[Records] = []
    result = int(meant[function](*(_opened(argument, opened) for argument in arguments)))
    for records in opened:
        records.close()
    return result


class Records:
    """An array of records, of whose fields those of a record that somebody asked for are attributes of an object."""

    def __init__(self, array: NDArray[Any]) -> None:
        self.shape = array.shape
        self._array, self._fields = array, array.dtype.names or ()
        self._record = type("Record", (), {"__slots__": self._fields})
        self._opened: dict[Any, Any] = {}

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> Any:
        record = self._opened.get(index)
        if record is None:
            record = self._opened[index] = self._record()
            for field, value in zip(self._fields, self._array[index].item(), strict=True):
                setattr(record, field, value)
        return record

    def __setitem__(self, index: Any, record: Any) -> None:
        kept = self[index]
        for field in self._fields:
            setattr(kept, field, getattr(record, field))

    def close(self) -> None:
        """Write what was opened back into the array, unless it is only to be read, as what other processes share."""
        if not self._array.flags.writeable:
            return
        for index, record in self._opened.items():
            self._array[index] = tuple(getattr(record, field) for field in self._fields)


def _opened(argument: Any, opened: list[Records]) -> Any:
    """An argument with its records as objects, which are put on the list."""
    if isinstance(argument, tuple):
        return type(argument)(*(_opened(field, opened) for field in argument))
    if isinstance(argument, np.ndarray) and argument.dtype.names:
        opened.append(Records(argument))
        return opened[-1]
    return argument
