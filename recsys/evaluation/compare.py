"""Several models judged on the same pairs and the same resamples."""

import warnings
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.errors import InputError, did_you_mean, explained
from recsys.evaluation.bootstrap import Resampled, resample
from recsys.evaluation.market import coverage, exposure, gini
from recsys.evaluation.protocol import Judged, Laid, beside
from recsys.evaluation.registry import PROBABILITY_METRICS, Line, OwnMetric, list_lines, own_lines, pool_sizes
from recsys.types import BoolArray

EVERYBODY = "all"
"""The slice that holds all viewers."""
CENSUS = ("coverage", "exposure_gini")
"""What describes the lists as they are, without an interval."""
_NO_NO = (
    "the truth holds no pair that did not work: the auc is not a number, and whatever lists the scored pairs "
    "is perfect; draw unseen pairs after splitting, truth = later.with_sampled_negatives(4, rng).truth()"
)


def compare(
    lists: Mapping[str, pd.DataFrame],
    truth: pd.DataFrame,
    *,
    against: str | None = None,
    k: Sequence[int] = (5, 10),
    probability: str = C.P_MUTUAL,
    slices: pd.Series | None = None,
    everybody: npt.ArrayLike | None = None,
    pool: int | None = None,
    n_resamples: int = 500,
    level: float = 0.95,
    metrics: Mapping[str, OwnMetric] | None = None,
    rng: np.random.Generator | None = None,
) -> pd.DataFrame:
    """Judge the lists of several models: one row a slice, model and metric.

    Takes what `evaluate` takes, with lists by model name, and returns its rows with a `model` column.
    metrics: metrics of your own by name, see `OwnMetric`; they get intervals and random order like others.

    With `against`, also more, more_lo, more_hi: by how much a model exceeds that one, paired.
    Raises InputError when `against` is no model or nothing is judged.

    >>> truth = pd.DataFrame({"viewer_id": ["a", "a"], "candidate_id": ["b", "c"], "label": [0, 1]})
    >>> good = truth.assign(rank=[2, 1])
    >>> table = compare({"good": good, "bad": truth.assign(rank=[1, 2])}, truth, against="bad", k=(1,))
    >>> table.loc[table["metric"] == "ndcg@1", ["model", "value", "more"]].to_numpy().tolist()
    [['good', 1.0, 1.0], ['bad', 0.0, 0.0]]
    """
    if against is not None and against not in lists:
        raise InputError(explained("unknown model", got=against, remedy=did_you_mean(against, lists)))
    judged = beside(lists, truth, probability=probability)
    if not len(judged):
        raise InputError(explained("no pair is judged", remedy="pass truth with at least one row"))
    if _without_a_no(judged):
        warnings.warn(_NO_NO, UserWarning, stacklevel=2)
    draw = np.random.default_rng(0) if rng is None else rng
    pools = pool_sizes(judged, pool)
    rows: list[dict[str, object]] = []
    for name, kept in _slices(judged, slices):
        part = judged.where(kept)
        lines = [
            (m, line) for m, laid in part.laid.items() for line in _lines(part, laid, pools, k, metrics or {})
        ]
        measures = {_key(model, line.metric): line.measure for model, line in lines}
        drawn = resample(
            measures,
            part.viewer,
            part.candidate,
            len(part.ids),
            rng=draw,
            n_resamples=n_resamples,
            level=level,
        )
        rows += [{"slice": name, "model": m, **_row(drawn, m, line, against)} for m, line in lines]
    everyone = judged.ids if everybody is None else np.asarray(everybody, dtype=object)
    rows += [row for model, frame in lists.items() for row in _census(model, frame, everyone)]
    return pd.DataFrame(rows)


def _without_a_no(judged: Judged) -> bool:
    """Say whether scored pairs are judged by a truth of likes alone, which any score fits."""
    said = [judged.known & np.isfinite(laid.probability) for laid in judged.laid.values()]
    return bool(judged.truth[judged.known].all()) and any(pairs.any() for pairs in said)


def _lines(
    part: Judged,
    laid: Laid,
    pools: npt.NDArray[np.int64],
    k: Sequence[int],
    metrics: Mapping[str, OwnMetric],
) -> Iterator[Line]:
    taken = {*CENSUS, *PROBABILITY_METRICS}
    for line in list_lines(part, laid, pools, k):
        taken.add(line.metric)
        yield line
    for name in metrics:
        if name in taken:
            remedy = "call yours by another name"
            raise InputError(explained("a metric of that name is there already", got=name, remedy=remedy))
    for name, measure, n, random in own_lines(metrics, part, laid):
        yield Line(name, measure, n, random)


def _key(model: str, metric: str) -> str:
    return f"{model}\n{metric}"


def _slices(judged: Judged, slices: pd.Series | None) -> Iterator[tuple[str, BoolArray]]:
    yield EVERYBODY, np.ones(len(judged), bool)
    if slices is None:
        return
    labels = slices.reindex(judged.viewers()).to_numpy(object)
    for label in pd.unique(slices.dropna()):
        kept = np.asarray(labels == label, dtype=bool)
        if kept.any():
            yield str(label), kept


def _row(drawn: Resampled, model: str, line: Line, against: str | None) -> dict[str, object]:
    interval = drawn.within(_key(model, line.metric), line.known_range)
    row: dict[str, object] = {
        "metric": line.metric,
        "value": interval.value,
        "lo": interval.lo,
        "hi": interval.hi,
        "n": line.n,
        "random": line.random,
    }
    if against is not None and _key(against, line.metric) in drawn.names:
        more = drawn.difference(_key(model, line.metric), _key(against, line.metric))
        row |= {"more": more.value, "more_lo": more.lo, "more_hi": more.hi}
    return row


def _census(
    model: str, lists: pd.DataFrame, everybody: npt.NDArray[np.object_]
) -> Iterator[dict[str, object]]:
    seen = [everybody, lists[C.VIEWER].to_numpy(object), lists[C.CANDIDATE].to_numpy(object)]
    people = np.unique(np.concatenate(seen))
    looked_at = exposure(lists[C.CANDIDATE], lists[C.RANK], people)
    values = (coverage(lists[C.CANDIDATE], len(people)), gini(looked_at))
    for metric, value in zip(CENSUS, values, strict=True):
        unknown = {"lo": np.nan, "hi": np.nan, "n": len(people), "random": np.nan}
        yield {"slice": EVERYBODY, "model": model, "metric": metric, "value": value, **unknown}
