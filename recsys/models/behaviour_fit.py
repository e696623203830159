"""Fit of a model of behaviour: weights of its parts from pairs left out, its parts as taste and appeal.

The parts stand side by side, scaled by how well people are known.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from recsys.data.population import Population
from recsys.data.unseen_pairs import UnseenPairs
from recsys.memory import return_freed_memory
from recsys.models.affinity import Affinity
from recsys.models.affinity_fit import fit_affinity
from recsys.models.behaviour_parameters import (
    EM_ROUNDS,
    BehaviourConfig,
    FactorSpaces,
    GlobalParameters,
    PersonParameters,
)
from recsys.models.content import ContentModel
from recsys.models.directed import Directed, sigmoid
from recsys.models.impressions import Impressions
from recsys.models.negative_sampling import level_beside, with_sampled_negatives
from recsys.models.reciprocal import (
    USUAL_ASSOCIATION,
    MatchAssociation,
    PairedDecisions,
    fit_match_association,
)
from recsys.models.stacking import Stacker, StackingInputs, evidence_weight, fit_stacker, stacked
from recsys.models.temporal_calibration import EarlyFit, HeldOutDecisions
from recsys.models.training_data import ContentData
from recsys.types import BoolArray, Float64Array

_FOLDS = 1000
_LEAST_HELD_OUT = 50
_MOST_HELD_OUT = 400_000
"""Impressions enough to learn two dozen weights to the third digit; the others are better learned from."""
_ENOUGH_HELD_OUT = 100_000
"""Impressions that are wanted: fewer people leave one part out after another until there are so many.

Of half as many, lists of a town of 5,000 lose a two-thousandth of what they are worth.
"""
_WORTH_SPLITTING = 5_000
"""Impressions below which one part is left out and no second where content is fitted anew each time, of a log
of what was shown; without one the few likes of a small log choose the order of lists too."""
_ENOUGH_LIKES = 5000
"""Likes left out that are enough to tell orders of lists apart; of a small log, several parts hold them.

