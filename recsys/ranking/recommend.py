"""Recommendations of one population under one policy: search, plain recheck, and the table of lists."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final, Literal, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
import structlog

from recsys.arguments import as_pandas, check_type, checked_arguments
from recsys.catalogue.columns import Columns as C
from recsys.constraints.compiled import Compiled
from recsys.constraints.policy import Policy, may_show_each
from recsys.data.csr import SparseRows
from recsys.data.ids import as_ids, id_column
from recsys.data.population import Population
from recsys.errors import InputError, SettingsError, UnknownIdError, did_you_mean, explained, need_columns
from recsys.messaging.reasons import Reasons
from recsys.models.base import Model
from recsys.models.directed import Directed
from recsys.models.reciprocal import combine
from recsys.progress_bar import tqdm
from recsys.ranking.exhaustive import Score, best_pairs
from recsys.retrieval.results import MutualLists
from recsys.retrieval.top_k import Retriever
from recsys.types import ArrowTable, BoolArray, Float64Array, IndexArray


@dataclass(frozen=True, eq=False)
class RankedPairs:
    """Ranked viewer-candidate pairs as aligned arrays, in list order; both are rows of one population.

    propensity: `(n_pairs,)` float32, the chance with which each was drawn; None where nothing was random.
    """

    viewer: npt.NDArray[np.int32]
    candidate: npt.NDArray[np.int32]
    p_like: npt.NDArray[np.float32]
    p_liked_back: npt.NDArray[np.float32]
    p_mutual: npt.NDArray[np.float64]
    propensity: npt.NDArray[np.float32] | None = None

    @classmethod
    def of(cls, lists: MutualLists) -> "RankedPairs":
        """Return the suggestions of all lists, one after another."""
        return cls(lists.viewer_of_each, lists.candidates, lists.p_like, lists.p_liked_back, lists.p_mutual)

    @classmethod
    def joined(cls, parts: "Iterable[RankedPairs]") -> "RankedPairs":
        """Return the suggestions of all parts, one after another, without propensities."""
        every = list(parts)

        def column(name: str, dtype: Any) -> npt.NDArray[Any]:
            return np.concatenate([np.empty(0, dtype), *(getattr(part, name) for part in every)])

        return cls(
            column("viewer", np.int32),
            column("candidate", np.int32),
            column("p_like", np.float32),
            column("p_liked_back", np.float32),
            column("p_mutual", np.float64),
        )

    def __len__(self) -> int:
        return len(self.viewer)

    def filtered(self, mask: BoolArray | slice | IndexArray) -> "RankedPairs":
        """Return the suggestions where the mask is true, of some rows, or of a slice without copying them."""
        return RankedPairs(
            self.viewer[mask],
            self.candidate[mask],
            self.p_like[mask],
            self.p_liked_back[mask],
            self.p_mutual[mask],
            None if self.propensity is None else self.propensity[mask],
        )

    def scored_by(self, directed: Directed, both: Score) -> "RankedPairs":
        """Return the same pairs in the same order with the probabilities of other matrices.

        both: from the probabilities of both directions to p_mutual.
        """
        p, q = (
            directed.probabilities(i, j)
            for i, j in ((self.viewer, self.candidate), (self.candidate, self.viewer))
        )
        return replace(
            self,
            p_like=p.astype(np.float32),
            p_liked_back=q.astype(np.float32),
            p_mutual=both(p, q),
        )

    def rank(self) -> npt.NDArray[np.int32]:
        """Return each suggestion's place in its list, from 1 and without gaps."""
        new_list = np.ones(len(self), bool)
        new_list[1:] = self.viewer[1:] != self.viewer[:-1]
        first = np.flatnonzero(new_list)
        lengths = np.diff(np.append(first, len(self)))
        return (np.arange(len(self)) - np.repeat(first, lengths) + 1).astype(np.int32)

    def allowed(self, policy: Policy, people: Population) -> BoolArray:
        """Say which suggestions the plain form of `policy` lets be shown."""
        return may_show_each(policy, people, self.viewer, self.candidate)

    def refused_by(self, policy: Policy, people: Population) -> list[str]:
        """Name the rules whose plain form refuses any of the suggestions."""
        return [one.name for one in policy.constraints if not self.allowed(Policy((one,)), people).all()]

    def frame(self, people: Population, reasons: Reasons) -> pd.DataFrame:
        """Return the suggestions as a table, with reasons."""
        return pd.DataFrame(
            {
                C.VIEWER: id_column(people.ids.ids(self.viewer)),
                C.CANDIDATE: id_column(people.ids.ids(self.candidate)),
                C.RANK: self.rank(),
                C.P_LIKE: self.p_like,
                C.P_LIKED_BACK: self.p_liked_back,
                C.P_MUTUAL: self.p_mutual,
                C.REASONS: pd.Series(reasons.codes(self.viewer, self.candidate), dtype=object),
            }
        )


