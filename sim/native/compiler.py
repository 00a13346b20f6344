"""Plain functions of arrays, compiled to machine code and kept.

`Compiled(function, ...)` is called as the function itself. The first call on a machine compiles it (some seconds, and
it says so). The object code is kept in a file whose name is a digest of everything it was made from, so an edited rule
is a new file and an old one can never be run by mistake. From then on a call needs neither Numba nor LLVM's optimizer:
linking takes a tenth of a second, importing Numba alone would take most of a whole one. Where nothing can be kept
(kept_code.py), each process compiles, and says why.

What is compiled is the text of rules.py, streams.py, drawing.py, tally.py and kernel.py, by function: each also runs as
plain Python, a hundred times as slowly: NumPy's own records take microseconds for every field that is read, so they are
objects while a function is interpreted, and go back into their arrays when it is done.

Arguments are whole numbers, arrays, or named tuples of arrays; they are passed as addresses, so calls from several
threads run at the same time. The value is a whole number.
"""

import ctypes
import hashlib
import platform
import sys
import threading
from collections.abc import Callable, Mapping
from enum import EnumMeta
from functools import cache
from importlib import import_module, metadata
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.errors import SimulationError, short_line
from sim.native.kept_code import NotKept, keep, read_kept
from sim.native.object_code import SCIPY_FUNCTIONS, is_ours, lay_out, object_code
from sim.progress import notice_once

MOST_KEYS = 100

_lock = threading.Lock()


class NoMachineCode(SimulationError):
    """A function cannot be compiled here, and was not before: `missing` says what cannot be imported, and why."""

    def __init__(self, missing: str) -> None:
        super().__init__(
            f"the compiled engine cannot be had, as {missing}; install numba and llvmlite again, or use the engine "
            "simpy, which gives the same"
        )
        self.missing = missing


