"""The content model: who suits whom by their answers, learned from outcomes."""

from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Final, Self, Unpack

import numpy as np
import numpy.typing as npt
from numpy.random import Generator
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from recsys.arguments import as_generator, checked_arguments
from recsys.config import Section
from recsys.data.events import Events
from recsys.data.population import Population
from recsys.features.base import BlockRows
from recsys.features.feature_map import FeatureMap
from recsys.memory import return_freed_memory
from recsys.models.base import Model
from recsys.models.calibration import Platt
from recsys.models.cross_fitting import AveragedPrecisions, CrossValidation, people_folds
from recsys.models.directed import Directed, pair_dots
from recsys.models.distance_decay import DistanceDecay
from recsys.models.explanation import LEVEL, REDUCTION, LogitTerm, LogitTerms
from recsys.models.impressions import Impressions
from recsys.models.low_rank import low_rank_maps, sampled_rows
from recsys.models.negative_sampling import with_some_passes
from recsys.models.pair_design import PairDesign, PairWeights
from recsys.models.pair_logistic import Precisions, mean_of_fits
from recsys.models.training_data import ContentData, LabelledPairs
from recsys.progress_bar import step
from recsys.types import BoolArray, Float32Array, Float64Array, Int32Array, RNGLike

if TYPE_CHECKING:
    from recsys.features.base import Block
    from recsys.models.keyword_settings import ContentSettings


USUAL_WEIGHTS: Final = MappingProxyType(
    {
        "interests": 2.0,
        "values": 3.0,
        "scales": 1.0,
        "talk_topics": 1.5,
        "boundaries": 1.5,
        "responsiveness": 0.5,
        "circles": 1.0,
        "distance_decay": 0.5,
    }
)
"""Logits a block's pair score of 1 is worth before any outcome was seen.

Judged, not measured: agreement on values and being listened to weigh more than hobbies, a shared
circle or a like responsiveness. Outcomes move them; without any they are the model.
"""


class ContentConfig(Section):
    """Settings of the content model.

    ridge:            precisions of a column's own deviation from its block's weight, and
    marginal_ridge:   of what a column says about the viewer or the candidate alone, to choose from by
                      cross-validation over people: weights are the mean of those under every precision not
                      clearly worse than the best. A single one is taken as it is.
    block_ridge:      precision of a block's weight around its usual one.
    person_precision: precision of each person's own selectivity and popularity; 0 leaves them out.
    folds:            folds of people for the choice and for calibration.
    usual_rate:       P(like | look) before any outcome was seen.
    usual_weights:    block names (and `distance_decay`) with their usual weight; a block of another name
                      has that of its kind, else the one it states itself.
    distance_scale_km: the distance over which distance decay falls to 1/e.
    max_factors:      columns of taste and appeal, at most; None keeps the exact form.
    max_pairs:        outcomes to learn from, at most, drawn evenly.
    max_tuning_pairs: outcomes to choose the ridge with, about, all those among people drawn evenly.
    calibrate:        fold a cross-fitted Platt line into the matrices.

    >>> ContentConfig(folds=3).folds
    3
    """

    ridge: Annotated[tuple[PositiveFloat, ...], Field(min_length=1)] = (10.0, 100.0, 1000.0)
    marginal_ridge: Annotated[tuple[PositiveFloat, ...], Field(min_length=1)] = (0.3, 3.0, 30.0, 300.0)
    block_ridge: PositiveFloat = 1.0
    person_precision: NonNegativeFloat = 1.0
    folds: PositiveInt = 4
    usual_rate: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.2
    usual_weights: dict[str, float] = Field(default_factory=lambda: dict(USUAL_WEIGHTS))
    distance_scale_km: PositiveFloat = 30.0
    max_factors: PositiveInt | None = 128
    max_pairs: PositiveInt = 250_000
    max_tuning_pairs: PositiveInt = 30_000
    calibrate: bool = True


_PEOPLE_AT_ONCE = 16_384
_ENOUGH_HELD_OUT = 25_000
"""Held-out outcomes on which the log-losses of two neighbouring ridges, about 0.05 apart an outcome, are
compared to 0.0003; a wrong choice among ridges closer than that costs less than it is worth to find."""


