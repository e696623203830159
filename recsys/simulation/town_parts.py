"""The tables of a large town to be written part by part, since its events as one table are larger still."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from recsys.schema.columns import Tables as T
from recsys.simulation.dirt import HARMLESS, Dirt, dirty_events, with_dirt
from recsys.simulation.founding import found_town
from recsys.simulation.safety import safety_tables
from recsys.simulation.settings import TownSettings
from recsys.simulation.town import DEFAULT_AS_OF

_ROWS_AT_ONCE: Final = 1 << 20
_SAFETY: Final = ("block", "report")


@dataclass(frozen=True, eq=False)
class TownParts:
    """The tables of a town, to be written once.

    tables: by name, a frame or the parts of one. n_events: rows of the events, broken ones among them.
    """

    tables: Mapping[str, pd.DataFrame | Iterable[pd.DataFrame]]
    n_people: int
    n_events: int
    as_of: pd.Timestamp


def make_town_parts(
    n_people: int,
    rng: np.random.Generator,
    *,
    as_of: str | pd.Timestamp = DEFAULT_AS_OF,
    settings: TownSettings | None = None,
) -> TownParts:
    """Make the tables that `make_town` makes of equal arguments, never holding all events as a table.

    Raises InputError when there would be nobody.

    >>> parts = make_town_parts(40, np.random.default_rng(7))
    >>> parts.n_people, sum(len(part) for part in parts.tables["events"])
    (40, 149)
    """
    town = found_town(n_people, rng, as_of=as_of, settings=settings)
    told = town.events.frame(town.events.are(*_SAFETY))
    safety = safety_tables(told, town.holds, town.residents.ids, town.arrivals.end)
    share = town.settings.dirt
    before = with_dirt(town.tables, share, rng)
    dirt = Dirt.drawn(len(town.events), town.events.are(HARMLESS), share, rng)
    events = dirty_events(town.events, dirt, _ROWS_AT_ONCE)
    return TownParts(
        tables={**before, T.EVENTS: events, **with_dirt(safety, share, rng)},
        n_people=n_people,
        n_events=len(dirt.order),
        as_of=town.as_of,
    )
