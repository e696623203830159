"""The metrics of scored pairs: whether the probabilities said what then happened."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.evaluation.aligned import outcomes, probabilities
from recsys.evaluation.bootstrap import resample
from recsys.evaluation.lines import probability_lines


def evaluate_probabilities(
    viewer: npt.ArrayLike,
    candidate: npt.ArrayLike,
    truth: npt.ArrayLike,
    probability: npt.ArrayLike,
    *,
    n_resamples: int = 500,
    level: float = 0.95,
    rng: np.random.Generator | None = None,
) -> pd.DataFrame:
    """Judge the probabilities of aligned pairs: rows auc, log_loss, brier, ece.

    `viewer` and `candidate` `(n,)` are ids, `truth` `(n,)` 0 or 1, `probability` `(n,)` in [0, 1].
    Columns metric, value, lo, hi, n, random: the interval is a bootstrap over people on both sides,
    `random` is what saying the overall rate for every pair reaches. A fixed seed is used without `rng`.
    Raises InputError when an outcome or a probability is not one.

    >>> table = evaluate_probabilities(["a", "b"], ["b", "a"], [1, 0], [0.8, 0.1], n_resamples=5)
    >>> table[["metric", "value", "random"]].to_numpy().tolist()[0]
    ['auc', 1.0, 0.5]
    """
    known = outcomes(truth)
    lines = list(probability_lines(known, probabilities(probability, len(known))))
    both = np.concatenate([np.asarray(viewer, dtype=object), np.asarray(candidate, dtype=object)])
    people, code = np.unique(both, return_inverse=True)
    a, b = code.reshape(2, -1)
    drawn = resample(
        {line.metric: line.measure for line in lines},
        a,
        b,
        len(people),
        rng=np.random.default_rng(0) if rng is None else rng,
        n_resamples=n_resamples,
        level=level,
    )
    rows = []
    for line in lines:
        interval = drawn.within(line.metric, line.known_range)
        limits = {"value": interval.value, "lo": interval.lo, "hi": interval.hi}
        rows.append({"metric": line.metric, **limits, "n": line.n, "random": line.random})
    return pd.DataFrame(rows)
