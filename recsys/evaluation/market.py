"""Metrics of a whole market: coverage, exposure and its spread, parity, envy, expected matches."""

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from recsys.arguments import checked_arguments
from recsys.catalogue.columns import Columns as C
from recsys.data.examination import INVERSE_EXAMINATION, ExaminationCurve
from recsys.data.labels import OUTCOME
from recsys.data.pair_keys import unordered_pair_keys
from recsys.errors import InputError, TableError, explained
from recsys.types import Float64Array


@checked_arguments
def coverage(listed: npt.ArrayLike, n_people: int) -> float:
    """Return (distinct people in `listed`) / `n_people`, in [0, 1].

    M. Ge, C. Delgado-Battenfeld and D. Jannach, "Beyond accuracy: evaluating recommender systems by
    coverage and serendipity", RecSys 2010, 257-260.
    Raises InputError when more people are listed than there are.

    >>> coverage(["a", "b", "a"], 4)
    0.5
    """
    distinct = pd.Series(listed, dtype=object).nunique()
    if distinct > n_people or n_people < 1:
        raise InputError(
            explained(
                "fewer people than are listed",
                got=f"{n_people} people, {distinct} listed",
                remedy="count everybody who may be listed",
            )
        )
    return float(distinct / n_people)


@checked_arguments
def gini(amounts: npt.ArrayLike) -> float:
    """Return the Gini coefficient of amounts of 0 or more, in [0, 1); 0 when all are 0.

    G = sum_i (2 i - n - 1) x_i / (n sum x), with x ascending and i from 1; C. Gini, "Variabilita e
    mutabilita" (1912). Raises InputError on a negative or missing amount.

    >>> gini([1, 1, 1]), gini([0, 0, 0, 8])
    (0.0, 0.75)
    """
    x = np.sort(np.asarray(amounts, dtype=np.float64).reshape(-1))
    if not np.all(x >= 0):
        raise InputError(explained("an amount is negative or missing", remedy="give 0 or more to everybody"))
    n = len(x)
    if n == 0 or x.sum() == 0:
        return 0.0
    return float(((2 * np.arange(1, n + 1) - n - 1) * x).sum() / (n * x.sum()))


@checked_arguments
def exposure(
    candidate: npt.ArrayLike,
    rank: npt.ArrayLike,
    everybody: npt.ArrayLike,
    *,
    examination: ExaminationCurve = INVERSE_EXAMINATION,
) -> pd.Series:
    """Return the attention each of `everybody` gets: the sum of `examination(rank)` over lists.

    `examination` turns ranks (from 1) into the chance that the place is looked at, 1 / rank by default.

    >>> exposure(["a", "b", "a"], [1, 2, 2], ["a", "b", "c"]).to_dict()
    {'a': 1.5, 'b': 0.5, 'c': 0.0}
    """
    looked_at = examination(np.asarray(rank, dtype=np.float64))
    coded = isinstance(candidate, pd.Series) and isinstance(candidate.dtype, pd.CategoricalDtype)
    whose = pd.Series(candidate, dtype=None if coded else object).reset_index(drop=True)
    total = pd.Series(looked_at).groupby(whose, observed=True).sum()
    return total.reindex(pd.Index(np.asarray(everybody, dtype=object)), fill_value=0.0)


