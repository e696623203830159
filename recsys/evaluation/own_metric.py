"""Metrics from outside: a function that prepares a measure from a table of pairs."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import numpy as np
import pandas as pd

from recsys.errors import InputError, explained
from recsys.evaluation.judged import Judged, Laid
from recsys.evaluation.measure import Measure, once
from recsys.evaluation.mutual import LABEL
from recsys.plugins import load_plugin
from recsys.schema.columns import Columns as C

OwnMetric = Callable[[pd.DataFrame], Measure]
"""Takes the judged and listed pairs (viewer_id, candidate_id, label, rank, probability; NaN where a pair
is not judged, not listed, or nothing was said) and returns a measure over them, row by row."""
_SHUFFLES: Final = 20


def own_lines(
    metrics: Mapping[str, OwnMetric], judged: Judged, laid: Laid
) -> Iterator[tuple[str, Measure, int, float]]:
    """Yield name, measure, number of pairs and what random order reaches, for metrics from outside.

    Random order is the mean over 20 shuffles of ranks and probabilities among each viewer's pairs.

    Raises InputError when a metric prepares no measure, or its measure gives no number.
    """
    pairs = pairs_of(judged, laid)
    for name, prepare in metrics.items():
        measure = _prepared(name, prepare, pairs)
        rng = np.random.default_rng(0)
        shuffled = [_prepared(name, prepare, _shuffled(pairs, rng)) for _ in range(_SHUFFLES)]
        random = float(np.mean([once(one, len(pairs)) for one in shuffled]))
        yield name, measure, len(pairs), random


def pairs_of(judged: Judged, laid: Laid) -> pd.DataFrame:
    """Return what a metric from outside is given, one row a pair."""
    return pd.DataFrame(
        {
            C.VIEWER: judged.ids[judged.viewer],
            C.CANDIDATE: judged.ids[judged.candidate],
            LABEL: np.where(judged.known, judged.truth, np.nan),
            C.RANK: np.where(laid.listed, -laid.score, np.nan),
            "probability": laid.probability,
        }
    )


def brought_metric(name: str) -> OwnMetric:
    """Return the metric a plugin brings under a name.

    Raises PluginError when it cannot be used.
    """
    metric: OwnMetric = load_plugin("metrics", name, fits=callable, what="a metric")
    return metric


def _prepared(name: str, prepare: OwnMetric, pairs: pd.DataFrame) -> Measure:
    measure = prepare(pairs.copy())
    remedy = "return a function of (viewer_times, candidate_times) that returns one number"
    if not callable(measure):
        got = type(measure).__name__
        raise InputError(explained("a metric prepares no measure", where=name, got=got, remedy=remedy))
    said = once(measure, len(pairs))
    if not isinstance(said, float | int | np.floating | np.integer):
        raise InputError(explained("a metric gives no number", where=name, got=said, remedy=remedy))
    return measure


def _shuffled(pairs: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return the pairs with what was said of them dealt out anew among each viewer's pairs."""
    order = np.lexsort((rng.random(len(pairs)), pairs[C.VIEWER].to_numpy(object)))
    places = np.lexsort((np.arange(len(pairs)), pairs[C.VIEWER].to_numpy(object)))
    dealt = {}
    for column in (C.RANK, "probability"):
        dealt[column] = np.empty(len(pairs))
        dealt[column][places] = pairs[column].to_numpy(np.float64)[order]
    return pairs.assign(**dealt)
