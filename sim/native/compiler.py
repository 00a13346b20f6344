"""Plain functions of arrays, compiled to machine code and kept.

`Compiled(function, ...)` is called as the function itself. The first call on a machine compiles it (some seconds, and
it says so). The object code is kept in a file whose name is a digest of everything it was made from, so an edited rule
is a new file and an old one can never be run by mistake. From then on a call needs neither Numba nor LLVM's optimizer:
linking takes a tenth of a second, importing Numba alone would take most of a whole one.

What is compiled is the text of rules.py, streams.py, quantiles.py, drawing.py, tally.py and kernel.py, by function:
each also runs as plain Python, only slower.

Arguments are whole numbers, arrays, or named tuples of arrays; they are passed as addresses, so calls from several
threads run at the same time. The value is a whole number.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import sys
import threading
from collections.abc import Callable
from enum import EnumMeta
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from sim.errors import SimulationError
from sim.native.notices import notice_once

SCIPY_FUNCTIONS = {"ndtri": "ndtri", "ndtr": "__pyx_fuse_1ndtr"}
"""Functions of scipy.special that the kernel calls, and the C functions behind them: double (double, int)."""
MATHEMATICS = {"exp", "log", "sqrt"}
"""Functions of the C library that the kernel calls."""
MOST_KEYS = 100
DIGEST_BYTES = hashlib.sha256().digest_size


def cache_folder() -> Path:
    """Where compiled code is kept: NEXTHOUR_CACHE, else the user's cache folder."""
    given = os.environ.get("NEXTHOUR_CACHE")
    if given:
        return Path(given)
    from platformdirs import user_cache_path

    return user_cache_path("nexthour")


_lock = threading.Lock()


class Compiled:
    """A function of some modules of plain text, compiled when first called.

    `modules` are all whose functions it calls, itself or through others; a name means the same in all of them.
    """

    def __init__(self, plain: Callable[..., int], *modules: ModuleType) -> None:
        self.plain, self.modules = plain, modules
        self._calls: dict[tuple[Any, ...], Any] = {}
        self._linked: dict[str, Any] = {}

    def __call__(self, *arguments: Any) -> int:
        signature: list[Any] = []
        table: list[int] = []
        for argument in arguments:
            _lay_out(argument, signature, table)
        # A record type is slow to compare and to hash, and there is one object of each.
        key = tuple(id(dtype) for dtype in signature)
        call = self._calls.get(key)
        if call is None:
            if len(self._calls) >= MOST_KEYS:  # what comes out of a pickle has types of its own each time
                self._calls.clear()
            call = self._calls[key] = (self._code(arguments, repr(signature)), signature)
        return int(call[0]((ctypes.c_int64 * len(table))(*table)))

    def _code(self, arguments: tuple[Any, ...], signature: str) -> Any:
        with _lock:
            if signature not in self._linked:
                self._linked[signature] = self._link(arguments, signature)
            return self._linked[signature]

    def _link(self, arguments: tuple[Any, ...], signature: str) -> Any:
        """The machine code for arguments like these, as something to call."""
        from llvmlite import binding as llvm

        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        for name, address in _scipy_addresses().items():
            llvm.add_symbol(name, address)
        path = cache_folder() / f"{self.plain.__name__}-{self._digest(signature)}.o"
        code = _kept(path)
        if code is None:
            notice_once("Compiling the simulation for this machine: once, 20 to 40 seconds ...")
            code = _object_code(self.plain, arguments, self._names())
            _keep(path, code)
        machine = llvm.Target.from_default_triple().create_target_machine(codemodel="jitdefault", jit=True)
        linker = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
        linker.add_object_file(llvm.ObjectFileRef.from_data(code))
        linker.finalize_object()
        call = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)(linker.get_function_address("entry"))
        call.keep_alive = linker  # type: ignore[attr-defined]
        return call

    def _names(self) -> dict[str, Any]:
        """All names of the modules together."""
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
        from importlib.metadata import version

        from llvmlite import binding as llvm

        # The code that is in memory, not the file, which may have been edited since.
        names = self._names()
        parts = [f"{name} {_text(value.__code__)}" for name, value in sorted(names.items()) if _is_ours(value)]
        parts += [Path(__file__).read_text(), Path(__file__).with_name("numba_types.py").read_text()]
        # Numbers that the text imports from elsewhere are compiled in.
        for name, value in sorted(names.items()):
            if isinstance(value, EnumMeta):
                parts.append(f"{name} {[(member.name, member.value) for member in value]}")  # type: ignore[var-annotated]
            elif isinstance(value, (int, float, str, tuple, np.generic, np.dtype)):
                parts.append(f"{name} {value!r}")
        parts += [version(package) for package in ("numba", "llvmlite", "numpy", "scipy")]
        parts += [sys.version, platform.platform(), llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()]
        parts += [self.plain.__name__, signature]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _is_ours(value: Any) -> bool:
    """Whether it is one of the functions to be compiled."""
    return isinstance(value, FunctionType) and value.__module__.startswith("sim.")


def _text(code: CodeType) -> str:
    """All of a function's code that decides what it does."""
    constants = [_text(co_const) if isinstance(co_const, CodeType) else repr(co_const) for co_const in code.co_consts]
    return f"{code.co_code.hex()} {constants} {code.co_names} {code.co_varnames} {code.co_freevars}"


