"""Models of behaviour: random effects and latent factors, with or without a content model beneath."""

import itertools
import math
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from numpy.random import Generator

from recsys.arguments import as_generator
from recsys.catalogue.columns import Columns as C
from recsys.data.events import Events
from recsys.data.ids import IdIndex
from recsys.data.population import Population
from recsys.models.affinity import Affinity
from recsys.models.base import Model, nobody
from recsys.models.behaviour_parameters import (
    EM_ROUNDS,
    BehaviourConfig,
    FactorSpaces,
    GlobalParameters,
    PersonParameters,
)
from recsys.models.content import ContentModel
from recsys.models.directed import Directed, sigmoid
from recsys.models.explanation import FACTORS, LEVEL, PERSONAL, POPULARITY, SELECTIVITY, LogitTerm, LogitTerms
from recsys.models.impressions import Impressions
from recsys.models.negative_sampling import only_likes, with_sampled_negatives
from recsys.models.reciprocal import (
    USUAL_ASSOCIATION,
    MatchAssociation,
    PairedDecisions,
    fit_match_association,
)
from recsys.models.stacking import PARTS, Stacker, StackingInputs, evidence_weight, fit_stacker, stacked
from recsys.models.training_data import BehaviourData, ContentData
from recsys.storage.dataclass_codec import FlatDataclass
from recsys.types import ArrowTable, BoolArray, Float64Array, Int32Array, RNGLike

_FOLDS = 1000
_LEAST_HELD_OUT = 50
_MOST_HELD_OUT = 400_000
"""Impressions enough to learn two dozen weights to the third digit; the others are better learned from."""
_ENOUGH_HELD_OUT = 100_000
"""Impressions that are wanted: fewer people leave one part out after another until there are so many."""
_WORTH_SPLITTING = 5_000
"""Impressions below which one part is left out and no second."""
_OUTCOMES = ("labels", "p_examined")
_PEOPLE_AT_ONCE = 16_384
_LEAST_CHANCE = 1e-9


