"""Arrays, and named tuples of them, as the compiled code sees them.

Numba's own arrays carry seven words each and are counted at every use; handed around forty at a time, as the kernel
does, they made compiling take minutes. `Rows` is an address and lengths, with the few operations that the kernel's text
uses: full and leading indices, assignment, `len` and `shape`. `Bundle` is a named tuple of them that lies in a table of
words: handing it on is handing on one address. Imported only while something is compiled.
"""

import hashlib
import operator
from typing import Any

import numpy as np
from llvmlite import ir
from numba import from_dtype, types
from numba.core import cgutils
from numba.core.typing.templates import AbstractTemplate, AttributeTemplate, infer_getattr, infer_global, signature
from numba.extending import (
    intrinsic,
    lower_builtin,
    lower_getattr,
    lower_getattr_generic,
    models,
    register_model,
)

WORD = 8
"""Bytes of an address or a length."""


def _short_name(name: str, content: Any) -> str:
    """A name as unique as `content`: Numba tells types apart by name, and repeats it in the name of every function."""
    return f"{name}_{hashlib.sha256(str(content).encode()).hexdigest()[:12]}"


class Rows(types.Type):
    """A contiguous array of records or numbers with `ndim` lengths."""

    def __init__(self, element: Any, ndim: int) -> None:
        self.element, self.ndim = element, ndim
        super().__init__(_short_name("Rows", (element, ndim)))


class Bundle(types.Type):
    """A named tuple: where each field begins in the table, in words, and its type."""

    def __init__(self, name: str, fields: dict[str, tuple[int, Any]]) -> None:
        self.fields = fields
        super().__init__(_short_name(name, fields))


def type_of(argument: Any) -> tuple[Any, int]:
    """The compiled type of an argument, and how many words of the table it takes."""
    if isinstance(argument, np.ndarray):
        return Rows(from_dtype(argument.dtype), argument.ndim), 1 + argument.ndim
    if isinstance(argument, tuple):
        fields, at = {}, 0
        for name, value in zip(argument._fields, argument, strict=True):  # type: ignore[attr-defined]
            kind, words = type_of(value)
            fields[name] = (at, kind)
            at += words
        return Bundle(type(argument).__name__, fields), at
    return types.int64, 1


