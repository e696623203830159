"""`evaluate`: the metrics of published lists, with intervals and what random order would reach."""

from collections.abc import Hashable, Mapping, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.arguments import as_generator, checked_arguments
from recsys.evaluation.compare import compare
from recsys.evaluation.estimates import estimate
from recsys.evaluation.probability import outcomes, probabilities
from recsys.evaluation.registry import CustomMetric, probability_metrics
from recsys.types import ArrowTable, RNGLike


@checked_arguments
def evaluate(
    lists: pd.DataFrame | ArrowTable,
    truth: pd.DataFrame | ArrowTable,
    *,
    k: int | Sequence[int] = (5, 10),
    probability: str | None = None,
    slices: pd.Series | Mapping[Hashable, object] | None = None,
    everybody: npt.ArrayLike | None = None,
    pool: int | str | None = None,
    n_resamples: int = 500,
    level: float = 0.95,
    metrics: Mapping[str, CustomMetric] | None = None,
    rng: RNGLike | None = None,
) -> pd.DataFrame:
    """Judge lists by what is known of their pairs: one row a slice and metric.

    lists: viewer_id, candidate_id, rank (from 1) and the probability to be judged, if any: what `recommend`
        returns, or lists of any other origin.
    truth: viewer_id, candidate_id, label (1 worked, 0 did not). Viewers without a row are left out, a listed
        pair without one counts as not relevant.
    k: list lengths at which precision, recall and NDCG are taken.
    probability: the column that is judged as a probability; "" for none. By default what the lists are
        ranked by, where `recommend` or `as_lists` ranked them by one probability, else p_mutual; p_like for
        lists by p_mutual and a truth that says it holds likes of the viewer, as `Interactions.truth` does.
    slices: label of each viewer by viewer_id, a Series or a mapping: every label gets rows of its own after
        slice "all".
    everybody: all ids that could have been listed, by default those seen here.
    pool: whom random order draws from: a number of candidates, "judged" (the viewer's judged and listed
        pairs, the default when most listed pairs are judged and some did not work) or "everybody".
    n_resamples, level: resamples of metrics without a formula, and what share of intervals holds the truth.
    metrics: your own by name: functions of the pairs as a table, see `recsys.evaluation.CustomMetric`.
    rng: draws the resamples; a fixed seed by default.

    Returns slice, metric, value, lo, hi, n, random, of. The interval is that of `estimate`, over people on
    both sides, for the lists as they are; what another fit of their model would reach is in the intervals of
    `compare_models` and `cross_validate` with `fits=5`. n is viewers for ranking metrics, pairs for
    probabilities, people for coverage and Gini (which describe the lists as they are and have no interval).
    `random` is the exact expectation of random order, or of saying the overall rate for every pair. `of`
    names the probability that is judged, such as P(like | look); it is empty where an order is.

    Raises TableError when a column is missing or a pair stands twice, InputError when nothing is judged.

    >>> pairs = {"viewer_id": ["a", "a", "b"], "candidate_id": ["b", "c", "a"]}
    >>> truth, lists = pd.DataFrame({**pairs, "label": [0, 1, 1]}), pd.DataFrame({**pairs, "rank": [2, 1, 1]})
    >>> table = evaluate(lists, truth, k=(1,), n_resamples=10).set_index("metric")
    >>> table.loc[["precision@1", "coverage"], ["value", "n", "random"]]
                 value  n  random
    metric
    precision@1    1.0  2    0.75
    coverage       1.0  3     NaN
    """
    judged = partial(compare, {"": lists}, truth, k=k, slices=slices, everybody=everybody, pool=pool)
    table = judged(probability=probability, n_resamples=n_resamples, level=level, metrics=metrics, rng=rng)
    return table.drop(columns=["model"])


@checked_arguments
def evaluate_probabilities(
    viewer: npt.ArrayLike,
    candidate: npt.ArrayLike,
    truth: npt.ArrayLike,
    probability: npt.ArrayLike,
    *,
    n_resamples: int = 500,
    level: float = 0.95,
    rng: RNGLike | None = None,
) -> pd.DataFrame:
    """Judge the probabilities of aligned pairs: rows auc, log_loss, brier, ece.

    `viewer` and `candidate` `(n,)` are ids, `truth` `(n,)` 0 or 1, `probability` `(n,)` in [0, 1].
    Columns metric, value, lo, hi, n, random: the interval is over people on both sides, see `estimate`, for
    these probabilities as they are, not for those of another fit; `random` is what saying the overall rate
    for every pair reaches. A fixed seed is used without `rng`.
    `ece` is less what chance adds to the error of a sample, and 0 where chance alone shows as much: `hi` says
    how large it may be (`recsys.evaluation.ece` returns that of the sample).
    Raises InputError when an outcome or a probability is not one.

    >>> table = evaluate_probabilities(["a", "b"], ["b", "a"], [1, 0], [0.8, 0.1], n_resamples=5)
    >>> table[["metric", "value", "random"]].to_numpy().tolist()[0]
    ['auc', 1.0, 0.5]
    """
    known = outcomes(truth)
    specs = list(probability_metrics(known, probabilities(probability, len(known))))
    both = np.concatenate([np.asarray(viewer, dtype=object), np.asarray(candidate, dtype=object)])
    people, code = np.unique(both, return_inverse=True)
    a, b = code.reshape(2, -1)
    found = estimate(
        {spec.name: spec.metric for spec in specs},
        a,
        b,
        len(people),
        rng=as_generator(0 if rng is None else rng),
        n_resamples=n_resamples,
        level=level,
    )
    rows = []
    for spec in specs:
        interval = found.within(spec.name, spec.known_range)
        limits = {"value": interval.value, "lo": interval.lo, "hi": interval.hi}
        rows.append({"metric": spec.name, **limits, "n": spec.n, "random": spec.random})
    return pd.DataFrame(rows)
