"""Some types of events read from what was accepted tell what all events tell."""

from pathlib import Path

import numpy as np
import pytest

import recsys
from recsys.data.conversations import DECIDING, active_matches, at_capacity
from recsys.data.events import Events
from recsys.data.population import Population
from recsys.pipeline.stage_outputs import read_accepted_events, write_accepted


@pytest.fixture(scope="module")
def town() -> tuple[Population, Events]:
    made = recsys.make_town(150, np.random.default_rng(6))
    return recsys.load_population(made.tables), recsys.load_events(made.tables)


def test_who_has_somebody_already_is_read_from_few_events(
    town: tuple[Population, Events], tmp_path: Path
) -> None:
    people, events = town
    write_accepted(tmp_path / "accepted", lambda: people, events, fingerprint="these")
    few = read_accepted_events(tmp_path / "accepted", DECIDING)
    assert 0 < len(few) < len(events)
    assert len(few) == events.frame["type"].isin(DECIDING).sum()
    assert active_matches(events, people.ids).any()
    for some in (few, events.of_types(*DECIDING)):
        assert np.array_equal(active_matches(some, people.ids), active_matches(events, people.ids))
        assert np.array_equal(at_capacity(people, some), at_capacity(people, events))
