"""A model that knows nothing: the floor every other model is measured against."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from recsys.history.events import Events
from recsys.models.directed import Directed
from recsys.models.model import Arrays, Meta, Model
from recsys.models.pair_parts import NOISE, PairParts
from recsys.schema.ids import Rows
from recsys.schema.population import Population
from recsys.schema.strings import hashed_strings


@dataclass(frozen=True, slots=True)
class RandomConfig:
    """How the random scores spread.

    n_factors: columns of noise; more make two candidates' scores closer to independent.
    spread:    standard deviation of a logit.
    """

    n_factors: int = 16
    spread: float = 1.0


def _mixed(numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Scramble 64-bit numbers (the finaliser of splitmix64, Steele et al., OOPSLA 2014)."""
    mixed = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


class RandomModel(Model):
    """Scores every directed pair by noise that depends on the seed and the two ids alone.

    The same two people get the same score in any population, whoever else is there.

    >>> people = Population.of_ids(["a", "b", "c"], as_of="2026-01-05")
    >>> model = RandomModel().fit(people, Events.none(), rng=np.random.default_rng(1))
    >>> again = model.directed(Population.of_ids(["c", "a"], as_of="2026-01-05"))
    >>> float(model.fitted.logits([0], [2])[0]) == float(again.logits([0], [1])[0])
    True
    """

    name = "random"
    config_type = RandomConfig

    def _learn(self, people: Population, events: Events, rng: Generator) -> None:  # noqa: ARG002
        self.seed_ = int(rng.integers(2**63))

    def _apply(self, people: Population) -> Directed:
        ids = hashed_strings(people.ids.values.tolist(), salt="random-model")
        scale = np.float32(3.0 * self.config.spread / np.sqrt(self.config.n_factors))
        taste, appeal = self._noise(ids, 0), self._noise(ids, 1)
        return Directed.of(people.ids, taste=taste * scale, appeal=appeal, cell=people.cells)

    def _noise(self, ids: npt.NDArray[np.uint64], side: int) -> npt.NDArray[np.float32]:
        """Return uniform numbers in [-1, 1), `(n_people, n_factors)`, one stream for each id."""
        columns = np.arange(self.config.n_factors, dtype=np.uint64) * np.uint64(2) + np.uint64(side)
        steps = _mixed(columns * np.uint64(0x9E3779B97F4A7C15) + np.uint64(self.seed_))
        bits = _mixed(ids[:, None] ^ steps[None, :])
        return ((bits >> np.uint64(40)).astype(np.float32) / np.float32(2**23)) - np.float32(1.0)

    def _pair_parts(self, pair: Population, i: Rows, j: Rows) -> PairParts:
        return {NOISE: self._apply(pair).logits(i, j)}

    def _arrays(self) -> tuple[Arrays, Meta]:
        return {}, {"seed": self.seed_}

    def _restore(self, arrays: Mapping[str, npt.NDArray[Any]], meta: Mapping[str, Any]) -> None:  # noqa: ARG002
        self.seed_ = int(meta["seed"])
