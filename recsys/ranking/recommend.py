"""Recommendations of one population under one policy: search, plain recheck, and the table of lists."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Final, Literal, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
import structlog

from recsys.arguments import check_type, checked_arguments
from recsys.catalogue.columns import Columns as C
from recsys.constraints.compiled import Compiled
from recsys.constraints.policy import Policy
from recsys.data.csr import SparseRows
from recsys.data.population import Population
from recsys.errors import InputError, SettingsError, did_you_mean, explained
from recsys.messaging.reasons import Reasons
from recsys.models.base import Model
from recsys.models.directed import Directed
from recsys.models.reciprocal import combine
from recsys.progress_bar import tqdm
from recsys.ranking.exhaustive import Score, best_pairs
from recsys.ranking.known_pairs import best_of_lists, known_pairs, likes_received, without_pairs
from recsys.ranking.ranked_pairs import RankedPairs
from recsys.retrieval.top_k import Retriever
from recsys.types import ArrowTable, Float64Array


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
    known: pd.DataFrame | ArrowTable | None = None,
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
    known: what was said before, as `log.truth()` has it. Of candidates who like the viewer p_liked_back is 1
        and p_mutual is p_answer, by which they stand in every order but `p_answer`. None: nothing is said.

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
    wanted: Any = [viewers] if isinstance(viewers, str | int | float | np.generic) else viewers
    excluded, unmatched = known_pairs(exclude, people)
    received = None if known is None else likes_received(known, people)
    rows = None if wanted is None else people.ids.rows(wanted)
    call = _ListCall(rows, k, by, combiner, excluded, received, workers)
    frame = _lists(model, people, policy, call, progress=progress)
    frame.attrs |= {} if exclude is None else {UNMATCHED: unmatched}
    return frame


class _ListCall(NamedTuple):
    """What lists are asked for.

    rows: of the viewers, None for everybody listed. excluded, liked_by: pairs of rows, `(n_pairs, 2)` each.
    """

    rows: npt.NDArray[np.int32] | None
    k: int
    by: str
    combiner: str | None
    excluded: npt.NDArray[np.int32] | None
    liked_by: npt.NDArray[np.int32] | None
    workers: int

    def check(self) -> None:
        """Raise SettingsError for an unknown order, and for likes received where all are taken as such."""
        if self.by not in RANKED_BY:
            remedy = did_you_mean(self.by, RANKED_BY)
            raise SettingsError(explained("lists are not ranked by this", got=self.by, remedy=remedy))
        if self.liked_by is not None and self.by == "p_answer":
            what, remedy = "this order takes every like as received", "use another order, or leave known out"
            raise SettingsError(explained(what, where="known, by", got=self.by, remedy=remedy))

    def waiting(self, recommender: Recommender) -> "RankedPairs":
        """Return whom each viewer is liked by and may be shown, without probabilities."""
        n_people, listed = len(recommender.people), recommender.compiled.listed
        pairs = np.empty((0, 2), np.int32) if self.liked_by is None else self.liked_by
        pairs = without_pairs(np.unique(pairs, axis=0), self.excluded, n_people)
        wanted = listed if self.rows is None else np.isin(np.arange(n_people), self.rows)
        i, j = pairs[wanted[pairs[:, 0]] & listed[pairs[:, 0]] & listed[pairs[:, 1]]].T
        none = np.zeros(len(i), np.float32)
        found = RankedPairs(i, j, none, none, none.astype(np.float64))
        allowed = found.allowed(recommender.policy, recommender.people)
        return found.filtered(allowed & ~recommender.likes.holds(i, j))


def _lists(
    model: Scorer, people: Population, policy: Policy, call: _ListCall, *, progress: bool
) -> pd.DataFrame:
    call.check()
    directed, by, rows = model.directed(people), call.by, call.rows
    ranking = ranking_of(model, people, directed) if by in _WITH_LOOKS else directed
    score = _score(model, by, call.combiner)
    recommender = Recommender(people, policy, ranking)
    n_listed = int(recommender.compiled.listed.sum())
    if len(people) and not n_listed:
        remedy = "policy.compile(people).listed; for interactions without profiles use Interactions.policy"
        _log.warning("nobody may be listed under this policy", people=len(people), see=remedy)
    n_viewers = n_listed if rows is None else len(rows)
    waiting, excluded = call.waiting(recommender), call.excluded
    if len(waiting):
        own = np.column_stack([waiting.viewer, waiting.candidate])
        excluded = own if excluded is None else np.concatenate([excluded, own])
    with tqdm(total=n_viewers, desc="recommend", unit="people", disable=not progress) as bar:
        if score is None:
            kept, dropped = recommender.pairs(
                rows,
                k=call.k,
                combiner=call.combiner or "product",
                exclude=excluded,
                workers=call.workers,
                progress=bar.update,
            )
        else:
            kept, dropped = recommender.best_by(score, rows, k=call.k, exclude=excluded)
            kept = kept.scored_by(ranking, score)
            bar.update(n_viewers)
    ordered_by = kept.p_mutual
    if score is not None or ranking is not directed or _own_combiner(model, call.combiner) != "product":
        kept = kept.scored_by(directed, _mutual(model, call.combiner))
    if len(waiting):
        answered = waiting.scored_by(directed, _answer(model))
        answered = replace(answered, p_liked_back=np.ones(len(waiting), np.float32))
        order = np.flatnonzero(recommender.compiled.listed) if rows is None else rows
        kept, ordered_by = _with_likes_received((kept, ordered_by), answered, order, call.k)
    frame = kept.frame(people, recommender.reasons)
    frame.insert(len(frame.columns) - 1, C.SCORE, ordered_by)
    frame.attrs[DROPPED] = dropped
    from recsys.evaluation.protocol import ORDER, RANKING_PROBABILITY  # here: a backend loads no metrics

    frame.attrs[ORDER] = by
    if by != "p_answer":
        frame.attrs[RANKING_PROBABILITY] = C.P_LIKE if by in _OF_ONE_SIDE else C.P_MUTUAL
    return frame


def _with_likes_received(
    found: tuple[RankedPairs, Float64Array], waiting: RankedPairs, order: npt.NDArray[np.integer], k: int
) -> tuple[RankedPairs, Float64Array]:
    """Return the best `k` of lists and of who likes the viewer already, and what they are ordered by.

    found: the lists, and what they are ordered by. waiting: with the chance of the viewer's yes as p_mutual.
    """
    every = RankedPairs.joined([found[0], waiting])
    score = np.concatenate([found[1], waiting.p_mutual])
    best = best_of_lists(every.viewer, score, order, k)
    return every.filtered(best), score[best]


def _own_combiner(model: Scorer, combiner: str | None) -> str:
    """Return the combiner that was asked for, or that a model makes p_mutual by."""
    return combiner or str(getattr(model, "usual_combiner", "product"))


def _mutual(model: Scorer, combiner: str | None) -> Score:
    """Return how a model makes p_mutual of both directions."""
    how = _own_combiner(model, combiner)
    own: Callable[[Float64Array, Float64Array, str], Float64Array] | None = getattr(model, "p_mutual", None)
    return lambda p, q: combine(p, q, how) if own is None else own(p, q, how)


def _answer(model: Scorer) -> Score:
    """Return the chance of a yes to somebody who likes already, of both directions."""
    own: Score | None = getattr(model, "p_answer", None)
    return own or (lambda p, q: p)  # noqa: ARG005


def _score(model: Scorer, by: str, combiner: str | None) -> Score | None:
    """Return what lists are ordered by, None where the index finds the best."""
    if by in _OF_ONE_SIDE:
        return lambda p, q: p  # noqa: ARG005
    if by == "p_answer":
        return _answer(model)
    if combiner == "joint" or (by == "p_mutual" and _own_combiner(model, combiner) == "joint"):
        return _mutual(model, "joint")
    return None
