"""The mask kernel for many rows at once: the masks of `mask_columns` from bitmaps of columns.

The words of a block of 512 columns are transposed, once for all rows: each bit becomes a bitmap of the
columns that have it. A row is masked from the bitmaps of traits it refuses, of refusals of traits it has, and
for each set from what none of the bitmaps of its elements have. Bitmaps go in groups of four: a table has
the OR of each of their sixteen subsets, and four bits of the row say which it needs (the method of Arlazarov,
Dinic, Kronrod and Faradzhev, 1970).

The inner loops are vectors in LLVM's language, because numba makes narrower ones; `mask_columns` is their
twin.
"""

from typing import Any, Final

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from recsys.constraints.masks import BLOCK, RuleWords
from recsys.kernels import kernel
from recsys.types import BoolArray, Int32Array, Int64Array, UInt8Array, UInt16Array, UInt32Array, UInt64Array

LANES: Final = BLOCK // 64
"""Words of a bitmap: bit b of word g is column 64 g + b of a block."""

AT_ONCE: Final = 4
"""Bitmaps in a group."""
SUBSETS: Final = 1 << AT_ONCE

_WORD = ir.IntType(64)
_BITMAP = ir.VectorType(_WORD, LANES)


def _arrays(context: Any, builder: Any, signature: Any, arguments: Any) -> list[Any]:
    return [
        context.make_array(kind)(context, builder, value) if isinstance(kind, types.Array) else value
        for kind, value in zip(signature.args, arguments, strict=True)
    ]


def _vector(builder: Any, array: Any, kind: Any, at: Any) -> Any:
    # A pointer to vector number `at` of those that an array consists of.
    return builder.gep(builder.bitcast(array.data, kind.as_pointer()), [at])


def _load(builder: Any, array: Any, at: Any) -> Any:
    return builder.load(_vector(builder, array, _BITMAP, at), align=8)


def _splat(builder: Any, number: Any, n: int) -> Any:
    one = builder.insert_element(ir.Constant(ir.VectorType(number.type, n), ir.Undefined), number, _WORD(0))
    return builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(ir.IntType(32), n), [0] * n))


@intrinsic
def _swap(_: Any, maps: Any, _a: Any, _b: Any, _step: Any, _low: Any) -> Any:
    # Exchanges the high bits of each `2 * step` of maps[a] with the low bits of maps[b], which `low` has.

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, a, b, *numbers = _arrays(context, builder, signature, arguments)
        step, low = (_splat(builder, number, LANES) for number in numbers)
        x, y = _load(builder, array, a), _load(builder, array, b)
        moved = builder.and_(builder.xor(builder.lshr(x, step), y), low)
        x, y = builder.xor(x, builder.shl(moved, step)), builder.xor(y, moved)
        builder.store(x, _vector(builder, array, _BITMAP, a), align=8)
        builder.store(y, _vector(builder, array, _BITMAP, b), align=8)
        return context.get_dummy_value()

    return types.none(maps, types.intp, types.intp, types.uint64, types.uint64), code


@intrinsic
def _write_or(_: Any, tables: Any, _to: Any, _a: Any, maps: Any, _b: Any) -> Any:
    # Writes tables[a] | maps[b] to tables[to].

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        table, to, a, bitmaps, b = _arrays(context, builder, signature, arguments)
        either = builder.or_(_load(builder, table, a), _load(builder, bitmaps, b))
        builder.store(either, _vector(builder, table, _BITMAP, to), align=8)
        return context.get_dummy_value()

    return types.none(tables, types.intp, types.intp, maps, types.intp), code


