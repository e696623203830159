"""Models judged on pairs they were not fitted on: cross-validation, learning curves and what came later."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.arguments import as_generator, checked_arguments
from recsys.catalogue.columns import Columns as C
from recsys.data.events import Events
from recsys.data.labels import directed_labels
from recsys.data.pair_keys import unordered_pair_keys
from recsys.data.population import Population
from recsys.errors import InputError, explained, warn
from recsys.evaluation.compare import compare, over_fits
from recsys.evaluation.held_out import OUTCOMES, Outcome, decided_pairs, outcome_of, with_unseen_pairs
from recsys.evaluation.protocol import as_lists
from recsys.evaluation.splits import pair_folds
from recsys.progress_bar import tqdm
from recsys.types import RNGLike

PAIR: Final = [C.VIEWER, C.CANDIDATE]
_MOST_KNOWN: Final = 0.5
"""Share of pairs decided about before, above which they are no new decisions about old pairs."""
_SHARES: Final = (0.1, 0.25, 0.5, 1.0)


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


Models = FittableModel | Mapping[str, FittableModel] | Sequence[FittableModel]


@checked_arguments
def cross_validate(
    models: Models,
    people: Population,
    events: Events,
    *,
    rng: RNGLike,
    folds: int = 5,
    outcome: Outcome = "mutual",
    negatives_per_like: int = 0,
    fits: int = 1,
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

    models:  a model, several, or several by name; without names each has its own. Copies are fitted.
    folds:   how many, at least 2.
    outcome: `mutual`, likes of both where both decided, or `like`, for data where one side decides.
    negatives_per_like: for a log of likes alone: so many unseen pairs are judged beside each like, as ones
             that did not work (see `with_unseen_pairs`). No model is given them to learn from.
    fits:    repetitions, each with folds and seeds of its own; with more than one, intervals hold what
             another seed would give as well (see `over_fits`).
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
    named = models_by_name(models)
    draw = as_generator(rng)
    truth = decided_pairs(people, events, outcome)
    truth = with_unseen_pairs(truth, people, events, negatives_per_like, draw)
    probability, tables = OUTCOMES[outcome], []
    with tqdm(
        total=fits * folds * len(named), desc="cross-validate", unit="fit", disable=not progress
    ) as bar:
        for _ in range(_at_least_one(fits)):
            fold = pair_folds(truth[C.VIEWER], truth[C.CANDIDATE], folds, rng=draw)
            seed = int(draw.integers(2**31))
            scored = _scored_folds(named, people, events, truth, fold, seed=seed, fitted=bar.update)
            lists = {name: as_lists(pairs, probability) for name, pairs in scored.items()}
            table = compare(
                lists, truth, k=k, probability=probability, against=against, n_resamples=n_resamples, rng=draw
            )
            tables.append(table)
    return over_fits(tables)


def _scored_folds(
    models: Mapping[str, FittableModel],
    people: Population,
    events: Events,
    truth: pd.DataFrame,
    fold: npt.NDArray[np.intp],
    *,
    seed: int,
    fitted: Callable[[], object],
) -> dict[str, pd.DataFrame]:
    """Return all pairs with scores of each model that has not seen them; `fitted` follows each fit."""
    scored: dict[str, list[pd.DataFrame]] = {name: [] for name in models}
    for at in np.unique(fold):
        held = truth.loc[fold == at, PAIR]
        seen = without_pairs(events, held)
        for name, model in models.items():
            scored[name].append(scored_pairs(model, people, seen, held, seed))
            fitted()
    return {name: pd.concat(parts, ignore_index=True) for name, parts in scored.items()}


@checked_arguments
def learning_curve(
    models: Models,
    people: Population,
    events: Events,
    *,
    rng: RNGLike,
    shares: Sequence[float] = _SHARES,
    outcome: Outcome = "mutual",
    negatives_per_like: int = 0,
    k: int | Sequence[int] = 10,
    n_resamples: int = 500,
    progress: bool = False,
) -> pd.DataFrame:
    """Judge models fitted to growing shares of the decided pairs, all on the same fifth held out.

    Returns the rows of `compare` with `share` and `pairs`, how many pairs were learned from, for
    `recsys.plots.learning_curve`. Shares grow by adding pairs, so that a curve that still rises says that
    more data would help. negatives_per_like: as in `cross_validate`.

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
    named, draw = models_by_name(models), as_generator(rng)
    truth = decided_pairs(people, events, outcome)
    fold = pair_folds(truth[C.VIEWER], truth[C.CANDIDATE], 5, rng=draw)
    rest = truth.loc[fold != 0, PAIR]
    held = with_unseen_pairs(truth[fold == 0], people, events, negatives_per_like, draw)
    order = _order_of_pairs(rest, draw)
    seed, probability = int(draw.integers(2**31)), OUTCOMES[outcome]
    tables = []
    with tqdm(total=len(shares) * len(named), desc="learning curve", unit="fit", disable=not progress) as bar:
        for share in sorted(shares):
            left_out = order >= share * (order.max() + 1)
            seen = without_pairs(events, pd.concat([held[PAIR], rest[left_out]]))
            lists = {}
            for name, model in named.items():
                lists[name] = as_lists(scored_pairs(model, people, seen, held[PAIR], seed), probability)
                bar.update()
            table = compare(lists, held, k=k, probability=probability, n_resamples=n_resamples, rng=seed)
            tables.append(table.assign(share=float(share), pairs=int((~left_out).sum())))
    return pd.concat(tables, ignore_index=True)


