"""Graphs to allocate: the markets of the literature, and large towns of any size."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from recsys.allocation import CandidateGraph

Values = npt.NDArray[np.float64]


def su_market(
    n: int, crowd: float, rng: np.random.Generator, n_rows: int | None = None
) -> tuple[Values, Values]:
    """Return p and q, `(1.5 n candidates, n jobs)` by default, of Su, Bayoumi and Joachims (WWW 2022).

    `(1 - crowd) U + crowd * popularity`, popularity linear over jobs for p and over candidates for q.
    """
    shape = (int(1.5 * n) if n_rows is None else n_rows, n)
    jobs, candidates = (np.arange(1, size + 1) / size for size in (shape[1], shape[0]))
    p = (1.0 - crowd) * rng.random(shape) + crowd * jobs[None, :]
    q = (1.0 - crowd) * rng.random(shape) + crowd * candidates[:, None]
    return p, q


def one_sided(p: Values, q: Values) -> CandidateGraph:
    """Return the graph in which rows look at columns; columns are numbered after rows."""
    n_rows, n_columns = p.shape
    i, j = np.divmod(np.arange(p.size), n_columns)
    return CandidateGraph.of(i, n_rows + j, p=p.ravel(), q=q.ravel(), n_people=n_rows + n_columns)


def both_sides(p: Values, q: Values) -> CandidateGraph:
    """Return the graph in which rows look at columns and columns at rows."""
    n_rows, n_columns = p.shape
    i, j = np.divmod(np.arange(p.size), n_columns)
    j = j + n_rows
    p, q = p.ravel(), q.ravel()
    return CandidateGraph.of(
        np.r_[i, j], np.r_[j, i], p=np.r_[p, q], q=np.r_[q, p], n_people=n_rows + n_columns
    )


def town(n_people: int, degree: int, rng: np.random.Generator, n_cities: int = 30) -> CandidateGraph:
    """Return a graph of people in cities, `degree` candidates each: half mutual, half the most liked."""
    size = max(n_people // n_cities, 2 * degree + 2)
    n_cities = max(1, n_people // size)
    bounds = np.linspace(0, n_people, n_cities + 1).astype(np.int64)
    liked = rng.normal(0.0, 0.8, n_people).astype(np.float32)
    key = np.uint64(rng.integers(0, 2**63))
    indptr, found = np.zeros(n_people + 1, np.int64), []
    for first, last in pairwise(bounds.tolist()):
        rows = _candidates(last - first, degree, np.argsort(-liked[first:last]), rng)
        kept = np.ones(rows.shape, bool)
        kept[:, 1:] = rows[:, 1:] != rows[:, :-1]
        kept &= rows != np.arange(last - first)[:, None]
        indptr[first + 1 : last + 1] = kept.sum(axis=1)
        found.append((rows[kept] + first).astype(np.int32))
    np.cumsum(indptr, out=indptr)
    candidate = np.concatenate(found)
    viewer = np.repeat(np.arange(n_people, dtype=np.int32), np.diff(indptr))
    p = _chance(viewer, candidate, liked, key)
    q = _chance(candidate, viewer, liked, key)
    return CandidateGraph(indptr, candidate, p, q)


def _candidates(
    n: int, degree: int, by_liked: npt.NDArray[np.int64], rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Return `(n, degree)` rows, ascending, some twice: neighbours on both sides, and popular people."""
    mutual = np.arange(1, degree // 4 + 1)
    around = np.concatenate([mutual, -mutual]) * max(1, n // (degree + 1))
    near = (np.arange(n)[:, None] + around[None, :]) % n
    popular = by_liked[(n * rng.random((n, degree - near.shape[1])) ** 2).astype(np.int64)]
    return np.sort(np.hstack([near, popular]), axis=1)


def _chance(
    i: npt.NDArray[np.int32], j: npt.NDArray[np.int32], liked: npt.NDArray[np.float32], key: np.uint64
) -> npt.NDArray[np.float32]:
    """P(i likes j): popularity and a number of the ordered pair, in pieces so that memory stays small."""
    found = np.empty(len(i), np.float32)
    for start in range(0, len(i), 2_000_000):
        part = slice(start, start + 2_000_000)
        with np.errstate(over="ignore"):
            x = key + i[part].astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
            x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9) + j[part].astype(np.uint64)
            x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            x = (x ^ (x >> np.uint64(31))) * np.uint64(0x9E3779B97F4A7C15)
        uniform = (x >> np.uint64(40)).astype(np.float32) / np.float32(2**24)
        logit = 3.5 * (uniform - 0.5) + liked[j[part]] - 1.0
        found[part] = 1.0 / (1.0 + np.exp(-logit))
    return found
