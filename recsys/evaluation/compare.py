"""`compare`: several models on the same pairs and the same resamples."""

from collections.abc import Hashable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from recsys.arguments import as_generator, as_pandas, checked_arguments
from recsys.catalogue.columns import PROBABILITIES
from recsys.catalogue.columns import Columns as C
from recsys.data.ids import IdIndex, check_match
from recsys.data.labels import LABEL, ONE_SIDED, OUTCOME
from recsys.errors import InputError, did_you_mean, explained, warn
from recsys.evaluation.estimates import Estimates, estimate
from recsys.evaluation.market import coverage, exposure, gini
from recsys.evaluation.protocol import (
    KEYS,
    ORDER,
    AlignedLists,
    EvaluationData,
    align_lists,
    lists_of,
    ranked_by,
)
from recsys.evaluation.registry import (
    PROBABILITY_METRICS,
    CustomMetric,
    MetricSpec,
    custom_metrics,
    list_metrics,
    pool_sizes,
    scored_by_all,
)
from recsys.types import ArrowTable, BoolArray, Float64Array, RNGLike

EVERYBODY = "all"
"""The slice that holds all viewers."""
LIST_LEVEL_METRICS = ("coverage", "exposure_gini")
"""What describes the lists as they are, without an interval."""
_LIKES_ALONE = (
    "the truth holds no pair that did not work: the auc is not a number, and whatever lists the scored pairs "
    "is perfect; give negatives_per_like=4 to cross_validate, tune and learning_curve, or draw unseen pairs "
    "after splitting, truth = later.with_sampled_negatives(4, rng, new_to=past).truth(new_to=past)"
)

_ONE_SIDED = (
    "the truth is of viewers alone, the lists are ranked by and judged as the chance that both like: rank "
    "them by what viewers decide, as_lists(scored, by='p_like'), or say probability='p_mutual'"
)
_ORDERED_FOR_BOTH = (
    "the truth counts what viewers like, whatever the others think, and lists are in the order of both "
    "liking, which falls behind there: order them by recommend(..., by='like'), or judge them by "
    "mutual_labels(truth)"
)
_NEARLY_ALL = 0.9
"""Share of likes that are returned from which on a truth of likes is one of likes of both, as friendships."""