Of 1,000 the weights of one log of 3,000 likes hung on which were left out."""
_OUTCOMES = ("labels", "looks")


@dataclass(frozen=True, eq=False)
class BehaviourParts:
    """What was learned of some impressions, given content."""

    people: Population
    content: Directed | None
    shared: GlobalParameters
    spaces: FactorSpaces
    person: PersonParameters

    @classmethod
    def learned(
        cls,
        people: Population,
        content: Directed | None,
        impressions: Impressions,
        config: BehaviourConfig,
        rng: Generator,
    ) -> "BehaviourParts":
        """Learn from the impressions of `people`, and fold everybody in."""
        shared = GlobalParameters.learned(people, content, impressions, config, rng)
        spaces = shared.spaces(people, content)
        person = PersonParameters.found(shared, spaces, content, impressions, config)
        return cls(people, content, shared, spaces, person)

    def inputs(self, impressions: Impressions) -> StackingInputs:
        """Return the parts of the pairs of `impressions`."""
        return self.person.parts(self.shared, self.spaces, self.content, impressions)

    def matrices(self, stacker: Stacker, fitted: GlobalParameters) -> Directed:
        """Return the matrices of P(like | look) under weights that belong to other global parameters."""
        own = stacker.of_content(self.shared.level - fitted.level, self.shared.line.slope / fitted.line.slope)
        return behaviour_matrices(self.people, self.content, self.spaces, self.person, own)


@dataclass(frozen=True, eq=False)
class HeldOutParts:
    """Pairs left out, and a fit that has not seen them.

    level: logits that make chances of the fit those beside as many passes a like as are asked for.
    growth: `(2,)` how much better viewers and candidates of drawn passes are known on average than where as
        large a share is left out once more, so about how much less than after all.
    """

    held: Impressions
    parts: BehaviourParts
    level: float
    growth: Float64Array

    def inputs(self) -> StackingInputs:
        """Return the parts of the pairs left out."""
        found = self.parts.inputs(self.held)
        return replace(found, level=found.level + self.level)


@dataclass(frozen=True, eq=False)
class LeftOutFits:
    """Fits to all but some pairs.

    content, content_data: the fitted model of content beneath and what it learned from; None without.
    only_likes: nobody ever said no, and passes are drawn.
    """

    people: Population
    content: ContentModel | None
    content_data: ContentData | None
    config: BehaviourConfig
    rng: Generator
    only_likes: bool

    def weights(
        self, impressions: Impressions, decisions: Impressions, fitted: GlobalParameters
    ) -> tuple[Stacker, MatchAssociation, list[HeldOutParts]]:
        """Return weights and match association, from pairs nothing else has seen if there are enough.

        Also pairs left out and what was learned without them, where affinity is learned from it.

        impressions: those that are learned from. decisions: the same without the passes that were drawn.
        """
        usual = MatchAssociation(0.0 if self.only_likes else USUAL_ASSOCIATION)
        rows = decisions if self.only_likes else impressions
        orders_lists = self.config.affinity and bool(impressions.answered.all())
        worth = 0 if self.content is None or orders_lists else _WORTH_SPLITTING
        splits = self._splits(rows, len(impressions), worth)
        impressions.forget_grouped()
        level, slope = fitted.level + self._level_beside(impressions), fitted.line.slope
        n_held = sum(map(np.sum, splits)) * len(impressions) / max(len(rows), 1)
        if not self.config.stack or n_held < _LEAST_HELD_OUT or any(map(np.all, splits)):
            stacker = Stacker.usual().of_content(level, slope)
            return replace(stacker, reply_offset=fitted.reply_offset), usual, []
        held_out: list[Impressions] = []
        parts: list[StackingInputs] = []
        kept: list[HeldOutParts] = []
        growth = np.zeros(2)
        for held in splits:
            one = self._without(rows, held, last=held is splits[-1])
            held_out.append(one.held)
            parts.append(one.inputs())
            growth += one.growth / len(splits)
            if orders_lists and _n_likes(kept) < _ENOUGH_LIKES:
                kept.append(one)
        every, stacker = StackingInputs.joined(parts), Stacker.usual()
        for _ in range(EM_ROUNDS):
            labels, looks = (
                np.concatenate([getattr(split, name) for split in held_out]) for name in _OUTCOMES
            )
            stacker = fit_stacker(every, labels, looks, stacker)
            p_like = [sigmoid(stacked(stacker, part)) for part in parts]
            held_out = [split.e_step(p) for split, p in zip(held_out, p_like, strict=True)]
        association = usual
        if self.only_likes:
            # known candidates are liked less than new ones, not less than before: as many passes are drawn
            level += self._level_beside(Impressions.joined(held_out)) - float(stacker.known @ growth)
        else:
            p_like = [sigmoid(stacked(stacker, part)) for part in parts]
            replies = [PairedDecisions.among(split, p) for split, p in zip(held_out, p_like, strict=True)]
            association = fit_match_association(PairedDecisions.joined(replies))
        return stacker.of_content(level, slope), association, kept

    def _splits(self, rows: Impressions, n_impressions: int, worth: int) -> list[BoolArray]:
        """Return which of the rows are left out each time."""
        fold = rows.random_pair_folds(_FOLDS, self.rng)
        share, n_splits = _held_out(n_impressions, self.config.held_out, worth)
        ends = [round(share * _FOLDS * split) for split in range(n_splits + 1)]
        splits = [(fold >= first) & (fold < last) for first, last in itertools.pairwise(ends)]
        return [held for held in splits if held.any()]

    def affinity(
        self,
        decisions: Impressions,
        splits: Sequence[HeldOutParts],
        ends: Sequence[HeldOutDecisions],
        weights: tuple[Stacker, GlobalParameters],
    ) -> Affinity | None:
        """Return who comes across whom, from pairs left out, of one part at least.

        ends: see `fit_affinity`. weights: those of the whole fit.
        """
        random = []
        for split in splits:
            held = split.held.take(split.held.labels > 0) if self.only_likes else split.held
            p_like = split.parts.matrices(*weights)
            random.append(HeldOutDecisions(decisions.take(~decisions.same_pairs(held)), held, p_like))
        seed = int(self.rng.integers(2**31 - 1))
        per_like = self.config.negatives_per_like
        return fit_affinity(decisions, random, ends, seed, negatives_per_like=per_like)

    def early(
        self, content: Directed | None, weights: tuple[Stacker, GlobalParameters]
    ) -> Callable[[Impressions], EarlyFit]:
        """Return how P(like | look) is learned from fewer decisions, given content and weights."""

        def fitted(known: Impressions) -> EarlyFit:
            seen = self._with_negatives(known)
            parts = BehaviourParts.learned(self.people, content, seen, self.config, self.rng)
            given = evidence_weight(parts.person.given)
            return EarlyFit(parts.matrices(*weights), weights[0].selectivity(given, parts.person.generosity))

        return fitted

    def _with_negatives(self, decisions: Impressions, unseen: UnseenPairs | None = None) -> Impressions:
        if not self.only_likes:
            return decisions
        return with_sampled_negatives(decisions, self.config.negatives_per_like, self.rng, unseen=unseen)

    def _level_beside(self, impressions: Impressions) -> float:
        if not self.only_likes:
            return 0.0
        return level_beside(impressions.labels, self.config.negatives_per_like).intercept

    def _without(self, impressions: Impressions, held: BoolArray, *, last: bool) -> HeldOutParts:
        """Return held-out impressions, and a fit of everything else to the others.

        last: the rows of the training data are not needed afterwards.
        """
        unseen, content = impressions.take(held), None
        if self.content is not None and self.content_data is not None:
            model = self.content.with_chosen_precisions()
            data = self.content_data.without(unseen)
            impressions.set_aside()  # not needed beside the rows
            content = model.fit_prepared(self.people, data, rng=self.rng).fitted
            if last:
                self.content_data.forget_rows()
            del data, model  # and with them the rows, several times as large as what follows needs
        seen, growth = impressions.without_ages().take(~held), np.zeros(2)
        if self.only_likes:
            again = seen.random_pair_folds(_FOLDS, self.rng) < held.mean() * _FOLDS
            before = self._drawn_apart(seen, again)
            seen, unseen = self._drawn_apart(impressions.without_ages(), held)
            growth = _growth((seen, unseen), before, len(self.people))
        if last:
            impressions.set_aside()
        return_freed_memory()
        parts = BehaviourParts.learned(self.people, content, seen, self.config, self.rng)
        return HeldOutParts(unseen, parts, self._level_beside(seen), growth)

    def _drawn_apart(self, likes: Impressions, held: BoolArray) -> tuple[Impressions, Impressions]:
        """Return the likes that are known and those left out, with passes drawn for either by itself.

        So how many passes stand beside the known likes of a viewer does not tell how many likes are left out,
        and these are among the passes as often as any unseen pair.
        """
        pairs = UnseenPairs.of(likes.viewers, likes.candidates)
        return self._with_negatives(likes.take(~held)), self._with_negatives(likes.take(held), pairs)


def _growth(
    now: tuple[Impressions, Impressions], before: tuple[Impressions, Impressions], n_people: int
) -> Float64Array:
    """Return how much better viewers and candidates of drawn passes are known now than before, `(2,)`.

    now, before: the impressions that are known, and those left out, among them the drawn passes.
    """
    usual = []
    for seen, held in (now, before):
        drawn = held.take(held.labels == 0)
        if not len(drawn):
            return np.zeros(2)
        given, received = map(evidence_weight, seen.evidence(n_people))
        usual.append(np.array([given[drawn.viewers].mean(), received[drawn.candidates].mean()]))
    return np.asarray(usual[0] - usual[1], np.float64)


def _n_likes(splits: Sequence[HeldOutParts]) -> int:
    return sum(int((one.held.labels > 0).sum()) for one in splits)


def _held_out(n_impressions: int, share: float, worth: int) -> tuple[float, int]:
    """Return the share of pairs to leave out at a time, and how many times, below `worth` once."""
    share = min(share, _MOST_HELD_OUT / max(n_impressions, 1))
    if n_impressions <= worth or share <= 0.0:
        return share, 1
    return share, min(math.ceil(_ENOUGH_HELD_OUT / (share * n_impressions)), max(int(1.0 / share), 1))


_PEOPLE_AT_ONCE = 16_384


def behaviour_matrices(
    people: Population,
    content: Directed | None,
    spaces: FactorSpaces,
    person: PersonParameters,
    stacker: Stacker,
) -> Directed:
    """Return taste and appeal: the parts side by side, each scaled by how well a person is known."""
    n_columns = 2 + 2 * spaces.personal.taste.shape[1] + spaces.factors.taste.shape[1]
    n_columns += (0 if content is None else content.n_factors) + bool(stacker.new_candidates)
    taste, appeal = (np.empty((len(people), n_columns), np.float32) for _ in range(2))
    for start in range(0, len(people), _PEOPLE_AT_ONCE):
        some = slice(start, start + _PEOPLE_AT_ONCE)
        taste[some], appeal[some] = _side_by_side(some, content, spaces, person, stacker)
    decay = (
        None
        if content is None or content.distance_decay is None
        else content.distance_decay.scaled(stacker.distance_decay)
    )
    return Directed.of(people.ids, taste=taste, appeal=appeal, distance_decay=decay, cell=people.cells)


def _side_by_side(
    some: slice, content: Directed | None, spaces: FactorSpaces, person: PersonParameters, stacker: Stacker
) -> tuple[Float64Array, Float64Array]:
    """Return the rows of some people in full precision, which takes several times the room of the result."""
    given, received = evidence_weight(person.given[some]), evidence_weight(person.received[some])
    personal, factors = spaces.personal, spaces.factors
    own_taste, own_appeal = personal.taste[some], personal.appeal[some]
    moved_taste = own_taste + person.personal.taste[some]
    moved = np.hstack([moved_taste * personal.scale, -own_taste * personal.scale])
    to_moved = np.hstack([own_appeal + person.personal.appeal[some], own_appeal])
    rows = [moved, (factors.taste[some] + person.factors.taste[some]) * factors.scale]
    columns = [to_moved, factors.appeal[some] + person.factors.appeal[some]]
    first = 1
    if content is not None:
        rows.insert(0, content.taste[some].astype(np.float64))
        columns.insert(0, content.appeal[some].astype(np.float64))
        first = 0
    taste = [row * stacker.row(part, given)[:, None] for part, row in enumerate(rows, first)]
    appeal = [column * stacker.column(part, received)[:, None] for part, column in enumerate(columns, first)]
    if stacker.new_candidates:
        taste.append(stacker.of_new_candidates(given, person.generosity[some])[:, None])
        appeal.append(1.0 - received[:, None])
    ones = np.ones((len(given), 1))
    generosity = stacker.intercept + stacker.of_viewer(given, person.generosity[some])
    popularity = stacker.of_candidate(received, person.popularity[some])
    return (
        np.hstack([*taste, generosity[:, None], ones]),
        np.hstack([*appeal, ones, popularity[:, None]]),
    )
