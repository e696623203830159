"""Somebody the publication does not know: folded in, searched for, checked, in the same call."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.data.events import Events
from recsys.data.exclusions import Relations
from recsys.data.population import Population
from recsys.errors import InputError, PublicationError
from recsys.models.base import Model
from recsys.models.content import ContentModel
from recsys.models.hybrid import HybridModel
from recsys.ranking.cold_start import Newcomer, NewcomerFiles, separated_in
from recsys.ranking.newcomer_limits import NewcomerLimits
from recsys.ranking.profile_tables import ProfileTables
from recsys.ranking.ranker import Ranker
from recsys.ranking.recommend import recommend
from recsys.ranking.score_bins import WIDTH
from recsys.safety import MemorySafety
from recsys.storage.load import load_population
from recsys.storage.publication import NEWCOMERS, RUNS
from recsys.testing.people import EASY_TO_LIST, make_listed_people, make_tables
from tests.ranking.published_world import NOW, World

NEW = 7
UNLIMITED = NewcomerLimits(page=1000, day=10_000, share=1.0, profiles=1000)


def likes(ids: list[str], rng: np.random.Generator) -> Events:
    pairs = [(a, b) for a in ids for b in rng.choice(ids, 6, replace=False) if a != b]
    kinds = rng.choice(["like", "pass"], len(pairs))
    frame = pd.DataFrame(pairs, columns=[C.ACTOR, C.TARGET]).assign(**{C.TYPE: kinds})
    return Events.of(frame.assign(**{C.TS: pd.Timestamp("2026-01-10", tz="UTC")}))


class Case:
    """A community with one person left out, who comes later."""

    def __init__(self, kind: type[Model], folder: Path) -> None:
        rng = np.random.default_rng(3)
        everybody = make_listed_people(40, rng)
        self.everybody: Population = replace(everybody, relations=Relations.none(40))
        rest = np.delete(np.arange(40), NEW)
        self.people, self.one = self.everybody.take(rest), self.everybody.take([NEW])
        self.viewer = str(self.one.ids.ids([0])[0])
        ids = self.people.ids.ids(np.arange(39)).tolist()
        self.model = kind().fit(self.people, likes(ids, rng), rng=rng)
        world = World.of(self.people)
        lists = recommend(self.model, self.people, world.policy, k=6)
        self.world = replace(world, directed=self.model.directed(self.people), lists=lists)
        self.folder, self.safety = folder, MemorySafety()
        self.world.publish(folder, model=self.model)
        self.ranker = Ranker.open(folder, safety=self.safety, poll_s=0, newcomers=UNLIMITED)

    def page(self, k: int = 50, **more: object) -> list[str]:
        arguments = {"profile": self.one, "proved_tokens": True} | more
        return [i.candidate_id for i in self.ranker.rank(self.viewer, k, NOW, **arguments).items]  # type: ignore[arg-type]


@pytest.fixture(scope="module", params=[ContentModel, HybridModel], ids=["content", "hybrid"])
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    made = Case(request.param, tmp_path_factory.mktemp("published"))
    yield made
    made.ranker.close()


def test_the_page_is_what_the_model_and_the_plain_rules_give(case: Case) -> None:
    expected = recommend(case.model, case.everybody, case.world.policy, viewers=[case.viewer], k=50)
    found = case.page()
    assert sorted(found) == sorted(expected[C.CANDIDATE])
    chance = expected.set_index(C.CANDIDATE)[C.P_MUTUAL]
    bins = np.floor(np.log(chance) / WIDTH)
    assert bins[found].is_monotonic_decreasing, "near ties stand by lot, and nobody else"
    assert found == case.page() != expected[C.CANDIDATE].tolist()
    assert len(expected) > 10


def test_reasons_are_those_the_night_would_give(case: Case) -> None:
    expected = recommend(case.model, case.everybody, case.world.policy, viewers=[case.viewer], k=50)
    of_night = dict(zip(expected[C.CANDIDATE], expected[C.REASONS], strict=True))
    items = case.ranker.rank(case.viewer, 50, NOW, profile=case.one).items
    for item in items:
        wide = [code for code in of_night[item.candidate_id] if code not in {"circle", "near"}]
        assert list(item.reasons[: len(wide)]) == wide or set(wide) <= set(item.reasons)
    assert any(item.reasons for item in items)
    assert {item.stage for item in items} == {"listed"}


def test_safety_is_asked_about_a_newcomer_too(case: Case) -> None:
    first, second = case.page()[:2]
    case.safety.block(case.viewer, first)
    case.safety.hold(second)
    assert not {first, second} & set(case.page())
    case.safety.lift(second)
    case.safety.hold(case.viewer)
    assert case.page() == []
    case.safety.lift(case.viewer)


def test_without_a_profile_a_newcomer_is_nobody(case: Case) -> None:
    assert case.ranker.rank(case.viewer, 10, NOW).items == ()


def test_what_a_newcomer_did_moves_the_order_and_keeps_people_apart(case: Case) -> None:
    before = case.page()
    done = [(case.viewer, one, "pass") for one in before[:4]]
    done += [(case.viewer, one, "like") for one in before[-4:]]
    frame = pd.DataFrame(done, columns=[C.ACTOR, C.TARGET, C.TYPE])
    events = Events.of(frame.assign(**{C.TS: pd.Timestamp("2026-02-25", tz="UTC")}))
    after = case.page(events=events)
    assert set(before) - set(after) == {*before[:4], *before[-4:]}
    assert after != before[4:-4], "by more than the lot of near ties, which another publication draws anew"
    assert case.page(events=Events.none()) == before


def test_a_profile_is_of_one_person_and_an_error_tells_nothing_of_it(case: Case) -> None:
    with pytest.raises(InputError):
        case.ranker.rank(case.viewer, 5, NOW, profile=case.people)
    with pytest.raises(InputError):
        case.ranker.rank("u-other", 5, NOW, profile=case.one)
    secret = pd.DataFrame({C.USER: [case.viewer], C.GENDER: ["secret-word"]})
    with pytest.raises(InputError) as caught:
        case.ranker.rank(case.viewer, 5, NOW, profile={"profiles": secret})
    assert "secret-word" not in f"{caught.value!s}{caught.value.__cause__!r}"


def test_plain_rows_tables_and_a_population_give_the_same_page(case: Case) -> None:
    tables = make_tables(1, np.random.default_rng(1), unknown=0.0, **EASY_TO_LIST)
    tables = {name: table.assign(user_id="u-rows") for name, table in tables.items() if "user_id" in table}
    rows = {
        name: json.loads(one.to_json(orient="records", date_format="iso")) for name, one in tables.items()
    }
    whole = load_population(tables, catalogue=case.people.catalogue)
    pages = [case.ranker.rank("u-rows", 50, NOW, profile=one).items for one in (rows, tables, whole)]
    assert len(pages[0]) > 10
    assert pages[0] == pages[1] == pages[2]
    with pytest.raises(InputError, match=r"profiles\.gender\.unknown_word"):
        case.ranker.rank(
            "u-rows", 5, NOW, profile=rows | {"profiles": [rows["profiles"][0] | {"gender": "zebra"}]}
        )


def test_files_for_newcomers_are_verified_and_name_nobody(case: Case) -> None:
    run = case.folder / (case.folder / "CURRENT").read_text().strip()
    ids = case.people.ids.ids(np.arange(39)).tolist()
    for path in (run / NEWCOMERS).rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(user.encode() in content for user in ids), path.name


def test_damaged_files_for_newcomers_fold_nobody_in(tmp_path: Path) -> None:
    case = Case(ContentModel, tmp_path)
    run = tmp_path / (tmp_path / "CURRENT").read_text().strip()
    path = run / NEWCOMERS / "vocabulary.token.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(PublicationError):
        case.page()
    known = str(case.people.ids.ids([3])[0])
    assert case.ranker.rank(known, 5, NOW).items


def test_the_blocks_of_a_newcomers_own_tables_count_whatever_is_wrong_beside_them(case: Case) -> None:
    tables = make_tables(40, np.random.default_rng(5), unknown=0.0)
    mine = {
        name: table[table[C.USER] == case.viewer] if C.USER in table else table
        for name, table in tables.items()
        if name in {"profiles", "boundaries"}
    }
    before = case.page()
    others = before[:3]
    blocks = pd.DataFrame(
        {
            C.ACTOR: [case.viewer, others[1], case.viewer],
            C.TARGET: [others[0], case.viewer, others[2]],
            C.TS: ["2026-02-01T00:00:00Z", "2031-01-01T00:00:00Z", "no time at all"],
        }
    )
    assert separated_in(case.viewer, ProfileTables(mine | {"blocks": blocks})) == set(others)
    assert separated_in(case.viewer, ProfileTables(mine | {"reports": blocks.assign(category=None)})) == set(
        others
    )
    assert separated_in(case.viewer, ProfileTables(mine)) == set()
    snapshot = case.ranker._reloader.now.snapshot
    files = NewcomerFiles.open(case.folder / RUNS / snapshot.run_id, snapshot.manifest, None)
    newcomer = Newcomer.of(
        snapshot, files, case.one, None, separated_in(case.viewer, ProfileTables(mine | {"blocks": blocks}))
    )
    left = snapshot.ids.at(newcomer.best(snapshot).tolist())
    assert [one for one in left if one in before] == before[3:]
