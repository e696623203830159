"""Neighbourhoods of a log: item-to-item weights and common neighbours, as sums over whom a person met.

Both give a person the sum of fixed rows of everybody they decided about, so that anybody can be folded in
alone by one sparse product. Up to `EXACT` people the form is exact, one column a person; above it the
leading singular directions are kept, so that memory stays linear.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from recsys.models.factor_space import rows_at
from recsys.models.impressions import Impressions
from recsys.models.whole_matrix import evenly
from recsys.types import Float64Array, Int64Array, IntegerArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

EXACT: Final = 2048
"""People up to whom a neighbourhood keeps a column for each."""
_COLUMNS: Final = 256
_OF_NEIGHBOURS: Final = 512
"""Directions of common neighbours that are kept: their tail counts for more than that of other factors."""
_POWER_ITERATIONS: Final = 2
_OVERSAMPLED: Final = 16
_WHOLE: Final = 2
"""All singular vectors of a matrix cost less than more than one in so many of them by random projections."""
_LEAST_OF_THE_GREATEST: Final = 1e-5
"""Pivots of a Cholesky factor below this share of the greatest lose too many digits."""


@dataclass(frozen=True, eq=False)
class ItemRegression:
    """The likes of a viewer regressed on their other likes: `x_i @ W`, see `ridge_weights`.

    into: `(n_base, k)`, what deciding about somebody adds to the taste of a viewer.
    own:  `(n_base, k)`, the appeal of the people of the fit.
    """

    into: Float64Array
    own: Float64Array

    @classmethod
    def learned(
        cls,
        decisions: Impressions,
        n_people: int,
        regularization: float,
        rng: np.random.Generator,
        *,
        most_items: int = 4096,
    ) -> "ItemRegression":
        """Learn from those decisions among `n_people` whose label is 1; others are not read."""
        from scipy.sparse import csr_array

        items = most_liked(decisions, n_people, most_items)
        liked = csr_array(decisions.likes(n_people)[:, items])
        weights = ridge_weights(liked, regularization)
        right = np.eye(len(items))
        if len(items) > EXACT:
            # the two matrices of few people may have as many numbers as the exact form of `EXACT` people
            n_there = len(np.union1d(decisions.viewers, decisions.candidates))
            columns = min(max(_COLUMNS, EXACT * EXACT // n_there), len(items))
            right = _right_directions(liked, weights, columns, rng)
            weights = weights @ right
        into, own = (np.zeros((n_people, right.shape[1])) for _ in range(2))
        into[items], own[items] = weights, right
        return cls(into, own)

    def folded(
        self, decisions: Impressions, n_people: int, base: IntegerArray
    ) -> tuple[Float64Array, Float64Array]:
        """Return taste and appeal of `n_people` from their decisions, `(n_people, k)`; see `WholeMatrix`."""
        return decisions.likes(n_people) @ rows_at(self.into, base), rows_at(self.own, base)


@dataclass(frozen=True, eq=False)
class CommonNeighbours:
    """How many people two have both met, each counted by `1 / log(number of people they met)`.

    into: `(n_base, k)`, what having met somebody, in either direction, adds to both rows of a person.

    Source: Adamic and Adar, "Friends and neighbors on the web", Social Networks 25 (2003) 211-230.
    """

    into: Float64Array

    @classmethod
    def learned(cls, decisions: Impressions, n_people: int, rng: np.random.Generator) -> "CommonNeighbours":
        """Learn from who decided about whom; no columns where no two people have anybody in common."""
        from scipy.sparse import csr_array, diags_array

        met = _met(decisions, n_people)
        count = np.asarray(met.sum(axis=0)).ravel()
        if not _closes_triangles(met, decisions):
            return cls(np.zeros((n_people, 0)))
        there = np.flatnonzero(count)
        root = 1.0 / np.sqrt(np.log(np.maximum(count[there], 2.0)))
        if len(there) <= EXACT:
            columns = np.diag(root)
        else:
            whole = csr_array(met[there][:, there] @ diags_array(root))
            columns = root[:, None] * leading_directions(whole, _OF_NEIGHBOURS, rng)
        into = np.zeros((n_people, columns.shape[1]))
        into[there] = columns
        rows = met @ into
        mean = float((rows[decisions.viewers] * rows[decisions.candidates]).sum(axis=1).mean())
        return cls(into / np.sqrt(mean))

    def folded(
        self, decisions: Impressions, n_people: int, base: IntegerArray
    ) -> tuple[Float64Array, Float64Array]:
        """Return taste and appeal of `n_people`, equal for everybody, `(n_people, k)`."""
        rows = _met(decisions, n_people) @ rows_at(self.into, base)
        return rows, rows


def _met(decisions: Impressions, n_people: int) -> "csr_array[Any]":
    """Return who met whom in either direction as zeros and ones, `(n_people, n_people)`."""
    from scipy.sparse import csr_array

    pairs = (decisions.viewers, decisions.candidates)
    one = csr_array((np.ones(len(decisions)), pairs), shape=(n_people, n_people))
    both = csr_array(one + one.T)
    both.data[:] = 1.0
    return both


def _closes_triangles(met: "csr_array[Any]", decisions: Impressions) -> bool:
    """Say whether any two who met have somebody in common, as between two sides nobody has."""
    at = evenly(len(decisions), 2000)
    return bool(met[decisions.viewers[at]].multiply(met[decisions.candidates[at]]).sum() > 0)


def most_liked(decisions: Impressions, n_people: int, most: int) -> Int64Array:
    """Return the rows of the candidates with the most likes, ascending; nobody without a like."""
    count = np.bincount(decisions.candidates, decisions.labels > 0, n_people)
    first = np.lexsort((np.arange(n_people), -count))[:most]
    return np.sort(first[count[first] > 0]).astype(np.int64)


def ridge_weights(liked: "csr_array[Any]", regularization: float) -> Float64Array:
    """Return W of the ridge regression of X on itself with a diagonal of zeros, `(n_items, n_items)`.

    With `P = (X'X + lam I)^-1` it is `I - P / diag(P)`.

    Source: Steck, "Embarrassingly shallow autoencoders for sparse data", WWW 2019.
    """
    gram = np.asarray((liked.T @ liked).toarray(), np.float64)
    gram[np.diag_indices_from(gram)] += regularization
    inverse = _inverse(gram) if len(gram) else gram
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return np.asarray(weights, np.float64)


def _inverse(positive: Float64Array) -> Float64Array:
    """Return the inverse of a symmetric positive definite matrix, in half the time of a general one."""
    from scipy.linalg.lapack import dpotrf, dpotri

    lower, failed = dpotrf(positive, lower=True)
    inverse, failed_too = dpotri(lower, lower=True)
    if failed or failed_too:
        return np.asarray(np.linalg.inv(positive), np.float64)
    return np.asarray(np.tril(inverse) + np.tril(inverse, -1).T, np.float64)


def leading_directions(matrix: "csr_array[Any]", k: int, rng: np.random.Generator) -> Float64Array:
    """Return about the `k` leading right singular vectors of a sparse matrix, `(n_columns, k)`.

    Source: Halko, Martinsson and Tropp, "Finding structure with randomness", SIAM Review 53 (2011)
    217-288, with power iterations.
    """
    width = min(k + _OVERSAMPLED, *matrix.shape)
    basis = _orthonormal(matrix @ rng.normal(size=(matrix.shape[1], width)))
    for _ in range(_POWER_ITERATIONS):
        basis = _orthonormal(matrix @ _orthonormal(matrix.T @ basis))
    return _left_directions(matrix.T @ basis, k)


def _orthonormal(columns: Float64Array) -> Float64Array:
    """Return an orthonormal basis of the columns, by Cholesky of their Gram matrix where that is exact.

    It takes a third of the time of Householder's, and loses the square of the condition.
    """
    from scipy.linalg import LinAlgError, cholesky, solve_triangular

    try:
        upper = cholesky(columns.T @ columns)
    except LinAlgError:
        return np.asarray(np.linalg.qr(columns)[0], np.float64)
    diagonal = np.diag(upper)
    if diagonal.min(initial=np.inf) < _LEAST_OF_THE_GREATEST * diagonal.max(initial=0.0):
        return np.asarray(np.linalg.qr(columns)[0], np.float64)
    return np.asarray(solve_triangular(upper, columns.T, trans="T").T, np.float64)


def _left_directions(columns: Float64Array, k: int) -> Float64Array:
    """Return the `k` leading left singular vectors of the columns, `(n_rows, k)`."""
    basis = _orthonormal(columns)
    return np.asarray(basis @ np.linalg.svd(basis.T @ columns)[0][:, :k], np.float64)


def _right_directions(
    liked: "csr_array[Any]", weights: Float64Array, k: int, rng: np.random.Generator
) -> Float64Array:
    """Return about the leading right singular vectors of `liked @ weights`, `(n_items, k)`.

    Where `k` is a large part of the items, exactly: then all of them cost less than those by projections.

    Rows are scaled to about the same length, so that the scores of who liked few are kept as well as those of
    who liked many: random projections keep lengths.
    """
    from scipy.sparse import csr_array, diags_array

    if k * _WHOLE > liked.shape[1]:
        scores = liked @ weights
        scores *= _inverse_lengths(scores)[:, None]
        return np.asarray(np.linalg.eigh(scores.T @ scores)[1][:, : -k - 1 : -1], np.float64)
    width = min(k + _OVERSAMPLED, *liked.shape)
    drawn = weights @ rng.normal(size=(liked.shape[1], width))
    liked = csr_array(diags_array(_inverse_lengths(liked @ drawn)) @ liked)
    basis = _orthonormal(liked @ drawn)
    for _ in range(_POWER_ITERATIONS):
        back = _orthonormal(weights.T @ (liked.T @ basis))
        basis = _orthonormal(liked @ (weights @ back))
    return _left_directions(weights.T @ (liked.T @ basis), k)


def _inverse_lengths(rows: Float64Array) -> Float64Array:
    """Return 1 over the length of each row, 0 of a row of zeros, `(n_rows,)`."""
    length = np.linalg.norm(rows, axis=1)
    return np.divide(1.0, length, out=np.zeros_like(length), where=length > 0)
