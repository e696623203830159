"""The warm protocol: meetings are left out, both directions together; the people are known from others.

The control shuffles whole forms between people of one wave and gender: what is left of the content
model then is identity it memorised, not anything the forms say.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_array
from sklearn.linear_model import LogisticRegression
from tqdm import tqdm

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.data.events import Events
from recsys.evaluation import Interval, auc, bootstrap, pair_folds
from recsys.evaluation.bootstrap import of_groups
from recsys.evaluation.probability import Auc
from recsys.models.content import ContentConfig
from recsys.models.hybrid import HybridConfig, HybridModel
from recsys.models.popularity import PopularityModel
from recsys.storage.load import load_tables, population_of
from recsys.types import Int64Array as Times
from tests.benchmarks.command import Result
from tests.benchmarks.dating.form import Evening, blocks, content, mutual

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Scorer = Callable[[Events, Mask], dict[str, Floats]]

FOLDS = 5
MODELS = RANDOM, POPULARITY, CONTENT, HYBRID, HYBRID_JOINT, CONTROL, CROSSED = (
    "random",
    "popularity",
    "content",
    "hybrid",
    "hybrid, joint",
    "content, forms shuffled",
    "crossed effects (regression)",
)
CONFIG = ContentConfig(folds=3, max_factors=None)
"""Settings of content, alone and beneath the hybrid, whose other settings are the usual ones."""


class MeanAuc:
    """The AUC inside each fold of each repeat, averaged; pairs of different folds are never compared."""

    def __init__(self, match: npt.NDArray[np.int64], scores: Floats, folds: npt.NDArray[np.intp]) -> None:
        self.parts = [
            (at, Auc.of(match[at], score[at]))
            for score, fold in zip(scores, folds, strict=True)
            for at in (np.flatnonzero(fold == number) for number in np.unique(fold))
        ]

    def __call__(self, viewer_times: Times, candidate_times: Times) -> float:
        """Return the mean over folds under these multiplicities."""
        return float(np.nanmean([part(viewer_times[at], candidate_times[at]) for at, part in self.parts]))


def measure(evening: Evening, seed: int, *, repeats: int, progress: bool = True) -> Result:
    """Run the protocol and return its table and figures."""
    pairs, rng = evening.data.pairs, np.random.default_rng(seed)
    folds = np.array([pair_folds(pairs["woman"], pairs["man"], FOLDS, rng=rng) for _ in range(repeats)])
    scores = warm_scores(evening, folds, seed, progress=progress)
    match = pairs["match"].to_numpy(np.int64)
    people, code = np.unique(np.concatenate([pairs["woman"], pairs["man"]]), return_inverse=True)
    women, men = code.reshape(2, -1)
    measures = {model: MeanAuc(match, score, folds) for model, score in scores.items()}
    drawn = bootstrap(measures, women, men, len(people), rng=rng, n_resamples=300)
    by_wave = {model: _by_wave(pairs, match, score) for model, score in scores.items()}
    waves = {model: of_groups(values, rng=rng) for model, values in by_wave.items()}
    meetings = pairs.groupby("wave").size().to_numpy()
    weighed = {model: of_groups(values, rng=rng, weights=meetings) for model, values in by_wave.items()}
    inside = {
        model: of_groups(_by_wave_in_folds(pairs, match, score, folds), rng=rng)
        for model, score in scores.items()
    }
    rows = [
        {"protocol": "warm", "model": model}
        | _named("auc", drawn.interval(model))
        | _named("wave_auc", waves[model])
        | _named("wave_meetings_auc", weighed[model])
        | _named("wave_fold_auc", inside[model])
        for model in scores
    ]
    summary = (
        _named("warm_auc", drawn.interval(HYBRID))
        | _named("warm_wave_auc", waves[HYBRID])
        | _named("warm_wave_meetings_auc", weighed[HYBRID])
        | _named("warm_wave_fold_auc", inside[HYBRID])
        | _named("warm_joint_auc", drawn.interval(HYBRID_JOINT))
        | _named("warm_joint_wave_auc", waves[HYBRID_JOINT])
        | _named("warm_joint_wave_meetings_auc", weighed[HYBRID_JOINT])
        | _named("warm_joint_wave_fold_auc", inside[HYBRID_JOINT])
        | _named("content_auc", drawn.interval(CONTENT))
        | _named("content_wave_auc", waves[CONTENT])
        | _named("control_auc", drawn.interval(CONTROL))
        | _named("crossed_auc", drawn.interval(CROSSED))
        | _named("crossed_wave_auc", waves[CROSSED])
        | _named("crossed_wave_meetings_auc", weighed[CROSSED])
        | _named("crossed_wave_fold_auc", inside[CROSSED])
        | _named("hybrid_over_crossed_auc", drawn.difference(HYBRID, CROSSED))
        | _named("joint_over_crossed_auc", drawn.difference(HYBRID_JOINT, CROSSED))
        | _named("popularity_auc", drawn.interval(POPULARITY))
    )
    return Result(rows, summary)


def warm_scores(
    evening: Evening, folds: npt.NDArray[np.intp], seed: int, *, progress: bool
) -> dict[str, Floats]:
    """Return out-of-fold mutual scores by model, `(n_repeats, n_meetings)` each."""
    shuffled = with_forms_shuffled(evening, np.random.default_rng(seed))
    scorers: Sequence[Scorer] = (
        lambda events, test: {RANDOM: np.zeros(int(test.sum()))},
        lambda events, test: {POPULARITY: _popularity(evening, events, test)},
        lambda events, test: {CONTENT: _content(evening, events, test, seed)},
        lambda events, test: _hybrid(evening, events, test, seed),
        lambda events, test: {CONTROL: _content(shuffled, events, test, seed)},
        lambda events, test: {CROSSED: crossed_effects(evening.data.pairs, test)},
    )
    scores = {model: np.empty(folds.shape) for model in MODELS}
    turns = [(repeat, number) for repeat in range(len(folds)) for number in range(FOLDS)]
    for repeat, number in tqdm(turns, desc="folds of meetings", disable=not progress):
        test = folds[repeat] == number
        events = evening.without(test)
        for scorer in scorers:
            for model, found in scorer(events, test).items():
                scores[model][repeat, test] = found
    return scores


def _popularity(evening: Evening, events: Events, test: Mask) -> Floats:
    model = PopularityModel().fit(evening.people, events, rng=np.random.default_rng(0))
    return model.score_pairs(_asked(evening, test))[C.P_MUTUAL].to_numpy(np.float64)


def _asked(evening: Evening, test: Mask) -> pd.DataFrame:
    meetings = evening.data.pairs[test]
    return meetings[["woman", "man"]].set_axis([C.VIEWER, C.CANDIDATE], axis=1)


def _content(evening: Evening, events: Events, test: Mask, seed: int) -> Floats:
    model = content(evening.people, events, evening.numbers, CONFIG, seed)
    return mutual([model], evening.people, evening.data.pairs[test])


def _hybrid(evening: Evening, events: Events, test: Mask, seed: int) -> dict[str, Floats]:
    """Return the product of both chances, and P(both like | both look) as the model has learned it."""
    model = HybridModel(HybridConfig(content=CONFIG), blocks=blocks(evening.numbers))
    model.fit(evening.people, events, rng=np.random.default_rng(seed))
    asked = _asked(evening, test)
    joint = model.score_pairs(asked, people=evening.people, combiner="joint")[C.P_MUTUAL]
    product = mutual([model], evening.people, evening.data.pairs[test])
    return {HYBRID: product, HYBRID_JOINT: joint.to_numpy(np.float64)}


def crossed_effects(pairs: pd.DataFrame, test: Mask) -> Floats:
    """Regression on who rates and who is rated, one a direction; P(yes) P(yes) of the meetings left out."""
    train, both_yes = ~test, np.ones(int(test.sum()))
    everybody, code = np.unique(np.concatenate([pairs["woman"], pairs["man"]]), return_inverse=True)
    n, rows = len(pairs), np.arange(len(pairs))
    women, men = code.reshape(2, -1)
    entries = (np.ones(2 * n), (np.tile(rows, 2), np.concatenate([women, men])))
    who = csr_array(entries, shape=(n, len(everybody)))
    for said in ("woman_yes", "man_yes"):
        regression = LogisticRegression(C=1.0, max_iter=1000)
        regression.fit(who[train], pairs.loc[train, said])
        both_yes *= regression.predict_proba(who[test])[:, 1]
    return both_yes


def with_forms_shuffled(evening: Evening, rng: np.random.Generator) -> Evening:
    """Return the same people with each other's forms, dealt out within wave and gender."""
    profiles = evening.data.tables[T.PROFILES]
    groups = pd.DataFrame({"wave": profiles[C.USER].map(evening.data.wave), C.GENDER: profiles[C.GENDER]})
    dealt = profiles[C.USER].to_numpy(object).copy()
    for at in groups.groupby(["wave", C.GENDER]).indices.values():
        dealt[at] = rng.permutation(dealt[at])
    owner = dict(zip(profiles[C.USER], dealt, strict=True))

    def passed_on(table: pd.DataFrame) -> pd.DataFrame:
        return table.assign(**{C.USER: table[C.USER].map(owner)})

    tables = {**evening.data.tables, T.INTERESTS: passed_on(evening.data.tables[T.INTERESTS])}
    people = population_of(load_tables(tables))
    return replace(evening, people=people, numbers=passed_on(evening.numbers))


