"""What a plugin's block keeps of a person is gone after an erasure, in whatever form it was kept."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from recsys.config import Section
from recsys.data.events import Events
from recsys.data.ids import IdIndex
from recsys.features import Block, BlockRows, FittedBlock
from recsys.models.base import Model
from recsys.models.content import ContentModel
from recsys.models.directed import Directed
from recsys.pipeline.rewrite_run import rewrite_run
from recsys.safety.erase_files import may_hide_people
from recsys.safety.erasure_list import ErasedPeople
from recsys.safety.keys import Keys
from recsys.storage.publication import NEWCOMERS
from recsys.tracking.mlflow_tracker import erase_from_tracking
from tests.pipeline.search import files_with
from tests.ranking.published_world import World


def digest(user_id: str) -> bytes:
    return hashlib.sha256(user_id.encode()).digest()[:8]


@dataclass(frozen=True, eq=False)
class FittedHolding(FittedBlock):
    """Keeps people by id and by a hash of its own."""

    name = "holding"
    usual: float
    texts: npt.NDArray[np.str_] | None = None
    ids: IdIndex | None = None
    hashes: npt.NDArray[np.uint64] | None = None
    named: tuple[str, ...] | None = None
    own: npt.NDArray[np.float32] | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        return ("held",)

    def rows(self, people) -> BlockRows:
        row = np.full((len(people), 1), self.usual, np.float32)
        return BlockRows(row, row)


class Holding(Block):
    """Keeps people in the form it is told."""

    name = "holding"

    def __init__(self, form: str = "usual") -> None:
        self.form = form

    def _learn(self, people, events) -> FittedHolding:
        ids = people.ids.ids(np.arange(len(people)))
        kept = {
            "texts": np.array(ids, np.str_),
            "ids": people.ids,
            "hashes": np.frombuffer(b"".join(map(digest, ids)), np.uint64),
            "named": tuple(digest(one).hex() for one in ids),
            "own": np.linspace(0, 1, len(ids), dtype=np.float32),
        }
        return replace(FittedHolding(0.5), **{name: kept[name] for name in kept if name == self.form})


class HashModel(Model):
    """Keeps a hash of everybody."""

    name = "hash_model"
    config_type = Section
    hashes_: npt.NDArray[np.uint64]

    def _learn(self, people, events, rng) -> None:
        self.hashes_ = np.frombuffer(b"".join(map(digest, people.ids.values)), np.uint64)

    def _apply(self, people) -> Directed:
        ones = np.ones((len(people), 1), np.float32)
        return Directed.of(people.ids, taste=ones, appeal=ones, cell=people.cells)


@pytest.fixture(scope="module")
def world() -> World:
    return World.small(20)


def saved(world: World, folder: Path, form: str, *, newcomers: bool = False) -> Path:
    model = ContentModel(blocks=[Holding(form)]).fit(world.people, Events.none(), rng=1)
    return (model.without_people() if newcomers else model).save(folder)


def traces(folder: Path, user_id: str) -> list[str]:
    binary = [path for path in folder.rglob("*") if path.is_file() and digest(user_id) in path.read_bytes()]
    wide = user_id.encode("utf-32-le")
    texts = [path for path in folder.rglob("*") if path.is_file() and wide in path.read_bytes()]
    return [
        *files_with(folder, user_id),
        *files_with(folder, digest(user_id).hex()),
        *map(str, binary + texts),
    ]


@pytest.mark.parametrize("form", ["usual", "texts", "ids", "hashes", "named", "own"])
def test_tracked_models_and_earlier_publications_hold_nobody_erased(
    world: World, tmp_path: Path, form: str
) -> None:
    gone = world.people.ids.ids([3])[0]
    erased = ErasedPeople.of(gone, Keys())
    tracked = saved(world, tmp_path / "store" / "artifacts" / "night" / "model", form)
    assert traces(tracked, gone)
    assert erase_from_tracking(tmp_path / "store", erased) == 1
    assert traces(tmp_path / "store", gone) == []
    assert tracked.exists() == (form == "usual")  # of no use to anybody in pieces

    run = world.publish(tmp_path / "published").folder
    model = saved(world, run / NEWCOMERS / "model", form, newcomers=True)
    assert may_hide_people(model, n_people=len(world.people)) == (form != "usual")
    assert traces(run, gone)
    assert rewrite_run(run, erased) == (form == "usual")  # what is not rewritten is removed by the caller
    if form == "usual":
        assert traces(run, gone) == []


def test_a_tracked_model_of_a_plugin_that_keeps_hashes_is_removed(world: World, tmp_path: Path) -> None:
    gone = world.people.ids.ids([3])[0]
    model = HashModel().fit(world.people, Events.none(), rng=1).save(tmp_path / "artifacts" / "model")
    assert HashModel.load(model).hashes_.tolist() == list(
        np.frombuffer(b"".join(map(digest, world.people.ids.values)), np.uint64)
    )
    assert traces(model, gone)
    assert erase_from_tracking(tmp_path, ErasedPeople.of(gone, Keys())) == 1
    assert traces(tmp_path, gone) == []
