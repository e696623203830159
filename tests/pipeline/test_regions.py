"""Lists allocated region by region: one publication that keeps every rule, whoever does the tasks."""

import json
import os
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.allocation.attention import AttentionLimits
from recsys.allocation.crowd import Crowd, budget_shares
from recsys.catalogue.columns import Columns as C
from recsys.config import ExperimentSettings
from recsys.errors import BusyError
from recsys.pipeline.allocation import activity, allocate_night
from recsys.pipeline.arm_lists import allocation_config, night_arms
from recsys.pipeline.attention import attention_limits
from recsys.pipeline.executors import Job, PartFunction, PartResult, Processes, ProcessesKept
from recsys.pipeline.night import Night
from recsys.pipeline.paths import PATHS, NightPaths
from recsys.pipeline.region_files import PLACES
from recsys.pipeline.region_partition import cut_regions
from recsys.pipeline.region_tasks import RegionJob
from recsys.pipeline.regions import allocate_regions
from recsys.pipeline.stage_outputs import FIGURES, read_prices
from recsys.random import KeyedGenerator
from recsys.settings import RegionSettings, Settings, read_settings
from recsys.types import Int32Array
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


@dataclass(frozen=True)
class KilledOnce(RegionJob):
    """A wave in which the worker of one region is killed once, in the middle of its task."""

    kill_in: tuple[str, ...] = ()

    def open(self) -> PartFunction:
        work = super().open()

        def one(number: int) -> PartResult:
            with (self.paths.root / "tasks.txt").open("a") as file:
                file.write(f"{self.wave} {number}\n")
            mark = self.paths.root / f"killed.{self.wave}"
            if number == 1 and self.wave in self.kill_in and not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return work(number)

        return one


class Kills:
    """One process, started anew after it was killed in some waves."""

    def __init__(self, pool: ProcessesKept, waves: tuple[str, ...]) -> None:
        self.pool, self.waves = pool, waves

    def run(self, job: RegionJob, parts: Sequence[int]) -> Iterator[PartResult]:
        return self.pool.run(KilledOnce(job.settings, job.paths, job.wave, job.arm, self.waves), parts)


def test_a_killed_worker_costs_its_task_alone(night, lists):
    waves = (PLACES,)
    with Processes(1).kept() as pool:
        allocate_regions(*night, executor=Kills(pool, waves))
    assert night[1].lists.read_bytes() == lists
    begun = Counter((night[1].root / "tasks.txt").read_text().splitlines())
    assert {task for task, times in begun.items() if times > 1} == {f"{wave} 1" for wave in waves}
    assert max(begun.values()) == 2


def test_candidates_in_many_row_groups_give_the_same_lists(night, lists):
    pool = night[1].pool.read_bytes()
    try:
        pq.write_table(pq.read_table(night[1].pool), night[1].pool, row_group_size=100)
        assert pq.read_metadata(night[1].pool).num_row_groups > 3
        allocate_regions(*night)
        assert night[1].lists.read_bytes() == lists
    finally:
        night[1].pool.write_bytes(pool)


def with_allocate(settings: Settings, **changes: object) -> Settings:
    return settings.model_copy(update={"allocate": settings.allocate.model_copy(update=changes)})


def read_rows(night: tuple[Settings, NightPaths]) -> tuple[pd.DataFrame, Int32Array, Int32Array]:
    people, table = Night.current(*night).people, pq.read_table(night[1].lists).to_pandas()
    return table, people.ids.rows(table[C.VIEWER]), people.ids.rows(table[C.CANDIDATE])


def test_a_mixture_is_drawn_with_its_chances_whoever_does_the_tasks(night):
    plain = {"mixture": True, "minimum_exposure": False, "budget": None, "tolerance": 0.0}
    drawn = with_allocate(night[0], **plain)
    allocate_regions(drawn, night[1], executor=Backwards())
    by_region = night[1].lists.read_bytes()
    allocate_regions(drawn, night[1])
    assert night[1].lists.read_bytes() == by_region
    table, viewer, candidate = read_rows(night)
    assert 0 < table[C.PROPENSITY].min() < 1 == table[C.PROPENSITY].max()
    of = Night.current(*night)
    assert of.policy.may_show(of.people, viewer, candidate).all()
    one = drawn.model_copy(update={"regions": RegionSettings(people=10_000)})
    allocate_regions(one, night[1])
    undivided = drawn.model_copy(update={"regions": RegionSettings()})
    whole = read_rows(night)[0].groupby([C.VIEWER, C.CANDIDATE])[C.PROPENSITY].first()
    allocate_night(undivided, night[1])
    there = read_rows(night)[0].groupby([C.VIEWER, C.CANDIDATE])[C.PROPENSITY].first()
    both = pd.concat([whole, there], axis=1, join="inner")
    assert len(both) > 0.5 * len(there)  # other lots of one mixture
    assert np.allclose(both.iloc[:, 0], both.iloc[:, 1], atol=1e-5)


