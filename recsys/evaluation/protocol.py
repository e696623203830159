"""The evaluation protocol: judged pairs, and the lists of one or several models aligned with them."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.arguments import checked_arguments
from recsys.catalogue.columns import Columns as C
from recsys.errors import InputError, TableError, did_you_mean, explained
from recsys.evaluation.market import LABEL
from recsys.evaluation.probability import outcomes
from recsys.types import BoolArray, Float64Array, IndexArray

KEYS = [C.VIEWER, C.CANDIDATE]
RANKING_PROBABILITY: Final = "ranked_by"
"""Key in `lists.attrs`: the column of probabilities that lists are ranked by."""
ORDER: Final = "order"
"""Key in `lists.attrs`: what `recommend` was asked to order lists by, such as `mutual`."""


@dataclass(frozen=True, eq=False)
class AlignedLists:
    """One model's lists, aligned with the judged pairs.

    score:       minus the rank, minus infinity where the pair is not listed, `(n_pairs,)`.
    probability: what the model said in [0, 1], NaN where it said nothing, `(n_pairs,)`.
    """

    score: Float64Array
    probability: Float64Array

    @property
    def listed(self) -> BoolArray:
        """Which pairs are on a list, `(n_pairs,)`."""
        return np.asarray(self.score > -np.inf)


@dataclass(frozen=True, eq=False)
class EvaluationData:
    """Every pair that is judged, or listed for a viewer who has judged pairs; each pair once.

    viewer, candidate: positions in `ids`, `(n_pairs,)`.
    truth: 1 worked, 0 did not or is not judged, `(n_pairs,)`.
    known: which pairs are judged, `(n_pairs,)`.
    """

    ids: npt.NDArray[np.object_]
    viewer: IndexArray
    candidate: IndexArray
    truth: Float64Array
    known: BoolArray
    lists: Mapping[str, AlignedLists]

    def __len__(self) -> int:
        return len(self.truth)

    def viewers(self) -> npt.NDArray[np.object_]:
        """Return the viewer's id of each pair, `(n_pairs,)`."""
        return self.ids[self.viewer]

    def where(self, kept: BoolArray) -> "EvaluationData":
        """Return the pairs `kept` `(n_pairs,)`, among the same people."""
        return EvaluationData(
            ids=self.ids,
            viewer=self.viewer[kept],
            candidate=self.candidate[kept],
            truth=self.truth[kept],
            known=self.known[kept],
            lists={m: AlignedLists(of.score[kept], of.probability[kept]) for m, of in self.lists.items()},
        )


def numbers(table: pd.DataFrame, name: str, *, where: str = "the log") -> Float64Array:
    """Return a column as numbers, `(n,)`; raise InputError for one that holds texts."""
    column = table[name]
    with suppress(ValueError, TypeError):
        if pd.api.types.infer_dtype(column, skipna=True) != "string":  # texts of numbers are texts
            return column.to_numpy(np.float64)
    got, remedy = column.iloc[0], "write chances as 0.5 and outcomes as 0 or 1"
    raise InputError(explained(f"column '{name}' holds no numbers", where=where, got=got, remedy=remedy))


def lists_of(name: str) -> str:
    """Return what messages call the lists of a model, one alone without a name."""
    return f"lists of {name}" if name else "lists"


def align_lists(
    lists: Mapping[str, pd.DataFrame], truth: pd.DataFrame, *, probability: str
) -> EvaluationData:
    """Align the lists of each model with the truth; `probability` names the column to judge, if there.

    Raises TableError when a column is missing or a pair stands twice, InputError for labels that are no
    numbers.

    >>> truth = pd.DataFrame({"viewer_id": ["a"], "candidate_id": ["b"], "label": [1]})
    >>> listed = pd.DataFrame({"viewer_id": ["a"], "candidate_id": ["c"], "rank": [1]})
    >>> data = align_lists({"model": listed}, truth, probability="p_mutual")
    >>> data.known.tolist(), data.lists["model"].score.tolist()
    ([True, False], [-inf, -1.0])
    """
    _check("truth", truth, [*KEYS, LABEL])
    for name, frame in lists.items():
        judged = [probability] if probability in frame.columns else []
        _check(lists_of(name), frame, [*KEYS, C.RANK, *judged])
        refuse_other_ids(name, frame, truth)
    columns = [str(column) for frame in lists.values() for column in frame.columns]
    if probability not in ("", C.P_MUTUAL, *columns):
        remedy = did_you_mean(probability, columns)
        raise InputError(
            explained("no list has this column of probabilities", got=probability, remedy=remedy)
        )
    pairs = truth[KEYS].assign(**{LABEL: numbers(truth, LABEL, where="the truth")})
    judged = pd.Index(truth[C.VIEWER].unique())
    for frame in lists.values():
        is_judged = judged.get_indexer(pd.Index(frame[C.VIEWER])) >= 0
        pairs = pairs.merge(frame.loc[is_judged, KEYS], on=KEYS, how="outer")
    pairs = pairs.sort_values(KEYS, ignore_index=True)
    both = np.concatenate([pairs[C.VIEWER].to_numpy(object), pairs[C.CANDIDATE].to_numpy(object)])
    ids, code = np.unique(both, return_inverse=True)
    viewer, candidate = code.reshape(2, -1)
    return EvaluationData(
        ids=ids,
        viewer=viewer,
        candidate=candidate,
        truth=outcomes(pairs[LABEL].fillna(0).to_numpy(np.float64)),
        known=pairs[LABEL].notna().to_numpy(bool),
        lists={name: _aligned(pairs, frame, probability) for name, frame in lists.items()},
    )


