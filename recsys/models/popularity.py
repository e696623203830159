"""Popularity: how often those who looked at somebody liked them."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Final

import numpy as np
from numpy.random import Generator
from pydantic import Field, PositiveFloat

from recsys.arguments import checked_arguments
from recsys.config import Section
from recsys.data.events import Events
from recsys.data.ids import IdIndex
from recsys.data.population import Population
from recsys.models.base import Model
from recsys.models.calibration import Platt, fit_platt
from recsys.models.directed import Directed
from recsys.models.explanation import LEVEL, POPULARITY, LogitTerms
from recsys.models.impressions import Impressions
from recsys.models.negative_sampling import (
    PASSES_PER_LIKE,
    level_beside,
    only_likes,
    warn_of_few_likes,
    with_some_passes,
)
from recsys.models.stacking import KnownCandidates, evidence_weight
from recsys.models.temporal_calibration import (
    EarlyFit,
    candidates_at_the_end,
    earlier_ends,
    latest_held_out,
    line_at_the_end,
    line_beside_unseen,
)
from recsys.types import Float64Array, Int32Array

if TYPE_CHECKING:
    from typing import Unpack

    from recsys.models.keyword_settings import PopularitySettings

_FOLDS: Final = 10
_LEAST_CALIBRATED: Final = 100
"""Answers from which on the rates are calibrated on parts left out."""


class PopularityConfig(Section):
    """How received likes become a rate.

    evidence:   impressions of average outcome added to everybody's own.
    usual_rate: the rate when nobody has liked or passed anybody.

    >>> PopularityConfig().evidence > 0
    True
    """

    evidence: PositiveFloat = 5.0
    usual_rate: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.2


class PopularityModel(Model):
    """Scores a candidate by the smoothed rate of likes received, the same for every viewer.

    The rate of j is (likes of j + evidence * mean rate) / (answers about j + evidence). Somebody nobody
    answered about, or unknown at fit, has the mean rate. From 100 answers on a line through the logits of
    rates of fewer answers is fitted on those left out, and exposures without an answer set the level, so that
    it is the chance of a like given a look. Where nobody ever said no, passes are drawn among
    unseen pairs, and the chance is that of a like beside such a pair. Late pairs of a log with times say what
    being known adds to the chance, as in the hybrid; lists are in the order of the rate. A baseline.

    >>> import pandas as pd
    >>> people = Population.of_ids(["a", "b", "c"], as_of="2026-01-05")
    >>> likes = pd.DataFrame({"actor": ["a", "c"], "target": ["b", "b"], "type": ["like", "like"]})
    >>> model = PopularityModel().fit(people, Events.of(likes), rng=np.random.default_rng(1))
    >>> model.fitted.probabilities([0, 0], [1, 2]).round(2)
    array([0.59, 0.43])
    """

    name = "popularity"
    config_type = PopularityConfig
    ids_: IdIndex
    logits_: Float64Array
    added_: Float64Array

    if TYPE_CHECKING:

        def __init__(
            self, config: PopularityConfig | None = None, **settings: Unpack[PopularitySettings]
        ) -> None: ...

    def _learn(self, people: Population, events: Events, rng: Generator) -> None:
        impressions = Impressions.from_events(people, events)
        answered = impressions.take(impressions.answered)
        warn_of_few_likes(answered)
        answers = with_some_passes(answered, rng)
        fold, n_people = rng.integers(0, _FOLDS, len(answers)), len(people)
        logits, line = self._rates(answers, n_people), Platt()
        late = KnownCandidates()
        held_out, of_looks = np.zeros(len(answers)), logits[impressions.candidates]
        if len(answers) >= _LEAST_CALIBRATED:
            look_fold = rng.integers(0, _FOLDS, len(impressions))
            if not only_likes(answered):
                look_fold[impressions.answered] = fold
            for number in range(_FOLDS):
                held, looked = fold == number, look_fold == number
                rates = self._rates(answers.take(~held), n_people)
                held_out[held] = rates[answers.candidates[held]]
                of_looks[looked] = rates[impressions.candidates[looked]]
            line = fit_platt(held_out, answers.labels)
        line = line.then(impressions.look_line(line.logits(of_looks)))
        if only_likes(impressions):
            line = line.then(level_beside(answers.labels, PASSES_PER_LIKE))
        if impressions.answered.all():

            def before(known: Impressions) -> EarlyFit:
                rates = self._rates(with_some_passes(known, rng), n_people)
                return EarlyFit(_matrices(people, line.logits(rates)))

            latest = latest_held_out(impressions, before)
            if only_likes(impressions):
                line = line.then(line_beside_unseen(latest, impressions, PASSES_PER_LIKE, rng))
            else:
                end = line_at_the_end(latest)
                late = candidates_at_the_end(latest, end, earlier_ends(latest, before))
                line = line.then(end)
        received = np.bincount(answers.candidates, minlength=n_people + 1).astype(np.float64)
        seen = np.append(np.flatnonzero(received), n_people)
        self.ids_ = IdIndex(people.ids.values[seen[:-1]])
        self.logits_ = line.logits(self._rates(answers, n_people + 1)[seen])
        self.added_ = late.of_candidate(evidence_weight(received[seen]))

    def _rates(self, answers: Impressions, n_people: int) -> Float64Array:
        """Return the logits of the smoothed rates, `(n_people,)`."""
        looks = np.bincount(answers.candidates, minlength=n_people).astype(np.float64)
        likes = np.bincount(answers.candidates, answers.labels, n_people)
        usual, evidence = self.config.usual_rate, self.config.evidence
        mean = (likes.sum() + evidence * usual) / (looks.sum() + evidence)
        rate = (likes + evidence * mean) / (looks + evidence)
        return np.asarray(np.log(rate) - np.log1p(-rate), np.float64)

    def _apply(self, people: Population) -> Directed:
        return _matrices(people, (self.logits_ + self.added_)[self.ids_.find(people.ids.values)])

    @checked_arguments
    def ranking(self, people: Population | None = None) -> Directed:
        """Return the matrices lists are ranked by: of the rate alone, without what being known adds."""
        directed = self.directed(people)
        appeal = directed.appeal.copy()
        appeal[:, 0] -= self.added_[self.ids_.find(directed.ids.values)]
        return replace(directed, appeal=appeal)

    def _logit_terms(self, pair: Population, i: Int32Array, j: Int32Array) -> LogitTerms:
        appeal = self._apply(pair).appeal[j, 0].astype(np.float64)
        usual = float(self.logits_[-1] + self.added_[-1])
        return {LEVEL: np.full(len(i), usual), POPULARITY: appeal - usual}


def _matrices(people: Population, logits: Float64Array) -> Directed:
    return Directed.of(people.ids, taste=np.ones((len(people), 1)), appeal=logits[:, None], cell=people.cells)
