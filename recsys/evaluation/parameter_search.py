"""Parameters of a model found by cross-validation, and what they gain on pairs the search did not see."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import pandas as pd

from recsys.arguments import as_generator, check_type, checked_arguments
from recsys.data.events import Events
from recsys.data.labels import LABEL
from recsys.data.population import Population
from recsys.errors import InputError, SettingsError, did_you_mean, explained, warn
from recsys.evaluation.compare import compare
from recsys.evaluation.cross_validation import (
    PAIR,
    FittableModel,
    cross_validate,
    models_by_name,
    scored_pairs,
    without_pairs,
)
from recsys.evaluation.held_out import OUTCOMES, Outcome, decided_pairs, with_unseen_pairs
from recsys.evaluation.protocol import as_lists
from recsys.evaluation.registry import LOWER_IS_BETTER
from recsys.evaluation.splits import pair_folds
from recsys.progress_bar import tqdm
from recsys.types import Float64Array, RNGLike

_LIKES_ALONE: Final = "a log of likes alone has no pair that did not work: give negatives_per_like=4"


class SearchResult(NamedTuple):
    """What `tune` found.

    model:      of the best parameters, or as given where that is surely better; fitted to everything.
    trials:     one row a choice of parameters with its metric in the search, the best first.
    comparison: `best` beside `given` on pairs that no trial saw, as `compare` returns it.
    selected:   which of the two `model` is: `given` where the interval of the difference says that it is
                better by the metric, else `best`.

    >>> SearchResult._fields
    ('model', 'trials', 'comparison', 'selected')
    """

    model: Any
    trials: pd.DataFrame
    comparison: pd.DataFrame
    selected: Literal["best", "given"]

    def __repr__(self) -> str:
        better = "as given, better than " if self.selected == "given" else ""
        metric = str(self.trials.columns[-3])
        rows = self.comparison[self.comparison["metric"] == metric].set_index("model")
        value, more, lo, hi = rows.loc["best", ["value", "more", "more_lo", "more_hi"]].to_numpy(np.float64)
        held_out = f"{metric} {value:.3f} on held-out pairs, as given {value - more:.3f}"
        interval = f"{more:+.3f}, {lo:+.3f} to {hi:+.3f}"
        return (
            f"SearchResult({self.model!r}, {better}the best of {len(self.trials)} trials; "
            f"{held_out} ({interval}))"
        )


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
    negatives_per_like: int = 0,
    progress: bool = False,
) -> SearchResult:
    """Search the parameters of a model by cross-validation, and say honestly what was gained.

    A fifth of the pairs is laid aside; the search cross-validates on the others. The best choice and the
    model as given are then compared once on what was laid aside. The best is fitted to everything, or with a
    warning the given where the interval says it is better. A parameter that changes no metric is warned of.

    space:  values to try by parameter name, as `get_params` has it: {"steps": [2, 3], "content__folds": [3]}.
    trials: how many of all combinations to try, drawn evenly; all of them when None.
    metric: what is best: a metric of `compare`; of log_loss, brier and ece the least.
    negatives_per_like: as in `cross_validate`, for a log of likes alone.

    Raises SettingsError for an unknown parameter, metric or outcome, InputError for too few pairs.

    >>> import recsys
    >>> town = recsys.make_town(120, rng=7)
    >>> people, events = recsys.load_population(town.tables), recsys.load_events(town.tables)
    >>> space = {"evidence": [1.0, 5.0]}
    >>> found = tune(recsys.PopularityModel(), space, people, events, rng=7, metric="auc", outcome="like")
    >>> found.trials.columns.tolist(), sorted(set(found.comparison["model"]))
    (['evidence', 'auc', 'lo', 'hi'], ['best', 'given'])
    """
    models_by_name(model)
    draw, truth = as_generator(rng), decided_pairs(people, events, outcome)
    aside = truth[pair_folds(truth["viewer_id"], truth["candidate_id"], 5, rng=draw) == 0]
    seen = without_pairs(events, aside[PAIR])
    choices = _choices(space, trials, draw)
    _refuse_likes_alone(truth, negatives_per_like)
    k, seed = _length(metric), int(draw.integers(2**31))
    asked: dict[str, Any] = {"folds": folds, "outcome": outcome, "negatives_per_like": negatives_per_like}
    tables = []
    for choice in tqdm(choices, desc="tune", unit="trial", disable=not progress):
        changed = {"": model.__sklearn_clone__().set_params(**choice)}
        tables.append(cross_validate(changed, people, seen, rng=seed, k=k, n_resamples=2, **asked))
    found = _ranked(choices, tables, metric)
    _warn_of_no_effect(model, choices, [one["value"].to_numpy(np.float64) for one in tables])
    best = model.__sklearn_clone__().set_params(**choices[int(found.index[0])])
    aside = with_unseen_pairs(aside, people, events, negatives_per_like, draw)
    lists = {
        name: as_lists(scored_pairs(one, people, seen, aside[PAIR], seed), OUTCOMES[outcome])
        for name, one in (("best", best), ("given", model))
    }
    comparison = compare(lists, aside, k=k, probability=OUTCOMES[outcome], against="given", rng=seed)
    selected = _selected(comparison, metric)
    chosen = {"best": best, "given": model.__sklearn_clone__()}[selected].fit(people, events, rng=seed)
    return SearchResult(chosen, found.reset_index(drop=True), comparison, selected)


def _selected(comparison: pd.DataFrame, metric: str) -> Literal["best", "given"]:
    """Return `given`, with a warning, where the best trial is surely worse than the model as given."""
    rows = comparison[(comparison["model"] == "best") & (comparison["metric"] == metric)]
    worse = rows["more_lo"] > 0.0 if metric in LOWER_IS_BETTER else rows["more_hi"] < 0.0
    if not worse.any():
        return "best"
    row = rows.iloc[0]
    got = f"{metric} {row['more']:+.3g} ({row['more_lo']:+.3g} to {row['more_hi']:+.3g}) on held-out pairs"
    remedy = "the model as given is kept; put its values into the space"
    warn(explained("the best trial is worse than the model as given", where="tune", got=got, remedy=remedy))
    return "given"


def _warn_of_no_effect(
    model: FittableModel,
    choices: Sequence[Mapping[str, Any]],
    values: Sequence[Float64Array],
) -> None:
    """Warn of each parameter without effect: trials that differ in it alone have all metrics in common."""
    for name in choices[0]:
        alike: dict[str, list[int]] = {}
        for at, choice in enumerate(choices):
            others = repr([value for key, value in choice.items() if key != name])
            alike.setdefault(others, []).append(at)
        pairs = [(group[0], at) for group in alike.values() for at in group[1:]]
        pairs = [(a, b) for a, b in pairs if choices[a][name] != choices[b][name]]
        if pairs and all(np.array_equal(values[a], values[b], equal_nan=True) for a, b in pairs):
            tried = ", ".join(dict.fromkeys(repr(choice[name]) for choice in choices))
            remedy = f"leave it out of the space; help({type(model).__name__}) says when each setting acts"
            what = f"'{name}' has no effect on this log, every metric is the same"
            warn(explained(what, where="tune", got=tried, remedy=remedy))


def _ranked(
    choices: Sequence[Mapping[str, Any]], tables: Sequence[pd.DataFrame], metric: str
) -> pd.DataFrame:
    """Return the choices with their metric, the best first, indexed by their place among `choices`."""
    rows = [{**choice, **_metric_row(one, metric)} for choice, one in zip(choices, tables, strict=True)]
    if all(np.isnan(row[metric]) for row in rows):
        raise _nothing_to_judge(f"no number for {metric} in {len(rows)} trials")
    return pd.DataFrame(rows).sort_values(metric, ascending=metric in LOWER_IS_BETTER, kind="stable")


def _refuse_likes_alone(truth: pd.DataFrame, negatives_per_like: int) -> None:
    if negatives_per_like == 0 and len(truth) and truth[LABEL].all():
        raise _nothing_to_judge(f"{len(truth):,} pairs, all of which worked")


def _nothing_to_judge(got: str) -> InputError:
    return InputError(explained("no trial can be judged", where="tune", got=got, remedy=_LIKES_ALONE))


def _choices(
    space: Mapping[str, Sequence[Any]], trials: int | None, rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Return the combinations to try; raise SettingsError when there is none."""
    for name, values in space.items():
        check_type(values, Sequence[Any], name=f"space[{name!r}]", where="tune")
    choices = [dict(zip(space, values, strict=True)) for values in itertools.product(*space.values())]
    if not choices or (trials is not None and trials < 1):
        got, remedy = (dict(space), "give values for each name") if not choices else (trials, "try 1 or more")
        raise SettingsError(explained("nothing to try", where="tune", got=got, remedy=remedy))
    if trials is not None and trials < len(choices):
        choices = [choices[at] for at in np.sort(rng.choice(len(choices), trials, replace=False))]
    return choices


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
