"""How far the embeddings of interests and values agree with themselves, and what they can fill in.

`python -m tests.benchmarks.young_people`

Everything is learned from some people and judged on others. Split-half: two halves of a person's answers
are embedded apart and compared (Spearman-Brown). Masked: a fifth of a new person's answers is hidden and
filled in from the rest, beside column means and an iterated PCA.
"""

import argparse
import sys
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.decomposition import PCA

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.data.population import Population
from recsys.evaluation import Interval
from recsys.evaluation.bootstrap import recentred
from recsys.features.factor_analysis import fit_factor_model
from recsys.features.interests import Interests
from recsys.features.scales import spearman_brown
from recsys.storage.load import load_population
from tests.benchmarks.command import Result, run
from tests.datasets import young_people
from tests.datasets.unknown import unknown

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Fill = Callable[[Floats, Floats, int], Floats]

FOLDS, SPLITS, MASKED, RESAMPLES = 5, 10, 0.2, 300
SIZES = (1, 2, 4, 8, 12)
"""Numbers of factors to choose from, inside the training people."""
MOST_PAIRS = 20_000


def measure(args: argparse.Namespace) -> Result:
    """Run the three measurements."""
    survey, rng = young_people.load(), np.random.default_rng(args.seed)
    if args.people is not None and args.people < len(survey.interests):
        kept = np.sort(rng.choice(len(survey.interests), args.people, replace=False))
        survey = survey.of(kept)
    interests = interests_split_half(survey.interests, rng)
    values = values_split_half(survey.values.to_numpy(), rng)  # noqa: PD011 a table of that name
    everything = survey.interests.join(survey.values).to_numpy()
    errors = masked_errors(everything, rng)
    summary = {"people": len(survey.interests)}
    summary |= _named("interests_split_half", interests) | _named("values_split_half", values)
    for name, key in (("factor model", ""), ("column means", "_mean"), ("PCA", "_pca")):
        summary |= _named(f"masked_rmse{key}", _rmse(errors[name], rng))
    more = _rmse_difference(errors["factor model"], errors["PCA"], rng)
    summary |= _named("masked_rmse_over_pca", more)
    rows = [
        {"measure": key, "value": summary[key], "lo": summary[f"{key}_lo"], "hi": summary[f"{key}_hi"]}
        for key in summary
        if f"{key}_lo" in summary
    ]
    return Result(rows, summary, ["Intervals are over people; a random embedding agrees with itself by 0."])


def interests_split_half(levels: pd.DataFrame, rng: np.random.Generator) -> Interval:
    """Return how far pair scores from one half of the interests agree with those from the other.

    The block is fitted on the whole answers of half the people and scores pairs of the others.
    """
    order = rng.permutation(len(levels))
    learned, judged = levels.iloc[order[::2]], levels.iloc[order[1::2]]
    block = Interests(mode_weight=0.0).fit(_people(learned))
    pairs = rng.integers(0, len(judged), (2, min(MOST_PAIRS, 20 * len(judged))))
    i, j = pairs[:, pairs[0] != pairs[1]]
    halves = []
    for _ in range(SPLITS):
        items = rng.permutation(levels.shape[1])
        parts = (_people(judged.iloc[:, np.sort(items[half::2])]) for half in (0, 1))
        halves.append([block.transform(part).pair_scores(i, j) for part in parts])

    def reliability(times: Floats) -> float:
        weight = times[i] * times[j]
        return float(np.mean([spearman_brown(_correlation(a, b, weight)) for a, b in halves]))

    return _over_people(reliability, len(judged), rng)


def values_split_half(items: Floats, rng: np.random.Generator) -> Interval:
    """Return how far a person's factors from one half of the statements agree with the other half's."""
    order = rng.permutation(len(items))
    learned, judged = items[order[::2]], items[order[1::2]]
    model = fit_factor_model(learned, _chosen(learned, _factors, rng))
    halves = []
    for _ in range(SPLITS):
        shuffled = rng.permutation(items.shape[1])
        parts = (_only(judged, shuffled[half::2]) for half in (0, 1))
        halves.append([model.posterior_mean(part) for part in parts])

    def reliability(times: Floats) -> float:
        found = [
            spearman_brown(_correlation(a[:, factor], b[:, factor], times))
            for a, b in halves
            for factor in range(a.shape[1])
        ]
        return float(np.mean(found))

    return _over_people(reliability, len(judged), rng)


