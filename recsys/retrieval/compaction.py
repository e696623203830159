"""Stream compaction: what a mask or a bound leaves of a row is moved side by side, sixteen at a time.

A loop that appends one number after the other waits for each length before the next store. Written as
vectors in the compiler's own language, sixteen numbers are compared, packed by one instruction and stored
together. Both kernels have a twin in plain numba that gives the same bytes.
"""

from typing import Any, Final

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from recsys.kernels import USE_LLVM, kernel
from recsys.types import BoolArray, Float32Array, Int32Array

AT_ONCE: Final = 16
"""Numbers compared and packed at a time; arrays written to have room for so many more."""

_BITS = ir.VectorType(ir.IntType(1), AT_ONCE)
_BYTES = ir.VectorType(ir.IntType(8), AT_ONCE)
_WHOLE = ir.VectorType(ir.IntType(32), AT_ONCE)
_REAL = ir.VectorType(ir.FloatType(), AT_ONCE)


def _arrays(context: Any, builder: Any, signature: Any, arguments: Any) -> list[Any]:
    return [
        context.make_array(kind)(context, builder, value) if isinstance(kind, types.Array) else value
        for kind, value in zip(signature.args, arguments, strict=True)
    ]


def _place(builder: Any, array: Any, kind: Any, at: Any, row: Any = None) -> Any:
    # A pointer to vectors of `kind` at `array[at]` or `array[row, at]`.
    if row is not None:
        at = builder.add(builder.mul(row, builder.extract_value(array.shape, 1)), at)
    return builder.bitcast(builder.gep(array.data, [at]), kind.as_pointer())


def _load(builder: Any, array: Any, kind: Any, at: Any, row: Any = None) -> Any:
    return builder.load(_place(builder, array, kind, at, row), align=1 if kind == _BYTES else 4)


def _splat(builder: Any, number: Any, kind: Any) -> Any:
    one = builder.insert_element(ir.Constant(kind, ir.Undefined), number, ir.IntType(32)(0))
    return builder.shuffle_vector(one, one, ir.Constant(_WHOLE, [0] * AT_ONCE))


def _store_packed(builder: Any, vector: Any, keep: Any, place: Any) -> None:
    # The numbers of `vector` that `keep` flags, side by side, then any others.
    whole = builder.bitcast(vector, _WHOLE)
    name = f"llvm.experimental.vector.compress.v{AT_ONCE}i32"
    signature = ir.FunctionType(_WHOLE, [_WHOLE, _BITS, _WHOLE])
    pack = cgutils.get_or_insert_function(builder.module, signature, name)  # type: ignore[no-untyped-call]
    packed = builder.call(pack, [whole, keep, ir.Constant(_WHOLE, ir.Undefined)])
    builder.store(builder.bitcast(packed, vector.type), place, align=4)


def _count(builder: Any, keep: Any, kind: Any) -> Any:
    return builder.zext(builder.ctpop(builder.bitcast(keep, ir.IntType(AT_ONCE))), kind)


@intrinsic
def _append_unmasked(_: Any, columns: Any, _at: Any, mask: Any, _r: Any, out: Any, _n: Any) -> Any:
    # Appends to out[:n] those of columns[at:at + 16] that row r of the mask leaves; returns how many it has.

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        numbers, start, left, row, found, length = _arrays(context, builder, signature, arguments)
        bytes_ = _load(builder, left, _BYTES, start, row)
        keep = builder.icmp_unsigned("!=", bytes_, ir.Constant(_BYTES, [0] * AT_ONCE))
        _store_packed(
            builder, _load(builder, numbers, _WHOLE, start), keep, _place(builder, found, _WHOLE, length)
        )
        return builder.add(length, _count(builder, keep, length.type))

    return types.intp(columns, types.intp, mask, types.intp, out, types.intp), code


@kernel(forceinline=True)
def unmasked_llvm(columns: Int32Array, start: int, stop: int, mask: BoolArray, r: int, out: Int32Array):  # type: ignore[no-untyped-def]  # noqa: PLR0917
    """Write to `out` those of `columns[start:stop]` that row r of the mask leaves; return how many.

    columns: `(n_columns,)` int32; mask: `(n_rows, n_columns)` bool; out: `(stop - start + AT_ONCE,)` int32.
    """
    n, c = 0, start
    while c + AT_ONCE <= stop:
        n = _append_unmasked(columns, c, mask, r, out, n)  # type: ignore[call-arg]
        c += AT_ONCE
    for rest in range(c, stop):
        out[n] = columns[rest]
        n += mask[r, rest]
    return n


