"""From plain functions of arrays to object code: Numba makes LLVM's language of them, LLVM the code of this machine.

Object code has one function, `entry`. It takes a table of words in which the arguments lie: whole numbers, addresses
and lengths of arrays, named tuples field by field.

Left out: keeping the code, and calling it (compiler.py).
"""

from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np

from sim.errors import SimulationError

SCIPY_FUNCTIONS = {"ndtri": "ndtri", "ndtr": "__pyx_fuse_1ndtr"}
"""Functions of scipy.special that the kernel calls, and the C functions behind them: double (double, int)."""
MATHEMATICS = {"exp", "log", "sqrt"}
"""Functions of the C library that the kernel calls."""


def is_ours(value: Any) -> bool:
    """Whether a value is one of the functions to be compiled."""
    return isinstance(value, FunctionType) and value.__module__.startswith("sim.")


def lay_out(argument: Any, signature: list[Any], table: list[int]) -> None:
    """Write an argument into the table as `numba_types.type_of` says, and what it is into the signature."""
    if isinstance(argument, tuple):
        signature.append(argument._fields)  # type: ignore[attr-defined]
        for field in argument:
            lay_out(field, signature, table)
    elif isinstance(argument, np.ndarray):
        if not argument.flags.c_contiguous:
            raise SimulationError("an array of the compiled engine is not contiguous; please report it")
        signature += (argument.dtype, argument.ndim)
        table.append(argument.ctypes.data)
        table += argument.shape
    else:
        signature.append(None)
        table.append(argument)


def object_code(plain: Callable[..., int], arguments: tuple[Any, ...], names: dict[str, Any]) -> bytes:
    """Compile a function: Numba to LLVM's language, LLVM to object code with one function, `entry`."""
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
    """Names of a module, each function replaced by its compiled self."""
    from numba import njit, types

    names = dict(plain)
    for name, value in list(names.items()):
        if is_ours(value):
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