@checked_arguments
def compare_models(
    models: Models,
    people: Population,
    events: Events,
    truth: pd.DataFrame,
    *,
    rng: RNGLike,
    against: str | None = None,
    outcome: Outcome | None = None,
    fits: int = 1,
    k: int | Sequence[int] = 10,
    n_resamples: int = 500,
) -> pd.DataFrame:
    """Fit copies of models on the people and the events before them, and compare them on what came later.

    models: a model, several, or several by name; without names each has its own.
    truth: what `truth_after` or `Interactions.truth` returns.
    outcome: what its label 1 is, `like` or `mutual`. None: what the truth says in `attrs["outcome"]`, as both
    do, and `mutual` where it says nothing. Judged is P(like | look) or P(both like | both look) accordingly;
    the column `of` and the axis of `plots.models` name it.
    against, k, n_resamples: as in `compare`, whose table it returns.
    fits: fits of each model, each with a seed of its own. With 1 an interval is that of the one fit on other
    pairs of people; with more, values are means over fits and intervals also hold what another seed would
    give (see `over_fits`): the calibration of the probabilities and the start of the factors are of a seed.

    Warns where most pairs of the truth were decided about before `people.as_of`: models have learned them.
    Raises InputError for what is no model, for no fit, for another outcome than the truth's, and as `compare`
    does.

    >>> import recsys
    >>> town = recsys.make_town(120, rng=7)
    >>> events = recsys.load_events(town.tables)
    >>> people = recsys.load_population(town.tables, as_of=events.moment(0.7), past=True)
    >>> models, truth = [recsys.PopularityModel(), recsys.RandomModel()], recsys.truth_after(events, people)
    >>> table = compare_models(models, people, events, truth, rng=7, against="random", n_resamples=2)
    >>> sorted(set(table["model"]))
    ['popularity', 'random']
    """
    draw, named = as_generator(rng), models_by_name(models)
    _warn_of_known_pairs(truth, people, events)
    probability, tables = OUTCOMES[outcome_of(truth, outcome)], []
    for seed in [int(draw.integers(2**31)) for _ in range(_at_least_one(fits))]:
        lists = {
            name: as_lists(scored_pairs(model, people, events, truth[PAIR], seed), probability)
            for name, model in named.items()
        }
        tables.append(
            compare(
                lists, truth, against=against, k=k, probability=probability, n_resamples=n_resamples, rng=draw
            )
        )
    return over_fits(tables)


def _warn_of_known_pairs(truth: pd.DataFrame, people: Population, events: Events) -> None:
    """Warn where most of what is judged is among what is learned from, as when a log was not split."""
    known = directed_labels(events, people.as_of)[PAIR]
    n = len(truth[PAIR].merge(known.drop_duplicates(), on=PAIR)) if len(truth) else 0
    if n > _MOST_KNOWN * len(truth):
        got = f"{n:,} of {len(truth):,}, up to {people.as_of:%Y-%m-%d %H:%M}"
        remedy = "past, later = log.split(0.7), then past.people, past.events and later.truth(new_to=past)"
        problem = "pairs of the truth are among those that are learned from"
        warn(explained(problem, where="compare_models", got=got, remedy=remedy))


def _at_least_one(fits: int) -> int:
    if fits < 1:
        raise InputError(explained("no fit is asked for", got=fits, remedy="give fits=1 or more"))
    return fits


def without_pairs(events: Events, pairs: pd.DataFrame) -> Events:
    """Return the events that are of none of these pairs, in either direction.

    >>> likes = Events.of(pd.DataFrame({"actor": ["a", "b"], "target": ["b", "c"], "type": "like"}))
    >>> len(without_pairs(likes, pd.DataFrame({"viewer_id": ["b"], "candidate_id": ["a"]})))
    1
    """
    people = pd.Index(events.coded.people)
    i, j = (people.get_indexer(pd.Index(pairs[column], dtype=object)) for column in PAIR)
    own = unordered_pair_keys(events.coded.actor, events.coded.target, len(people))
    kept = ~np.isin(own, unordered_pair_keys(i, j, len(people))[(i >= 0) & (j >= 0)])
    return Events(events.frame[kept].reset_index(drop=True))


def models_by_name(models: Models) -> dict[str, FittableModel]:
    """Return models by name, those without by their own; raise InputError for no model and one name twice."""
    if isinstance(models, Mapping):
        named = dict(models)
    else:
        several = list(models) if isinstance(models, Sequence) else [models]
        names = [str(getattr(one, "name", "model")) for one in several]
        named = dict(zip(names, several, strict=True))
        if len(named) < len(several):
            again = next(name for name in names if names.count(name) > 1)
            remedy = f"name them: {{'{again} 1': ..., '{again} 2': ...}}"
            raise InputError(explained("two models have one name", got=again, remedy=remedy))
    for name, model in named.items():
        if isinstance(model, type) or not hasattr(model, "score_pairs"):
            got = f"the class {model.__name__}" if isinstance(model, type) else type(model).__name__
            remedy = "give fresh models, such as recsys.HybridModel()"
            raise InputError(explained(f"'{name}' is no model", got=got, remedy=remedy))
    if not named:
        raise InputError(explained("no model to judge", remedy="give a model, or several by name"))
    return named


def _order_of_pairs(pairs: pd.DataFrame, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return a random place of each unordered pair, both directions the same."""
    both = pd.Index(pd.unique(pd.concat([pairs[C.VIEWER], pairs[C.CANDIDATE]])))
    i, j = (both.get_indexer(pd.Index(pairs[column])) for column in PAIR)
    code, distinct = pd.factorize(unordered_pair_keys(i, j, len(both)))
    return rng.permutation(len(distinct))[code]


def scored_pairs(
    model: FittableModel, people: Population, events: Events, pairs: pd.DataFrame, seed: int
) -> pd.DataFrame:
    """Return the pairs as a copy of the model scores them, fitted on people and events."""
    return model.__sklearn_clone__().fit(people, events, rng=seed).score_pairs(pairs)
