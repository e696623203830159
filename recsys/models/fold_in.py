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
def _add(
    left: Float64Array, right: Float64Array, v: Float64Array, c: float, pull: float
) -> None:  # pragma: no cover
    """Add one entry to the lower triangle of the left side and to the right side."""
    for a in range(len(v)):
        right[a] += pull * v[a]
        scaled = c * v[a]
        for b in range(a + 1):
            left[a, b] += scaled * v[b]


@kernel(fastmath=_SUMS)
def _solved(left: Float64Array, right: Float64Array) -> None:  # pragma: no cover
    """Solve `left @ x = right` in place by Cholesky; only the lower triangle of `left` is read."""
    k = len(right)
    for a in range(k):
        for b in range(a + 1):
            total = left[a, b]
            for c in range(b):
                total -= left[a, c] * left[b, c]
            left[a, b] = np.sqrt(total) if a == b else total / left[b, b]
    for a in range(k):
        for c in range(a):
            right[a] -= left[a, c] * right[c]
        right[a] /= left[a, a]
    for a in range(k - 1, -1, -1):
        for c in range(a + 1, k):
            right[a] -= left[c, a] * right[c]
        right[a] /= left[a, a]


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
    k = rows.shape[1]
    left, right = np.empty((k, k)), np.empty(k)
    for person in range(first, last):
        if indptr[person] == indptr[person + 1]:
            continue
        left[:], right[:] = 0.0, 0.0
        for entry in range(indptr[person], indptr[person + 1]):
            v = factors[others[entry]]
            pull = trust[entry] * (targets[entry] - np.dot(rows[person], v))
            _add(left, right, v, trust[entry], pull)
        for a in range(k):
            left[a, a] += strength
        _solved(left, right)
        rows[person] += right


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
    k = rows.shape[1]
    left, right, start = np.empty((k, k)), np.empty(k), np.empty(k)
    inner, own, state = np.empty((k, k)), np.empty((k, k)), np.empty((6, k))
    for person in range(first, last):
        begin, end = indptr[person], indptr[person + 1]
        if begin == end:
            continue
        if end - begin <= k:
            for entry in range(begin, end):
                own[entry - begin] = factors[others[entry]]
            part = slice(begin, end)
            y, w, x = labels[part], weights[part], offset[part]
            _few_answers(rows[person], own, y, w, x, strength, steps, inner, left, state)
            continue
        start[:] = rows[person]
        for _ in range(steps):
            left[:], right[:] = 0.0, strength * (start - rows[person])
            for entry in range(begin, end):
                v = factors[others[entry]]
                x_entry = offset[entry] + _dot(rows[person], v)
                p, c = _bound(x_entry)
                _add(left, right, v, weights[entry] * c, weights[entry] * (labels[entry] - p))
            for a in range(k):
                left[a, a] += strength
            _solved(left, right)
            rows[person] += right


@kernel(fastmath=_SUMS)
def _dot(a: Float64Array, b: Float64Array) -> float:  # pragma: no cover
    total = 0.0
    for c in range(len(a)):
        total += a[c] * b[c]
    return total


@kernel
def _bound(x: float) -> tuple[float, float]:  # pragma: no cover
    """Return P(yes) at a logit, and the curvature of the quadratic bound that touches there."""
    half = 0.5 * np.tanh(x / 2.0)
    return 0.5 + half, half / x if abs(x) > 1e-4 else 0.25


@kernel
def _few_answers(  # noqa: PLR0917
    row: Float64Array,
    own: Float64Array,
    labels: Float64Array,
    weights: Float64Array,
    offset: Float64Array,
    strength: float,
    steps: int,
    inner: Float64Array,
    left: Float64Array,
    state: Float64Array,
) -> None:  # pragma: no cover
    """Take the same steps for somebody with fewer entries than columns, one unknown an entry.

    The step stays in the span of the entries: u = m + V^T a, with
    a = (g - S (lam + S K S)^-1 S K g) / lam, K = V V^T, S^2 = c, g = w (y - p) + c K a.
    """
    n = len(labels)
    base, moved, g, root, q, a = state[0], state[1], state[2], state[3], state[4], state[5]
    for r in range(n):
        base[r], moved[r] = offset[r] + _dot(row, own[r]), 0.0
        for s in range(r + 1):
            inner[r, s] = _dot(own[r], own[s])
            inner[s, r] = inner[r, s]
    for _ in range(steps):
        for r in range(n):
            p, c = _bound(base[r] + moved[r])
            g[r] = weights[r] * (labels[r] - p + c * moved[r])
            root[r] = np.sqrt(weights[r] * c)
        for r in range(n):
            q[r] = root[r] * _dot(inner[r, :n], g[:n])
            for s in range(r + 1):
                left[r, s] = root[r] * inner[r, s] * root[s]
            left[r, r] += strength
        _solved(left, q[:n])
        for r in range(n):
            a[r] = (g[r] - root[r] * q[r]) / strength
        for r in range(n):
            moved[r] = _dot(inner[r, :n], a[:n])
    for r in range(n):
        row += a[r] * own[r]