@checked_arguments
def lorenz_curve(amounts: npt.ArrayLike) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the shares of people and of the total they hold, least first, both `(n + 1,)` from 0 to 1.

    When there is nothing to share, everybody holds alike.

    M. O. Lorenz, "Methods of measuring the concentration of wealth", Publications of the American
    Statistical Association 9 (1905) 209-219.

    >>> people, share = lorenz_curve([1.0, 3.0])
    >>> people.tolist(), share.tolist()
    ([0.0, 0.5, 1.0], [0.0, 0.25, 1.0])
    """
    ascending = np.sort(np.asarray(amounts, np.float64))
    total = np.concatenate([[0.0], np.cumsum(ascending)])
    people = np.linspace(0.0, 1.0, len(total))
    return people, (total / total[-1] if total[-1] > 0 else people)


LABEL = "label"


@checked_arguments
def mutual_labels(directed: pd.DataFrame, *, undecided_is_no: bool = False) -> pd.DataFrame:
    """Return viewer_id, candidate_id, label: 1 when both said yes, 0 when not.

    `directed` holds viewer_id, candidate_id and label (1: viewer said yes to candidate), one row a
    directed pair. Only pairs where both decided are returned; with `undecided_is_no` every pair of
    `directed` is, and one without an answer back counts as not mutual (yet).
    Raises InputError when a directed pair stands twice.

    >>> said = [("a", "b", 1), ("b", "a", 1), ("a", "c", 1)]
    >>> said = pd.DataFrame(said, columns=["viewer_id", "candidate_id", "label"])
    >>> mutual_labels(said)["label"].tolist(), mutual_labels(said, undecided_is_no=True)["label"].tolist()
    ([1, 1], [1, 0, 1])
    """
    keys = [C.VIEWER, C.CANDIDATE]
    if directed.duplicated(keys).any():
        first = directed.loc[directed.duplicated(keys), keys].iloc[0].tolist()
        raise InputError(explained("a directed pair stands twice", got=first, remedy="keep one row a pair"))
    there = directed[[*keys, LABEL]]
    back = there.rename(columns={C.VIEWER: C.CANDIDATE, C.CANDIDATE: C.VIEWER, LABEL: "back"})
    both = there.merge(back, on=keys, how="left" if undecided_is_no else "inner")
    both[LABEL] = ((both[LABEL] > 0) & (both["back"].fillna(0) > 0)).astype("int64")
    found = both[[*keys, LABEL]].sort_values(keys, ignore_index=True)
    found.attrs = {OUTCOME: "mutual"}
    return found


COHORT = "cohort"


@checked_arguments
def cohort_parity(looked_at: pd.Series, cohort: pd.Series) -> pd.DataFrame:
    """Return one row a cohort: cohort, people, exposure (mean a person) and ratio to the mean of all.

    looked_at: attention by person, as `exposure` returns it. cohort: label by person, missing where
    it is not known (then the person is in no row, but counts in the mean of all).
    A ratio of 1 everywhere is demographic parity of exposure (A. Singh and T. Joachims, "Fairness of
    exposure in rankings", KDD 2018). It says that lists treat cohorts alike, not that they should.
    Raises InputError when nobody of `cohort` is in `looked_at`.

    >>> looked_at = pd.Series({"a": 3.0, "b": 1.0, "c": 2.0})
    >>> cohort_parity(looked_at, pd.Series({"a": "young", "b": "old", "c": "old"}))
      cohort  people  exposure  ratio
    0    old       2       1.5   0.75
    1  young       1       3.0   1.50
    """
    known = cohort.reindex(looked_at.index)
    if known.notna().sum() == 0:
        raise InputError(explained("nobody has a cohort", remedy="index both by the same people"))
    by = looked_at.groupby(known.astype(object), sort=True)
    table = pd.DataFrame({"people": by.size(), "exposure": by.mean()})
    mean = float(looked_at.mean())
    table["ratio"] = table["exposure"] / mean if mean else float("nan")
    return table.rename_axis(COHORT).reset_index()


@checked_arguments
def min_parity(table: pd.DataFrame) -> float:
    """Return the least ratio over the greatest, in [0, 1]; 1 is parity.

    >>> min_parity(pd.DataFrame({"ratio": [0.75, 1.5]}))
    0.5
    """
    most = float(table["ratio"].max())
    return float(table["ratio"].min()) / most if most else float("nan")


@checked_arguments
def reach(matches: pd.Series, everybody: npt.ArrayLike, *, least: float = 1.0) -> float:
    """Return the share of `everybody` who can expect `least` matches or more, in [0, 1].

    matches: expected matches by person, as `matches_by_person` returns them; nobody else expects any.
    Raises InputError without anybody.

    >>> reach(pd.Series({"a": 1.2, "b": 0.4}), ["a", "b", "c", "d"])
    0.25
    """
    people = pd.Index(pd.unique(pd.Series(everybody, dtype=object)))
    if not len(people):
        raise InputError(explained("nobody to reach", remedy="pass everybody who may be listed"))
    return float((matches.reindex(people).fillna(0.0) >= least).mean())


_AT_ONCE = 512


@checked_arguments
def envy(
    lists: pd.DataFrame,
    chances: pd.DataFrame,
    *,
    chance: str = C.P_MUTUAL,
    examination: ExaminationCurve = INVERSE_EXAMINATION,
    tolerance: float = 1e-9,
) -> float:
    """Return the share of candidates who envy somebody, in [0, 1]; NaN without lists.

    With e_ik the examination of the place k has in i's list and c_ij the chance of i and j, j gets
    u_j(k) = sum_i e_ik c_ij out of the places of k. j envies k when u_j(k) > u_j(j).

    lists: viewer_id, candidate_id, rank. chances: viewer_id, candidate_id and `chance` for every pair
    that may meet, listed or not; a pair that is missing may not meet and is worth nothing.
    Raises TableError when a column is missing.

    Y. Saito and T. Joachims, "Fair ranking as fair division: impact-based individual fairness in
    ranking", KDD 2022.

    v shows a first and b second; for both it is the same place they want, so b envies a.

    >>> pairs = pd.DataFrame({"viewer_id": ["v", "v"], "candidate_id": ["a", "b"]})
    >>> envy(pairs.assign(rank=[1, 2]), pairs.assign(p_mutual=[0.5, 0.5]))
    0.5
    """
    _check("lists", lists, (C.VIEWER, C.CANDIDATE, C.RANK))
    _check("chances", chances, (C.VIEWER, C.CANDIDATE, chance))
    if not len(lists):
        return float("nan")
    viewers = pd.Index(pd.unique(lists[C.VIEWER]))
    people = pd.Index(pd.unique(pd.concat([lists[C.CANDIDATE], chances[C.CANDIDATE]])))
    looked = _matrix(lists, examination(lists[C.RANK]), viewers, people)
    wanted = _matrix(chances, chances[chance].to_numpy(np.float64), viewers, people)
    own = np.asarray(looked.multiply(wanted).sum(axis=0)).reshape(-1)
    envious = 0
    for start in range(0, len(people), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        best = (wanted[:, part].T @ looked).max(axis=1)
        envious += int((np.asarray(best.todense()).reshape(-1) > own[part] + tolerance).sum())
    return envious / len(people)


def _matrix(
    pairs: pd.DataFrame, values: Float64Array, viewers: pd.Index, people: pd.Index
) -> sparse.csc_array:
    i, j = viewers.get_indexer(pd.Index(pairs[C.VIEWER])), people.get_indexer(pd.Index(pairs[C.CANDIDATE]))
    known = (i >= 0) & (j >= 0)
    shape = (len(viewers), len(people))
    return sparse.csc_array((values[known], (i[known], j[known])), shape=shape)


def _check(name: str, frame: pd.DataFrame, columns: tuple[str, ...]) -> None:
    missing = [f"column '{column}' is missing" for column in columns if column not in frame]
    if missing:
        raise TableError(name, missing)


@checked_arguments
def matches_by_person(
    lists: pd.DataFrame,
    *,
    chance: str = C.P_MUTUAL,
    examination: ExaminationCurve = INVERSE_EXAMINATION,
) -> pd.Series:
    """Return the matches each person can expect from all lists, indexed by person; 0 for nobody else.

    A pair meets when at least one of the two looks at the place the other has in their list:
    m_ij = (1 - (1 - e_ij)(1 - e_ji)) c_ij with e = examination(rank), 0 where not listed, and c the
    column `chance`: what a model says of both saying yes, or 1 and 0 for what came of it. Everybody
    in a pair expects its m.

    lists: viewer_id, candidate_id, rank (from 1) and `chance`. Where both list each other and say
    different chances, their mean counts. Raises TableError when a column is missing.

    >>> rows = {"viewer_id": ["a", "b", "a"], "candidate_id": ["b", "a", "c"], "rank": [1, 2, 2]}
    >>> matches_by_person(pd.DataFrame({**rows, "p_mutual": [0.5, 0.5, 0.4]})).to_dict()
    {'a': 0.7, 'b': 0.5, 'c': 0.2}
    """
    needed = (C.VIEWER, C.CANDIDATE, C.RANK, chance)
    missing = [f"column '{column}' is missing" for column in needed if column not in lists]
    if missing:
        raise TableError("lists", missing)
    both = pd.concat([lists[C.VIEWER], lists[C.CANDIDATE]], ignore_index=True)
    code, people = pd.factorize(both, sort=True)
    keys = unordered_pair_keys(code[: len(lists)], code[len(lists) :], len(people))
    pair, number = np.unique(keys, return_inverse=True)
    missed = np.ones(len(pair))
    np.multiply.at(missed, number, 1.0 - examination(lists[C.RANK]))
    said = np.bincount(number, lists[chance].to_numpy(np.float64), len(pair)) / np.bincount(number)
    met = (1.0 - missed) * said
    first, second = pair // max(len(people), 1), pair % max(len(people), 1)
    total = np.bincount(first, met, len(people)) + np.bincount(second, met, len(people))
    return pd.Series(total, index=people)


@checked_arguments
def expected_matches(
    lists: pd.DataFrame,
    *,
    chance: str = C.P_MUTUAL,
    examination: ExaminationCurve = INVERSE_EXAMINATION,
) -> float:
    """Return the number of pairs that would find each other, see `matches_by_person`.

    Y. Su, M. Bayoumi and T. Joachims, "Optimizing rankings for recommendation in matching markets",
    WWW 2022, count matches the same way with lists on both sides.

    >>> rows = {"viewer_id": ["a", "b", "a"], "candidate_id": ["b", "a", "c"], "rank": [1, 2, 2]}
    >>> expected_matches(pd.DataFrame({**rows, "p_mutual": [0.5, 0.5, 0.4]}))
    0.7
    """
    return float(matches_by_person(lists, chance=chance, examination=examination).sum() / 2.0)
