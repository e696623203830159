"""A service's own genders, households and age bands go the whole way, and change nothing but the words."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import recsys
from recsys.catalogue import Catalogue, load_catalogue
from recsys.catalogue.catalogue import catalogue_from_json, catalogue_json
from recsys.catalogue.files import catalogue_diff, open_catalogue
from recsys.cli import app
from recsys.constraints.policy import Policy
from recsys.constraints.profile import AgeBands, Genders, HouseholdStatus
from recsys.data.exclusions import Relations
from recsys.data.population import Population
from recsys.data.tables import check_table
from recsys.errors import InputError
from recsys.mapping import Mapping, map_tables
from recsys.pipeline.publication_cards import data_sheet
from recsys.ranking.viewer_filters import Filters
from recsys.report.localization import Texts
from recsys.safety import MemorySafety
from recsys.storage.load import load_tables
from recsys.storage.population_files import read_people, write_people
from recsys.testing.people import EASY_TO_LIST, make_tables
from tests.ranking.published_world import NOW, World
from tests.ranking.test_cold_start import UNLIMITED

N = 60
GENDERS = ("agender", "undisclosed", "male", "female", "trans_woman")
HOMES = ("widowed", "divorced", "single", "married", "partnered", "separated")
BANDS = ("18-29", "30", "31", "32-39", "40-59", "60+")


def words_of(**columns: tuple[str, ...]) -> list[dict[str, str]]:
    return [
        {"field": name, "word": word, "label_en": f"my {word}"}
        for name, all_of in columns.items()
        for word in all_of
    ]


OWN = Catalogue.of(words=words_of(gender=GENDERS, household_status=HOMES, age_band=BANDS))


def some(words: tuple[str, ...], rng: np.random.Generator) -> list[list[str] | None]:
    drawn = [[word for word in words if rng.random() < 0.6] for _ in range(N)]
    return [own if rng.random() < 0.8 else None for own in drawn]


def people_of(catalogue: Catalogue, **columns: Any) -> tuple[Population, dict[str, pd.DataFrame]]:
    tables = make_tables(N, np.random.default_rng(4), **(EASY_TO_LIST | columns))
    people = recsys.load_population(tables, as_of="2026-03-02", catalogue=catalogue)
    return replace(people, relations=Relations.none(N)), tables


@pytest.fixture(scope="module")
def drawn() -> tuple[Population, dict[str, pd.DataFrame]]:
    rng = np.random.default_rng(9)
    return people_of(
        OWN,
        gender=[str(rng.choice(GENDERS)) if rng.random() < 0.8 else None for _ in range(N)],
        meets_genders=some(GENDERS, rng),
        household_status=rng.choice(HOMES, N).tolist(),
        accepts_household_status=[one or ["single"] for one in some(HOMES, rng)],
        age_band=rng.choice(BANDS, N).tolist(),
        accepts_age_bands=some(BANDS, rng),
        min_age_years=[int(one) if one > 25 else None for one in rng.integers(18, 35, N)],
    )


def test_the_compiled_rules_are_the_plain_ones_and_these_are_what_people_said(drawn: Any) -> None:
    people, tables = drawn
    i, j = np.divmod(np.arange(N * N, dtype=np.int32), N)
    said = tables["profiles"].sort_values("user_id").to_dict("records")
    first = {band: int(band[:2]) for band in BANDS}

    def meets(one: dict[str, Any], other: dict[str, Any]) -> tuple[bool, bool, bool]:
        told = "undisclosed" if pd.isna(other["gender"]) else other["gender"]
        gender = one["meets_genders"] is None or told in one["meets_genders"]
        home = other["household_status"] in one["accepts_household_status"]
        bands = one["accepts_age_bands"] is None or other["age_band"] in one["accepts_age_bands"]
        least = one["min_age_years"]
        return gender, home, bands and (pd.isna(least) or first[other["age_band"]] >= least)

    wanted = np.array([[meets(one, other) for other in said] for one in said])
    for at, rule in enumerate((Genders(), HouseholdStatus(), AgeBands())):
        plain, both = rule.allows(people, i, j), wanted[..., at] & wanted[..., at].T
        compiled = Policy((rule,)).compile(people)
        apart = (i != j) & compiled.listed[i] & compiled.listed[j]
        assert np.array_equal(plain[apart], both.ravel()[apart])
        assert np.array_equal(compiled.may_meet(i, j)[apart], plain[apart])
        assert 0 < plain[apart].mean() < 1


def test_other_spellings_of_the_words_change_no_list() -> None:
    rng = np.random.default_rng(2)
    said: dict[str, Any] = {
        "gender": rng.choice(["woman", "man", "nonbinary"], N).tolist(),
        "meets_genders": some(("woman", "man", "nonbinary"), rng),
        "household_status": rng.choice(["single", "married"], N).tolist(),
    }
    names = {"woman": "w", "man": "m", "nonbinary": "x", "single": "alone", "married": "wed"}
    renamed = {
        key: [[names[w] for w in one] if isinstance(one, list) else one and names[one] for one in column]
        for key, column in said.items()
    }
    said["accepts_household_status"] = [["single", "married"]] * N
    renamed["accepts_household_status"] = [["alone", "wed"]] * N
    own = Catalogue.of(words=words_of(gender=("x", "m", "w"), household_status=("wed", "alone")))
    lists = [
        World.of(people_of(catalogue, **columns)[0]).lists
        for catalogue, columns in ((load_catalogue(), said), (own, renamed))
    ]
    assert len(lists[0]) > N
    pd.testing.assert_frame_equal(lists[0], lists[1])


def test_a_page_is_filtered_by_own_words_and_newcomers_speak_them(drawn: Any, tmp_path: Path) -> None:
    people, tables = drawn
    rest, new = people.take(np.arange(1, N)), str(people.ids.ids([0])[0])
    world, model = World.of(rest), recsys.ContentModel().fit(rest, recsys.Events.none(), rng=1)
    world = replace(
        world, directed=model.directed(rest), lists=recsys.recommend(model, rest, world.policy, k=6)
    )
    world.publish(tmp_path, model=model)
    one = {name: frame[frame["user_id"] == new] for name, frame in tables.items() if "user_id" in frame}
    ranker = recsys.Ranker.open(tmp_path, safety=MemorySafety(), poll_s=0, newcomers=UNLIMITED)
    viewer = world.lists["viewer_id"].value_counts().index[0]

    def words(where: Filters | None) -> list[tuple[str | None, ...]]:
        rows = people.ids.rows([one.candidate_id for one in ranker.rank(viewer, 50, NOW, where=where).items])
        return [tuple(people.word(name, row) for name in ("gender", "age_band")) for row in rows]

    everybody = words(None)
    gender, band = next(pair for pair in everybody if None not in pair)
    filtered = words(Filters(genders=[str(gender)], ages=[str(band)]))
    assert len(everybody) > len(filtered) == everybody.count((gender, band))
    with pytest.raises(InputError, match="agender, undisclosed, male"):
        ranker.rank(viewer, 5, NOW, where=Filters(genders=["woman"]))
    arguments = {"proved_tokens": True}
    page = {item.candidate_id for item in ranker.rank(new, 50, NOW, profile=one, **arguments).items}
    may = Policy.default().may_show(people, np.zeros(N, int), np.arange(N))
    assert page
    assert page <= set(people.ids.ids(np.flatnonzero(may)))
    gone = sorted(page)[0]
    blocks = pd.DataFrame({"actor": [new], "target": [gone], "ts": ["2026-03-01T00:00Z"]})
    again = ranker.rank(new, 50, NOW, profile=one | {"blocks": blocks}, **arguments).items
    assert {item.candidate_id for item in again} == page - {gone}
    foreign = people_of(load_catalogue())[0].take([0])
    with pytest.raises(InputError, match="other words than the publication"):
        ranker.rank(new, 5, NOW, profile=foreign, **arguments)
    ranker.close()


def test_own_words_travel_and_their_labels_are_shown(drawn: Any, tmp_path: Path) -> None:
    people, _ = drawn
    write_people(people, tmp_path / "people")
    back = read_people(tmp_path / "people")
    assert back.catalogue.vocabulary("meets_genders") == GENDERS
    assert catalogue_from_json(catalogue_json(OWN)).version == OWN.version != load_catalogue().version
    sheet = data_sheet(back, "mapping:x").decode()
    assert "| my 60+ |" in sheet
    assert Texts("en", back.catalogue).word("meets_genders", "agender") == "my agender"
    lost = [(one.part, one.id) for one in catalogue_diff(load_catalogue(), OWN) if one.loses]
    assert {("gender", "woman"), ("age_band", "25-34")} <= set(lost)
    with pytest.raises(InputError, match="speaks the words of the package"):
        recsys.make_town(20, np.random.default_rng(1), catalogue=OWN)


def test_what_is_no_word_of_the_service_is_refused_row_by_row() -> None:
    rows = make_tables(2, np.random.default_rng(1), **EASY_TO_LIST | {"gender": ["woman", "agender"]})[
        "profiles"
    ]
    rows = rows.assign(
        household_status="widowed", accepts_household_status=[["single"]] * 2, age_band="40-59"
    )
    found = check_table("profiles", rows, catalogue=OWN)
    assert (found.accepted["gender"].tolist(), found.quarantined["codes"].tolist()) == (
        ["agender"],
        ["gender.unknown_word"],
    )
    young = rows.assign(gender="agender", age_years=[39, 40])
    assert check_table("profiles", young, catalogue=OWN).quarantined["codes"].tolist() == [
        "age_years.outside_band"
    ]


@pytest.mark.parametrize(
    ("field", "words", "problem"),
    [
        ("age_band", ["16-29", "30+"], "an age band under 18"),
        ("age_band", ["18-29", "31+"], "a gap, or one over another"),
        ("age_band", ["18-39", "30+"], "a gap, or one over another"),
        ("age_band", ["18-29", "30-20", "21+"], "ends before it begins"),
        ("age_band", ["18-29"], "the last age band is open"),
        ("age_band", ["twenties"], "no age band"),
        ("gender", ["A", "a"], "two spellings of one id"),
        ("gender", [f"g{n}" for n in range(65)], "too many words"),
        ("intents", ["dating"], "a safety word is fixed"),
        ("channels", ["phone"], "the words of a column are fixed"),
    ],
)
def test_words_that_could_not_be_kept_apart_or_that_safety_hangs_on_are_refused(
    field: str, words: list[str], problem: str
) -> None:
    with pytest.raises(InputError, match=problem):
        Catalogue.of(words=words_of(**{field: tuple(words)}))


def test_a_folder_and_a_mapping_bring_words(tmp_path: Path) -> None:
    (tmp_path / "words.yaml").write_text(
        "gender: {f: {ja: 女性, en: Woman}, m: Man}\nage_band: [18-29, 30-39, 40+]\n", "utf-8"
    )
    own = open_catalogue(tmp_path)
    assert own.vocabulary("gender") == ("f", "m", "undisclosed")
    found = CliRunner().invoke(app, ["catalogue", "check", str(tmp_path), "--lang", "en"]).output
    assert "words of gender: f, m, undisclosed" in found
    assert [own.label("meets_genders", "f", lang) for lang in ("ja", "en")] == ["女性", "Woman"]
    (tmp_path / "data").mkdir()
    files = {
        "data/members.csv": "id,born,sex\n1,1990-05-05,f\n2,1999-05-05,x\n",
        "data/kinds.csv": "code,name\nf,Woman\nm,Man\n",
        "mapping.yaml": "source: data\nas_of: 2026-06-30T12:00:00Z\ndeclared:\n"
        "  profiles.accepts_household_status: {value: all, document: terms 1}\n",
        "words.sql": "SELECT 'gender' AS field, code AS word, name AS label_en FROM kinds"
        " UNION ALL SELECT 'age_band', unnest(['18-29', '30-39', '40+']), NULL"
        " UNION ALL SELECT 'household_status', unnest(['alone', 'together']), NULL",
        "profiles.sql": "SELECT id AS user_id, sex AS gender, 'alone' AS household_status,"
        " 'age' AS verification, age_band(born) AS age_band,"
        " age_bands(25, 35) AS accepts_age_bands FROM members",
        "boundaries.sql": "SELECT id AS user_id FROM members",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8")
    found = map_tables(Mapping.read(tmp_path))
    profiles = found.tables["profiles"]
    assert profiles["age_band"].tolist() == ["30-39", "18-29"]
    assert list(profiles["accepts_age_bands"][0]) == ["18-29", "30-39"]
    assert profiles["accepts_household_status"][0] == ["alone", "together"]
    loaded = load_tables(found.tables, as_of="2026-06-30", catalogue=found.own)
    assert loaded.accepted["profiles"]["user_id"].tolist() == ["1"]
    assert loaded.quarantine["codes"].tolist()[0] == "gender.unknown_word"
