"""The sign-up form as feature blocks, and the content model made from them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.data.events import Events
from recsys.data.population import Population
from recsys.features import Numeric
from recsys.features.base import Block
from recsys.features.interests import Interests
from recsys.models.base import Model
from recsys.models.content import ContentConfig, ContentModel
from recsys.models.directed import sigmoid
from recsys.storage.load import load_tables, population_of
from tests.datasets import speed_dating
from tests.datasets.speed_dating import SpeedDating

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Evening:
    """Everything the protocols need: the data, the people and the events.

    numbers: traits and coded answers by user_id, what the numeric block brings.
    """

    data: SpeedDating
    people: Population
    events: pd.DataFrame
    numbers: pd.DataFrame

    @classmethod
    def load(cls, people: int | None = None) -> "Evening":
        """Read the data; `people` takes the smallest waves until that many people came."""
        data = speed_dating.load()
        if people is not None:
            data = smallest_waves(data, people)
        tables = load_tables(data.tables)
        numbers = data.traits.merge(speed_dating.kinds(), on=C.USER)
        return cls(data, population_of(tables), tables.accepted[T.EVENTS], numbers)

    def of_waves(self, waves: Sequence[int]) -> tuple[Population, Events]:
        """Return the people and the events of some waves and of nobody else."""
        users = self.data.wave.index[self.data.wave.isin(waves)]
        inside = self.events[C.ACTOR].isin(users)
        return self.people.take(self.people.ids.rows(users)), Events.of(self.events[inside])

    def without(self, meetings: Mask) -> Events:
        """Return the events of all meetings but the chosen ones, in neither direction."""
        out = self.data.pairs.loc[meetings, ["woman", "man"]]
        gone = pd.MultiIndex.from_frame(pd.concat([out, out[["man", "woman"]].set_axis(out.columns, axis=1)]))
        held = pd.MultiIndex.from_frame(self.events[[C.ACTOR, C.TARGET]]).isin(gone)
        return Events.of(self.events[~held])


def smallest_waves(data: SpeedDating, people: int) -> SpeedDating:
    """Return at least four waves, the smallest first, until `people` people came."""
    sizes = data.wave.value_counts().sort_values(kind="stable")
    n_waves = max(4, int((sizes.cumsum() < people).sum()) + 1)
    kept = set(sizes.index[:n_waves])
    users = set(data.wave.index[data.wave.isin(kept)])
    tables = {
        name: table[table[C.ACTOR if name == T.EVENTS else C.USER].isin(users)].reset_index(drop=True)
        for name, table in data.tables.items()
    }
    return SpeedDating(
        tables=tables,
        traits=data.traits[data.traits[C.USER].isin(users)].reset_index(drop=True),
        wave=data.wave[data.wave.isin(kept)],
        pairs=data.pairs[data.pairs["wave"].isin(kept)].reset_index(drop=True),
    )


def blocks(numbers: pd.DataFrame | None) -> list[Block]:
    """Return the blocks of the form: interests, and the numbers brought along, if any."""
    interests: list[Block] = [Interests(mode_weight=0.0)]
    return interests if numbers is None else [*interests, Numeric(*_wished(numbers))]


def _wished(numbers: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the numbers as what one looks for and what one is; the qualities wished for meet themselves."""
    qualities = speed_dating.QUALITIES[:5]
    looks = {f"wished: {quality}": numbers[f"i look for: {quality}"] for quality in qualities}
    is_ = {f"wished: {quality}": numbers[f"i am: {quality}"] for quality in qualities}
    return numbers.assign(**looks), numbers.assign(**is_)


def content(
    people: Population, events: Events, numbers: pd.DataFrame | None, config: ContentConfig, seed: int
) -> ContentModel:
    """Return a fitted content model."""
    model = ContentModel(config, blocks=blocks(numbers))
    return model.fit(people, events, rng=np.random.default_rng(seed))


def mutual(models: Sequence[Model], people: Population, meetings: pd.DataFrame) -> Floats:
    """Return the product of both sides' probabilities of each meeting, by the mean of all models' logits."""
    logits = []
    for model in models:
        directed = model.directed(people)
        women, men = directed.ids.rows(meetings["woman"]), directed.ids.rows(meetings["man"])
        logits.append([directed.logits(women, men), directed.logits(men, women)])
    of_women, of_men = np.mean(logits, axis=0)
    return np.asarray(sigmoid(of_women) * sigmoid(of_men), np.float64)
