"""Models of behaviour: random effects and latent factors, with or without a content model beneath."""

from copy import copy
from dataclasses import replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from recsys.arguments import as_generator, checked_arguments
from recsys.data.events import Events
from recsys.data.ids import IdIndex
from recsys.data.population import Population
from recsys.models.affinity import Affinity
from recsys.models.base import Model, nobody
from recsys.models.behaviour_fit import LeftOutFits, behaviour_matrices
from recsys.models.behaviour_parameters import (
    BehaviourConfig,
    GlobalParameters,
    PersonParameters,
)
from recsys.models.content import ContentModel
from recsys.models.directed import Directed, sigmoid
from recsys.models.explanation import (
    AFFINITY,
    CLOSENESS,
    FACTORS,
    LEVEL,
    PERSONAL,
    POPULARITY,
    SELECTIVITY,
    LogitTerm,
    LogitTerms,
)
from recsys.models.impressions import Impressions
from recsys.models.negative_sampling import only_likes, warn_of_few_likes, with_sampled_negatives
from recsys.models.reciprocal import (
    MatchAssociation,
)
from recsys.models.stacking import PARTS, Stacker, evidence_weight
from recsys.models.temporal_calibration import (
    candidates_at_the_end,
    earlier_ends,
    latest_held_out,
    line_at_the_end,
    line_beside_unseen,
)
from recsys.models.training_data import BehaviourData
from recsys.progress_bar import step
from recsys.storage.dataclass_codec import FlatDataclass
from recsys.types import Float64Array, Int32Array, RNGLike

_LEAST_CHANCE = 1e-9