@kernel
def unmasked_numba(columns: Int32Array, start: int, stop: int, mask: BoolArray, r: int, out: Int32Array):  # type: ignore[no-untyped-def]  # noqa: PLR0917
    """Do the same in plain numba.

    Unsigned numbers are not looked at for being negative, which would take longer than all else here.
    """
    n, row = np.uintp(0), np.uintp(r)
    for c in range(np.uintp(start), np.uintp(stop)):
        out[n] = columns[c]
        n += np.uintp(mask[row, c])
    return np.int64(n)


@intrinsic
def _append_reaching(  # noqa: PLR0917
    _: Any,
    _at: Any,
    _n: Any,
    columns: Any,
    ours: Any,
    theirs: Any,
    _least: Any,
    _total: Any,
    _r: Any,
    _length: Any,
    x: Any,
    y: Any,
    position: Any,
) -> Any:
    # `append_reaching` of the pairs at:at + 16, of which those from n on are none.

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        given = _arrays(context, builder, signature, arguments)
        start, n_pairs, numbers, like, liked, each, both, row, before, *noted = given
        mine, back = _load(builder, like, _REAL, start), _load(builder, liked, _REAL, start)
        left = builder.trunc(builder.sub(n_pairs, start), ir.IntType(32))
        lanes = ir.Constant(_WHOLE, list(range(AT_ONCE)))
        keep = builder.icmp_signed("<", lanes, _splat(builder, left, _WHOLE))
        lowest = _splat(builder, each, _REAL)
        for logit, bound in (
            (mine, lowest),
            (back, lowest),
            (builder.fadd(mine, back), _splat(builder, both, _REAL)),
        ):
            keep = builder.and_(keep, builder.fcmp_ordered(">=", logit, bound))
        after = cgutils.alloca_once_value(builder, before)  # type: ignore[no-untyped-call]
        some = builder.icmp_unsigned("!=", builder.bitcast(keep, ir.IntType(AT_ONCE)), ir.IntType(AT_ONCE)(0))
        with builder.if_then(some):
            whole = _load(builder, numbers, _WHOLE, start)
            for vector, out in zip((mine, back, whole), noted, strict=True):
                _store_packed(builder, vector, keep, _place(builder, out, vector.type, before, row))
            builder.store(builder.add(before, _count(builder, keep, before.type)), after)
        return builder.load(after)

    number, real = types.intp, types.float32
    return number(number, number, columns, ours, theirs, real, real, number, number, x, y, position), code


@kernel(forceinline=True)
def append_reaching_llvm(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    n: int,
    columns: Int32Array,
    ours: Float32Array,
    theirs: Float32Array,
    least: float,
    total: float,
    r: int,
    length: int,
    x: Float32Array,
    y: Float32Array,
    position: Int32Array,
):
    """Append to row r of x, y and position those of the first n pairs that reach the bounds.

    ours, theirs: float32 logits of the pairs with `columns`, with room for n rounded up to AT_ONCE; each
    has to reach `least`, both together `total` (float32). x, y, position: `(n_rows, room)`, of which row r
    holds `length` and has room for n rounded up. Returns how many it then holds.
    """
    for at in range(0, n, AT_ONCE):
        length = _append_reaching(  # type: ignore[call-arg]
            at, n, columns, ours, theirs, least, total, r, length, x, y, position
        )
    return length


@kernel
def append_reaching_numba(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    n: int,
    columns: Int32Array,
    ours: Float32Array,
    theirs: Float32Array,
    least: float,
    total: float,
    r: int,
    length: int,
    x: Float32Array,
    y: Float32Array,
    position: Int32Array,
):
    """Do the same in plain numba."""
    row, at = np.uintp(r), np.uintp(length)
    for c in range(n):
        x[row, at], y[row, at], position[row, at] = ours[c], theirs[c], columns[c]
        at += np.uintp((ours[c] >= least) & (theirs[c] >= least) & (ours[c] + theirs[c] >= total))
    return np.int64(at)


unmasked = unmasked_llvm if USE_LLVM else unmasked_numba
append_reaching = append_reaching_llvm if USE_LLVM else append_reaching_numba