def masked_errors(items: Floats, rng: np.random.Generator) -> dict[str, list[Floats]]:
    """Return squared errors of the hidden answers, a person's in one array, by way of filling in."""
    fold = rng.permutation(len(items)) % FOLDS
    errors: dict[str, list[Floats]] = {"column means": [], "PCA": [], "factor model": []}
    for number in range(FOLDS):
        learned, judged = items[fold != number], items[fold == number]
        hidden = _hide(judged, rng)
        shown = np.where(hidden, np.nan, judged)
        means = np.broadcast_to(np.nanmean(learned, axis=0), judged.shape)
        filled = {
            "column means": means,
            "PCA": _pca(learned, shown, _chosen(learned, _pca, rng)),
            "factor model": _factors(learned, shown, _chosen(learned, _factors, rng)),
        }
        for name, guess in filled.items():
            squares = (guess - judged) ** 2
            errors[name] += [row[out] for row, out in zip(squares, hidden, strict=True)]
    return errors


def _factors(learned: Floats, shown: Floats, size: int) -> Floats:
    return fit_factor_model(learned, size).reconstruct(shown)


def _pca(learned: Floats, shown: Floats, size: int, rounds: int = 30) -> Floats:
    """Fill in by projecting again and again, starting from the means, as `size` components would have it."""
    means = np.nanmean(learned, axis=0)
    complete = np.where(np.isnan(learned), means, learned)
    for _ in range(3):
        model = PCA(size).fit(complete)
        complete = np.where(np.isnan(learned), model.inverse_transform(model.transform(complete)), learned)
    filled = np.where(np.isnan(shown), means, shown)
    for _ in range(rounds):
        guess = model.inverse_transform(model.transform(filled))
        filled = np.where(np.isnan(shown), guess, shown)
    return np.asarray(guess, np.float64)


def _chosen(learned: Floats, fill: Fill, rng: np.random.Generator) -> int:
    """Return the number of factors that fills in best for a quarter of the training people."""
    order = rng.permutation(len(learned))
    judged, rest = learned[order[::4]], np.delete(learned, order[::4], axis=0)
    hidden = _hide(judged, rng)
    shown = np.where(hidden, np.nan, judged)
    sizes = [size for size in SIZES if size < min(rest.shape)]
    errors = [float(np.mean((fill(rest, shown, size) - judged)[hidden] ** 2)) for size in sizes]
    return sizes[int(np.argmin(errors))]


def _hide(items: Floats, rng: np.random.Generator) -> Mask:
    return (rng.random(items.shape) < MASKED) & ~np.isnan(items)


def _only(items: Floats, columns: npt.NDArray[np.intp]) -> Floats:
    kept = np.full_like(items, np.nan)
    kept[:, columns] = items[:, columns]
    return kept


def _people(levels: pd.DataFrame) -> Population:
    tables = {
        T.PROFILES: unknown(T.PROFILES, levels.index.tolist()),
        T.BOUNDARIES: unknown(T.BOUNDARIES, []),
        T.INTERESTS: young_people.as_interests(levels.rename_axis(C.USER)),
    }
    return load_population(tables, "2013-06-01")


def _correlation(a: Floats, b: Floats, weight: Floats) -> float:
    total = weight.sum()
    a, b = a - weight @ a / total, b - weight @ b / total
    return float(weight @ (a * b) / np.sqrt((weight @ a**2) * (weight @ b**2)))


def _over_people(statistic: Callable[[Floats], float], n: int, rng: np.random.Generator) -> Interval:
    draws = [
        statistic(np.bincount(rng.integers(0, n, n), minlength=n).astype(np.float64))
        for _ in range(RESAMPLES)
    ]
    return recentred(statistic(np.ones(n)), np.array(draws))


def _sums(errors: Sequence[Floats]) -> tuple[Floats, Floats]:
    return np.array([part.sum() for part in errors]), np.array([float(len(part)) for part in errors])


def _rmse(errors: Sequence[Floats], rng: np.random.Generator) -> Interval:
    total, count = _sums(errors)
    return _over_people(lambda times: float(np.sqrt(times @ total / (times @ count))), len(errors), rng)


def _rmse_difference(errors: Sequence[Floats], other: Sequence[Floats], rng: np.random.Generator) -> Interval:
    (total, count), (others, _) = _sums(errors), _sums(other)

    def difference(times: Floats) -> float:
        n = times @ count
        return float(np.sqrt(times @ total / n) - np.sqrt(times @ others / n))

    return _over_people(difference, len(errors), rng)


def _named(name: str, interval: Interval) -> dict[str, float]:
    return {name: interval.value, f"{name}_lo": interval.lo, f"{name}_hi": interval.hi}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command."""
    about = "Reliability of interests and values on the Young People Survey."
    return run("young_people", measure, about=about, argv=argv, data="young_people")


if __name__ == "__main__":
    sys.exit(main())
