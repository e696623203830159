"""The content model: who suits whom by their answers, learned from outcomes."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from recsys.features.feature_map import FeatureMap
from recsys.features.rows import BlockRows
from recsys.history.events import Events
from recsys.models.calibration import Platt
from recsys.models.compression import compression
from recsys.models.content_config import ContentConfig
from recsys.models.directed import Directed
from recsys.models.folds import people_folds
from recsys.models.held_out import HeldOut
from recsys.models.labelled_pairs import LabelledPairs
from recsys.models.model import Arrays, Meta, Model
from recsys.models.nearness import Nearness
from recsys.models.pair_logistic import PairDesign, PairWeights, Strengths, fit_pair_logistic
from recsys.schema.population import Population

if TYPE_CHECKING:
    from recsys.features.block import Block

Floats = npt.NDArray[np.float64]
_PEOPLE_AT_ONCE = 65_536


class ContentModel(Model):
    """Regularised logistic regression on `[L * I, L, I]` of all feature blocks.

    It works for people never seen, because it knows them by their answers alone, and without any
    outcome, because its prior is a documented weight for each block (`USUAL_WEIGHTS`).
    Blocks made from events count only as far as two people are alike in them: what one person's deeds
    say about their selectivity and popularity partly follows from the outcomes learned from, and a
    newcomer has none.

    blocks:   the feature blocks to learn (the default ones when None); copies are fitted.
    features: blocks fitted already on the people `fit` will be given; then none are fitted.

    After `fit`: `features_` holds the fitted blocks, `strengths_` the chosen precisions, `platt_` the
    calibration and `weights_` the calibrated weight of every column.
    """

    name = "content"
    config_type = ContentConfig

    def __init__(
        self,
        config: ContentConfig | None = None,
        *,
        blocks: "Sequence[Block] | None" = None,
        features: FeatureMap | None = None,
    ) -> None:
        super().__init__(config)
        self.blocks = blocks
        self.features = features

    def _learn(self, people: Population, events: Events, rng: Generator) -> None:
        self.features_ = self.features or FeatureMap.fit(people, events=events, blocks=self.blocks)
        rows = self.features_.concatenated(people)
        pairs = LabelledPairs.from_events(people, events).sampled(self.config.max_pairs, rng)
        usual = self._usual(rows)
        few = pairs.sampled(self.config.max_tuning_pairs, rng)
        self.strengths_, self.platt_ = self._chosen(self._design(people, rows, few, usual), rng)
        design = self._design(people, rows, pairs, usual)
        weights = fit_pair_logistic(design, self.strengths_).weights
        self.weights_ = weights.calibrated(self.platt_)
        self.maps_ = self._compression(rows)

    def _usual(self, rows: BlockRows) -> PairWeights:
        """Return the weights before any outcome, with the usual rate for an average pair."""
        by_block = dict(self.config.usual_weights)
        n_columns = len(self.features_.columns)
        products = np.array([by_block.get(name, 0.0) for name in self.features_.names])[
            self.features_.block_of
        ]
        average = np.zeros(n_columns)
        if len(rows):
            average = rows.looks.mean(axis=0, dtype=np.float64) * rows.is_.mean(axis=0, dtype=np.float64)
        rate = self.config.usual_rate
        intercept = float(np.log(rate) - np.log1p(-rate) - products @ average)
        nothing = np.zeros(n_columns)
        return PairWeights(intercept, by_block.get("near", 0.0), products, nothing, nothing)

    def _design(
        self, people: Population, rows: BlockRows, pairs: LabelledPairs, usual: PairWeights
    ) -> PairDesign:
        near = Nearness(1.0, self.config.near_scale_km)
        cells = people.cells
        nearness = near.pairs(cells[pairs.viewers], cells[pairs.candidates])
        return PairDesign.of(
            rows, self.features_.block_of, pairs, nearness, usual, together=self.features_.from_events
        )

    def _strengths(self, ridge: float, marginal: float) -> Strengths:
        return Strengths(
            block=self.config.block_ridge,
            column=ridge,
            marginal=marginal,
            person=self.config.person_precision,
        )

    def _chosen(self, design: PairDesign, rng: Generator) -> tuple[Strengths, Platt]:
        """Return the precisions with the least cross-validated log-loss, and the calibration they need.

        The marginal precision is chosen first, with the middle of the column precisions.
        """
        ridges = sorted(self.config.ridge, reverse=True)
        marginals = sorted(self.config.marginal_ridge, reverse=True)
        folds = list(people_folds(design.pairs, len(design.rows), self.config.folds, rng))
        if not folds:
            return self._strengths(ridges[0], marginals[0]), Platt()
        held_out = HeldOut(design, folds)
        middle = ridges[len(ridges) // 2]
        best = held_out.best([self._strengths(middle, marginal) for marginal in marginals])
        if len(ridges) > 1:
            best = held_out.best([self._strengths(ridge, best.strengths.marginal) for ridge in ridges])
        return best.strengths, best.line if self.config.calibrate else Platt()

    def _compression(self, rows: BlockRows) -> tuple[Floats, Floats] | None:
        most = self.config.max_factors
        taste, appeal = self._matrices(rows)
        if most is None or taste.shape[1] <= most or not len(rows):
            return None
        return compression(taste, appeal, most)

    def _matrices(self, rows: BlockRows) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Return taste and appeal in the exact form: products, the viewer's part, the candidate's."""
        weights, ones = self.weights_, np.ones((len(rows), 1), np.float32)
        viewer = rows.looks @ weights.viewer.astype(np.float32) + np.float32(weights.intercept)
        candidate = rows.is_ @ weights.candidate.astype(np.float32)
        taste = np.hstack([rows.looks * weights.products.astype(np.float32), viewer[:, None], ones])
        return taste, np.hstack([rows.is_, ones, candidate[:, None]])

    def _apply(self, people: Population) -> Directed:
        parts = [self._factors(crowd) for crowd in self._crowds(people)]
        near = Nearness(self.weights_.near, self.config.near_scale_km)
        taste, appeal = (np.vstack(sides) for sides in zip(*parts, strict=True))
        return Directed.of(people.ids, taste=taste, appeal=appeal, nearness=near, cell=people.cells)

    @staticmethod
    def _crowds(people: Population) -> list[Population]:
        """Return the people in parts, in order, so that the wide exact rows of few exist at once."""
        if len(people) <= _PEOPLE_AT_ONCE:
            return [people]
        starts = range(0, len(people), _PEOPLE_AT_ONCE)
        rows = np.arange(len(people))
        return [people.take(rows[start : start + _PEOPLE_AT_ONCE]) for start in starts]

    def _factors(self, people: Population) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Return taste and appeal with the columns they are kept in."""
        taste, appeal = self._matrices(self.features_.concatenated(people))
        if self.maps_ is None:
            return taste, appeal
        return (taste @ self.maps_[0]).astype(np.float32), (appeal @ self.maps_[1]).astype(np.float32)

    def _arrays(self) -> tuple[Arrays, Meta]:
        weights = self.weights_
        arrays: Arrays = {f"features.{name}": array for name, array in self.features_.arrays().items()}
        arrays |= {f"weights.{name}": getattr(weights, name) for name in ("products", "viewer", "candidate")}
        if self.maps_ is not None:
            arrays |= {"maps.taste": self.maps_[0], "maps.appeal": self.maps_[1]}
        learned = {
            "blocks": self.features_.meta(),
            "intercept": weights.intercept,
            "near": weights.near,
            "strengths": asdict(self.strengths_),
            "platt": [self.platt_.slope, self.platt_.intercept],
        }
        return arrays, learned

    def _restore(self, arrays: Mapping[str, npt.NDArray[Any]], meta: Mapping[str, Any]) -> None:
        blocks = {name[9:]: array for name, array in arrays.items() if name.startswith("features.")}
        self.features_ = FeatureMap.from_arrays(blocks, meta["blocks"])
        self.weights_ = PairWeights(
            intercept=meta["intercept"],
            near=meta["near"],
            **{name: arrays[f"weights.{name}"] for name in ("products", "viewer", "candidate")},
        )
        self.strengths_, self.platt_ = Strengths(**meta["strengths"]), Platt(*meta["platt"])
        maps = (arrays.get("maps.taste"), arrays.get("maps.appeal"))
        self.maps_ = None if maps[0] is None or maps[1] is None else (maps[0], maps[1])
