"""Fold-in: a person's factors from a prior mean and the people they were shown."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.kernels import kernel
from recsys.parallel import in_ranges
from recsys.types import Float64Array, Int32Array, Int64Array

_SUMS: Final = {"reassoc", "contract"}
"""Sums may be taken in the order the processor likes; nothing else is loosened."""
_EXACT: Final = 1e-12
_NEARLY: Final = 1e-6
"""What a solution may leave of the right side; what one of several steps leaves, the next makes up for."""


@dataclass(frozen=True, eq=False)
class EntriesByPerson:
    """Entries grouped by the person they are about.

    indptr: `(n_people + 1,)` int64; person r has the entries `indptr[r]:indptr[r + 1]`.
    others: `(n_entries,)` int32 rows of the factors of the other side, ascending for each person.
    order:  `(n_entries,)` int32 positions of the entries in the arrays they came from.
    """

    indptr: Int64Array
    others: Int32Array
    order: Int32Array

    @classmethod
    def of(cls, n_people: int, own: npt.ArrayLike, others: npt.ArrayLike) -> "EntriesByPerson":
        """Group aligned entries: `own` is whom each is about, `others` whom it is with."""
        rows, other = np.asarray(own, np.int32), np.asarray(others, np.int32)
        counts = np.bincount(rows, minlength=n_people)
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        order = _grouped(rows, indptr)
        if not _ascending(other, order, indptr):
            order = np.lexsort((other, rows)).astype(np.int32)
        return cls(indptr, other[order], order)

    def sorted(self, values: npt.NDArray[np.floating]) -> Float64Array:
        """Return aligned values in the order of the entries."""
        return np.ascontiguousarray(values[self.order], np.float64)

    def unsorted(self, values: Float64Array) -> Float64Array:
        """Return values in the order of the entries as aligned with the arrays they came from."""
        found = np.empty(len(values))
        found[self.order] = values
        return found


def fold_in(
    prior: Float64Array,
    evidence: EntriesByPerson,
    factors: Float64Array,
    *,
    trust: Float64Array,
    targets: Float64Array,
    strength: float,
) -> Float64Array:
    """Return u of each person: `(strength I + sum c v v^T) u = strength m + sum c p v`.

    The sums run over the people they were shown and over nobody else. A person without evidence gets
    the prior mean m itself, to the bit; the more evidence, the less m matters.

    prior: `(n_people, k)` m. trust, targets: c and p of each entry. factors: `(n_others, k)` v.
    strength: lam, positive.

    >>> nobody = EntriesByPerson.of(1, [], [])
    >>> none = np.empty(0)
    >>> fold_in(np.array([[0.3, 0.1]]), nobody, np.ones((2, 2)), trust=none, targets=none, strength=2.0)
    array([[0.3, 0.1]])
    """
    rows = np.array(prior, np.float64, order="C")
    if rows.size:
        others = np.ascontiguousarray(factors, np.float64)
        c, p = evidence.sorted(trust), evidence.sorted(targets)

        def some(first: int, last: int) -> None:
            _fold_in(rows, evidence.indptr, evidence.others, c, p, others, float(strength), first, last)

        in_ranges(some, evidence.indptr)
    return rows


def fold_in_answers(
    prior: Float64Array,
    evidence: EntriesByPerson,
    factors: Float64Array,
    *,
    labels: Float64Array,
    weights: Float64Array,
    offset: Float64Array,
    strength: float,
    steps: int = 3,
) -> Float64Array:
    """Return u of each person when the answers are yes or no: fold-ins repeated until they settle.

    Each step is `fold_in` with c = w tanh(x / 2) / 2 x at the logit x = offset + u v, and the p that
    makes the slope right: the quadratic bound of the logistic loss, so no step ever overshoots
    (Jaakkola and Jordan, Statistics and Computing 10 (2000) 25-37). Where it settles, at the posterior
    mode, a further no never raises the logit of its pair and a further yes never lowers it, because
    each only adds a penalty that falls or rises with it.

    labels, weights, offset: `(n_entries,)`; labels are 0 or 1, weights in (0, 1] or more.
    """
    rows = np.array(prior, np.float64, order="C")
    if rows.size:
        others = np.ascontiguousarray(factors, np.float64)
        y, w, x = (evidence.sorted(values) for values in (labels, weights, offset))

        def some(first: int, last: int) -> None:
            _fold_in_answers(
                rows, evidence.indptr, evidence.others, y, w, x, others, float(strength), steps, first, last
            )

        in_ranges(some, evidence.indptr)
    return rows


def taste_after(
    taste: Float64Array, appeal: Float64Array, *, labels: Float64Array, offset: Float64Array
) -> Float64Array:
    """Return one person's taste `(n_factors,)` after answers about people, at least one.

    A posterior mode around `taste`; the prior lets logits move by about one on an average person.

    appeal: `(n_entries, n_factors)`. labels: `(n_entries,)`, 1 for a yes and 0 for a no. offset:
    `(n_entries,)`, logits of nearness.

    >>> more = taste_after(np.zeros(2), np.array([[1.0, 0.0]]), labels=np.ones(1), offset=np.zeros(1))
    >>> bool(more[0] > 0), float(more[1])
    (True, 0.0)
    """
    n = len(labels)
    evidence = EntriesByPerson.of(1, np.zeros(n, np.int64), np.arange(n))
    strength = float(np.square(appeal).sum(axis=1).mean())
    return fold_in_answers(
        taste[None, :], evidence, appeal, labels=labels, weights=np.ones(n), offset=offset, strength=strength
    )[0]


@kernel
def _grouped(rows: Int32Array, indptr: Int64Array) -> Int32Array:  # pragma: no cover
    """Return the entries of one person after another, each person's in the order they came in."""
    order, place = np.empty(len(rows), np.int32), indptr.copy()
    for entry in range(len(rows)):
        order[place[rows[entry]]] = entry
        place[rows[entry]] += 1
    return order


