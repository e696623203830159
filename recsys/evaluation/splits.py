"""Splits that keep apart what must not leak: time, groups of people, both directions of a pair."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.arguments import as_generator, checked_arguments
from recsys.catalogue.columns import Columns as C
from recsys.data.times import as_utc
from recsys.errors import InputError, explained
from recsys.types import BoolArray, RNGLike


@dataclass(frozen=True, eq=False)
class Fold:
    """What is learned from and what is judged, as masks over the same rows, never both."""

    name: str
    train: BoolArray
    test: BoolArray


@checked_arguments
def temporal_split(
    events: pd.DataFrame, at: str | pd.Timestamp, *, column: str = C.TS
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows before `at` and the rows at or after it.

    Raises InputError when a side is empty.

    >>> days = pd.DataFrame({"ts": pd.to_datetime(["2026-01-01", "2026-01-03"], utc=True)})
    >>> [len(side) for side in temporal_split(days, "2026-01-02")]
    [1, 1]
    """
    moment = as_utc(at)
    before = (events[column] < moment).to_numpy(bool)
    if before.all() or not before.any():
        raise InputError(
            explained(
                "one side of the split is empty",
                got=f"{int(before.sum())} of {len(before)} rows before {moment}",
                remedy="split inside the time the events cover",
            )
        )
    return events[before], events[~before]


@checked_arguments
def leave_one_group_out(groups: npt.ArrayLike) -> Iterator[Fold]:
    """Yield one fold a group, in order: everything else is learned from, the group is judged.

    Raises InputError when there is but one group.

    >>> [(fold.name, fold.test.tolist()) for fold in leave_one_group_out([2, 1, 2])]
    [('1', [False, True, False]), ('2', [True, False, True])]
    """
    labels = np.asarray(groups).reshape(-1)
    distinct = np.unique(labels)
    if len(distinct) < 2:
        raise InputError(explained("nothing is left to learn from", got=f"{len(distinct)} groups"))
    for group in distinct:
        test = labels == group
        yield Fold(str(group), ~test, test)


@checked_arguments
def group_folds(groups: npt.ArrayLike, n_folds: int) -> npt.NDArray[np.intp]:
    """Return the fold 0..n_folds-1 of each row, `(n,)`: a group is never divided, folds are near equal.

    Groups are dealt from the largest to the fold that holds least so far.
    Raises InputError when there are fewer groups than folds.

    >>> group_folds(["a", "a", "a", "b", "b", "c"], 2).tolist()
    [0, 0, 0, 1, 1, 1]
    """
    distinct, code, size = np.unique(np.asarray(groups), return_inverse=True, return_counts=True)
    if not 2 <= n_folds <= len(distinct):
        raise InputError(explained("cannot deal groups into folds", got=f"{len(distinct)} for {n_folds}"))
    held = np.zeros(n_folds, np.int64)
    fold_of = np.empty(len(distinct), np.intp)
    for group in np.argsort(-size, kind="stable"):
        fold_of[group] = int(np.argmin(held))
        held[fold_of[group]] += size[group]
    return fold_of[code]


@checked_arguments
def pair_folds(
    viewer: npt.ArrayLike, candidate: npt.ArrayLike, n_folds: int, *, rng: RNGLike
) -> npt.NDArray[np.intp]:
    """Return the fold 0..n_folds-1 of each directed pair, `(n,)`; both directions share a fold.

    Folds differ in size by at most one unordered pair.
    Raises InputError when there are fewer unordered pairs than folds.

    >>> folds = pair_folds(["a", "b", "a"], ["b", "a", "c"], 2, rng=np.random.default_rng(0))
    >>> bool(folds[0] == folds[1]), bool(folds[0] != folds[2])
    (True, True)
    """
    both = np.concatenate([np.asarray(viewer, dtype=object), np.asarray(candidate, dtype=object)])
    code = np.unique(both, return_inverse=True)[1].reshape(2, -1)
    pair, n_pairs = _numbered(code.min(axis=0), code.max(axis=0))
    if not 2 <= n_folds <= n_pairs:
        remedy = "give 2 folds or more, and no more than there are pairs"
        got = f"{n_folds} for {n_pairs} pairs"
        raise InputError(explained("cannot deal pairs into folds", got=got, remedy=remedy))
    return (as_generator(rng).permutation(n_pairs) % n_folds)[pair]


def _numbered(low: npt.NDArray[np.intp], high: npt.NDArray[np.intp]) -> tuple[npt.NDArray[np.intp], int]:
    distinct, number = np.unique(np.column_stack([low, high]), axis=0, return_inverse=True)
    return number.reshape(-1), len(distinct)


INTERACTION_SLICES: Final = ("0", "1-5", "6-20", ">20")
_UPPER: Final = (0, 5, 20)


@checked_arguments
def interaction_slice(signals: npt.ArrayLike) -> npt.NDArray[np.object_]:
    """Return the slice of each number of signals (decisions made and received), `(n,)`.

    Raises InputError when a number is negative.

    >>> interaction_slice([0, 5, 6, 21]).tolist()
    ['0', '1-5', '6-20', '>20']
    """
    counts = np.asarray(signals)
    if (counts < 0).any():
        raise InputError(explained("a negative number of signals", got=int(counts.min())))
    return np.asarray(INTERACTION_SLICES, dtype=object)[np.searchsorted(_UPPER, counts, side="left")]


@checked_arguments
def count_interactions(ids: npt.ArrayLike, actor: npt.ArrayLike, target: npt.ArrayLike) -> pd.Series:
    """Return how many decisions each of `ids` made or received.

    >>> count_interactions(["a", "b", "c"], ["a", "a"], ["b", "x"]).to_dict()
    {'a': 2, 'b': 1, 'c': 0}
    """
    seen = pd.concat([pd.Series(actor, dtype=object), pd.Series(target, dtype=object)])
    return seen.value_counts().reindex(pd.Index(np.asarray(ids, dtype=object)), fill_value=0)
