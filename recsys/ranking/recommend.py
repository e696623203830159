"""Lists for people: mask, score, check again, explain."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
import structlog
from tqdm.auto import tqdm

from recsys.constraints.policy import Policy
from recsys.errors import InputError, explained
from recsys.explain.reasons import Reasons
from recsys.models.directed import Directed
from recsys.retrieval import MutualLists, mutual_top_k
from recsys.schema.columns import Columns as C
from recsys.schema.population import Population

DROPPED: Final = "dropped_by_recheck"
"""Key in `lists.attrs`: how many pairs the plain check took out; anything but 0 is a defect."""

_PAIRS_AT_ONCE = 100_000
_log = structlog.get_logger(__name__)


class Scorer(Protocol):
    """Anything that gives two matrices for people, such as a fitted model."""

    def directed(self, people: Population) -> Directed:
        """Return taste and appeal of `people`."""
        ...


def recommend(
    model: Scorer,
    people: Population,
    policy: Policy,
    viewers: str | Sequence[str] | npt.ArrayLike | pd.Series | None = None,
    k: int = 20,
    *,
    combiner: str = "product",
    workers: int = 1,
    progress: bool = False,
) -> pd.DataFrame:
    """Return the best `k` people for each viewer among those who may be shown to them.

    One row a suggestion: viewer_id, candidate_id, rank (from 1), p_like, p_liked_back, p_mutual in
    [0, 1] and reasons (a list of codes for `recsys.explain.reasons.reason_text`). Viewers come in the
    order asked for, None is everybody listed; who is not listed has no rows. A list is as long as there
    are people to show, never padded.

    After ranking, every pair is checked again with the plain form of `policy`, which shares no code
    with the compiled masks. A pair that fails is dropped, counted in `lists.attrs["dropped_by_recheck"]`
    and logged.

    Raises
    ------
    UnknownIdError
        When a viewer is not among `people`.
    InputError
        When a viewer is asked for twice, or the model is of other people.
    SettingsError
        For an impossible `k`, `combiner` or `workers`.
    """
    asked = [viewers] if isinstance(viewers, str) else viewers
    rows = None if asked is None else people.ids.rows(np.asarray(asked, dtype=object))
    directed = model.directed(people)
    if directed.ids != people.ids:
        raise InputError(explained("the model gave the matrices of other people", remedy="apply it to these"))
    compiled = policy.compile(people)
    n_viewers = int(compiled.listed.sum()) if rows is None else len(rows)
    with tqdm(total=n_viewers, desc="recommend", unit="people", disable=not progress) as bar:
        lists = mutual_top_k(
            directed, compiled, viewers=rows, k=k, combiner=combiner, workers=workers, progress=bar.update
        )
    pairs = _RankedPairs.of(lists)
    kept, dropped = _rechecked(pairs, policy, people)
    frame = kept.frame(people, Reasons(people))
    frame.attrs[DROPPED] = dropped
    return frame


@dataclass(frozen=True, eq=False)
class _RankedPairs:
    """Aligned arrays, one entry a suggestion, in list order."""

    viewer: npt.NDArray[np.int32]
    candidate: npt.NDArray[np.int32]
    p_like: npt.NDArray[np.float32]
    p_liked_back: npt.NDArray[np.float32]
    p_mutual: npt.NDArray[np.float64]

    @classmethod
    def of(cls, lists: MutualLists) -> "_RankedPairs":
        return cls(lists.viewer_of_each, lists.candidates, lists.p_like, lists.p_liked_back, lists.p_mutual)

    def __len__(self) -> int:
        return len(self.viewer)

    def kept(self, keep: npt.NDArray[np.bool_]) -> "_RankedPairs":
        """Return the suggestions where `keep` is true."""
        return _RankedPairs(
            self.viewer[keep],
            self.candidate[keep],
            self.p_like[keep],
            self.p_liked_back[keep],
            self.p_mutual[keep],
        )

    def rank(self) -> npt.NDArray[np.int32]:
        """Return each suggestion's place in its list, from 1 and without gaps."""
        new_list = np.ones(len(self), bool)
        new_list[1:] = self.viewer[1:] != self.viewer[:-1]
        first = np.flatnonzero(new_list)
        lengths = np.diff(np.append(first, len(self)))
        return (np.arange(len(self)) - np.repeat(first, lengths) + 1).astype(np.int32)

    def frame(self, people: Population, reasons: Reasons) -> pd.DataFrame:
        """Return the suggestions as a table, with reasons."""
        return pd.DataFrame(
            {
                C.VIEWER: pd.Series(people.ids.ids(self.viewer), dtype="str"),
                C.CANDIDATE: pd.Series(people.ids.ids(self.candidate), dtype="str"),
                C.RANK: self.rank(),
                C.P_LIKE: self.p_like,
                C.P_LIKED_BACK: self.p_liked_back,
                C.P_MUTUAL: self.p_mutual,
                C.REASONS: pd.Series(reasons.codes(self.viewer, self.candidate), dtype=object),
            }
        )


def _rechecked(pairs: _RankedPairs, policy: Policy, people: Population) -> tuple[_RankedPairs, int]:
    """Return the pairs the plain form of the policy allows, and how many it does not."""
    allowed = _in_parts(
        lambda part: policy.may_show(people, pairs.viewer[part], pairs.candidate[part]), len(pairs)
    )
    dropped = int((~allowed).sum())
    if dropped:
        _log.warning("pairs dropped by the plain check: compiled masks and rules disagree", pairs=dropped)
    return pairs.kept(allowed), dropped


def _in_parts(check: Callable[[slice], npt.NDArray[np.bool_]], n: int) -> npt.NDArray[np.bool_]:
    """Run a check over slices of `n` pairs, so that memory stays bounded."""
    parts = [check(slice(start, start + _PAIRS_AT_ONCE)) for start in range(0, n, _PAIRS_AT_ONCE)]
    return np.concatenate(parts) if parts else np.zeros(0, bool)
