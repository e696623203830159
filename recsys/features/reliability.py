"""How far a questionnaire scale agrees with itself."""

import numpy as np

from recsys.types import Float64Array


def spearman_brown(correlation: float) -> float:
    """Return the reliability of a whole test from the correlation of its halves, at most 1.

    Source: Spearman 1910, Brown 1910. A correlation of -1 or below gives -inf.

    >>> round(spearman_brown(0.5), 4)
    0.6667
    """
    return 2.0 * correlation / (1.0 + correlation) if correlation > -1.0 else -np.inf


def correlation(a: Float64Array, b: Float64Array) -> float:
    """Return the Pearson correlation of the places where both are known, NaN when undefined."""
    both = ~(np.isnan(a) | np.isnan(b))
    if both.sum() < 3 or np.ptp(a[both]) == 0 or np.ptp(b[both]) == 0:
        return float("nan")
    return float(np.corrcoef(a[both], b[both])[0, 1])


def split_half(items: Float64Array, *, rng: np.random.Generator | None = None, splits: int = 20) -> float:
    """Return the split-half reliability (Spearman-Brown) of the mean of some items.

    items: `(n_people, n_items)`, NaN where unanswered, all pointing the same way. Without `rng` the
    halves are the odd and the even items; with it, the mean over random halves. NaN when there are
    fewer than two items or too few people.
    """
    n_items = items.shape[1]
    if n_items < 2:
        return float("nan")
    orders = [np.arange(n_items)] if rng is None else [rng.permutation(n_items) for _ in range(splits)]
    found = [correlation(_mean(items[:, order[::2]]), _mean(items[:, order[1::2]])) for order in orders]
    known = [spearman_brown(value) for value in found if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def _mean(items: Float64Array) -> Float64Array:
    seen = ~np.isnan(items)
    count = seen.sum(axis=1)
    total = np.where(seen, items, 0.0).sum(axis=1)
    return np.divide(total, count, out=np.full(len(items), np.nan), where=count > 0)