def likes_given(people: Population) -> SparseRows:
    """Return, for each row of `people`, the rows they liked and wait for.

    The other still sees them and may answer; so this narrows lists and forbids nothing: showing
    them again could only ask for the same like twice.

    >>> people = Population.of_ids(["a", "b"], as_of="2026-01-05")
    >>> likes_given(people).indices.tolist()
    []
    """
    liked = people.relations.liked
    return SparseRows.of(liked[:, 0], liked[:, 1], len(people))


_log = structlog.get_logger(__name__)


SAMPLED: Final = 20
"""Of candidates that are checked again before they leave, the lists of every so many rows are checked."""


class Recommender:
    """Ranks candidates for viewers of one population under one policy.

    `pairs` masks, scores, and checks every pair again with the plain form of the policy, which shares no
    code with the compiled masks. Nobody is offered a person they have liked already.

    source: the two matrices of a model, which are indexed with the first search, or a function that opens
    an index; None where nothing is searched for.

    Raises InputError when the matrices are of other people.
    """

    def __init__(
        self, people: Population, policy: Policy, source: Directed | Callable[[], Retriever] | None = None
    ) -> None:
        if isinstance(source, Directed) and source.ids != people.ids:
            raise InputError(
                explained("the model gave the matrices of other people", remedy="apply it to these")
            )
        self.people, self.policy, self._source = people, policy, source

    def over(self, source: Directed) -> "Recommender":
        """Return one of the same people and policy over other matrices; the rules are not compiled again."""
        other = Recommender(self.people, self.policy, source)
        other.__dict__["compiled"] = self.compiled
        return other

    @cached_property
    def compiled(self) -> Compiled:
        """The rules as masks over everybody."""
        return self.policy.compile(self.people)

    @cached_property
    def reasons(self) -> Reasons:
        """What reasons are read from."""
        return Reasons.of(self.people)

    @cached_property
    def likes(self) -> SparseRows:
        """Whom each person has liked already."""
        return likes_given(self.people)

    @cached_property
    def retriever(self) -> Retriever:
        """The index of everybody listed, for any number of searches.

        Raises InputError when there are neither matrices nor an index.
        """
        if self._source is None:
            raise InputError(explained("nothing to search in", remedy="give matrices or an index"))
        if isinstance(self._source, Directed):
            return Retriever(self._source, self.compiled)
        return self._source()

    def pairs(
        self,
        viewers: npt.ArrayLike | None,
        *,
        k: int,
        combiner: str = "product",
        exclude: npt.ArrayLike | None = None,
        workers: int = 1,
        progress: Callable[[int], object] | None = None,
        check_each: int = 1,
    ) -> tuple[RankedPairs, int]:
        """Return the `k` best of each viewer row, and how many pairs the plain check took out.

        exclude: `(n_pairs, 2)` rows, viewer then candidate, left out besides those liked already.
        check_each: the plain check looks at the lists of every n-th row, and at all of them when it takes a
        pair out of those; 1 for lists that leave, more for candidates that are checked again before they do.

        Anything but 0 taken out is a defect, and is logged. Raises as `Retriever.top_k` does.
        """
        excluded = self.people.relations.liked
        if viewers is not None:
            excluded = excluded[np.isin(excluded[:, 0], viewers)]
        if exclude is not None:
            excluded = np.concatenate([excluded, np.asarray(exclude).reshape(-1, 2)])
        found = self.retriever.top_k(
            viewers, k=k, combiner=combiner, exclude=excluded, workers=workers, progress=progress
        )
        pairs = RankedPairs.of(found)
        if check_each > 1:
            sampled = pairs.filtered(pairs.viewer % check_each == 0)
            if self.recheck(sampled)[1] == 0:
                return pairs, 0
        return self.recheck(pairs)

    def best_by(
        self, score: Score, viewers: npt.ArrayLike | None, *, k: int, exclude: npt.ArrayLike | None = None
    ) -> tuple[RankedPairs, int]:
        """Return what `pairs` returns, in the order of a function of both probabilities; see `best_pairs`.

        Raises InputError where the matrices are not given as such.
        """
        if not isinstance(self._source, Directed):
            raise InputError(explained("nothing to search in", remedy="give matrices"))
        if k < 1:
            raise SettingsError(explained("must be a whole number from 1", where="k", got=k))
        rows = np.flatnonzero(self.compiled.listed) if viewers is None else np.asarray(viewers)
        if len(np.unique(rows)) < len(rows):
            raise InputError(explained("a viewer is asked for twice", remedy="ask for each once"))
        excluded = self.people.relations.liked
        if exclude is not None:
            excluded = np.concatenate([excluded, np.asarray(exclude).reshape(-1, 2)])
        i, j = best_pairs(self._source, self.compiled, rows, k=k, score=score, exclude=excluded)
        none = np.zeros(len(i), np.float32)
        return self.recheck(RankedPairs(i, j, none, none, none.astype(np.float64)))

    def recheck(self, found: RankedPairs) -> tuple[RankedPairs, int]:
        """Return the pairs the plain form of the rules allows, and how many it took out.

        Anything but 0 taken out is a defect, and is logged with the names of the rules that disagree.
        """
        allowed = found.allowed(self.policy, self.people)
        allowed &= ~self.likes.holds(found.viewer, found.candidate)
        dropped = int((~allowed).sum())
        if dropped:
            rules = found.filtered(~allowed).refused_by(self.policy, self.people)
            _log.warning(
                "pairs dropped by the plain check: compiled masks and rules disagree",
                pairs=dropped,
                constraints=rules,
            )
        return found.filtered(allowed), dropped


