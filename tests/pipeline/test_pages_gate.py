"""Green means served: a ranker opens the run and is asked for pages before the pointer moves."""

from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from recsys.data.events import Events
from recsys.data.pair_stages import pair_stages
from recsys.pipeline.gates import GateResult, Level
from recsys.pipeline.publish import PublishResult
from recsys.ranking.snapshot_files import write_snapshot
from recsys.storage.publication import current_run
from tests.ranking.published_world import World, ledger_of


@pytest.fixture(scope="module")
def world() -> World:
    return World.small(40)


def pages(outcome: PublishResult) -> GateResult:
    (gate,) = (one for one in outcome.gates if one.gate == "pages")
    return gate


def test_a_run_with_pages_is_served(world: World, tmp_path: Path) -> None:
    outcome = world.publish(tmp_path, pages_asked=10)
    assert pages(outcome).level is Level.PASS
    assert pages(outcome).numbers == {"count": 0, "asked": 10}
    assert current_run(tmp_path) == outcome.run_id


def test_full_lists_that_serving_shows_to_nobody_are_refused(world: World, tmp_path: Path) -> None:
    served = world.publish(tmp_path, pages_asked=10).run_id

    def nobody_accepted_the_terms(folder: Path, lists: pd.DataFrame) -> None:
        write_snapshot(
            folder,
            lists,
            world.people,
            world.policy,
            world.directed,
            stages=pair_stages(Events.none(), world.people.as_of),
            ledger=ledger_of(folder),
        )

    publish = partial(world.publish, tmp_path, serving=nobody_accepted_the_terms)
    outcome = publish(pages_asked=10)
    assert not outcome.published
    assert pages(outcome).level is Level.BLOCK
    assert pages(outcome).numbers == {"count": 10, "asked": 10}
    assert current_run(tmp_path) == served
    assert publish(pages_asked=0).published  # no other gate sees it


def test_a_run_that_no_ranker_opens_is_refused(world: World, tmp_path: Path) -> None:
    def damaged(folder: Path, lists: pd.DataFrame) -> None:
        world.write(folder, lists)
        next(folder.glob("*.npy")).unlink()

    outcome = world.publish(tmp_path, serving=damaged, pages_asked=10)
    assert not outcome.published
    assert "cannot be served" in pages(outcome).message
    assert current_run(tmp_path) is None
