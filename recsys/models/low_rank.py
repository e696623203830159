"""Low-rank form of taste and appeal: the fewest columns whose logits stay closest."""

import numpy as np
import numpy.typing as npt

from recsys.types import Float64Array

_SAMPLE = 20_000


def low_rank_maps(
    taste: npt.NDArray[np.float32], appeal: npt.NDArray[np.float32], most: int
) -> tuple[Float64Array, Float64Array]:
    """Return two maps `(n_factors, most)` so that `(taste @ a) @ (appeal @ b).T` is closest to the logits.

    Closest in the mean square over all pairs of these people: the singular directions of the product
    of the two second-moment roots (Eckart & Young, 1936). Directions nobody uses are dropped. At most
    20,000 people, evenly spaced, are used.
    """
    rows = sampled_rows(len(taste))
    root_taste, back_taste = _root(taste[rows].astype(np.float64))
    root_appeal, back_appeal = _root(appeal[rows].astype(np.float64))
    left, strength, right = np.linalg.svd(root_taste.T @ root_appeal, full_matrices=False)
    n_kept = min(most, len(strength))
    a, b = np.zeros((2, taste.shape[1], most))
    kept = np.sqrt(strength[:n_kept])
    a[:, :n_kept] = back_taste @ (left[:, :n_kept] * kept)
    b[:, :n_kept] = back_appeal @ (right[:n_kept].T * kept)
    peaks = a[np.abs(a).argmax(axis=0), np.arange(a.shape[1])]
    signs = np.where(peaks < 0, -1.0, 1.0)
    return a * signs, b * signs


def sampled_rows(n_people: int) -> npt.NDArray[np.int64]:
    """Return the rows of the people of the sample, ascending: at most 20,000, evenly spaced."""
    return np.linspace(0, n_people - 1, min(n_people, _SAMPLE)).astype(np.int64)


def _root(rows: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Return R with `R @ R.T` the second moment of the rows, and the transpose of its pseudo-inverse."""
    n_people = max(len(rows), 1)
    if len(rows) < rows.shape[1]:
        _, lengths, turned = np.linalg.svd(rows, full_matrices=False)
        values, vectors = lengths**2 / n_people, turned.T
    else:
        values, vectors = np.linalg.eigh(rows.T @ rows / n_people)
    kept = values > 1e-9 * max(float(values.max(initial=0.0)), 1e-300)
    spread = np.sqrt(values[kept])
    return vectors[:, kept] * spread, vectors[:, kept] / spread