RANKED_BY: Final = ("mutual", "p_mutual", "like", "p_like", "p_answer")
_WITH_LOOKS: Final = ("mutual", "like")
_OF_ONE_SIDE: Final = ("like", "p_like")
DROPPED: Final = "dropped_by_recheck"
"""Key in `lists.attrs`: how many pairs the plain check took out; anything but 0 is a defect."""
UNMATCHED: Final = "exclude_unmatched"
"""Key in `lists.attrs`: how many pairs to leave out name somebody who is not among the people."""


class Scorer(Protocol):
    """Anything that gives two matrices for people, such as a fitted model."""

    def directed(self, people: Population) -> Directed:
        """Return taste and appeal of `people`."""
        ...


def ranking_of(model: Scorer, people: Population, directed: Directed) -> Directed:
    """Return the matrices a model ranks lists by: its own choice, or `directed` where it states none."""
    own: Callable[[Population], Directed] | None = getattr(model, "ranking", None)
    return directed if own is None else own(people)


@checked_arguments
def recommend(
    model: Scorer,
    people: Population,
    policy: Policy,
    viewers: str | int | Sequence[str] | npt.ArrayLike | pd.Series | None = None,
    k: int = 20,
    *,
    by: Literal["mutual", "p_mutual", "like", "p_like", "p_answer"] = "mutual",
    combiner: str | None = None,
    exclude: pd.DataFrame | ArrowTable | None = None,
    workers: int = 1,
    progress: bool = False,
) -> pd.DataFrame:
    """Return the best `k` people for each viewer among those who may be shown to them.

    One row a suggestion: viewer_id, candidate_id, rank (from 1), p_like, p_liked_back, p_mutual in
    [0, 1], score (what the order is by, in [0, 1], never rising down a list) and reasons (a list of codes
    for `recsys.messaging.reasons.reason_text`). The score is the probability that `by` names, but for
    `mutual` and `like`: without a log of what was shown it only orders, and with one it is, for `mutual`, the
    product of both chances. Viewers come in the order asked for, None is everybody listed. A list is as long
    as there are people to show, never padded.

    by: what the order is by. `p_mutual`: whether the two would like each other, given that they look.
    `mutual`: the same where the model was fitted to a log of what was shown, else whether they come to like
    each other at all, given who comes across whom; take `p_mutual` where lists make people look. `p_like`:
    whether the viewer would like the candidate, given a look; `like`: whether the viewer comes to like the
    candidate at all, whatever the candidate thinks of it; `p_answer`: as `p_like`, given that the candidate
    likes the viewer, as in an inbox. The columns are given a look in every case.
    combiner: how both directions become one, of `recsys.models.combine`, or `joint` for a model with a match
    association; None: p_mutual as in `score_pairs`, while `mutual` orders by the product. Orders by `p_like`,
    `like` and `p_answer`, and `joint`, look at every pair, without an index.
    exclude: pairs (viewer_id, candidate_id) to leave out, such as those seen already; others may stand there.

    Lists are made for each viewer alone, so the same few people may stand on many; `recsys.allocate` spreads
    attention over everybody. Every pair is checked again with the plain form of `policy`: one that fails is
    dropped, counted in `lists.attrs["dropped_by_recheck"]` and logged.

    Raises UnknownIdError when a viewer is not among `people`; InputError when one is asked for twice, or the
    model is of other people; SettingsError for an impossible `k`, `by`, `combiner` or `workers`.

    >>> import recsys
    >>> town = recsys.make_town(120, np.random.default_rng(7))
    >>> people, events = recsys.load_population(town.tables), recsys.load_events(town.tables)
    >>> model = recsys.PopularityModel().fit(people, events, rng=np.random.default_rng(7))
    >>> recommend(model, people, Policy.default(), k=3)["rank"].max()
    np.int32(3)
    """
    if isinstance(model, type) or not hasattr(model, "directed"):
        check_type(model, Model, name="model", where="recommend")
    if by not in RANKED_BY:
        remedy = did_you_mean(by, RANKED_BY)
        raise SettingsError(explained("lists are not ranked by this", got=by, remedy=remedy))
    wanted: Any = [viewers] if isinstance(viewers, str | int | float | np.generic) else viewers
    excluded, unmatched = known_pairs(exclude, people)
    rows = None if wanted is None else people.ids.rows(wanted)
    call = _ListCall(rows, k, by, combiner, excluded, workers)
    frame = _lists(model, people, policy, call, progress=progress)
    if exclude is not None:
        frame.attrs[UNMATCHED] = unmatched
    return frame


