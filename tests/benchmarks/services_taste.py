"""How well the engine tells a service's likes from passes, beside a logistic regression on the same pairs.

The first four fifths of the decisions in time are learned from and the last fifth is judged; a service
without times has its decisions shuffled once. The regression sees what the tables show of a pair: tags in
common, the gap in years, the distance, products of the four main components of the answers, and both rates.
"""

from dataclasses import dataclass
from typing import Any

import h3
import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

import recsys
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.data.population import Population
from recsys.evaluation.bootstrap import bootstrap
from recsys.evaluation.probability import Auc
from recsys.features.scales import Scales
from recsys.mapping import MappingCheck
from recsys.storage.load import events_of, load_tables, population_of
from recsys.types import Float64Array, Int64Array

LEARNED = 0.8
COMPONENTS = 4
_DECISIONS = ("like", "pass")


@dataclass(frozen=True, eq=False)
class Decisions:
    """Who decided about whom, in time: viewer and candidate `(n,)` rows of people, liked `(n,)`."""

    viewer: Int64Array
    candidate: Int64Array
    liked: Float64Array

    def __getitem__(self, part: slice) -> "Decisions":
        return Decisions(self.viewer[part], self.candidate[part], self.liked[part])

    def __len__(self) -> int:
        return len(self.liked)


def taste_of(check: MappingCheck, *, has_times: bool, seed: int, n_resamples: int = 200) -> dict[str, Any]:
    """Return areas under the curve on the last fifth with intervals, and the learned scales.

    check: a mapping that was run. has_times: False where all decisions of a person stand at one moment.
    """
    decided = _last_decisions(check.tables.tables[T.EVENTS], has_times=has_times, seed=seed)
    n_learned = int(LEARNED * len(decided))
    learned = _load(check, decided.iloc[:n_learned])
    people = population_of(learned)
    rows = (
        people.ids.find(decided[C.ACTOR].to_numpy(object)),
        people.ids.find(decided[C.TARGET].to_numpy(object)),
    )
    known = (rows[0] >= 0) & (rows[1] >= 0)
    cut = int(known[:n_learned].sum())
    liked = (decided[C.TYPE] == "like").to_numpy(np.float64)
    pairs = Decisions(rows[0][known].astype(np.int64), rows[1][known].astype(np.int64), liked[known])
    test = pairs[cut:]
    model = recsys.HybridModel().fit(people, events_of(learned), rng=np.random.default_rng(seed))
    asked = {C.VIEWER: people.ids.ids(test.viewer), C.CANDIDATE: people.ids.ids(test.candidate)}
    scores = {
        "hybrid": model.score_pairs(pd.DataFrame(asked))[C.P_LIKE].to_numpy(np.float64),
        "logistic": _logistic(check, people, pairs, cut),
        "random": np.random.default_rng(seed).random(len(test)),
    }
    drawn = bootstrap(
        {name: Auc.of(test.liked, score) for name, score in scores.items()},
        test.viewer,
        test.candidate,
        len(people),
        rng=np.random.default_rng(seed),
        n_resamples=n_resamples,
    )
    found = {f"auc_{name}": drawn.interval(name) for name in scores}
    found["auc_more"] = drawn.difference("hybrid", "logistic")
    intervals = {
        key: [round(float(one), 3) for one in (value.value, value.lo, value.hi)]
        for key, value in found.items()
    }
    return {"judged": len(test), **intervals, "scales": _scales(people)}


def _last_decisions(events: pd.DataFrame, *, has_times: bool, seed: int) -> pd.DataFrame:
    """Return the last decision about each pair, in time."""
    decided = events[events[C.TYPE].isin(_DECISIONS)].copy()
    decided[C.TS] = pd.to_datetime(decided[C.TS], utc=True)
    decided = decided.sort_values([C.TS, C.ACTOR, C.TARGET], kind="stable")
    decided = decided.drop_duplicates([C.ACTOR, C.TARGET], keep="last")
    return decided if has_times else decided.sample(frac=1.0, random_state=seed)


def _load(check: MappingCheck, learned: pd.DataFrame) -> Any:
    """Return the tables with no decisions but those learned from."""
    events = check.tables.tables[T.EVENTS]
    others = events[~events[C.TYPE].isin(_DECISIONS)]
    tables = {**check.tables.tables, T.EVENTS: pd.concat([others, learned], ignore_index=True)}
    return load_tables(tables, as_of=check.loaded.as_of, catalogue=check.tables.own)


