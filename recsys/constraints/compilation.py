"""Compilation: the clauses of a policy become the arrays of its compiled form."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from recsys.constraints.base import (
    CellLimit,
    Clause,
    DirectedVisibility,
    ExcludedPairs,
    Gate,
    Overlaps,
    Refusals,
    TokenGroups,
)
from recsys.constraints.compiled import Compiled
from recsys.constraints.distance import UNREACHABLE, between_cells, cell_reach
from recsys.data.bitsets import end_to_end, pack_flags, unpack
from recsys.data.csr import SparseRows
from recsys.data.population import Population
from recsys.errors import InputError, explained
from recsys.types import BoolArray, Int32Array, UInt64Array

Kind = TypeVar("Kind", bound=Clause)


def compile_clauses(
    clauses: Sequence[Clause],
    people: Population,
    *,
    overlap_bits: Sequence[BoolArray] | None = None,
    cell_numbers: UInt64Array | None = None,
) -> Compiled:
    """Join clauses by "and" into one set of arrays over `people`.

    overlap_bits: which bits of each overlap clause to keep, those that `people` have by default.
    cell_numbers: the cells that `cell_reach` leads to, those of `people` by default. With both, people are
    compiled against the vocabulary of others.

    Raises InputError when two different distance or discretion rules are joined.
    """
    n_people = len(people)
    listed = np.ones(n_people, bool)
    for gate in _of_kind(clauses, Gate):
        listed &= gate.listed
    refuses = _of_kind(clauses, Refusals)
    n_bits = [clause.n_bits for clause in refuses]
    overlaps, starts = _overlaps(_of_kind(clauses, Overlaps), n_people, overlap_bits)
    limit = _only_one(_of_kind(clauses, CellLimit)) or _no_limit(n_people)
    cell, numbers = _cells(limit.cells)
    reach = cell_reach(numbers) if cell_numbers is None else between_cells(numbers, cell_numbers)
    separated = _symmetric([clause.pairs for clause in _of_kind(clauses, ExcludedPairs)], n_people)
    own, avoid = _groups(_of_kind(clauses, TokenGroups), n_people)
    show = _only_one(_of_kind(clauses, DirectedVisibility)) or _all_open(n_people)
    liked = SparseRows.of(show.liked[:, 0], show.liked[:, 1], n_people)
    return Compiled(
        n_people=n_people,
        listed=listed,
        traits=end_to_end([clause.traits for clause in refuses], n_bits, n_people),
        refuses=end_to_end([clause.refuses for clause in refuses], n_bits, n_people),
        overlaps=overlaps,
        overlap_starts=starts,
        cell=cell,
        cell_numbers=numbers,
        cell_reach=reach,
        max_km=limit.max_km,
        min_km=limit.min_km,
        in_person=limit.in_person,
        separated_indptr=separated.indptr,
        separated_indices=separated.indices,
        own_indptr=own.indptr,
        own_indices=own.indices,
        avoid_indptr=avoid.indptr,
        avoid_indices=avoid.indices,
        liked_only=show.liked_only,
        suggestible=show.suggestible,
        liked_indptr=liked.indptr,
        liked_indices=liked.indices,
    )


def _of_kind(clauses: Sequence[Clause], kind: type[Kind]) -> list[Kind]:
    return [clause for clause in clauses if isinstance(clause, kind)]


def _only_one(clauses: Sequence[Kind]) -> Kind | None:
    if len(clauses) > 1:
        kind = type(clauses[0]).__name__
        remedy = "keep one of the constraints that make it"
        raise InputError(
            explained(f"a policy holds at most one {kind} clause", got=len(clauses), remedy=remedy)
        )
    return clauses[0] if clauses else None


def _overlaps(
    clauses: Sequence[Overlaps], n_people: int, bits: Sequence[BoolArray] | None
) -> tuple[UInt64Array, Int32Array]:
    kept = [kept_bits(clause) for clause in clauses] if bits is None else bits
    groups = [
        pack_flags(unpack(clause.words, len(used))[:, used])
        for clause, used in zip(clauses, kept, strict=True)
    ]
    starts = np.cumsum([0] + [words.shape[1] for words in groups]).astype(np.int32)
    if not groups:
        return np.zeros((n_people, 0), np.uint64), starts
    return np.ascontiguousarray(np.hstack(groups)), starts


def kept_bits(clause: Overlaps) -> BoolArray:
    """Return the bits that somebody has, `(n_bits,)` bool; a long vocabulary then takes few words."""
    return np.asarray(unpack(clause.words, 64 * clause.words.shape[1]).any(axis=0), bool)


def _no_limit(n_people: int) -> CellLimit:
    return CellLimit(
        cells=np.zeros(n_people, np.uint64),
        max_km=np.full(n_people, UNREACHABLE, np.uint16),
        min_km=np.zeros(n_people, np.uint16),
        in_person=np.zeros(n_people, bool),
    )


def _cells(cells: UInt64Array) -> tuple[npt.NDArray[np.int32], UInt64Array]:
    populated = np.unique(cells[cells != 0])
    numbers = np.append(populated, np.uint64(0))
    position = np.where(cells == 0, len(populated), np.searchsorted(populated, cells))
    return position.astype(np.int32), numbers


def _symmetric(pairs: Sequence[npt.NDArray[np.int32]], n_people: int) -> SparseRows:
    every = np.vstack([np.empty((0, 2), np.int32), *pairs])
    both = np.vstack([every, every[:, ::-1]])
    return SparseRows.of(both[:, 0], both[:, 1], n_people)


def _groups(clauses: Sequence[TokenGroups], n_people: int) -> tuple[SparseRows, SparseRows]:
    offsets = np.cumsum([0] + [clause.n_groups for clause in clauses])
    own = _numbered([clause.own for clause in clauses], offsets)
    avoided = _numbered([clause.avoided for clause in clauses], offsets)
    return SparseRows.of(own[:, 0], own[:, 1], n_people), SparseRows.of(
        avoided[:, 0], avoided[:, 1], n_people
    )


def _numbered(
    entries: Sequence[npt.NDArray[np.int32]], offsets: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Join entries of several clauses, their group numbers moved to each clause's own range."""
    moved = [np.add(given, [0, start]) for given, start in zip(entries, offsets, strict=False)]
    return np.vstack([np.empty((0, 2), np.int64), *moved])


def _all_open(n_people: int) -> DirectedVisibility:
    nobody = np.zeros(n_people, bool)
    return DirectedVisibility(liked_only=nobody, suggestible=nobody, liked=np.empty((0, 2), np.int32))