class _ListCall(NamedTuple):
    """What lists are asked for; rows: of the viewers, None for everybody listed; excluded: pairs of rows."""

    rows: npt.NDArray[np.int32] | None
    k: int
    by: str
    combiner: str | None
    excluded: npt.NDArray[np.int32] | None
    workers: int


def _lists(
    model: Scorer, people: Population, policy: Policy, call: _ListCall, *, progress: bool
) -> pd.DataFrame:
    directed, by, rows = model.directed(people), call.by, call.rows
    ranking = ranking_of(model, people, directed) if by in _WITH_LOOKS else directed
    score = _score(model, by, call.combiner)
    recommender = Recommender(people, policy, ranking)
    n_listed = int(recommender.compiled.listed.sum())
    if len(people) and not n_listed:
        remedy = "policy.compile(people).listed; for interactions without profiles use Interactions.policy"
        _log.warning("nobody may be listed under this policy", people=len(people), see=remedy)
    n_viewers = n_listed if rows is None else len(rows)
    with tqdm(total=n_viewers, desc="recommend", unit="people", disable=not progress) as bar:
        if score is None:
            kept, dropped = recommender.pairs(
                rows,
                k=call.k,
                combiner=call.combiner or "product",
                exclude=call.excluded,
                workers=call.workers,
                progress=bar.update,
            )
        else:
            kept, dropped = recommender.best_by(score, rows, k=call.k, exclude=call.excluded)
            kept = kept.scored_by(ranking, score)
            bar.update(n_viewers)
    ordered_by = kept.p_mutual
    if score is not None or ranking is not directed or _own_combiner(model, call.combiner) != "product":
        kept = kept.scored_by(directed, _mutual(model, call.combiner))
    frame = kept.frame(people, recommender.reasons)
    frame.insert(len(frame.columns) - 1, C.SCORE, ordered_by)
    frame.attrs[DROPPED] = dropped
    from recsys.evaluation.protocol import ORDER, RANKING_PROBABILITY  # here: a backend loads no metrics

    frame.attrs[ORDER] = by
    if by != "p_answer":
        frame.attrs[RANKING_PROBABILITY] = C.P_LIKE if by in _OF_ONE_SIDE else C.P_MUTUAL
    return frame