@kernel
def _ascending(others: Int32Array, order: Int32Array, indptr: Int64Array) -> bool:  # pragma: no cover
    for person in range(len(indptr) - 1):
        for at in range(indptr[person] + 1, indptr[person + 1]):
            if others[order[at]] < others[order[at - 1]]:
                return False
    return True


@kernel(fastmath=_SUMS)
def _dot(a: Float64Array, b: Float64Array) -> float:  # pragma: no cover
    total = 0.0
    for c in range(len(a)):
        total += a[c] * b[c]
    return total


@kernel(fastmath=_SUMS)
def _scores(own: Float64Array, row: Float64Array, found: Float64Array) -> None:  # pragma: no cover
    """Write the inner product of a row with each of `(n_entries, k)` factors."""
    for entry in range(len(found)):
        total = 0.0
        for c in range(len(row)):
            total += own[entry, c] * row[c]
        found[entry] = total


@kernel(fastmath=_SUMS)
def _add_factors(own: Float64Array, by: Float64Array, total: Float64Array) -> None:  # pragma: no cover
    """Add the sum of `(n_entries, k)` factors, each times a number of its own, to `total`."""
    for entry in range(len(by)):
        for c in range(len(total)):
            total[c] += by[entry] * own[entry, c]


@kernel(fastmath=_SUMS)
def _add_solution(  # noqa: PLR0917
    row: Float64Array,
    own: Float64Array,
    curve: Float64Array,
    strength: float,
    left: float,
    state: Float64Array,
    seen: Float64Array,
) -> None:  # pragma: no cover
    """Add x with `(strength I + sum curve v v^T) x = state[0]` to `row`, by conjugate gradients.

    It ends when what is left is at most `left` times the right side. A person's entries move few directions
    far from the prior, so a few steps do, each a pass over the entries: no matrix is made or taken apart.

    Source: G. Takacs, I. Pilaszy and D. Tikk, "Applications of the conjugate gradient method for implicit
    feedback collaborative filtering", RecSys 2011.
    """
    rest, way, turned = state[0], state[1], state[2]
    for c in range(len(way)):
        way[c] = rest[c]
    size = _dot(rest, rest)
    enough = left * left * size
    for _ in range(2 * len(row)):
        if size <= enough:
            break
        _scores(own, way, seen)
        for entry in range(len(seen)):
            seen[entry] *= curve[entry]
        for c in range(len(row)):
            turned[c] = strength * way[c]
        _add_factors(own, seen, turned)
        step = size / _dot(way, turned)
        for c in range(len(row)):
            row[c] += step * way[c]
            rest[c] -= step * turned[c]
        before, size = size, _dot(rest, rest)
        for c in range(len(row)):
            way[c] = rest[c] + size / before * way[c]


