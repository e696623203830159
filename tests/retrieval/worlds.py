"""Small random communities as compiled arrays, with every kind of mask in them."""

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from recsys.constraints.compiled import Compiled
from recsys.data.csr import SparseRows
from recsys.data.ids import IdIndex
from recsys.models.directed import Directed
from recsys.models.distance_decay import DistanceDecay
from recsys.testing.people import CELLS

CELL_NUMBERS = np.array(sorted(int(cell, 16) for cell in CELLS), np.uint64)
N_CELLS = 6
_WITHIN_KM = (9, 17, 33, 47, 120, 20000)
_KEPT_KM = (0, 5, 13, 25)


def random_lists(rng: np.random.Generator, n_rows: int, n_columns: int, mean: float) -> SparseRows:
    """Random sparse lists with about `mean` entries a row."""
    n = int(mean * n_rows) if n_columns else 0
    return SparseRows.of(rng.integers(0, max(n_rows, 1), n), rng.integers(0, max(n_columns, 1), n), n_rows)


def compiled_world(rng: np.random.Generator, n: int, *, density: float = 0.08, **overrides: Any) -> Compiled:
    """Random masks over `n` people: `density` is the chance of each refused bit."""

    def bits(p: float, width: int) -> np.ndarray:
        words = np.zeros((n, width), np.uint64)
        for bit in range(64):
            words |= (rng.random((n, width)) < p).astype(np.uint64) << np.uint64(bit)
        return words

    shape = (N_CELLS, N_CELLS)
    within, kept = (np.array(km)[rng.integers(0, len(km), shape)] for km in (_WITHIN_KM, _KEPT_KM))
    within, kept = np.maximum(within, within.T), np.maximum(kept, kept.T)
    reach = (within | kept << 16).astype(np.uint32)
    reach[-1], reach[:, -1] = 0xFFFF, 0xFFFF
    one_way = random_lists(rng, n, n, 0.5)
    a = np.repeat(np.arange(n), np.diff(one_way.indptr))
    apart = SparseRows.of(np.r_[a, one_way.indices], np.r_[one_way.indices, a], n)
    n_groups = 4
    own, avoid = random_lists(rng, n, n_groups, 0.3), random_lists(rng, n, n_groups, 0.2)
    liked = random_lists(rng, n, n, 1.0)
    arrays: dict[str, Any] = {
        "n_people": n,
        "listed": rng.random(n) < 0.9,
        "traits": bits(0.05, 2) & np.uint64(0xFFF),
        "refuses": bits(density, 2) & np.uint64(0xFFF),
        "overlaps": bits(0.25, 4) | np.uint64(1 << 63) * (rng.random((n, 4)) < 0.6).astype(np.uint64),
        "overlap_starts": np.array([0, 1, 3, 4], np.int32),
        "cell": rng.integers(0, N_CELLS, n).astype(np.int32),
        "cell_numbers": np.r_[CELL_NUMBERS[: N_CELLS - 1], np.uint64(0)],
        "cell_reach": reach,
        "max_km": np.array(_WITHIN_KM, np.uint16)[rng.integers(2, 6, n)],
        "min_km": np.where(rng.random(n) < 0.8, 0, np.array(_KEPT_KM)[rng.integers(0, 4, n)]).astype(
            np.uint16
        ),
        "in_person": rng.random(n) < 0.5,
        "liked_only": rng.random(n) < 0.2,
        "suggestible": rng.random(n) < 0.5,
    }
    for name, lists in (
        ("separated", apart),
        ("own", own),
        ("avoid", avoid),
        ("liked", liked),
    ):
        arrays[f"{name}_indptr"], arrays[f"{name}_indices"] = lists.indptr, lists.indices
    return Compiled(**(arrays | overrides))


def everybody_open(n: int, **overrides: Any) -> Compiled:
    """Nothing is forbidden except meeting oneself."""
    nobody = SparseRows.of(np.empty(0, int), np.empty(0, int), n)
    empty = {
        f"{name}_{part}": getattr(nobody, part)
        for name in ("separated", "own", "avoid", "liked")
        for part in ("indptr", "indices")
    }
    open_world = compiled_world(np.random.default_rng(0), n)
    closed = {
        "listed": np.ones(n, bool),
        "traits": np.zeros((n, 1), np.uint64),
        "refuses": np.zeros((n, 1), np.uint64),
        "overlaps": np.zeros((n, 0), np.uint64),
        "overlap_starts": np.zeros(1, np.int32),
        "in_person": np.zeros(n, bool),
        "min_km": np.zeros(n, np.uint16),
        "cell": np.zeros(n, np.int32),
        "liked_only": np.zeros(n, bool),
    }
    return replace(open_world, **(closed | empty | overrides))


def directed_world(
    rng: np.random.Generator, n: int, n_factors: int = 5, *, ties: bool = False, near: bool = True
) -> Directed:
    """Random factors; with `ties`, small whole numbers, whose sums are exact and often equal."""
    draw = (
        (lambda: rng.integers(-1, 2, (n, n_factors)).astype(np.float32))
        if ties
        else (lambda: rng.normal(size=(n, n_factors)).astype(np.float32))
    )
    return Directed.of(
        IdIndex([f"u{row:06d}" for row in range(n)]),
        taste=draw(),
        appeal=draw(),
        distance_decay=DistanceDecay(1.5, 20.0) if near else None,
        cell=rng.choice(np.r_[CELL_NUMBERS, np.uint64(0)], n),
    )


_EACH_PERSON = ("listed", "traits", "refuses", "overlaps", "cell", "max_km", "min_km", "in_person")
_EACH_PERSON += ("liked_only", "suggestible")


def permuted(compiled: Compiled, directed: Directed, order: np.ndarray) -> tuple[Compiled, Directed]:
    """The same community with new row r being old row `order[r]`."""
    n = compiled.n_people
    new_row = np.empty(n, np.int64)
    new_row[order] = np.arange(n)
    changed: dict[str, Any] = {name: getattr(compiled, name)[order] for name in _EACH_PERSON}

    def put(name: str, lists: SparseRows) -> None:
        changed[f"{name}_indptr"], changed[f"{name}_indices"] = lists.indptr, lists.indices

    for name in ("separated", "liked"):
        rows = np.repeat(np.arange(n), np.diff(getattr(compiled, f"{name}_indptr")))
        columns = getattr(compiled, f"{name}_indices")
        put(name, SparseRows.of(new_row[rows], new_row[columns], n))
    for name in ("own", "avoid"):
        rows = np.repeat(np.arange(n), np.diff(getattr(compiled, f"{name}_indptr")))
        put(name, SparseRows.of(new_row[rows], getattr(compiled, f"{name}_indices"), n))
    moved = Directed.of(
        directed.ids,
        taste=directed.taste[order],
        appeal=directed.appeal[order],
        distance_decay=directed.distance_decay,
        cell=directed.cell[order],
    )
    return replace(compiled, **changed), moved


def frozen(compiled: Compiled, directed: Directed) -> tuple[Compiled, Directed]:
    """The same arrays, none of which can be written to."""
    for holder in (compiled, directed):
        for name in holder.__dataclass_fields__:
            value = getattr(holder, name)
            if isinstance(value, np.ndarray):
                value.setflags(write=False)
    return compiled, directed


worlds = st.builds(
    lambda seed, n, ties, near, density: (
        compiled_world(np.random.default_rng(seed), n, density=density),
        directed_world(np.random.default_rng(seed + 1), n, ties=ties, near=near),
    ),
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(0, 40),
    ties=st.booleans(),
    near=st.booleans(),
    density=st.sampled_from([0.0, 0.03, 0.1]),
)