def _own_combiner(model: Scorer, combiner: str | None) -> str:
    """Return the combiner that was asked for, or that a model makes p_mutual by."""
    return combiner or str(getattr(model, "usual_combiner", "product"))


def _mutual(model: Scorer, combiner: str | None) -> Score:
    """Return how a model makes p_mutual of both directions."""
    how = _own_combiner(model, combiner)
    own: Callable[[Float64Array, Float64Array, str], Float64Array] | None = getattr(model, "p_mutual", None)
    return lambda p, q: combine(p, q, how) if own is None else own(p, q, how)


def _score(model: Scorer, by: str, combiner: str | None) -> Score | None:
    """Return what lists are ordered by, None where the index finds the best."""
    if by in _OF_ONE_SIDE:
        return lambda p, q: p  # noqa: ARG005
    if by == "p_answer":
        answer: Score | None = getattr(model, "p_answer", None)
        return answer or (lambda p, q: p)  # noqa: ARG005
    if combiner == "joint" or (by == "p_mutual" and _own_combiner(model, combiner) == "joint"):
        return _mutual(model, "joint")
    return None


def known_pairs(
    exclude: pd.DataFrame | ArrowTable | None, people: Population
) -> tuple[npt.NDArray[np.int32] | None, int]:
    """Return the rows of the pairs in which both are known, `(n_pairs, 2)`, and how many are not.

    Raises UnknownIdError for ids of another kind, such as texts where people have numbers: all would be
    passed over.
    """
    if exclude is None:
        return None, 0
    frame = as_pandas(exclude, name="exclude")
    need_columns((C.VIEWER, C.CANDIDATE), frame.columns, where="exclude")
    for column in (C.VIEWER, C.CANDIDATE):
        found = as_ids(frame[column])
        known = found[pd.notna(found)]
        one = people.ids.ids([0])[0] if len(people) else None
        if len(known) and one is not None and isinstance(known[0], str) != isinstance(one, str):
            what, where = "ids of another kind than the people's", f"exclude, column '{column}'"
            remedy = f"write ids as {one!r}"
            raise UnknownIdError(explained(what, where=where, got=repr(known[0]), remedy=remedy))
    pairs = np.column_stack([people.ids.find(frame[column]) for column in (C.VIEWER, C.CANDIDATE)])
    both_known = (pairs >= 0).all(axis=1)
    if len(pairs) and not both_known.any():
        _log.warning("no pair of exclude is among the people", pairs=len(pairs))
    return pairs[both_known], int((~both_known).sum())
