"""Models judged on pairs they were not fitted on: cross-validation, learning curves and parameter search."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.arguments import as_generator, check_type, checked_arguments
from recsys.catalogue.columns import Columns as C
from recsys.data.events import Events
from recsys.data.population import Population
from recsys.errors import InputError, SettingsError, did_you_mean, explained
from recsys.evaluation.compare import compare
from recsys.evaluation.held_out import OUTCOMES, Outcome, decided_pairs
from recsys.evaluation.protocol import as_lists
from recsys.evaluation.splits import pair_folds
from recsys.progress_bar import tqdm
from recsys.types import RNGLike

PAIR: Final = [C.VIEWER, C.CANDIDATE]
_LOWER_IS_BETTER: Final = ("log_loss", "brier", "ece")
_EARLIEST_SHARE: Final = (0.1, 0.25, 0.5, 1.0)


class FittableModel(Protocol):
    """What is judged here: every model of `recsys.models`, and one's own with these methods."""

    def fit(self, people: Population, events: Events, *, rng: RNGLike) -> Self:
        """Learn."""
        ...

    def score_pairs(self, pairs: pd.DataFrame, *, people: Population | None = None) -> pd.DataFrame:
        """Return the pairs with p_like and p_mutual."""
        ...

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name."""
        ...

    def __sklearn_clone__(self) -> Self:
        """Return an unfitted copy."""
        ...


Models = FittableModel | Mapping[str, FittableModel]


@checked_arguments
def cross_validate(
    models: Models,
    people: Population,
    events: Events,
    *,
    rng: RNGLike,
    folds: int = 5,
    outcome: Outcome = "mutual",
    k: int | Sequence[int] = 10,
    against: str | None = None,
    n_resamples: int = 500,
    progress: bool = False,
) -> pd.DataFrame:
    """Judge models on pairs that were held out in turn: one row a model and metric, with intervals.

    Every pair that was decided about is in one fold, both directions together; each fold is scored by a copy
    of the model that was fitted to all events outside it. All scores are then judged at once by `compare`,
    whose intervals are over people on both sides (an interval of five folds would be over five numbers).
    What is asked is which of the people somebody decided about they chose; time is not respected: see
    `truth_after` for what comes after, and `recommend` for lists of strangers.

    models:  a model, or several by name. They are copied, not fitted.
    folds:   how many, at least 2.
    outcome: `mutual`, likes of both where both decided, or `like`, for data where one side decides.
    against: also by how much each model exceeds this one, paired.

    Raises InputError when there are too few pairs, SettingsError for an unknown outcome.

    >>> import recsys
    >>> town = recsys.make_town(120, rng=7)
    >>> people, events = recsys.load_population(town.tables), recsys.load_events(town.tables)
    >>> models = {"popularity": recsys.PopularityModel(), "random": recsys.RandomModel()}
    >>> table = cross_validate(models, people, events, rng=7, folds=2, outcome="like")
    >>> table.columns[:5].tolist(), sorted(set(table["model"]))
    (['slice', 'model', 'metric', 'value', 'lo'], ['popularity', 'random'])
    """
    named = _by_name(models)
    draw = as_generator(rng)
    truth = decided_pairs(people, events, outcome)
    fold = _folds(truth, folds, draw)
    seed = int(draw.integers(2**31))
    steps = tqdm(total=folds * len(named), desc="cross-validate", unit="fit", disable=not progress)
    scored: dict[str, list[pd.DataFrame]] = {name: [] for name in named}
    with steps:
        for at in range(folds):
            held = truth.loc[fold == at, PAIR]
            seen = without_pairs(events, held)
            for name, model in named.items():
                scored[name].append(_scored(model, people, seen, held, seed))
                steps.update()
    probability = OUTCOMES[outcome]
    whole = {name: pd.concat(parts, ignore_index=True) for name, parts in scored.items()}
    lists = {name: as_lists(pairs, probability) for name, pairs in whole.items()}
    return compare(
        lists, truth, k=k, probability=probability, against=against, n_resamples=n_resamples, rng=draw
    )


@checked_arguments
def learning_curve(
    models: Models,
    people: Population,
    events: Events,
    *,
    rng: RNGLike,
    shares: Sequence[float] = _EARLIEST_SHARE,
    outcome: Outcome = "mutual",
    k: int | Sequence[int] = 10,
    n_resamples: int = 500,
    progress: bool = False,
) -> pd.DataFrame:
    """Judge models fitted to growing shares of the decided pairs, all on the same fifth held out.

    Returns the rows of `compare` with `share` and `pairs`, how many pairs were learned from, for
    `recsys.plots.learning_curve`. Shares grow by adding pairs, so that a curve that still rises says that
    more data would help.

    Raises InputError when a share is not in (0, 1], or there are too few pairs.

    >>> import recsys
    >>> town = recsys.make_town(120, rng=7)
    >>> people, events = recsys.load_population(town.tables), recsys.load_events(town.tables)
    >>> model, shares = recsys.PopularityModel(), (0.5, 1)
    >>> table = learning_curve(model, people, events, rng=7, outcome="like", shares=shares)
    >>> table.query("metric == 'auc'")["share"].tolist()
    [0.5, 1.0]
    """
    if not shares or min(shares) <= 0.0 or max(shares) > 1.0:
        raise InputError(explained("impossible shares", got=list(shares), remedy="give numbers in (0, 1]"))
    named, draw = _by_name(models), as_generator(rng)
    truth = decided_pairs(people, events, outcome)
    fold = _folds(truth, 5, draw)
    held, rest = truth[fold == 0], truth.loc[fold != 0, PAIR]
    order = _order_of_pairs(rest, draw)
    seed, probability = int(draw.integers(2**31)), OUTCOMES[outcome]
    tables = []
    with tqdm(total=len(shares) * len(named), desc="learning curve", unit="fit", disable=not progress) as bar:
        for share in sorted(shares):
            left_out = order >= share * (order.max() + 1)
            seen = without_pairs(events, pd.concat([held[PAIR], rest[left_out]]))
            lists = {}
            for name, model in named.items():
                lists[name] = as_lists(_scored(model, people, seen, held[PAIR], seed), probability)
                bar.update()
            table = compare(lists, held, k=k, probability=probability, n_resamples=n_resamples, rng=seed)
            tables.append(table.assign(share=float(share), pairs=int((~left_out).sum())))
    return pd.concat(tables, ignore_index=True)


class SearchResult(NamedTuple):
    """What `tune` found.

    model:      of the best parameters, fitted to everything.
    trials:     one row a choice of parameters with its metric in the search, the best first.
    comparison: `best` beside `given` on pairs that no trial saw, as `compare` returns it.

    >>> SearchResult._fields
    ('model', 'trials', 'comparison')
    """

    model: Any
    trials: pd.DataFrame
    comparison: pd.DataFrame


@checked_arguments
def tune(
    model: FittableModel,
    space: Mapping[str, Sequence[Any]],
    people: Population,
    events: Events,
    *,
    rng: RNGLike,
    metric: str = "ndcg@10",
    trials: int | None = None,
    folds: int = 3,
    outcome: Outcome = "mutual",
    progress: bool = False,
) -> SearchResult:
    """Search the parameters of a model by cross-validation, and say honestly what was gained.

    A fifth of the pairs is laid aside. The search cross-validates on the others; the best choice and the
    model as given are then fitted to those and compared once on what was laid aside, so that the gain is not
    that of a lucky choice. Last the best is fitted to everything.

    space:  values to try by parameter name, as in `get_params`: {"factors": [16, 64], "content__folds": [3]}.
    trials: how many of all combinations to try, drawn evenly; all of them when None.
    metric: what is best: a metric of `compare`; of log_loss, brier and ece the least.

    Raises SettingsError for an unknown parameter, metric or outcome, InputError for too few pairs.

    >>> import recsys
    >>> town = recsys.make_town(120, rng=7)
    >>> people, events = recsys.load_population(town.tables), recsys.load_events(town.tables)
    >>> space = {"evidence": [1.0, 5.0]}
    >>> found = tune(recsys.PopularityModel(), space, people, events, rng=7, metric="auc", outcome="like")
    >>> found.trials.columns.tolist(), sorted(set(found.comparison["model"]))
    (['evidence', 'auc', 'lo', 'hi'], ['best', 'given'])
    """
    draw = as_generator(rng)
    truth = decided_pairs(people, events, outcome)
    aside = truth[_folds(truth, 5, draw) == 0]
    seen = without_pairs(events, aside[PAIR])
    for name, values in space.items():
        check_type(values, Sequence[Any], name=f"space[{name!r}]", where="tune")
    choices = [dict(zip(space, values, strict=True)) for values in itertools.product(*space.values())]
    if trials is not None and trials < len(choices):
        choices = [choices[at] for at in np.sort(draw.choice(len(choices), trials, replace=False))]
    if not choices:
        raise SettingsError(explained("nothing to try", got=dict(space), remedy="give values for each name"))
    seed = int(draw.integers(2**31))
    rows: list[dict[str, Any]] = []
    for choice in tqdm(choices, desc="tune", unit="trial", disable=not progress):
        table = cross_validate(
            {"": model.__sklearn_clone__().set_params(**choice)},
            people,
            seen,
            rng=seed,
            folds=folds,
            outcome=outcome,
            k=_length(metric),
            n_resamples=2,
        )
        rows.append({**choice, **_metric_row(table, metric)})
    if all(np.isnan(row[metric]) for row in rows):
        remedy = "a log of likes alone has none: tune with log.with_sampled_negatives(4, rng).events"
        got = f"{metric} is not a number in all {len(rows)} trials"
        raise InputError(explained("no trial can be judged", where="tune", got=got, remedy=remedy))
    lower = metric in _LOWER_IS_BETTER
    found = pd.DataFrame(rows).sort_values(metric, ascending=lower, kind="stable")
    best = model.__sklearn_clone__().set_params(**choices[int(found.index[0])])
    probability = OUTCOMES[outcome]
    lists = {
        name: as_lists(_scored(one, people, seen, aside[PAIR], seed), probability)
        for name, one in (("best", best), ("given", model))
    }
    comparison = compare(lists, aside, k=_length(metric), probability=probability, against="given", rng=seed)
    return SearchResult(best.fit(people, events, rng=seed), found.reset_index(drop=True), comparison)


@checked_arguments
def compare_models(
    models: Models | Sequence[FittableModel],
    people: Population,
    events: Events,
    truth: pd.DataFrame,
    *,
    rng: RNGLike,
    against: str | None = None,
    outcome: Outcome = "mutual",
    k: int | Sequence[int] = 10,
    n_resamples: int = 500,
) -> pd.DataFrame:
    """Fit copies of models on the people and the events before them, and compare them on what came later.

    models: a model, several, or several by name; without names each has its own. truth: what `truth_after`
    returns for the same `outcome`. against, k, n_resamples: as in `compare`, whose table it returns.

    Raises InputError for what is no model, and as `compare` does.

    >>> import recsys
    >>> town = recsys.make_town(120, rng=7)
    >>> events = recsys.load_events(town.tables)
    >>> people = recsys.load_population(town.tables, as_of=events.moment(0.7), past=True)
    >>> models, truth = [recsys.PopularityModel(), recsys.RandomModel()], recsys.truth_after(events, people)
    >>> table = compare_models(models, people, events, truth, rng=7, against="random", n_resamples=2)
    >>> sorted(set(table["model"]))
    ['popularity', 'random']
    """
    draw = as_generator(rng)
    named = (
        models
        if not isinstance(models, Sequence)
        else {name: one for one in models for name in _by_name(one)}
    )
    seed, probability = int(draw.integers(2**31)), OUTCOMES[outcome]
    lists = {
        name: as_lists(_scored(model, people, events, truth[PAIR], seed), probability)
        for name, model in _by_name(named).items()
    }
    return compare(
        lists, truth, against=against, k=k, probability=probability, n_resamples=n_resamples, rng=draw
    )


def without_pairs(events: Events, pairs: pd.DataFrame) -> Events:
    """Return the events that are of none of these pairs, in either direction.

    >>> likes = Events.of(pd.DataFrame({"actor": ["a", "b"], "target": ["b", "c"], "type": "like"}))
    >>> len(without_pairs(likes, pd.DataFrame({"viewer_id": ["b"], "candidate_id": ["a"]})))
    1
    """
    people = pd.Index(events.coded.people)
    i, j = (people.get_indexer(pd.Index(pairs[column], dtype=object)) for column in PAIR)
    own = _unordered(events.coded.actor, events.coded.target, len(people))
    kept = ~np.isin(own, _unordered(i, j, len(people))[(i >= 0) & (j >= 0)])
    return Events(events.frame[kept].reset_index(drop=True))


def _unordered(a: npt.ArrayLike, b: npt.ArrayLike, n_people: int) -> npt.NDArray[np.int64]:
    i, j = np.asarray(a, np.int64), np.asarray(b, np.int64)
    return np.minimum(i, j) * (n_people + 1) + np.maximum(i, j)


def _by_name(models: Models) -> dict[str, FittableModel]:
    named = dict(models) if isinstance(models, Mapping) else {str(getattr(models, "name", "model")): models}
    for name, model in named.items():
        if isinstance(model, type) or not hasattr(model, "score_pairs"):
            got = f"the class {model.__name__}" if isinstance(model, type) else type(model).__name__
            remedy = "give fresh models, such as recsys.HybridModel()"
            raise InputError(explained(f"'{name}' is no model", got=got, remedy=remedy))
    if not named:
        raise InputError(explained("no model to judge", remedy="give a model, or several by name"))
    return named


def _folds(truth: pd.DataFrame, folds: int, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    return pair_folds(truth[C.VIEWER], truth[C.CANDIDATE], folds, rng=rng)


def _order_of_pairs(pairs: pd.DataFrame, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return a random place of each unordered pair, both directions the same."""
    both = pd.Index(pd.unique(pd.concat([pairs[C.VIEWER], pairs[C.CANDIDATE]])))
    i, j = (both.get_indexer(pd.Index(pairs[column])) for column in PAIR)
    code, distinct = pd.factorize(_unordered(i, j, len(both)))
    return rng.permutation(len(distinct))[code]


def _scored(
    model: FittableModel, people: Population, events: Events, pairs: pd.DataFrame, seed: int
) -> pd.DataFrame:
    return model.__sklearn_clone__().fit(people, events, rng=seed).score_pairs(pairs)


def _length(metric: str) -> int:
    """Return the list length a metric is taken at, 10 where it names none."""
    at = metric.partition("@")[2]
    return int(at) if at.isdigit() else 10


def _metric_row(table: pd.DataFrame, metric: str) -> dict[str, float]:
    rows = table[(table["slice"] == "all") & (table["metric"] == metric)]
    if not len(rows):
        remedy = did_you_mean(metric, sorted(set(table["metric"])))
        raise SettingsError(explained("unknown metric", got=metric, remedy=remedy))
    value, lo, hi = (float(rows[name].iloc[0]) for name in ("value", "lo", "hi"))
    return {metric: value, "lo": lo, "hi": hi}
