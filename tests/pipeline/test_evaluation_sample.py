from dataclasses import replace
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

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


NAMES = st.sampled_from(["a", "b", "c", "A", None])
EVENT_ROWS = st.lists(st.tuples(NAMES, NAMES, st.sampled_from(["like", "pass"])), max_size=12)


@given(rows=EVENT_ROWS, numbered=st.booleans(), among=st.frozensets(st.sampled_from("abc"), min_size=1))
def test_the_sample_of_a_file_is_that_of_its_table(
    rows: list[tuple[str | None, str | None, str]], numbered: bool, among: frozenset[str]
) -> None:
    """Rows left out of Parquet before a frame is made of them are those that the frame would lose."""
    deeds = pd.DataFrame(rows, columns=[C.ACTOR, C.TARGET, C.TYPE], dtype=object)
    people = pd.DataFrame({C.USER: [1, 2] if numbered else ["a", "x"]})
    with TemporaryDirectory() as folder:
        deeds.to_parquet(f"{folder}/events.parquet", index=False)
        people.to_parquet(f"{folder}/profiles.parquet", index=False)
        found = tables_among(f"parquet:{folder}", among)
    for name, rest in tables_among({T.EVENTS: deeds, T.PROFILES: people}, among).items():
        kept = found[name].astype(object)
        assert kept.where(kept.notna(), None).to_numpy().tolist() == rest.to_numpy().tolist()