class Compiled:
    """A function of some modules of plain text, compiled when first called.

    `modules` are all whose functions it calls, itself or through others; a name means the same in all of them. With
    `as_python`, the text itself runs where no machine code can be had; it gives the names that have a quicker meaning
    there. Without it, a call then raises NoMachineCode.
    """

    def __init__(
        self,
        plain: Callable[..., int],
        *modules: ModuleType,
        as_python: Callable[[], Mapping[str, Callable[..., Any]]] | None = None,
    ) -> None:
        self.plain, self.modules, self.as_python = plain, modules, as_python
        self._calls: dict[tuple[Any, ...], Any] = {}
        self._linked: dict[str, Any] = {}
        self.missing: str | None = None
        """why there is no machine code, empty if there is; None as long as nobody called it"""

    def __call__(self, *arguments: Any) -> int:
        signature: list[Any] = []
        table: list[int] = []
        for argument in arguments:
            lay_out(argument, signature, table)
        # A record type is slow to compare and to hash, and there is one object of each.
        key = tuple(id(dtype) for dtype in signature)
        call = self._calls.get(key)
        if call is None:
            if len(self._calls) >= MOST_KEYS:  # what comes out of a pickle has types of its own each time
                self._calls.clear()
            try:
                call = self._calls[key] = (self._code(arguments, repr(signature)), signature)
            except NoMachineCode:
                if self.as_python is None:
                    raise
                return interpret(self.plain.__name__, {**self._names(), **self.as_python()}, arguments)
        return int(call[0]((ctypes.c_int64 * len(table))(*table)))

    def _code(self, arguments: tuple[Any, ...], signature: str) -> Any:
        with _lock:
            if signature not in self._linked:
                if self.missing:  # to find out again takes some milliseconds
                    raise NoMachineCode(self.missing)
                try:
                    self._linked[signature] = self._link(arguments, signature)
                    self.missing = ""
                except NoMachineCode as problem:
                    self.missing = problem.missing
                    raise
            return self._linked[signature]

    def _link(self, arguments: tuple[Any, ...], signature: str) -> Any:
        """The machine code for arguments like these, as something to call. Raises NoMachineCode."""
        _need("llvmlite")
        from llvmlite import binding as llvm

        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        for name, address in _scipy_addresses().items():
            llvm.add_symbol(name, address)
        name = f"{self.plain.__name__}-{self._digest(signature)}.o"
        code = read_kept(name)
        if code is None:
            _need("numba")
            notice_once("Compiling the simulation for this machine: once, 20 to 40 seconds ...")
            code = object_code(self.plain, arguments, self._names())
            try:
                keep(name, code)
            except NotKept as problem:
                notice_once(str(problem))
        machine = llvm.Target.from_default_triple().create_target_machine(codemodel="jitdefault", jit=True)
        linker = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
        linker.add_object_file(llvm.ObjectFileRef.from_data(code))
        linker.finalize_object()
        call = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)(linker.get_function_address("entry"))
        call.keep_alive = linker  # type: ignore[attr-defined]
        return call

    def _names(self) -> dict[str, Any]:
        names: dict[str, Any] = {}
        for module in self.modules:
            for name, value in vars(module).items():
                if name.startswith("__"):
                    continue
                if names.setdefault(name, value) is not value:
                    raise SimulationError(f"{name} means something else in {module.__name__}; give it another name")
        return names

    def _digest(self, signature: str) -> str:
        """Changes with everything that the machine code depends on."""
        from llvmlite import binding as llvm

        # The code that is in memory, not the file, which may have been edited since.
        names = self._names()
        parts = [f"{name} {_fingerprint(value.__code__)}" for name, value in sorted(names.items()) if is_ours(value)]
        sources = (Path(__file__).with_name(file) for file in ("object_code.py", "numba_types.py"))
        parts += [source.read_text(encoding="utf-8") for source in sources]
        # Numbers that the text imports from elsewhere are compiled in.
        for name, value in sorted(names.items()):
            if isinstance(value, EnumMeta):
                parts.append(f"{name} {[(member.name, member.value) for member in value]}")  # type: ignore[var-annotated]
            elif isinstance(value, (int, float, str, tuple, np.generic, np.dtype)):
                parts.append(f"{name} {value!r}")
        parts += [_version(package) for package in ("numba", "llvmlite", "numpy", "scipy")]
        parts += [sys.version, platform.platform(), llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()]
        parts += [self.plain.__name__, signature]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


@cache
def _problem(package: str) -> str:
    """Why a package cannot be imported; nothing if it can. A broken one fails in many ways, so any of them counts."""
    try:
        # Of Numba, also what numba_types.py takes from inside it.
        import_module("sim.native.numba_types" if package == "numba" else f"{package}.binding")
    except Exception as problem:
        return short_line(f"{type(problem).__name__}: {problem}")
    return ""


def _need(package: str) -> None:
    if problem := _problem(package):
        raise NoMachineCode(f"{package} cannot be imported ({problem})")


def _version(package: str) -> str:
    """The version of a package that is installed, whether it can be imported or not."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "none"


def _fingerprint(code: CodeType) -> str:
    """The part of a function's code that decides what it does."""
    constants = [_fingerprint(value) if isinstance(value, CodeType) else repr(value) for value in code.co_consts]
    return f"{code.co_code.hex()} {constants} {code.co_names} {code.co_varnames} {code.co_freevars}"


def _scipy_addresses() -> dict[str, int]:
    from scipy.special import cython_special

    address_of = ctypes.pythonapi.PyCapsule_GetPointer
    address_of.restype, address_of.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    name_of = ctypes.pythonapi.PyCapsule_GetName
    name_of.restype, name_of.argtypes = ctypes.c_char_p, [ctypes.py_object]
    capsules = {name: cython_special.__pyx_capi__[symbol] for name, symbol in SCIPY_FUNCTIONS.items()}
    return {f"scipy_{name}": address_of(capsule, name_of(capsule)) for name, capsule in capsules.items()}


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