def test_a_mixture_keeps_the_budget_over_draws(night):
    found = []
    for seed in range(3):
        drawn = with_allocate(night[0], mixture=True, minimum_exposure=False)
        settings = drawn.model_copy(update={"seed": seed})
        allocate_regions(settings, night[1])
        table, viewer, candidate = read_rows(night)
        of = Night.current(settings, night[1])
        limits = attention_limits(of, night[0].seed)
        look = table[C.RANK].to_numpy() ** -float(allocation_config(settings).look)
        likes = table[C.P_LIKE] * limits.eagerness[viewer] * look
        likes *= activity(settings.allocate, of.people).opens[viewer]
        found.append(np.bincount(candidate, weights=likes, minlength=len(of.people)))
    load = np.mean(found, axis=0)
    assert load.max() > 0.4
    assert np.quantile(load, 0.99) <= 0.6 * 1.2


def test_a_share_of_lists_is_drawn_by_chance(night):
    chosen = with_allocate(night[0], randomised_share=0.2, budget=None, minimum_exposure=False)
    short = chosen.recommend.model_copy(update={"k": 2})  # shorter than the candidates of most
    allocate_regions(chosen.model_copy(update={"recommend": short}), night[1])
    table = read_rows(night)[0]
    drawn = table.groupby(C.VIEWER)[C.PROPENSITY].min() < 1
    assert 0.05 < drawn.mean() < 0.3


@pytest.fixture
def some_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let some people stand in half of the lists, and others like nearly everybody."""

    def limits(night: Night, seed: int) -> AttentionLimits:
        at = np.arange(len(night.people))
        share = np.where(at % 7 == 0, 0.5, 1.0).astype(np.float32)
        return AttentionLimits.of(share, at % 5 == 1, KeyedGenerator(seed))

    monkeypatch.setattr("recsys.pipeline.regions.attention_limits", limits)
    monkeypatch.setattr("recsys.pipeline.allocation.attention_limits", limits)


@pytest.mark.usefixtures("some_are_limited")
@pytest.mark.parametrize("by_region", [True, False])
def test_arms_get_the_lists_they_would_get_alone(night, by_region):
    allocate = allocate_regions if by_region else allocate_night
    people = Night.current(*night).people
    other = {"fairness": 1.0, "minimum_exposure": False}
    arms = {
        "today": {"share": 0.4},
        "product": {"share": 0.3, "order": "product"},
        "nash": {"share": 0.3, "allocate": other},
    }
    starts = str(people.as_of.date())
    experiment = ExperimentSettings(name="x", unit="person", starts=starts, nights=3, arms=arms)
    settings = night[0].model_copy(update={"experiment": experiment})
    of_night = night_arms(settings, people)
    assert of_night is not None
    allocate(settings, night[1])
    joined, viewer, _ = read_rows(night)
    arm = of_night.of_pairs(viewer, viewer)
    assert set(arm) == set(arms)
    assert "experiment" in json.loads((night[1].allocation / FIGURES).read_bytes())
    undivided = settings.model_copy(update={"regions": RegionSettings()})
    for name, alone, work in (
        ("today", night[0], allocate),
        ("nash", with_allocate(night[0], **other), allocate),
        ("product", undivided, allocate_night),
    ):
        work(alone, night[1])
        table, viewer, _ = read_rows(night)
        there = table[of_night.of_pairs(viewer, viewer) == name]
        assert joined[arm == name].reset_index(drop=True).equals(there.reset_index(drop=True)), name


@pytest.mark.usefixtures("some_are_limited")
def test_who_is_reported_costs_more_in_a_live_search_by_region_too(night):
    whole = night[0].model_copy(update={"regions": RegionSettings(people=10_000)})
    plain = with_allocate(whole, minimum_exposure=False, fairness=0.0, budget=None)
    ids = Night.current(*night).people.ids
    allocate_regions(plain, night[1])
    by_region = read_prices(night[1].allocation, ids)
    allocate_night(plain, night[1])
    assert (by_region[::7] >= 0.5).all()
    undivided = read_prices(night[1].allocation, ids)  # of the best steps, by region of the last ones
    assert np.median(np.abs(by_region - undivided)) < 0.01
    assert np.corrcoef(by_region, undivided)[0, 1] > 0.9


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
        return Crowd.of(rows, np.full(len(here), 0.3, np.float32), likes, np.ones(len(here)))

    shown_by = np.array([0, 1, 2, 0, 1], np.int32)
    shares = [budget_shares(2.0, [crowd(0), crowd(1), crowd(2)], shown_by, of) for of in range(3)]
    assert np.allclose(np.sum(shares, axis=0), 2.0)
    assert all((share[shown_by == of] > 0).all() for of, share in enumerate(shares))


def test_regions_hold_about_as_many_people(night):
    of = Night.current(*night)
    listed = of.policy.compile(of.people).listed
    held = np.bincount(cut_regions(of.people.cells, listed, 3)[listed])
    assert held.max() < 1.5 * held.min()