def argument_at(kind: Any, word: int) -> Any:
    """The function (table) -> the argument of this type that begins at `word`, for compiled code."""

    @intrinsic
    def taken(context: Any, table: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            return _load_argument(context, builder, values[0], word, kind)

        return kind(types.voidptr), emit

    return taken


def _load_argument(context: Any, builder: Any, table: Any, word: int, kind: Any) -> Any:
    """The argument that lies at `word` of the table. The table never changes, so a word need be loaded only once."""
    begin = builder.gep(table, [ir.IntType(64)(word * WORD)])
    if isinstance(kind, Bundle):
        return begin
    words = builder.bitcast(begin, ir.IntType(64).as_pointer())

    def load(i: int) -> Any:
        loaded = builder.load(builder.gep(words, [ir.IntType(64)(i)]))
        loaded.set_metadata("invariant.load", builder.module.add_metadata([]))
        return loaded

    if not isinstance(kind, Rows):
        return load(0)
    made = cgutils.create_struct_proxy(kind)(context, builder)
    made.data = builder.inttoptr(load(0), made.data.type)
    made.shape = cgutils.pack_array(builder, [load(1 + i) for i in range(kind.ndim)])
    return made._getvalue()


@register_model(Rows)
class RowsModel(models.StructModel):
    """How `Rows` lie in compiled code: an address and lengths."""

    def __init__(self, manager: Any, rows: Rows) -> None:
        super().__init__(manager, rows, [("data", types.voidptr), ("shape", types.UniTuple(types.int64, rows.ndim))])


register_model(Bundle)(models.OpaqueModel)


@infer_getattr
class BundleAttributes(AttributeTemplate):
    """The types of the fields of a bundle."""

    key = Bundle

    def generic_resolve(self, bundle: Bundle, name: str) -> Any:
        return bundle.fields[name][1]


@lower_getattr_generic(Bundle)
def _bundle_field(context: Any, builder: Any, bundle: Any, value: Any, name: str) -> Any:
    return _load_argument(context, builder, value, *bundle.fields[name])


def _element_type(rows: Rows, index: Any) -> Any:
    """The type of rows[index]."""
    count = len(index) if isinstance(index, types.BaseTuple) else 1
    return rows.element if count == rows.ndim else Rows(rows.element, rows.ndim - count)


@infer_global(operator.getitem)
class GetItem(AbstractTemplate):
    """The type of rows[index]."""

    def generic(self, args: Any, kws: Any) -> Any:
        rows, index = args
        return signature(_element_type(rows, index), rows, index) if isinstance(rows, Rows) else None


@infer_global(operator.setitem)
class SetItem(AbstractTemplate):
    """The types of rows[index] = value."""

    def generic(self, args: Any, kws: Any) -> Any:
        rows, index, _ = args
        return signature(types.none, rows, index, rows.element) if isinstance(rows, Rows) else None


@infer_global(len)
class Length(AbstractTemplate):
    """The type of len(rows)."""

    def generic(self, args: Any, kws: Any) -> Any:
        return signature(types.int64, *args) if isinstance(args[0], Rows) else None


@infer_getattr
class RowsAttributes(AttributeTemplate):
    """The type of rows.shape."""

    key = Rows

    def resolve_shape(self, rows: Rows) -> Any:
        return types.UniTuple(types.int64, rows.ndim)


def _address(context: Any, builder: Any, rows: Rows, index: Any, value: Any, at: Any) -> tuple[Any, Any]:
    """The address at which rows[index] begins, and the struct of the rows."""
    proxy = cgutils.create_struct_proxy(rows)(context, builder, value=value)
    if isinstance(index, types.BaseTuple):
        places = list(zip(cgutils.unpack_tuple(builder, at, len(index)), index, strict=True))
    else:
        places = [(at, index)]
    lengths = cgutils.unpack_tuple(builder, proxy.shape, rows.ndim)
    offset = context.get_constant(types.intp, 0)
    for length, (place, kind) in zip(lengths, places, strict=False):
        step = context.cast(builder, place, kind, types.intp)
        offset = builder.add(builder.mul(offset, length), step)
    for length in lengths[len(places) :]:
        offset = builder.mul(offset, length)
    return builder.gep(proxy.data, [builder.mul(offset, context.get_constant(types.intp, _size(context, rows)))]), proxy


def _size(context: Any, rows: Rows) -> int:
    if isinstance(rows.element, types.Record):
        return int(rows.element.size)
    return int(context.get_abi_sizeof(context.get_data_type(rows.element)))


@lower_builtin(operator.getitem, Rows, types.Any)
def _get(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    rows, index = sig.args
    address, proxy = _address(context, builder, rows, index, *args)
    if isinstance(sig.return_type, Rows):
        made = cgutils.create_struct_proxy(sig.return_type)(context, builder)
        made.data = address
        lengths = cgutils.unpack_tuple(builder, proxy.shape, rows.ndim)
        made.shape = cgutils.pack_array(builder, lengths[rows.ndim - sig.return_type.ndim :])
        return made._getvalue()
    if isinstance(rows.element, types.Record):
        return builder.bitcast(address, context.get_value_type(rows.element))
    pointer = builder.bitcast(address, context.get_data_type(rows.element).as_pointer())
    return context.unpack_value(builder, rows.element, pointer)


@lower_builtin(operator.setitem, Rows, types.Any, types.Any)
def _set(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    rows, index, _ = sig.args
    address, _ = _address(context, builder, rows, index, args[0], args[1])
    if isinstance(rows.element, types.Record):
        cgutils.raw_memcpy(builder, address, args[2], context.get_constant(types.intp, 1), _size(context, rows))
    else:
        pointer = builder.bitcast(address, context.get_data_type(rows.element).as_pointer())
        context.pack_value(builder, rows.element, args[2], pointer)
    return context.get_dummy_value()


@lower_builtin(len, Rows)
def _len(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    proxy = cgutils.create_struct_proxy(sig.args[0])(context, builder, value=args[0])
    return cgutils.unpack_tuple(builder, proxy.shape, sig.args[0].ndim)[0]


@lower_getattr(Rows, "shape")
def _shape(context: Any, builder: Any, rows: Any, value: Any) -> Any:
    return cgutils.create_struct_proxy(rows)(context, builder, value=value).shape