def _by_wave(pairs: pd.DataFrame, match: npt.NDArray[np.int64], scores: Floats) -> list[float]:
    rows = pairs.reset_index(drop=True).groupby("wave").indices.values()
    return [float(np.nanmean([auc(match[at], score[at]) for score in scores])) for at in rows]


def _by_wave_in_folds(
    pairs: pd.DataFrame, match: npt.NDArray[np.int64], scores: Floats, folds: npt.NDArray[np.intp]
) -> list[float]:
    """Return the AUC of each wave, a match compared with the others of its wave and its fold alone.

    Whoever has a match left out is known by one match less than in the other folds, so comparing pairs
    of different folds sets a match against people of whom it is known: G. Forman and M. Scholz,
    "Apples-to-apples in cross-validation studies", SIGKDD Explorations 12 (2010) 49-57.
    """
    values = []
    for rows in pairs.reset_index(drop=True).groupby("wave").indices.values():
        right, compared = 0.0, 0
        for score, fold in zip(scores, folds, strict=True):
            for at in (rows[fold[rows] == number] for number in np.unique(fold)):
                n_compared = int(match[at].sum() * (1 - match[at]).sum())
                if n_compared:
                    right, compared = right + n_compared * auc(match[at], score[at]), compared + n_compared
        values.append(right / compared if compared else float("nan"))
    return values


def _named(name: str, interval: Interval) -> dict[str, float]:
    return {name: interval.value, f"{name}_lo": interval.lo, f"{name}_hi": interval.hi}