class BehaviourModel(Model):
    """Selectivity, popularity and factors, each a posterior mode around what content says, stacked.

    A subclass adds a model of content with `_content_model`.

    After `fit`: `global_parameters_` holds what is common to all, `person_parameters_` what is
    particular to each, `stacker_` the weights of the parts, `affinity_` who comes across whom among
    everybody (None where looks are logged).
    """

    config: BehaviourConfig
    global_parameters_: GlobalParameters
    person_parameters_: PersonParameters
    ids_: IdIndex
    stacker_: Stacker
    match_association_: MatchAssociation
    negatives_seed_: int | None
    affinity_: Affinity | None

    def __init__(self, config: BehaviourConfig | None = None, **settings: Any) -> None:
        super().__init__(config, **settings)
        self._content: ContentModel | None = None
        self._content_last: tuple[Population, Directed] | None = None
        self._last_split: _Split | None = None

    @property
    def content_(self) -> ContentModel | None:
        """The fitted content model beneath, None where there is none."""
        return self._content

    def _content_model(self) -> ContentModel | None:
        """Return an unfitted model of content to fit beneath; none by default."""
        return None

    def training_data(self, people: Population, events: Events) -> BehaviourData:
        """Return the training data of `people` and the `events` between them."""
        known = events.until(people.as_of)
        model = self._content_model()
        if model is None or (model.blocks is None and model.features is None and people.nothing_known):
            return BehaviourData(Impressions.from_events(people, known), None)
        return BehaviourData(Impressions.from_events(people, known), model.training_data(people, known))

    def fit_prepared(self, people: Population, training_data: BehaviourData, *, rng: RNGLike) -> Self:
        """Learn from prepared training data of `people` and return self; `fit` prepares its own."""
        rng = as_generator(rng)
        self.negatives_seed_ = int(rng.integers(2**31 - 1)) if only_likes(training_data.impressions) else None
        impressions, answers = self._with_negatives(training_data.impressions), training_data.content
        model, content = self._content_model(), None
        self._content = self._content_last = None
        if model is not None and answers is not None:
            self._content = model.fit_prepared(people, answers, rng=rng)
            content = model.fitted
            self._content_last = (people, content)
        self.global_parameters_ = GlobalParameters.learned(people, content, impressions, self.config, rng)
        self.stacker_, self.match_association_ = self._stacked(people, answers, impressions, rng)
        self.affinity_ = self._affinity_learned(people, training_data.impressions, rng)
        self._fold_in(people, impressions)
        self._fitted, self._people = self._apply(people), people
        self._content_last = None
        return self

    def _learn(self, people: Population, events: Events, rng: Generator) -> None:
        self.fit_prepared(people, self.training_data(people, events), rng=rng)

    def _stacked(
        self, people: Population, training_data: ContentData | None, impressions: Impressions, rng: Generator
    ) -> tuple[Stacker, MatchAssociation]:
        """Return weights and match association, from pairs nothing else has seen if there are enough."""
        level, slope = self.global_parameters_.level, self.global_parameters_.line.slope
        usual = MatchAssociation(USUAL_ASSOCIATION if self.negatives_seed_ is None else 0.0)
        fold = impressions.pair_folds(_FOLDS, rng)
        share, n_splits = _held_out(len(impressions), self.config.held_out)
        ends = [round(share * _FOLDS * split) for split in range(n_splits + 1)]
        splits = [(fold >= first) & (fold < last) for first, last in itertools.pairwise(ends)]
        if not self.config.stack or min(map(np.sum, splits)) < _LEAST_HELD_OUT or splits[0].all():
            return replace(
                Stacker.usual().of_content(level, slope), reply_offset=self.global_parameters_.reply_offset
            ), usual
        held_out = [impressions.take(held) for held in splits]
        parts = [
            self._held_parts(people, training_data, impressions, held, rng, last=held is splits[-1])
            for held in splits
        ]
        for _ in range(EM_ROUNDS):
            labels, p_examined = (
                np.concatenate([getattr(split, name) for split in held_out]) for name in _OUTCOMES
            )
            stacker = fit_stacker(StackingInputs.joined(parts), labels, p_examined)
            p_like = [sigmoid(stacked(stacker, part)) for part in parts]
            held_out = [split.e_step(p) for split, p in zip(held_out, p_like, strict=True)]
        association = usual
        if self.negatives_seed_ is None:
            p_like = [sigmoid(stacked(stacker, part)) for part in parts]
            replies = [PairedDecisions.among(split, p) for split, p in zip(held_out, p_like, strict=True)]
            association = fit_match_association(PairedDecisions.joined(replies))
        return stacker.of_content(level, slope), association

    def _affinity_learned(
        self, people: Population, decisions: Impressions, rng: Generator
    ) -> Affinity | None:
        """Return who comes across whom, from the pairs left out last; None where looks are logged."""
        split, self._last_split = self._last_split, None
        if split is None or not self.config.affinity or not decisions.answered.all():
            return None
        held, shared, spaces, person = split.held, split.shared, split.spaces, split.person
        if self.negatives_seed_ is not None:
            # drawn anew, so that held-out likes are among the negatives as often as any unseen pair
            held = held.take(held.labels > 0)
            seen = decisions.take(~decisions.same_pairs(held))
            seen = with_sampled_negatives(seen, self.config.negatives_per_like, rng)
            shared = GlobalParameters.learned(people, split.content, seen, self.config, rng)
            spaces = shared.spaces(people, split.content)
            person = PersonParameters.found(shared, spaces, split.content, seen, self.config)
        stacker = self.stacker_.of_content(
            shared.level - self.global_parameters_.level,
            shared.line.slope / self.global_parameters_.line.slope,
        )
        p_like = _matrices(people, split.content, spaces, person, stacker)
        return Affinity.learned(decisions, held, p_like, int(rng.integers(2**31 - 1)))

    def _held_parts(
        self,
        people: Population,
        training_data: ContentData | None,
        impressions: Impressions,
        held: BoolArray,
        rng: Generator,
        *,
        last: bool,
    ) -> StackingInputs:
        """Return the parts of held-out impressions, from a fit of everything else to the others.

        last: the rows of the training data are not needed afterwards.
        """
        seen, unseen = impressions.take(~held), impressions.take(held)
        content = None
        if self._content is not None and training_data is not None:
            model = self._content.with_chosen_precisions()
            content = model.fit_prepared(people, training_data.without(unseen), rng=rng).fitted
            if last:
                training_data.forget_rows()
        shared = GlobalParameters.learned(people, content, seen, self.config, rng)
        spaces = shared.spaces(people, content)
        person = PersonParameters.found(shared, spaces, content, seen, self.config)
        if last and self.config.affinity and impressions.answered.all():
            self._last_split = _Split(unseen, shared, spaces, person, content)
        return person.parts(shared, spaces, content, unseen)

    def _with_negatives(self, impressions: Impressions) -> Impressions:
        """Return the impressions with the negatives the fit drew, if it drew any."""
        if self.negatives_seed_ is None:
            return impressions
        return with_sampled_negatives(
            impressions, self.config.negatives_per_like, np.random.default_rng(self.negatives_seed_)
        )

    def _content_of(self, people: Population) -> Directed | None:
        """Return the matrices of content for people; during a fit those of its people are kept."""
        if self.content_ is None:
            return None
        if self._content_last is None or self._content_last[0] is not people:
            return self.content_.directed(people)
        return self._content_last[1]

    def _fold_in(self, people: Population, impressions: Impressions) -> None:
        content = self._content_of(people)
        spaces = self.global_parameters_.spaces(people, content)
        self.ids_ = people.ids
        self.person_parameters_ = PersonParameters.found(
            self.global_parameters_, spaces, content, impressions, self.config
        )

    def ranking(self, people: Population | None = None) -> Directed:
        """Return the matrices lists are ranked by: of P(i comes to like j) where no looks are logged."""
        directed = self.directed(people)
        if self.affinity_ is None:
            return directed
        return self.affinity_.choices(directed, self.ids_.find(directed.ids.values))

    def looks(self, people: Population | None = None) -> Directed | None:
        """Return the matrices of P(i comes to look at j); None where the service arranges the looks."""
        if self.affinity_ is None:
            return None
        directed = self.directed(people)
        return self.affinity_.looks(directed, self.ids_.find(directed.ids.values))

    def score_pairs(
        self,
        pairs: pd.DataFrame | ArrowTable,
        *,
        people: Population | None = None,
        combiner: str = "product",
    ) -> pd.DataFrame:
        """Return what every model returns; `combiner="joint"` applies the match association.

        Then p_mutual is the calibrated P(both say yes): what answers do not show is partly shared by
        both, so people agree beyond the product of their probabilities; see `MatchAssociation`.
        """
        if combiner != "joint":
            return super().score_pairs(pairs, people=people, combiner=combiner)
        scored = super().score_pairs(pairs, people=people)
        p, q = (scored[column].to_numpy(np.float64) for column in (C.P_LIKE, C.P_LIKED_BACK))
        return scored.assign(**{C.P_MUTUAL: self.match_association_.both(p, q)})

    def p_answer(self, p_like: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return P(viewer says yes | the candidate liked them before, and the viewer answers), `[0, 1]`.

        p_like: of `score_pairs`, any shape. Being liked flatters, and who is not interested mostly does
        not answer, so p_answer lies above it. How far, in logits, is learned once for everybody, on
        answers left out; nothing where nobody answers a like as from an inbox.
        """
        p = np.clip(np.asarray(p_like, np.float64), _LEAST_CHANCE, 1.0 - _LEAST_CHANCE)
        return sigmoid(np.log(p) - np.log1p(-p) + self.stacker_.reply_offset)

    def without_people(self) -> Self:
        """Return the model without anything about the people of the fit, to be applied to others."""
        model, none = copy(self), np.empty(0, np.int64)
        shared = self.global_parameters_
        model.ids_ = IdIndex([])
        model.person_parameters_ = self.person_parameters_.at(none)
        model.affinity_ = None if self.affinity_ is None else self.affinity_.without_people()
        model.global_parameters_ = replace(
            shared,
            ids=model.ids_,
            personal_reference=shared.personal_reference.at(none),
            factor_reference=shared.factor_reference.at(none),
        )
        if self.content_ is not None:
            model._content, model._content_last = self.content_.without_people(), None
        return super(BehaviourModel, model).without_people()

    def updated(self, people: Population, events: Events) -> Self:
        """Return the model after more happened: everybody is folded in again, nothing is refitted.

        people may hold newcomers. events: the whole history up to `people.as_of`, so that whoever
        was separated since leaves no trace. With the people and events of the fit, the same model.
        Raises NotFittedError before `fit`.
        """
        model = copy(self)
        model._fitted = self.fitted
        decisions = Impressions.from_events(people, events.until(people.as_of))
        if self.affinity_ is not None:
            base = self.global_parameters_.ids.find(people.ids.values)
            answers = decisions.take(decisions.answered)
            model.affinity_ = self.affinity_.folded(answers, len(people), base)
        model._fold_in(people, self._with_negatives(decisions))
        model._fitted, model._people = model._apply(people), people
        return model

    def _apply(self, people: Population) -> Directed:
        content = self._content_of(people)
        spaces = self.global_parameters_.spaces(people, content)
        person = self.person_parameters_.at(self.ids_.find(people.ids.values))
        return _matrices(people, content, spaces, person, self.stacker_)

    @property
    def _reads_answers(self) -> bool:
        return self.content_ is not None

    def _logit_terms(self, pair: Population, i: Int32Array, j: Int32Array) -> LogitTerms:
        content = None if self.content_ is None else self.content_.directed(pair)
        spaces, stacker = self.global_parameters_.spaces(pair, content), self.stacker_
        person = self.person_parameters_.at(self.ids_.find(pair.ids.values))
        given, received = evidence_weight(person.given)[i], evidence_weight(person.received)[j]
        weight = [stacker.row(part, given) * stacker.column(part, received) for part in range(len(PARTS))]
        parts: dict[LogitTerm, Float64Array] = {LEVEL: np.full(len(i), stacker.intercept)}
        if self.content_ is not None:
            for part, values in self.content_._logit_terms(pair, i, j).items():
                parts[part] = parts.get(part, np.zeros(len(i))) + weight[0] * values
        own, moved = spaces.personal, person.personal
        there = own.score(own.taste + moved.taste, own.appeal + moved.appeal, i, j)
        parts[PERSONAL] = weight[1] * (there - own.score(own.taste, own.appeal, i, j))
        own, moved = spaces.factors, person.factors
        parts[FACTORS] = weight[2] * own.score(own.taste + moved.taste, own.appeal + moved.appeal, i, j)
        parts[SELECTIVITY] = stacker.row(len(PARTS), given) * person.generosity[i]
        parts[POPULARITY] = stacker.row(len(PARTS) + 1, received) * person.popularity[j]
        return parts

    def _to_arrays(self, prefix: str) -> FlatDataclass:
        arrays, scalars = super()._to_arrays(prefix)
        scalars[f"{prefix}.has_content"] = self.content_ is not None
        if self.content_ is not None:
            content = self.content_._to_arrays(f"{prefix}.content")
            return FlatDataclass(arrays | content.arrays, scalars | content.scalars)
        return FlatDataclass(arrays, scalars)

    def _from_arrays(self, stored: FlatDataclass, prefix: str) -> None:
        super()._from_arrays(stored, prefix)
        self._content = self._content_model() if stored.scalars[f"{prefix}.has_content"] else None
        if self._content is not None:
            self._content._from_arrays(stored, f"{prefix}.content")
            self._content._fitted = self._content._apply(nobody())


@dataclass(frozen=True, eq=False)
class _Split:
    """Pairs left out, and a fit that has not seen them."""

    held: Impressions
    shared: GlobalParameters
    spaces: FactorSpaces
    person: PersonParameters
    content: Directed | None


def _held_out(n_impressions: int, share: float) -> tuple[float, int]:
    """Return the share of pairs to leave out at a time, and how many times."""
    share = min(share, _MOST_HELD_OUT / max(n_impressions, 1))
    if n_impressions < _WORTH_SPLITTING:
        return share, 1
    return share, min(math.ceil(_ENOUGH_HELD_OUT / (share * n_impressions)), max(int(1.0 / share), 1))


def _matrices(
    people: Population,
    content: Directed | None,
    spaces: FactorSpaces,
    person: PersonParameters,
    stacker: Stacker,
) -> Directed:
    """Return taste and appeal: the parts side by side, each scaled by how well a person is known."""
    n_columns = 2 + 2 * spaces.personal.taste.shape[1] + spaces.factors.taste.shape[1]
    n_columns += 0 if content is None else content.n_factors
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
    ones = np.ones((len(given), 1))
    n_parts = len(stacker.columns)
    generosity = stacker.intercept + stacker.row(n_parts, given) * person.generosity[some]
    popularity = stacker.row(n_parts + 1, received) * person.popularity[some]
    return (
        np.hstack([*taste, generosity[:, None], ones]),
        np.hstack([*appeal, ones, popularity[:, None]]),
    )