def _lay_out(argument: Any, signature: list[Any], table: list[int]) -> None:
    """Write an argument into the table as `rows.type_of` says, and what it is into the signature."""
    if isinstance(argument, tuple):
        signature.append(argument._fields)  # type: ignore[attr-defined]
        for field in argument:
            _lay_out(field, signature, table)
    elif isinstance(argument, np.ndarray):
        if not argument.flags.c_contiguous:
            raise SimulationError("an array of the compiled engine is not contiguous; please report it")
        signature += (argument.dtype, argument.ndim)
        table.append(argument.ctypes.data)
        table += argument.shape
    else:
        signature.append(None)
        table.append(argument)


def _kept(path: Path) -> bytes | None:
    """The code in a file that begins with its digest; None if there is none, or it is not what was written."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, code = content[:DIGEST_BYTES], content[DIGEST_BYTES:]
    return code if hashlib.sha256(code).digest() == digest else None


def _keep(path: Path, code: bytes) -> None:
    """Write for the next time, whole or not at all; without a place to keep it, it is compiled again next time."""
    import tempfile

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            written = Path(folder) / path.name
            written.write_bytes(hashlib.sha256(code).digest() + code)
            written.replace(path)
    except OSError:
        pass


def _scipy_addresses() -> dict[str, int]:
    from scipy.special import cython_special

    address_of = ctypes.pythonapi.PyCapsule_GetPointer
    address_of.restype, address_of.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    name_of = ctypes.pythonapi.PyCapsule_GetName
    name_of.restype, name_of.argtypes = ctypes.c_char_p, [ctypes.py_object]
    capsules = {ours: cython_special.__pyx_capi__[theirs] for ours, theirs in SCIPY_FUNCTIONS.items()}
    return {f"scipy_{name}": address_of(capsule, name_of(capsule)) for name, capsule in capsules.items()}


def _object_code(plain: Callable[..., int], arguments: tuple[Any, ...], names: dict[str, Any]) -> bytes:
    """Compile: Numba to LLVM's language, LLVM to object code with one function, `entry`."""
    from llvmlite import binding as llvm
    from numba import cfunc, types

    entry = cfunc(types.int64(types.voidptr), error_model="numpy")(_entry(plain, arguments, _compiled_names(names)))
    module = llvm.parse_assembly(entry.inspect_llvm())
    module.get_function(entry.native_name).name = "entry"
    module.link_in(llvm.parse_assembly(_never_called(module)))
    for function in module.functions:
        if not function.is_declaration and function.name != "entry":
            function.linkage = "internal"
    machine = llvm.Target.from_default_triple().create_target_machine(
        opt=3,
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        codemodel="jitdefault",
        jit=True,
    )
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=3))
    builder.getModulePassManager().run(module, builder)
    return machine.emit_object(module)


def _compiled_names(plain: dict[str, Any]) -> dict[str, Any]:
    """The same names, each function replaced by its compiled self."""
    from numba import njit, types

    names = dict(plain)
    for name, value in list(names.items()):
        if _is_ours(value):
            function = FunctionType(value.__code__, names, name, value.__defaults__)
            names[name] = njit(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)
    for name in SCIPY_FUNCTIONS:
        external = types.ExternalFunction(f"scipy_{name}", types.float64(types.float64, types.int32))
        names[f"scipy_{name}"] = external
        text = f"def {name}(x):\n    return scipy_{name}(x, 0)"
        exec(text, names)
        names[name] = njit(forceinline=True)(names[name])
    names["wide_product"] = _wide_product()
    return names


def _wide_product() -> Any:
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic

    @intrinsic
    def wide_product(context: Any, a: Any, b: Any) -> Any:
        both = types.UniTuple(types.uint64, 2)

        def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            wide, word = ir.IntType(128), ir.IntType(64)
            product = builder.mul(*(builder.zext(argument, wide) for argument in arguments))
            high = builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), word)
            return context.make_tuple(builder, both, [high, builder.trunc(product, word)])

        return both(types.uint64, types.uint64), emit

    return wide_product


def _entry(plain: Callable[..., int], arguments: tuple[Any, ...], names: dict[str, Any]) -> Callable[..., int]:
    """A function of the table of words that calls `plain` with what lies in it."""
    from sim.native.numba_types import argument_at, type_of

    at, written = 0, []
    for i, argument in enumerate(arguments):
        kind, words = type_of(argument)
        names[f"argument_{i}"] = argument_at(kind, at)
        written.append(f"argument_{i}(table)")
        at += words
    exec(f"def entry(table):\n    return {plain.__name__}({', '.join(written)})", names)
    return names["entry"]


def _never_called(module: Any) -> str:
    """Definitions of what Numba's code refers to and never calls here: it makes no objects and raises nothing."""
    declared = [f.name for f in module.functions if f.is_declaration and not f.name.startswith(("llvm.", "scipy_"))]
    functions = [name for name in declared if name.startswith(("numba_", "NRT_", "Py"))]
    unknown = set(declared) - set(functions) - MATHEMATICS
    if unknown:
        raise SimulationError(f"compiled code calls {', '.join(sorted(unknown))}; allowed: MATHEMATICS of {__name__}")
    values = [v.name for v in module.global_variables if v.is_declaration]
    lines = ["declare void @abort()"]
    lines += [f"define void @{name}() {{ call void @abort() unreachable }}" for name in functions]
    lines += [f"@{name} = global i8 0" for name in values]
    return "\n".join(lines)