@checked_arguments
def compare(
    lists: Mapping[str, pd.DataFrame | ArrowTable],
    truth: pd.DataFrame | ArrowTable,
    *,
    against: str | None = None,
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
    """Judge the lists of several models: one row a slice, model and metric.

    Takes what `evaluate` takes, with lists by model name, and returns its rows with a `model` column.
    Probabilities are judged on the pairs that all models score, which `n` counts; `of` names the one judged.
    metrics: metrics of your own by name, see `CustomMetric`; they get intervals and random order like others.

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
    lengths = [k] if isinstance(k, int) else k
    if any(one < 1 for one in lengths):
        raise InputError(explained("no length of a list", got=k, remedy="give k=10, or several, (5, 10)"))
    frames = {name: as_pandas(table, name=lists_of(name)) for name, table in lists.items()}
    known = as_pandas(truth, name="truth")
    judged_by = _judged_probability(frames, known) if probability is None else probability
    data = align_lists(frames, known, probability=judged_by)
    _warn_of_nothing_known(frames, known, judged_by)
    if _ordered_for_both(frames, known):
        warn(_ORDERED_FOR_BOTH)
    if not len(data):
        raise InputError(explained("no pair is judged", remedy="pass truth with at least one row"))
    if _likes_alone(data):
        warn(_LIKES_ALONE)
    draw = as_generator(0 if rng is None else rng)
    n_everybody = None if everybody is None else len(set(np.asarray(everybody, dtype=object)))
    pools = pool_sizes(data, pool, n_everybody)
    rows: list[dict[str, object]] = []
    for name, kept in _slices(data, slices):
        specs = _specs(data.where(kept), pools, lengths, metrics or {})
        found = _estimated(data.where(kept), specs, draw, n_resamples, level)
        rows += [{"slice": name, "model": m, **_row(found, m, spec, against, judged_by)} for m, spec in specs]
    everyone = data.ids if everybody is None else np.asarray(everybody, dtype=object)
    side = str(known.attrs.get(ONE_SIDED) or "")
    for model, frame in frames.items():
        rows += _list_level_metrics(model, frame, everyone, side)
    return pd.DataFrame(rows)


def _judged_probability(frames: Mapping[str, pd.DataFrame], truth: pd.DataFrame) -> str:
    """Return the probability by which lists are ordered, or P(like | look) where the truth holds likes."""
    judged_by = ranked_by(frames)
    if judged_by != C.P_MUTUAL:
        return judged_by
    if truth.attrs.get(ONE_SIDED):
        warn(_ONE_SIDED)
    elif truth.attrs.get(OUTCOME) == "like" and all(C.P_LIKE in frame for frame in frames.values()):
        return C.P_LIKE
    return judged_by


def _ordered_for_both(frames: Mapping[str, pd.DataFrame], truth: pd.DataFrame) -> bool:
    """Say whether lists of `recommend` are ordered by whether both like, and the truth is of one side."""
    by_both = any(frame.attrs.get(ORDER) in {"mutual", "p_mutual"} for frame in frames.values())
    if not by_both or truth.attrs.get(OUTCOME) != "like" or truth.attrs.get(ONE_SIDED):
        return False
    likes = truth.loc[truth[LABEL] > 0, KEYS]
    returned = likes.merge(likes.set_axis(KEYS[::-1], axis=1), on=KEYS)
    return len(returned) < _NEARLY_ALL * len(likes)


def over_fits(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return one table of those that `compare` gives for several fits of the same models on the same pairs.

    Values are means over fits. An interval holds what one more fit, with a seed of its own, would reach: its
    variance is that over people plus (1 + 1/m) times the variance between m fits, with Student's t.

    D. B. Rubin, "Multiple Imputation for Nonresponse in Surveys", Wiley, 1987, section 3.1.

    tables: at least one, with the same rows in the same order.

    >>> row = {"metric": "auc", "value": 0.5, "lo": 0.4, "hi": 0.6}
    >>> tables = [pd.DataFrame([row]), pd.DataFrame([row | {"value": 0.54, "lo": 0.44, "hi": 0.64}])]
    >>> over_fits(tables).round(3).to_numpy().tolist()
    [['auc', 0.52, 0.383, 0.657]]
    """
    joined = tables[0].copy()
    if len(tables) == 1:
        return joined
    most = np.where(joined["metric"] == "log_loss", np.inf, 1.0)
    for names, least in ((("value", "lo", "hi"), 0.0), (("more", "more_lo", "more_hi"), -np.inf)):
        if not set(names) <= set(joined):
            continue
        value, lo, hi = (np.array([table[name] for table in tables], np.float64) for name in names)
        mean, between = value.mean(axis=0), value.var(axis=0, ddof=1)
        joined[names[0]] = mean
        for name, sign, ends in ((names[1], -1.0, lo), (names[2], 1.0, hi)):
            length = _prediction_length((ends - value) * sign, between)
            joined[name] = np.clip(mean + sign * length, least, most)
    return joined


def _prediction_length(lengths: Float64Array, between: Float64Array) -> Float64Array:
    """Return the lengths of one side of 95% intervals of one more fit, `(n_rows,)`.

    lengths: those of each of the fits alone, `(n_fits, n_rows)`. between: the variance of their values.
    """
    m = len(lengths)
    within = (lengths**2).mean(axis=0) / special.ndtri(0.975) ** 2
    seeds = (1.0 + 1.0 / m) * between
    odds = np.divide(within, seeds, out=np.full_like(within, np.inf), where=seeds > 0.0)
    degrees = np.minimum((m - 1.0) * (1.0 + odds) ** 2, 1e9)
    return np.asarray(special.stdtrit(degrees, 0.975) * np.sqrt(within + seeds))


def _specs(
    part: EvaluationData,
    pools: npt.NDArray[np.int64],
    k: Sequence[int],
    metrics: Mapping[str, CustomMetric],
) -> list[tuple[str, MetricSpec]]:
    """Return every metric of every model."""
    return [(m, one) for m, of in part.lists.items() for one in _metrics(part, of, pools, k, metrics)]


def _estimated(
    part: EvaluationData,
    specs: Sequence[tuple[str, MetricSpec]],
    rng: np.random.Generator,
    n_resamples: int,
    level: float,
) -> Estimates:
    metrics, n = {_key(model, spec.name): spec.metric for model, spec in specs}, len(part.ids)
    viewer, candidate = part.viewer, part.candidate
    return estimate(metrics, viewer, candidate, n, rng=rng, n_resamples=n_resamples, level=level)


def _warn_of_nothing_known(lists: Mapping[str, pd.DataFrame], truth: pd.DataFrame, probability: str) -> None:
    """Warn of lists without a row, probabilities without a number, and outcomes that are not known."""
    for name, frame in lists.items():
        if not len(frame):
            warn(explained(f"no row in the {lists_of(name)}", remedy="every metric of theirs is 0"))
        elif probability in frame and not frame[probability].notna().any():
            warn(
                explained(f"no number in '{probability}' of the {lists_of(name)}", remedy="it is not judged")
            )
    if n := int(truth[LABEL].isna().sum()):
        got = f"{n:,} of {len(truth):,}"
        warn(explained("pairs of the truth without an outcome are not judged", got=got))


def _likes_alone(data: EvaluationData) -> bool:
    """Say whether scored pairs are judged by a truth of likes alone, which any score fits."""
    return bool(data.truth[data.known].all()) and bool(scored_by_all(data).any())


def _metrics(
    part: EvaluationData,
    aligned: AlignedLists,
    pools: npt.NDArray[np.int64],
    k: Sequence[int],
    metrics: Mapping[str, CustomMetric],
) -> Iterator[MetricSpec]:
    taken = {*LIST_LEVEL_METRICS, *PROBABILITY_METRICS}
    for spec in list_metrics(part, aligned, pools, k):
        taken.add(spec.name)
        yield spec
    for name in metrics:
        if name in taken:
            remedy = "call yours by another name"
            raise InputError(explained("a metric of that name is there already", got=name, remedy=remedy))
    for name, metric, n, random in custom_metrics(metrics, part, aligned):
        yield MetricSpec(name, metric, n, random)


def _key(model: str, metric: str) -> str:
    return f"{model}\n{metric}"


def _slices(
    data: EvaluationData, slices: pd.Series | Mapping[Hashable, object] | None
) -> Iterator[tuple[str, BoolArray]]:
    yield EVERYBODY, np.ones(len(data), bool)
    if slices is None:
        return
    slices = slices if isinstance(slices, pd.Series) else pd.Series(dict(slices), dtype=object)
    labels = slices.reindex(data.viewers()).to_numpy(object)
    check_match(IdIndex(np.unique(data.viewers())), slices.index, what="slices", where="compare")
    for label in pd.unique(slices.dropna()):
        kept = np.asarray(labels == label, dtype=bool)
        if kept.any():
            yield str(label), kept


def _row(
    found: Estimates, model: str, spec: MetricSpec, against: str | None, probability: str
) -> dict[str, object]:
    interval = found.within(_key(model, spec.name), spec.known_range)
    row: dict[str, object] = {
        "metric": spec.name,
        "value": interval.value,
        "lo": interval.lo,
        "hi": interval.hi,
        "n": spec.n,
        "random": spec.random,
        "of": PROBABILITIES.get(probability, probability) if spec.name in PROBABILITY_METRICS else "",
    }
    if against is not None and _key(against, spec.name) in found.metrics:
        more = found.difference(_key(model, spec.name), _key(against, spec.name))
        row |= {"more": more.value, "more_lo": more.lo, "more_hi": more.hi}
    return row


def _list_level_metrics(
    model: str, lists: pd.DataFrame, everybody: npt.NDArray[np.object_], side: str
) -> Iterator[dict[str, object]]:
    """Yield coverage and Gini; side: of those who can be listed where two kinds meet, else empty."""
    seen = [everybody, lists[C.VIEWER].to_numpy(object), lists[C.CANDIDATE].to_numpy(object)]
    people = np.sort(pd.unique(np.concatenate(seen)))
    if side:
        listable = np.array([str(one).startswith(f"{side}:") for one in people], bool)
        people = people[listable] if listable.any() else people
    looked_at = exposure(lists[C.CANDIDATE], lists[C.RANK], people)
    values = (coverage(lists[C.CANDIDATE], len(people)), gini(looked_at))
    for metric, value in zip(LIST_LEVEL_METRICS, values, strict=True):
        unknown = {"lo": np.nan, "hi": np.nan, "n": len(people), "random": np.nan, "of": ""}
        yield {"slice": EVERYBODY, "model": model, "metric": metric, "value": value, **unknown}