class BehaviourModel(Model):
    """Selectivity, popularity and factors, each a posterior mode around what content says, stacked.

    A subclass adds a model of content with `_content_model`.

    After `fit`: `global_parameters_` holds what is common to all, `person_parameters_` what is
    particular to each, `stacker_` the weights of the parts, `affinity_` who comes across whom among
    everybody (None where looks are logged, or go to anybody alike).
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

    @property
    def content_(self) -> ContentModel | None:
        """The fitted content model beneath, None where there is none."""
        return self._content

    def _content_model(self) -> ContentModel | None:
        """Return an unfitted model of content to fit beneath; none by default."""
        return None

    @checked_arguments
    def training_data(self, people: Population, events: Events) -> BehaviourData:
        """Return the training data of `people` and the `events` between them."""
        known = events.until(people.as_of)
        model = self._content_model()
        if model is None or (model.blocks is None and model.features is None and people.nothing_known):
            return BehaviourData(Impressions.from_events(people, known), None)
        content = replace(model.training_data(people, known), impressions=None)
        return BehaviourData(Impressions.from_events(people, known), content)

    @checked_arguments
    def fit_prepared(self, people: Population, training_data: BehaviourData, *, rng: RNGLike) -> Self:
        """Learn from prepared training data of `people` and return self; `fit` prepares its own."""
        rng = as_generator(rng)
        warn_of_few_likes(training_data.impressions)
        self.negatives_seed_ = int(rng.integers(2**31 - 1)) if only_likes(training_data.impressions) else None
        impressions, answers = self._with_negatives(training_data.impressions), training_data.content
        model, content = self._content_model(), None
        self._content = self._content_last = None
        if model is not None and answers is not None:
            self._content = model.fit_prepared(people, answers, rng=rng)
            content = model.fitted
            answers.set_rows_aside()  # the fits to all but some pairs read them again
            self._content_last = (people, content)
        step("behaviour")
        self.global_parameters_ = GlobalParameters.learned(people, content, impressions, self.config, rng)
        fits = LeftOutFits(
            people, self._content, answers, self.config, rng, only_likes=self.negatives_seed_ is not None
        )
        shared = self.global_parameters_
        for waits in (content, shared.personal_reference, shared.factor_reference):
            if waits is not None:
                waits.set_aside()  # the fits to all but some pairs need as much again
        step("weights of content and behaviour, on held-out pairs")
        decisions, latest = training_data.impressions, None
        self.stacker_, self.match_association_, splits = fits.weights(impressions, decisions, shared)
        if decisions.answered.all():
            latest = latest_held_out(decisions, fits.early(content, (self.stacker_, shared)))
        earlier = earlier_ends(latest, fits.early(content, (self.stacker_, shared)))
        if not fits.only_likes:
            line = line_at_the_end(latest)
            found = candidates_at_the_end(latest, line, earlier)
            self.stacker_ = self.stacker_.calibrated(line).with_known_candidates(found)
        step("who comes across whom")
        self.affinity_ = None
        if splits:
            ends = [] if latest is None else [latest, *earlier]
            self.affinity_ = fits.affinity(decisions, splits, ends, (self.stacker_, shared))
        if fits.only_likes and (self.affinity_ is None or not self.affinity_.beside.slope):
            line = line_beside_unseen(latest, decisions, self.config.negatives_per_like, rng)
            self.stacker_ = self.stacker_.calibrated(line)
        step("factors of everybody")
        self._fold_in(people, impressions)
        self._fitted, self._people = self._apply(people), people
        self._content_last = None
        return self

    def _learn(self, people: Population, events: Events, rng: Generator) -> None:
        self.fit_prepared(people, self.training_data(people, events), rng=rng)

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

    @checked_arguments
    def ranking(self, people: Population | None = None) -> Directed:
        """Return the matrices lists are ranked by: of P(i comes to like j) where no looks are logged."""
        directed = self.directed(people)
        if self.affinity_ is None:
            return directed
        return self.affinity_.order(directed, self.ids_.find(directed.ids.values))

    @checked_arguments
    def looks(self, people: Population | None = None) -> Directed | None:
        """Return the matrices of P(i comes to look at j); None without `affinity_`."""
        if self.affinity_ is None:
            return None
        directed = self.directed(people)
        return self.affinity_.looks(directed, self.ids_.find(directed.ids.values))

    @property
    def usual_combiner(self) -> str:
        """`joint` where that told held-out pairs who like each other better, else `product`."""
        return "joint" if self._fitted is not None and self.match_association_.told_better else "product"

    @checked_arguments
    def p_mutual(self, p_like: npt.ArrayLike, p_liked_back: npt.ArrayLike, combiner: str) -> Float64Array:
        """Return P(both like each other | both look); `combiner="joint"` applies the match association.

        That is the calibrated P(both say yes): what answers do not show is partly shared by both, so people
        agree beyond the product of their probabilities; see `MatchAssociation`.
        """
        if combiner != "joint":
            return super().p_mutual(p_like, p_liked_back, combiner)
        p, q = (np.asarray(one, np.float64) for one in (p_like, p_liked_back))
        return self.match_association_.both(p, q)

    @checked_arguments
    def p_answer(
        self, p_like: npt.ArrayLike, p_liked_back: npt.ArrayLike | None = None, *, liked: bool = True
    ) -> Float64Array:
        """Return P(viewer says yes | what the candidate said of them, and the viewer answers), `[0, 1]`.

        p_like, p_liked_back: of `score_pairs`, any shape; liked: whether the candidate said yes.

        Where a log holds answers to likes received, as from an inbox: being liked flatters, and who is not
        interested mostly does not answer, so a yes to a yes lies above p_like by so many logits, learned
        once for everybody on answers left out. Elsewhere, and for a no, both decisions hang together by
        their match association, for which p_liked_back is needed; without it p_like is returned.
        """
        p = np.clip(np.asarray(p_like, np.float64), _LEAST_CHANCE, 1.0 - _LEAST_CHANCE)
        if liked and (p_liked_back is None or self.stacker_.reply_offset):
            return sigmoid(np.log(p) - np.log1p(-p) + self.stacker_.reply_offset)
        if p_liked_back is None:
            return p
        q = np.clip(np.asarray(p_liked_back, np.float64), _LEAST_CHANCE, 1.0 - _LEAST_CHANCE)
        both = self.match_association_.both(p, q)
        return np.clip(both / q if liked else (p - both) / (1.0 - q), 0.0, 1.0)

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

    @checked_arguments
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
        content, rows = self._content_of(people), self.ids_.find(people.ids.values)
        spaces = self.global_parameters_.spaces(people, content)
        person = self.person_parameters_.at(rows)
        matrices = behaviour_matrices(people, content, spaces, person, self.stacker_)
        if self.affinity_ is None:
            return matrices
        return self.affinity_.liked(matrices, rows)

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
        parts[SELECTIVITY] = stacker.of_viewer(given, person.generosity[i])
        parts[SELECTIVITY] += stacker.of_new_candidates(given, person.generosity[i]) * (1.0 - received)
        parts[POPULARITY] = stacker.of_candidate(received, person.popularity[j])
        if self.affinity_ is not None and self.affinity_.closeness.weight:
            met = self.affinity_.person.at(self.ids_.find(pair.ids.values))
            parts[CLOSENESS] = self.affinity_.closeness.logits(met, i, j)
        if self.affinity_ is not None and self.affinity_.beside.slope:
            whole = self._apply(pair).logits(i, j)
            parts[AFFINITY] = whole - np.sum(list(parts.values()), axis=0)
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