def ranked_by(lists: Mapping[str, pd.DataFrame]) -> str:
    """Return the one column of probabilities by which all that say so are ranked, p_mutual if none says it.

    Raises InputError when they are ranked by several: one must be chosen to judge them by.
    """
    said = {
        name: str(frame.attrs[RANKING_PROBABILITY])
        for name, frame in lists.items()
        if RANKING_PROBABILITY in frame.attrs
    }
    if len(set(said.values())) > 1:
        got = ", ".join(f"{name} by {by}" for name, by in said.items())
        remedy = "say what is judged, such as probability='p_mutual'"
        raise InputError(explained("lists are ranked by different probabilities", got=got, remedy=remedy))
    return next(iter(said.values()), C.P_MUTUAL)


def _aligned(pairs: pd.DataFrame, lists: pd.DataFrame, probability: str) -> AlignedLists:
    wanted = [*KEYS, C.RANK, *([probability] if probability in lists.columns else [])]
    joined = pairs[KEYS].merge(lists[wanted], on=KEYS, how="left")
    rank = joined[C.RANK].to_numpy(np.float64)
    said = joined[probability].to_numpy(np.float64) if len(wanted) > 3 else np.full(len(rank), np.nan)
    return AlignedLists(np.where(np.isnan(rank), -np.inf, -rank), said)


def refuse_other_ids(name: str, lists: pd.DataFrame, truth: pd.DataFrame, *, of: str = "the truth") -> None:
    """Refuse texts beside whole numbers: not one pair would be found, and every metric would be 0."""
    for column in KEYS:
        kinds = [
            pd.api.types.infer_dtype(frame[column].head(1).astype(object), skipna=True)
            for frame in (lists, truth)
        ]
        if len(set(kinds)) > 1 and "empty" not in kinds:
            got = f"{kinds[0]} there, {kinds[1]} in {of}"
            remedy = "write the ids the same way on both sides"
            raise InputError(
                explained(f"{column} is of two kinds", where=f"lists {name}".strip(), got=got, remedy=remedy)
            )


def _check(name: str, frame: pd.DataFrame, columns: list[str]) -> None:
    there = [str(column) for column in frame.columns]
    problems = [
        f"column '{column}' is missing; {did_you_mean(column, there)}"
        for column in columns
        if column not in frame.columns
    ]
    problems += [
        f"column '{column}' stands twice; rename one of them, or leave it out"
        for column in columns
        if there.count(column) > 1
    ]
    if not problems and frame.duplicated(KEYS).any():
        again = frame.loc[frame.duplicated(KEYS), KEYS]
        first = again.iloc[0].tolist()
        problems.append(f"{len(again)} pairs stand twice, the first {first}; keep one row a pair")
    if not problems and C.RANK in columns:
        ranks = pd.to_numeric(frame[C.RANK], errors="coerce").to_numpy(np.float64)
        wrong = ~(np.isfinite(ranks) & (ranks >= 1.0))
        if wrong.any():
            first = frame.loc[wrong, C.RANK].iloc[0]
            problems.append(
                f"{int(wrong.sum())} ranks are no place from 1 on, the first {first}; count from 1"
            )
    if problems:
        raise TableError(name, problems)


@checked_arguments
def as_lists(scored: pd.DataFrame, by: str = C.P_MUTUAL) -> pd.DataFrame:
    """Return the scored pairs with `rank`, from 1 for each viewer's highest `by`; ties go by id.

    For judging what a model says of given pairs, where nothing was left out and no policy applied. `evaluate`
    then judges `by` as the probability. Raises TableError when a column is missing.

    >>> pairs = {"viewer_id": ["a", "a", "b"], "candidate_id": ["c", "b", "a"], "p_mutual": [0.2, 0.9, 0.1]}
    >>> as_lists(pd.DataFrame(pairs))["rank"].tolist()
    [2, 1, 1]
    """
    needed = (C.VIEWER, C.CANDIDATE, by)
    missing = [f"column '{column}' is missing" for column in needed if column not in scored.columns]
    if missing:
        raise TableError("scored pairs", missing)
    best_first = scored.sort_values([C.VIEWER, by, C.CANDIDATE], ascending=[True, False, True], kind="stable")
    rank = best_first.groupby(C.VIEWER, sort=False).cumcount() + 1
    ranked = scored.assign(**{C.RANK: rank})
    ranked.attrs[RANKING_PROBABILITY] = by
    return ranked