@intrinsic
def _mask_row(_: Any, tables: Any, subsets: Any, _row: Any, groups: Any, starts: Any, masked: Any) -> Any:
    # Writes to masked[0] which columns the families mask for a row: the OR of the first one, and for each of
    # the others the columns that its OR leaves out. Family f is groups[starts[f]:starts[f + 1]].

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        table, subset, row, group, first, out = _arrays(context, builder, signature, arguments)
        whole, none = row.type, ir.Constant(_BITMAP, [0] * LANES)
        total = cgutils.alloca_once_value(builder, none)  # type: ignore[no-untyped-call]
        common = cgutils.alloca_once_value(builder, none)  # type: ignore[no-untyped-call]
        n_rows = builder.extract_value(subset.shape, 1)
        n = builder.sub(builder.extract_value(first.shape, 0), whole(1))
        with cgutils.for_range(builder, n) as family:
            builder.store(none, common)
            ends = (family.index, builder.add(family.index, whole(1)))
            begin, end = (builder.load(builder.gep(first.data, [at])) for at in ends)
            with cgutils.for_range_slice(builder, begin, end, whole(1), whole) as (q, _):
                g = builder.load(builder.gep(group.data, [q]))
                place = builder.gep(subset.data, [builder.add(builder.mul(g, n_rows), row)])
                which = builder.zext(builder.load(place), whole)
                found = _load(builder, table, builder.add(builder.mul(g, whole(SUBSETS)), which))
                builder.store(builder.or_(builder.load(common), found), common)
            is_first = builder.icmp_signed("==", family.index, whole(0))
            flip = _splat(builder, builder.select(is_first, _WORD(0), _WORD(-1)), LANES)
            builder.store(builder.or_(builder.load(total), builder.xor(builder.load(common), flip)), total)
        builder.store(builder.load(total), _vector(builder, out, _BITMAP, whole(0)), align=8)
        return context.get_dummy_value()

    return types.none(tables, subsets, types.intp, groups, starts, masked), code


@intrinsic
def _write_open(
    _: Any,
    masked: Any,
    _g: Any,
    within: Any,
    kept: Any,
    _most: Any,
    _least: Any,
    out: Any,
    _row: Any,
    _at: Any,
) -> Any:
    # Writes to out[row, at:at + 64] which of the columns of word g neither `masked` nor a distance masks.

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        mask, g, far, near, most, least, flags, row, at = _arrays(context, builder, signature, arguments)
        bits, km, bytes_ = (ir.VectorType(ir.IntType(width), 64) for width in (1, 16, 8))
        shut = builder.bitcast(builder.load(builder.gep(mask.data, [g])), bits)
        for distance, compared, limit in ((far, ">", most), (near, "<=", least)):
            column = builder.load(_vector(builder, distance, km, g), align=2)
            shut = builder.or_(shut, builder.icmp_unsigned(compared, column, _splat(builder, limit, 64)))
        start = builder.add(builder.mul(row, builder.extract_value(flags.shape, 1)), at)
        place = builder.bitcast(builder.gep(flags.data, [start]), bytes_.as_pointer())
        builder.store(builder.zext(builder.not_(shut), bytes_), place, align=1)
        return context.get_dummy_value()

    number, limit = types.intp, types.uint16
    return types.none(masked, number, within, kept, limit, limit, out, number, number), code


@kernel
def _transpose(  # type: ignore[no-untyped-def]
    words: UInt64Array, columns: Int32Array, start: int, some: UInt64Array, maps: UInt64Array
):
    """Write the bitmaps of the words of a block of columns to `maps` `(64 * n_words, LANES)`.

    words: `(n_words, n)`; some: bits that some row has, by word: a word without any is passed over.
    """
    begin, lanes, size = np.uintp(start), np.uintp(LANES), np.uintp(64)
    for w in range(words.shape[0]):
        if some[w] == 0:
            continue
        top = 64 * w
        for i in range(size):
            for g in range(lanes):
                maps[np.uintp(top) + i, g] = words[w, np.uintp(columns[begin + g * size + i])]
        step, low = 32, np.uint64(0xFFFFFFFF)
        while step:
            for k in range(top, top + 64, 2 * step):
                for a in range(k, k + step):
                    _swap(maps, a, a + step, np.uint64(step), low)  # type: ignore[call-arg]
            step >>= 1
            low ^= low << np.uint64(step)


@kernel
def _tabulate(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    maps: UInt64Array,
    bits: Int64Array,
    starts: Int64Array,
    tables: UInt64Array,
    used: Int64Array,
    ends: Int64Array,
):
    """Write the ORs of the subsets of each group to `tables`, and the groups that are not empty to `used`.

    Those of family f are `used[ends[f]:ends[f + 1]]`.
    """
    n = 0
    for f in range(len(starts) - 1):
        ends[f] = n
        for q in range(starts[f], starts[f + 1]):
            for k in range(AT_ONCE):
                to = q * SUBSETS + (1 << k)
                for e in range(1 << k):
                    _write_or(tables, to + e, q * SUBSETS + e, maps, bits[q * AT_ONCE + k])  # type: ignore[call-arg]
            some = np.uint64(0)
            for g in range(LANES):
                some |= tables[q * SUBSETS + SUBSETS - 1, g]
            used[n] = q
            n += some != 0
    ends[len(starts) - 1] = n