class ContentModel(Model):
    """Regularised logistic regression on `[L * I, L, I]` of all feature blocks.

    It works for people never seen, because it knows them by their answers alone, and without any
    outcome, because its prior is a documented weight for each block (`USUAL_WEIGHTS`). Where nobody ever said
    no, passes are drawn among unseen pairs, and the chance is that of a like beside such a pair.
    Blocks made from events count only as far as two people are alike in them: what one person's deeds
    say about their selectivity and popularity partly follows from the outcomes learned from, and a
    newcomer has none.

    blocks:   the feature blocks to learn (the default ones when None); copies are fitted.
    features: blocks fitted already on the people `fit` will be given; then none are fitted.

    After `fit`: `features_` holds the fitted blocks, `precisions_` the best precisions, `platt_` the
    calibration and `weights_` the calibrated weight of every column.

    >>> import recsys
    >>> town = recsys.make_town(40, np.random.default_rng(7))
    >>> people, events = recsys.load_population(town.tables), recsys.load_events(town.tables)
    >>> config = ContentConfig(ridge=(30.0,), marginal_ridge=(30.0,), calibrate=False)
    >>> model = ContentModel(config).fit(people, events, rng=np.random.default_rng(1))
    >>> model.features_.names[:3]
    ('interests', 'values', 'scales')
    """

    name = "content"
    config_type = ContentConfig
    features_: FeatureMap
    precisions_: Precisions
    platt_: Platt
    weights_: PairWeights
    maps_: tuple[Float64Array, Float64Array] | None
    _choice: AveragedPrecisions

    def __init__(
        self,
        config: ContentConfig | None = None,
        *,
        blocks: "Sequence[Block] | None" = None,
        features: FeatureMap | None = None,
        **settings: "Unpack[ContentSettings]",
    ) -> None:
        super().__init__(config, **settings)
        self.blocks = blocks
        self.features = features
        self._known_choice: AveragedPrecisions | None = None
        self._curvature: Float64Array | None = None
        self._known_curvature: Float64Array | None = None

    @checked_arguments
    def training_data(self, people: Population, events: Events) -> ContentData:
        """Return the training data of `people` and the `events` between them; blocks are fitted here."""
        known = events.until(people.as_of)
        features = self.features or FeatureMap.fit(people, events=known, blocks=self.blocks)
        pairs = LabelledPairs.from_events(people, known, blind=True)
        return_freed_memory()  # what finding the labels took, several times what is kept of a large log
        return ContentData(features, people, pairs, Impressions.from_events(people, known))

    @checked_arguments
    def fit_prepared(self, people: Population, training_data: ContentData, *, rng: RNGLike) -> Self:
        """Learn from prepared training data of `people` and return self; `fit` prepares its own."""
        rng = as_generator(rng)
        rows = training_data.rows
        self.features_ = training_data.features
        passes = with_some_passes(training_data.pairs, rng, across_circles=True)
        pairs = passes.sampled(self.config.max_pairs, rng)
        usual = self._usual(rows)
        few = pairs.among_fewer(len(people), self.config.max_tuning_pairs, rng)
        step("choosing the strength of the prior on content")
        chosen = self._known_choice or self._chosen(self._design(people, rows, few, usual), len(people), rng)
        self._choice, self.precisions_, self.platt_ = chosen, chosen.best, chosen.line
        step("weights of content")
        design = self._design(people, rows, pairs, usual)
        self._curvature = design.curvature() if self._known_curvature is None else self._known_curvature
        weights = mean_of_fits(design, chosen.strengths, curvature=self._curvature)
        del design  # the products of all pairs, the largest array of a fit
        self.weights_ = weights.calibrated(self.platt_)
        self.maps_ = self._low_rank_maps(rows)
        parts = (BlockRows(rows.preferences[at], rows.attributes[at]) for at in _batches(len(people)))
        self._fitted, self._people = self._directed(people, parts), people
        if training_data.impressions is not None and self.config.calibrate:
            self._set_level(training_data.impressions)
        return self

    @checked_arguments
    def with_look_level(self, looks: Impressions) -> Self:
        """Return the model with its level set by looks among the people of the fit, answered or not.

        Answers hold more likes than looks do; see `Impressions.look_line`.
        """
        model = copy(self)
        model._set_level(looks)
        return model

    def _set_level(self, looks: Impressions) -> None:
        logits = self.fitted.logits(looks.viewers, looks.candidates)
        people, line = self._people, looks.look_line(logits, learned_from=True)
        if line == Platt() or people is None:
            return
        self.platt_, self.weights_ = self.platt_.then(line), self.weights_.calibrated(line)
        batches, at = _batches(len(people)), sampled_rows(len(people))
        rows = self.features_.concatenated(people if len(at) == len(people) else people.take(at))
        self.maps_ = self._low_rank_maps(rows)
        self._fitted = self._directed(people, [rows]) if len(batches) == 1 else self._apply(people)

    def with_chosen_precisions(self) -> "ContentModel":
        """Return an unfitted model that takes the precisions chosen here, without calibration.

        The curvature measured here steers its search too, which ends where it would by its own.
        """
        model = ContentModel(self.config.changed(calibrate=False))
        model._known_choice, model._known_curvature = replace(self._choice, line=Platt()), self._curvature
        return model

    def _learn(self, people: Population, events: Events, rng: Generator) -> None:
        self.fit_prepared(people, self.training_data(people, events), rng=rng)

    def _usual(self, rows: BlockRows) -> PairWeights:
        """Return the weights before any outcome, with the usual rate for an average pair."""
        by_block = self.config.usual_weights
        n_columns = len(self.features_.columns)
        weights = [
            by_block.get(name, by_block.get(block.name, block.usual_weight))
            for name, block in zip(self.features_.names, self.features_.blocks, strict=True)
        ]
        products = np.array(weights)[self.features_.block_of]
        average = np.zeros(n_columns)
        if len(rows):
            average = rows.preferences.mean(axis=0, dtype=np.float64) * rows.attributes.mean(
                axis=0, dtype=np.float64
            )
        rate = self.config.usual_rate
        intercept = float(np.log(rate) - np.log1p(-rate) - products @ average)
        nothing = np.zeros(n_columns)
        return PairWeights(intercept, by_block.get("distance_decay", 0.0), products, nothing, nothing)

    def _design(
        self, people: Population, rows: BlockRows, pairs: LabelledPairs, usual: PairWeights
    ) -> PairDesign:
        decay = DistanceDecay(1.0, self.config.distance_scale_km)
        cells = people.cells
        distance_decay = decay.pairs(cells[pairs.viewers], cells[pairs.candidates])
        return PairDesign.of(
            rows, self.features_.block_of, pairs, distance_decay, usual, together=self.features_.from_events
        )

    def _strengths(self, ridge: float, marginal: float) -> Precisions:
        return Precisions(
            block=self.config.block_ridge,
            column=ridge,
            marginal=marginal,
            person=self.config.person_precision,
        )

    def _chosen(self, design: PairDesign, n_people: int, rng: Generator) -> AveragedPrecisions:
        """Return the precisions that cross-validated log-loss tells no worse, and their calibration.

        The marginal precision is chosen first, with the middle of the column precisions.
        """
        ridges = sorted(self.config.ridge, reverse=True)
        marginals = sorted(self.config.marginal_ridge, reverse=True)
        nothing_to_choose = len(ridges) == len(marginals) == 1 and not self.config.calibrate
        folds = [] if nothing_to_choose else self._folds(design.pairs, n_people, rng)
        if not folds:
            only = self._strengths(ridges[0], marginals[0])
            return AveragedPrecisions(only, (only,), Platt())
        held_out = CrossValidation(design, folds)
        middle = ridges[len(ridges) // 2]
        best = held_out.best([self._strengths(middle, marginal) for marginal in marginals])
        if len(ridges) > 1:
            held_out.best([self._strengths(ridge, best.marginal) for ridge in ridges])
        averaged = held_out.averaged()
        return averaged if self.config.calibrate else replace(averaged, line=Platt())

    def _folds(
        self, pairs: LabelledPairs, n_people: int, rng: Generator
    ) -> list[tuple[BoolArray, BoolArray]]:
        """Return folds of people, no more than give enough held-out outcomes."""
        folds: list[tuple[BoolArray, BoolArray]] = []
        for fold in people_folds(pairs, n_people, self.config.folds, rng):
            if sum(int(held.sum()) for _, held in folds) >= _ENOUGH_HELD_OUT:
                break
            folds.append(fold)
        return folds

    def _low_rank_maps(self, rows: BlockRows) -> tuple[Float64Array, Float64Array] | None:
        most = self.config.max_factors
        if most is None or rows.n_columns + 2 <= most or not len(rows):
            return None
        viewer, candidate = self._alone(rows)
        at = sampled_rows(len(rows))
        taste, appeal = self._exact(
            BlockRows(rows.preferences[at], rows.attributes[at]), viewer[at], candidate[at]
        )
        return low_rank_maps(taste, appeal, most)

    def _matrices(self, rows: BlockRows) -> tuple[Float32Array, Float32Array]:
        """Return taste and appeal in the exact form: products, the viewer's part, the candidate's."""
        return self._exact(rows, *self._alone(rows))

    def _alone(self, rows: BlockRows) -> tuple[Float32Array, Float32Array]:
        """Return what each person adds as a viewer, and as a candidate, `(n_people,)`."""
        weights = self.weights_
        viewer = rows.preferences @ weights.viewer.astype(np.float32) + np.float32(weights.intercept)
        return viewer, rows.attributes @ weights.candidate.astype(np.float32)

    def _exact(
        self, rows: BlockRows, viewer: Float32Array, candidate: Float32Array
    ) -> tuple[Float32Array, Float32Array]:
        ones = np.ones((len(rows), 1), np.float32)
        taste = np.hstack(
            [rows.preferences * self.weights_.products.astype(np.float32), viewer[:, None], ones]
        )
        return taste, np.hstack([rows.attributes, ones, candidate[:, None]])

    def without_people(self) -> Self:
        """Return the model without anything about the people of the fit, to be applied to others."""
        model = super().without_people()
        model.features_ = self.features_.without_people()
        return model

    def _apply(self, people: Population) -> Directed:
        batches = (people if len(at) == len(people) else people.take(at) for at in _batches(len(people)))
        return self._directed(people, (self.features_.concatenated(crowd) for crowd in batches))

    def _directed(self, people: Population, parts: Iterable[BlockRows]) -> Directed:
        """Return the matrices from everybody's rows in parts: the wide exact form of few exists at once."""
        factors = [self._factors(rows) for rows in parts]
        decay = DistanceDecay(self.weights_.distance_decay, self.config.distance_scale_km)
        taste, appeal = (np.vstack(sides) for sides in zip(*factors, strict=True))
        return Directed.of(people.ids, taste=taste, appeal=appeal, distance_decay=decay, cell=people.cells)

    def _factors(self, rows: BlockRows) -> tuple[Float32Array, Float32Array]:
        """Return taste and appeal with the columns they are kept in."""
        taste, appeal = self._matrices(rows)
        if self.maps_ is None:
            return taste, appeal
        left, right = (sides.astype(np.float32) for sides in self.maps_)
        return taste @ left, appeal @ right

    @property
    def _reads_answers(self) -> bool:
        return True

    def _logit_terms(self, pair: Population, i: Int32Array, j: Int32Array) -> LogitTerms:
        rows, weights = self.features_.concatenated(pair), self.weights_
        preferences, attributes = (
            rows.preferences[i].astype(np.float64),
            rows.attributes[j].astype(np.float64),
        )
        parts: dict[LogitTerm, Float64Array] = {LEVEL: np.full(len(i), weights.intercept)}
        for at, name in enumerate(self.features_.names):
            own = self.features_.block_of == at
            parts[LogitTerm("answers", name)] = (preferences * attributes)[:, own] @ weights.products[own]
            parts[LogitTerm("answers", name, "viewer")] = preferences[:, own] @ weights.viewer[own]
            parts[LogitTerm("answers", name, "candidate")] = attributes[:, own] @ weights.candidate[own]
        if self.maps_ is not None:
            taste, appeal = (sides.astype(np.float64) for sides in self._factors(rows))
            parts[REDUCTION] = np.vecdot(taste[i], appeal[j]) - sum(parts.values())
        return parts


def _batches(n_people: int) -> list[npt.NDArray[np.int64]]:
    """Return the rows of the people in parts, in order; one part without rows for nobody."""
    rows = np.arange(n_people)
    return [rows[start : start + _PEOPLE_AT_ONCE] for start in range(0, max(n_people, 1), _PEOPLE_AT_ONCE)]


def content_logits(
    content: Directed | None, i: npt.NDArray[np.integer], j: npt.NDArray[np.integer]
) -> tuple[Float64Array, Float64Array]:
    """Return the logits of the two matrices and of distance decay apart, zeros without content."""
    if content is None:
        return np.zeros(len(i)), np.zeros(len(i))
    return pair_dots(content.taste, content.appeal, i, j), content.decays(i, j)
