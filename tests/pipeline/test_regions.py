"""Lists allocated region by region: one publication that keeps every rule, whoever does the tasks."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.allocation.regions import Crowd, budget_shares
from recsys.catalogue.columns import Columns as C
from recsys.config import ExperimentSettings
from recsys.errors import BusyError, SettingsError
from recsys.pipeline.allocation import activity, allocate_night, allocation_config
from recsys.pipeline.attention import attention_limits
from recsys.pipeline.executors import Job, PartResult
from recsys.pipeline.night import Night
from recsys.pipeline.paths import PATHS, NightPaths
from recsys.pipeline.regions import allocate_regions, cut_regions
from recsys.settings import RegionSettings, Settings, read_settings
from tests.pipeline.nights import STAGES, Folder

CELLS = np.array([0, 0x862F5A32FFFFFFF, 0x862E618E7FFFFFF, 0x862F5BC9FFFFFFF, 0x862F4A0C7FFFFFF], np.uint64)


class Backwards:
    """Does the last part first, each as if it had a worker of its own."""

    def run(self, job: Job, parts: Sequence[int]) -> Iterator[PartResult]:
        for number in reversed(parts):
            yield job.open()(number)


class DiesOnce:
    """Is killed in the middle of a wave, when one of its parts is done."""

    def __init__(self, wave: int) -> None:
        self.waves_left = wave

    def run(self, job: Job, parts: Sequence[int]) -> Iterator[PartResult]:
        work = job.open()
        for number in parts:
            yield work(number)
            if self.waves_left == 0:
                raise BusyError("killed")
        self.waves_left -= 1


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, NightPaths]:
    """A night with everybody's candidates, to be cut into three regions; likes are scarce in it."""
    folder = Folder(tmp_path_factory.mktemp("regions"))
    until = [s for s in STAGES[: STAGES.index("recommend") + 1] if s != "evaluate"]
    codes = folder.run("people=300", "model.name=popularity", "execution.workers=1", stages=tuple(until))
    assert set(codes.values()) == {0}
    paths = NightPaths(folder.root / PATHS.root)
    found = read_settings(paths.settings)
    scarce = found.allocate.model_copy(update={"budget": 0.6, "steps": 8})
    cut = RegionSettings(people=80, rounds=3)
    return found.model_copy(update={"allocate": scarce, "regions": cut}), paths


@pytest.fixture(scope="module")
def lists(night: tuple[Settings, NightPaths]) -> bytes:
    summary = allocate_regions(*night)
    assert summary.regions == 3
    assert (summary.redone, summary.dropped) == (summary.tasks, 0)
    return night[1].lists.read_bytes()


def test_who_does_the_tasks_and_in_which_order_changes_no_byte(night, lists):
    allocate_regions(*night, executor=Backwards())
    assert night[1].lists.read_bytes() == lists


def test_what_was_done_before_a_kill_is_not_done_again(night, lists):
    whole = allocate_regions(*night)
    with pytest.raises(BusyError):
        allocate_regions(*night, executor=DiesOnce(wave=3))
    again = allocate_regions(*night)
    assert again.redone == whole.tasks - 3 * whole.regions - 1
    assert night[1].lists.read_bytes() == lists


def test_every_rule_holds_over_borders_and_no_list_is_split(night, lists):
    of = Night.current(*night)
    people, table = of.people, pq.read_table(night[1].lists).to_pandas()
    viewer, candidate = people.ids.rows(table[C.VIEWER]), people.ids.rows(table[C.CANDIDATE])
    region = cut_regions(people.cells, of.policy.compile(people).listed, 3)
    assert (region[viewer] != region[candidate]).mean() > 0.2  # or it would not be about borders
    assert of.policy.may_show(people, viewer, candidate).all()
    assert of.policy.may_meet(people, candidate, viewer).all()  # nobody on one side alone
    assert not table.duplicated([C.VIEWER, C.CANDIDATE]).any()
    assert (table.groupby(C.VIEWER)[C.RANK].apply(lambda r: r.tolist() == list(range(1, len(r) + 1)))).all()
    assert attention_limits(of, night[0].seed).keeps(viewer, candidate).all()