@kernel
def _gather(own: Float64Array, factors: Float64Array, others: Int32Array) -> None:  # pragma: no cover
    for entry in range(len(others)):
        for c in range(factors.shape[1]):
            own[entry, c] = factors[others[entry], c]


@kernel
def _most_entries(indptr: Int64Array, first: int, last: int) -> int:  # pragma: no cover
    most = 0
    for person in range(first, last):
        most = max(most, indptr[person + 1] - indptr[person])
    return most


@kernel
def _fold_in(  # noqa: PLR0917
    rows: Float64Array,
    indptr: Int64Array,
    others: Int32Array,
    trust: Float64Array,
    targets: Float64Array,
    factors: Float64Array,
    strength: float,
    first: int,
    last: int,
) -> None:  # pragma: no cover
    k, most = rows.shape[1], _most_entries(indptr, first, last)
    entries, state, values = np.empty((most, k)), np.empty((3, k)), np.empty((2, most))
    for person in range(first, last):
        begin, end = indptr[person], indptr[person + 1]
        if begin == end:
            continue
        own, seen, pull = entries[: end - begin], values[0, : end - begin], values[1, : end - begin]
        _gather(own, factors, others[begin:end])
        _scores(own, rows[person], seen)
        for at in range(end - begin):
            pull[at] = trust[begin + at] * (targets[begin + at] - seen[at])
        state[0] = 0.0
        _add_factors(own, pull, state[0])
        _add_solution(rows[person], own, trust[begin:end], strength, _EXACT, state, seen)


@kernel
def _fold_in_answers(  # noqa: PLR0917
    rows: Float64Array,
    indptr: Int64Array,
    others: Int32Array,
    labels: Float64Array,
    weights: Float64Array,
    offset: Float64Array,
    factors: Float64Array,
    strength: float,
    steps: int,
    first: int,
    last: int,
) -> None:  # pragma: no cover
    k, most = rows.shape[1], _most_entries(indptr, first, last)
    entries, state, values = np.empty((most, k)), np.empty((3, k)), np.empty((3, most))
    start = np.empty(k)
    for person in range(first, last):
        begin, end = indptr[person], indptr[person + 1]
        if begin == end:
            continue
        own, seen = entries[: end - begin], values[0, : end - begin]
        curve, pull = values[1, : end - begin], values[2, : end - begin]
        _gather(own, factors, others[begin:end])
        for c in range(k):
            start[c] = rows[person, c]
        for _ in range(steps):
            _scores(own, rows[person], seen)
            for at in range(end - begin):
                p, bound = _bound(offset[begin + at] + seen[at])
                curve[at] = weights[begin + at] * bound
                pull[at] = weights[begin + at] * (labels[begin + at] - p)
            for c in range(k):
                state[0, c] = strength * (start[c] - rows[person, c])
            _add_factors(own, pull, state[0])
            _add_solution(rows[person], own, curve, strength, _NEARLY, state, seen)


@kernel
def _bound(x: float) -> tuple[float, float]:  # pragma: no cover
    """Return P(yes) at a logit, and the curvature of the quadratic bound that touches there."""
    half = 0.5 * np.tanh(x / 2.0)
    return 0.5 + half, half / x if abs(x) > 1e-4 else 0.25
