"""An experiment rehearsed in a town: its nights are played, and again with each arm for everybody.

What an experiment says is set beside what it should have said: no service knows that, a town does.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from recsys.allocation.allocate import allocate
from recsys.allocation.config import AllocationConfig
from recsys.arguments import checked_arguments
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.config import ArmSettings, ExperimentSettings
from recsys.errors import InputError, explained
from recsys.experiments.arms import joined_lists
from recsys.experiments.assignment import assign
from recsys.experiments.neighbourhoods import neighbourhoods
from recsys.experiments.night_arms import NightArms
from recsys.experiments.outcomes import outcomes
from recsys.simulation.policies import ListPolicy, NightsConfig, list_policy
from recsys.simulation.policy_nights import play_nights
from recsys.simulation.town import Town
from recsys.storage.load import load_events, load_population

MODEL: Final = "rehearsal"
"""What impressions of a rehearsal carry for the model, before the arm."""
_EXPERIMENT: Final = "the experiment"  # no name of an arm


@dataclass(frozen=True, eq=False)
class Rehearsal:
    """A town after the nights, and what is true of it.

    town: its events hold the nights of the experiment. neighbourhoods: who was in which; None for other
        units.
    matches: by arm, matches a person and night had everybody got its lists, under the same random numbers.
    """

    town: Town
    neighbourhoods: pd.DataFrame | None
    matches: Mapping[str, float]

    def effect(self, arm: str) -> float:
        """Return by how many matches a person and night an arm is above the first."""
        return self.matches[arm] - next(iter(self.matches.values()))


@checked_arguments
def rehearse(
    town: Town,
    experiment: ExperimentSettings,
    *,
    nights: int | None = None,
    config: AllocationConfig | None = None,
    groups: pd.DataFrame | None = None,
    seed: int = 0,
    progress: Callable[[str], object] | None = None,
) -> Rehearsal:
    """Play `nights` nights of an experiment in a town made with as many `nights_ahead`.

    The town begins on the first night of the experiment. Probabilities are those of a content model that
    learned from the past once, for every arm alike; lists are chosen out of the 200 best of a viewer.
    nights: those of the experiment and `mature_nights` more when None, so that all of it can be read; after
    the last one everybody has the first arm. config: what arms without settings of their own get.
    groups: user_id and neighbourhood, for that unit; made of whom people were shown so far when None.

    Raises InputError for a town that does not begin on the first night.

    >>> from recsys.simulation.town import make_town
    >>> town = make_town(60, np.random.default_rng(3), nights_ahead=3)
    >>> design = ExperimentSettings(name="liked", unit="person", starts="2026-01-05", nights=2,
    ...     mature_nights=1, arms={"today": {"share": 0.5}, "liked": {"share": 0.5, "order": "naive"}})
    >>> found = rehearse(town, design, config=AllocationConfig(k=3, steps=4))
    >>> found.town.as_of.date().isoformat(), sorted(found.matches)
    ('2026-01-08', ['liked', 'today'])
    """
    if town.as_of.tz_convert("UTC").date() != experiment.starts:
        remedy = f"make the town as of {experiment.starts}"
        raise InputError(
            explained("the town does not begin on the first night", got=town.as_of, remedy=remedy)
        )
    played = experiment.nights + experiment.mature_nights if nights is None else nights
    config = config or AllocationConfig()
    if experiment.unit == "neighbourhood" and groups is None:
        events = town.tables[T.EVENTS]
        seen = events.loc[events[C.TYPE] == "impression", [C.ACTOR, C.TARGET]].dropna().astype("str")
        groups = neighbourhoods(seen.set_axis([C.VIEWER, C.CANDIDATE], axis=1)).table
    who = assign(experiment, town.ids.values, groups)
    plan = NightsConfig(nights=played, k=config.k, scores="content", refit=0, policies=("product",))
    arms = {name: _lists_of(arm, config, plan, town) for name, arm in experiment.arms.items()}
    ways = {_EXPERIMENT: _lists_of_all(experiment, who, arms, config.k), **arms}
    copies = play_nights(town, plan, seed=seed, policies=ways, progress=progress).towns
    levels = {arm: _matches(copies[arm], experiment) for arm in experiment.arms}
    return Rehearsal(_with_arms(copies[_EXPERIMENT], town, experiment, who, played), groups, levels)


def _lists_of(arm: ArmSettings, config: AllocationConfig, plan: NightsConfig, town: Town) -> ListPolicy:
    if arm.order != "allocated":
        return list_policy(arm.order, plan, town.settings.funnel)
    own = config.changed(**arm.allocate)
    return lambda pool, opens, rng: allocate(pool, own, opens=opens, rng=rng)


def _lists_of_all(
    experiment: ExperimentSettings, who: pd.DataFrame, arms: Mapping[str, ListPolicy], k: int
) -> ListPolicy:
    """Return the policy that gives each viewer the lists of their arm; it is asked once a night, in order."""
    number = iter(range(1 << 31))

    def lists(pool: pd.DataFrame, opens: pd.Series, rng: np.random.Generator) -> pd.DataFrame:
        of_arm = {name: way(pool, opens, rng.spawn(1)[0]) for name, way in arms.items()}
        return joined_lists(experiment, who, of_arm, night=next(number), k=k)

    return lists


def _matches(town: Town, experiment: ExperimentSettings) -> float:
    """Return matches a person and night of the nights of the experiment that can be read."""
    found = outcomes(load_events(town.tables), experiment, now=town.as_of).between(0, experiment.nights)
    people = len(load_population(town.tables, town.as_of, catalogue=town.catalogue))
    return 2.0 * len(found.matches) / max(people * len(found.nights), 1)


def _with_arms(
    town: Town, before: Town, experiment: ExperimentSettings, who: pd.DataFrame, nights: int
) -> Town:
    """Return the town whose impressions carry the arm of their viewer, as those of a service do."""
    events = town.tables[T.EVENTS].copy()
    shown = ((events[C.TYPE] == "impression") & (events[C.TS] >= before.as_of)).to_numpy(bool)
    night = ((events[C.TS] - before.as_of) // pd.Timedelta(days=1)).to_numpy(np.float64)
    row = pd.Series(np.arange(len(who)), index=who[C.USER])
    version = events[C.MODEL_VERSION].astype(object)
    for number in range(nights):
        arms = NightArms(experiment, who[C.USER].to_numpy(object), who, number)
        names = np.array([*(f"{MODEL}+{name}" for name in arms.names()), MODEL], object)
        at = np.flatnonzero(shown & (night == number))
        version.iloc[at] = names[arms.codes()[row.loc[events[C.ACTOR].iloc[at]]]]
    return replace(
        town, tables=town.tables | {T.EVENTS: events.assign(**{C.MODEL_VERSION: version.astype("str")})}
    )
