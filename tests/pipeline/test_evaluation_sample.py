from dataclasses import replace

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.data.events import Events
from recsys.data.population import Population
from recsys.pipeline.evaluation_data import events_among, sampled_people, tables_among


def along_a_road(n: int) -> Population:
    """People in cells of ten, in an order that is not that of their ids."""
    people = Population.of_ids([f"u{row:05d}" for row in range(n)], as_of="2026-01-05")
    cells = (1 + np.random.default_rng(1).permutation(n) // 10).astype(np.uint64)
    return replace(people, cells=cells)


def test_everybody_judges_where_they_are_few() -> None:
    assert sampled_people(along_a_road(100), 100, np.random.default_rng(0)) is None


def test_neighbours_come_together() -> None:
    people = along_a_road(8_000)
    kept = sampled_people(people, 800, np.random.default_rng(0))
    assert kept is not None
    assert 700 < len(kept) <= 800
    whole = pd.Series(people.ids.values).isin(kept).groupby(people.cells).mean()
    assert (whole == 1.0).sum() > 60  # of 80: only the ends of the stretches are cut
    assert len(whole[whole > 0]) < 90
    assert sampled_people(people, 800, np.random.default_rng(0)) == kept


def test_what_names_anybody_else_is_left_out() -> None:
    deeds = pd.DataFrame(
        {C.ACTOR: list("aabx"), C.TARGET: ["b", None, "x", "a"], C.TYPE: ["like", "optin", "like", "like"]}
    )
    among = frozenset("ab")
    assert events_among(Events.of(deeds), among).frame[C.TYPE].tolist() == ["like", "optin"]
    tables = tables_among({T.EVENTS: deeds, T.PROFILES: pd.DataFrame({C.USER: list("xb")})}, among)
    assert {name: len(rows) for name, rows in tables.items()} == {T.PROFILES: 1, T.EVENTS: 2}