def test_nobody_receives_more_likes_than_the_budget_from_all_regions_together(night, lists):
    of, chosen = Night.current(*night), night[0].allocate
    plain = night[0].model_copy(update={"allocate": chosen.model_copy(update={"minimum_exposure": False})})
    allocate_regions(plain, night[1])
    table = pq.read_table(night[1].lists).to_pandas()
    viewer, candidate = of.people.ids.rows(table[C.VIEWER]), of.people.ids.rows(table[C.CANDIDATE])
    limits = attention_limits(of, night[0].seed)
    look = table[C.RANK].to_numpy() ** -float(allocation_config(plain).look)
    likes = table[C.P_LIKE] * limits.eagerness[viewer] * look * activity(chosen, of.people).opens[viewer]
    load = np.bincount(candidate, weights=likes)
    assert load.max() > 0.5  # the budget is felt
    assert load.max() <= 0.6 * 1.1  # people of nearly equal chances change places by lot after it is held


def test_one_region_brings_what_the_undivided_night_does(night, lists):
    plain = {"minimum_exposure": False, "fairness": 0.0, "budget": None}
    chosen = night[0].allocate.model_copy(update=plain)
    settings = night[0].model_copy(update={"allocate": chosen, "regions": RegionSettings(people=10_000)})
    allocate_regions(settings, night[1])
    one = night[1].lists.read_bytes()
    allocate_night(settings, night[1])
    assert night[1].lists.read_bytes() == one


def test_arms_need_an_undivided_night():
    arms = {"a": {"share": 0.5}, "b": {"share": 0.5}}
    experiment = ExperimentSettings(name="x", starts="2026-03-02", nights=3, arms=arms)
    with pytest.raises(SettingsError, match="leave regions"):
        Settings.from_mapping({"regions": {"people": 100}, "experiment": experiment.model_dump()}, where="x")
    with pytest.raises(SettingsError, match="leave regions"):
        Settings.from_mapping({"regions": {"people": 100}, "allocate": {"mixture": True}}, where="x")


@settings(max_examples=25)
@given(st.lists(st.integers(0, len(CELLS) - 1), max_size=40), st.integers(1, 6))
def test_cells_are_never_cut(at: list[int], n_regions: int) -> None:
    cells = CELLS[np.array(at, np.int64)]
    region = cut_regions(cells, np.ones(len(cells), bool), n_regions)
    assert len(region) == 0 or 0 <= region.min() <= region.max() < n_regions
    for cell in CELLS[1:]:
        assert len(np.unique(region[cells == cell])) <= 1


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4), st.floats(0, 3)), max_size=20))
def test_shares_of_all_regions_are_the_budget(sent: list[tuple[int, int, float]]) -> None:
    def crowd(of: int) -> Crowd:
        here = [(row, likes) for region, row, likes in sent if region == of]
        rows, likes = np.array([h[0] for h in here], np.int32), np.array([h[1] for h in here], np.float64)
        return Crowd.of(rows, np.full(len(here), 0.3, np.float32), likes)

    shown_by = np.array([0, 1, 2, 0, 1], np.int32)
    shares = [budget_shares(2.0, [crowd(0), crowd(1), crowd(2)], shown_by, of) for of in range(3)]
    assert np.allclose(np.sum(shares, axis=0), 2.0)
    assert all((share[shown_by == of] > 0).all() for of, share in enumerate(shares))


def test_regions_hold_about_as_many_people(night):
    of = Night.current(*night)
    listed = of.policy.compile(of.people).listed
    held = np.bincount(cut_regions(of.people.cells, listed, 3)[listed])
    assert held.max() < 1.5 * held.min()