def _scales(people: Population) -> dict[str, float]:
    """Return the split-half reliability of each scale."""
    return {name: round(float(value), 3) for name, value in Scales().fit(people).reliability_.items()}


def _logistic(check: MappingCheck, people: Population, pairs: Decisions, cut: int) -> Float64Array:
    """Return the chances of the judged pairs by a ridge logistic regression on what the tables show."""
    i, j = pairs.viewer, pairs.candidate
    held = _tags(check, people)
    both, either = (held[i] & held[j]).sum(1), (held[i] | held[j]).sum(1)
    ages, places, parts = _ages(check, people), _places(check, people), _components(people)
    gap = np.nan_to_num(np.abs(ages[i] - ages[j]), nan=np.nanmean(np.abs(ages[i] - ages[j])))
    km = np.array([h3.great_circle_distance(places[a], places[b]) for a, b in zip(i, j, strict=True)])
    near = np.log1p(np.nan_to_num(km, nan=np.nanmean(km)) / 30)
    rates = [_rates(side, pairs, cut, len(people)) for side in (j, i)]
    seen = np.column_stack([both / np.maximum(either, 1), gap, near, parts[i] * parts[j], *rates])
    seen = (seen - seen.mean(0)) / seen.std(0)
    fitted = LogisticRegression(C=1.0, max_iter=1000).fit(seen[:cut], pairs.liked[:cut])
    return np.asarray(expit(fitted.decision_function(seen[cut:])), np.float64)


def _tags(check: MappingCheck, people: Population) -> np.ndarray:
    """Return who holds which interest or is in which community, `(n_people, n_tags)`."""
    tables = check.loaded.accepted
    named = ((T.INTERESTS, C.TAG), (T.COMMUNITIES, C.COMMUNITY))
    given = [
        tables[name][[C.USER, word]].set_axis(["user", "tag"], axis=1)
        for name, word in named
        if name in tables
    ]
    held = pd.concat(given, ignore_index=True)
    rows = people.ids.find(held["user"].to_numpy(object))
    codes, tags = pd.factorize(held["tag"])
    found = np.zeros((len(people), len(tags)), bool)
    found[rows[rows >= 0], codes[rows >= 0]] = True
    return found


def _ages(check: MappingCheck, people: Population) -> Float64Array:
    """Return years, or the middle of the band where only that is known, NaN where neither is."""
    profiles = check.loaded.accepted[T.PROFILES].set_index(C.USER).reindex(people.ids.values)
    middle = profiles[C.AGE_BAND].map(
        {f"{low}-{low + 9}": low + 4.5 for low in (25, 35, 45, 55)} | {"18-24": 21, "65+": 70}
    )
    years = profiles.get(C.AGE_YEARS, middle)
    return (
        pd.to_numeric(years)
        .astype("Float64")
        .fillna(middle.astype("Float64"))
        .to_numpy(np.float64, na_value=np.nan)
    )


def _places(check: MappingCheck, people: Population) -> list[tuple[float, float]]:
    cells = check.loaded.accepted[T.PROFILES].set_index(C.USER)[C.CELL].reindex(people.ids.values)
    return [h3.cell_to_latlng(cell) if isinstance(cell, str) else (np.nan, np.nan) for cell in cells]


def _components(people: Population) -> Float64Array:
    """Return everybody's main components of the answers, `(n_people, COMPONENTS)`; unknown counts as mean."""
    learned = Scales().fit(people).fitted_
    items = learned.items(people)
    standard = np.nan_to_num((items - np.nanmean(items, 0)) / (np.nanstd(items, 0) + 1e-9))
    left, _, _ = np.linalg.svd(standard, full_matrices=False)
    return np.asarray(left[:, :COMPONENTS] * np.sqrt(len(people)), np.float64)


def _rates(side: Int64Array, pairs: Decisions, cut: int, n_people: int) -> Float64Array:
    """Return each pair's rate of likes of one of the two so far, drawn towards the mean by five decisions."""
    base = pairs.liked[:cut].mean()
    likes = np.bincount(side[:cut], pairs.liked[:cut], n_people)
    return np.asarray(
        ((likes + 5 * base) / (np.bincount(side[:cut], minlength=n_people) + 5))[side], np.float64
    )