@kernel
def _distances(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    reach: UInt32Array,
    seen_from: int,
    cell: Int32Array,
    limits: UInt32Array,
    within: UInt16Array,
    kept: UInt16Array,
):
    """Write the km of each column of a block from the cell `seen_from`, `(BLOCK,)` each.

    within: km to be within; 0 when the column meets nobody in person, 65535 beyond its own limit. kept: one
    more than the km that are kept, 0 when nearer than its own least distance. limits: `(4, BLOCK)`, 65535
    when in person, greatest and least km; the last row is written to.
    """
    for j in range(BLOCK):  # by itself: looking up is what cannot be made vectors of
        limits[3, j] = reach[np.uintp(seen_from), np.uintp(cell[j])]
    far, high, one = np.uint32(0xFFFF), np.uint32(16), np.uint32(1)
    for j in range(BLOCK):
        low, up = limits[3, j] & far, limits[3, j] >> high
        within[j] = (far if low > limits[1, j] else low) & limits[0, j]
        kept[j] = np.uint32(0) if up < limits[2, j] else min(up + one, far)


@kernel
def mask_blocks(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    rows: RuleWords,
    at: Int32Array,
    reach: UInt32Array,
    words: RuleWords,
    columns: Int32Array,
    some: UInt64Array,
    bits: Int64Array,
    starts: Int64Array,
    subsets: UInt8Array,
    maps: UInt64Array,
    tables: UInt64Array,
    out: BoolArray,
):
    """Do as `mask_columns` for at least BLOCK columns.

    some: `(n_words,)`, bits that some row has: of refusals, traits, short and long words, and an empty word.
    bits: `(n_groups * AT_ONCE,)`, 64 times the word and the bit of each bitmap of a group; starts:
    `(n_families + 1,)`, each family's first group; subsets: `(n_groups, n_at)`, which OR of a group each row
    needs. The first family masks who has one of its bits, each other one who shares none with the row.
    maps: `(64 * n_words, LANES)`, tables: `(SUBSETS * n_groups, LANES)`, both zeros.
    """
    used, ends = np.empty(len(subsets) + 1, np.int64), np.empty(len(starts), np.int64)
    cell, in_person, max_km, min_km = rows.cell, rows.in_person, rows.max_km, rows.min_km
    cells, limits, masked = (
        np.empty(BLOCK, np.int32),
        np.empty((4, BLOCK), np.uint32),
        np.empty(LANES, np.uint64),
    )
    within, kept = np.empty(BLOCK, np.uint16), np.empty(BLOCK, np.uint16)
    n = len(words.traits)
    first_short, first_long = 2 * n, 2 * n + len(words.short)
    for block in range(0, len(columns), BLOCK):
        start = min(block, len(columns) - BLOCK)  # the last block may begin inside the one before it
        _transpose(words.traits, columns, start, some, maps)
        _transpose(words.refuses, columns, start, some[n:], maps[64 * n :])
        _transpose(words.short, columns, start, some[first_short:], maps[64 * first_short :])
        _transpose(words.long, columns, start, some[first_long:], maps[64 * first_long :])
        _tabulate(maps, bits, starts, tables, used, ends)
        some_keep = False  # otherwise rows that limit nothing themselves need no distances
        for j in range(BLOCK):
            c = columns[start + j]
            cells[j], limits[0, j] = words.cell[c], words.in_person[c] * 0xFFFF
            limits[1, j], limits[2, j], kept[j] = words.max_km[c], words.min_km[c], 1
            some_keep |= words.min_km[c] > 0
        seen_from = -1
        for p in range(len(at)):
            r = at[p]
            if cell[r] != seen_from and (in_person[r] or min_km[r] > 0 or some_keep):
                seen_from = cell[r]
                _distances(reach, seen_from, cells, limits, within, kept)
            _mask_row(tables, subsets, p, used, ends, masked)  # type: ignore[call-arg]
            most = max_km[r] if in_person[r] else np.uint16(0xFFFF)
            for g in range(LANES):
                _write_open(masked, g, within, kept, most, min_km[r], out, p, start + 64 * g)
