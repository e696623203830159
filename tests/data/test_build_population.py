import numpy as np
import pandas as pd
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.data.build_population import build_population
from recsys.data.times import as_utc
from recsys.errors import InputError
from recsys.storage.load import load_population
from recsys.testing.people import AS_OF, canonical, make_people, make_tables

JANUARY, FEBRUARY, MARCH = (as_utc(f"2026-0{month}-01") for month in (1, 2, 3))


def profiles(**columns):
    return pd.DataFrame({C.USER: ["b", "a"]} | columns)


def test_rows_are_in_id_order_and_unknown_stays_unknown():
    people = build_population(
        {T.PROFILES: profiles(gender=["man", None], max_distance_km=[25, np.nan])}, AS_OF
    )
    assert list(people.ids.values) == ["a", "b"]
    assert people.codes(C.GENDER).tolist() == [-1, 1]
    assert people.amounts(C.MAX_DISTANCE_KM).tolist() == [-1, 25]
    assert people.word(C.GENDER, 0) is None
    assert not people.has_boundaries.any()


def test_a_column_that_is_absent_is_unknown_for_everybody():
    people = build_population({T.PROFILES: profiles()}, AS_OF)
    for column in (C.GENDER, C.INTENTS, C.MAX_DISTANCE_KM, C.CELL, C.TZ, C.CHANNELS):
        assert not people.known(column).any(), column


def test_values_are_those_valid_at_the_time():
    history = pd.DataFrame(
        {
            C.USER: ["a", "a", "a"],
            C.GENDER: ["woman", "nonbinary", "man"],
            C.VALID_FROM: [JANUARY, FEBRUARY, MARCH],
        }
    )
    at = lambda time: build_population({T.PROFILES: history}, time).word(C.GENDER, 0)  # noqa: E731
    assert at(JANUARY) == "woman"
    assert at(FEBRUARY + pd.Timedelta(days=3)) == "nonbinary"
    assert at(as_utc("2027-01-01")) == "man"


def test_later_profiles_are_absent():
    late = pd.DataFrame({C.USER: ["a", "z"], C.VALID_FROM: [JANUARY, MARCH]})
    assert list(build_population({T.PROFILES: late}, FEBRUARY).ids.values) == ["a"]


def test_a_lifted_hold_no_longer_counts():
    holds = pd.DataFrame(
        {
            C.USER: ["a", "a", "b"],
            C.TS: [JANUARY, FEBRUARY, FEBRUARY],
            C.STATE: ["active", "lifted", "active"],
        }
    )
    at = lambda time: build_population({T.PROFILES: profiles(), T.HOLDS: holds}, time).held.tolist()  # noqa: E731
    assert at(JANUARY) == [True, False]
    assert at(MARCH) == [False, True]


def test_a_later_answer_replaces_an_earlier_one():
    answers = pd.DataFrame(
        {
            C.USER: ["a", "a"],
            C.QUESTION: ["q", "q"],
            C.ANSWER: ["no", "yes"],
            C.VALID_FROM: [FEBRUARY, JANUARY],
        }
    )
    people = build_population({T.PROFILES: profiles(), T.ANSWERS: answers}, MARCH)
    assert people.long.answers[C.ANSWER].tolist() == ["no"]


def test_rows_of_unknown_ids_are_dropped():
    circles = pd.DataFrame({C.USER: ["a", "stranger"], C.COMMUNITY: ["c1", "c1"]})
    people = build_population({T.PROFILES: profiles(), T.COMMUNITIES: circles}, AS_OF)
    assert people.long.communities[C.ROW].tolist() == [0]


def test_profiles_are_required():
    with pytest.raises(InputError, match="needs profiles"):
        build_population({}, AS_OF)


def test_the_population_is_invariant_to_row_order():
    rng = np.random.default_rng(3)
    tables = {name: canonical(table) for name, table in make_tables(40, rng).items()}
    shuffled = {name: table.sample(frac=1, random_state=1) for name, table in tables.items()}
    a, b = build_population(tables, AS_OF), build_population(shuffled, AS_OF)
    assert a.ids == b.ids
    np.testing.assert_array_equal(a.sets(C.CONTACT_WINDOWS), b.sets(C.CONTACT_WINDOWS))
    np.testing.assert_array_equal(a.cells, b.cells)
    np.testing.assert_array_equal(a.utc_hours, b.utc_hours)


def test_taking_some_people_keeps_each_as_they_are():
    people = make_people(60, np.random.default_rng(5))
    rows = np.array([41, 7, 23, 8, 50])
    some = people.take(rows)
    assert list(some.ids.values) == sorted(people.ids.ids(rows))
    for new, old in enumerate(np.sort(rows)):
        assert some.word(C.AGE_BAND, new) == people.word(C.AGE_BAND, old)
        assert some.words(C.LANGUAGES, new) == people.words(C.LANGUAGES, old)
        tags = [
            p.long.interests.loc[p.long.interests[C.ROW] == r, C.TAG].tolist()
            for p, r in ((some, new), (people, old))
        ]
        assert tags[0] == tags[1]
    kept = {tuple(people.ids.ids(pair)) for pair in people.relations.excluded if np.isin(pair, rows).all()}
    assert {tuple(some.ids.ids(pair)) for pair in some.relations.excluded} == kept


def test_languages_need_more_than_one_word_and_keep_every_code():
    people = build_population({T.PROFILES: profiles(languages=[("ja", "zu"), ("aa",)])}, AS_OF)
    assert people.words(C.LANGUAGES, 1) == {"ja", "zu"}
    assert people.has_word(C.LANGUAGES, "zu").tolist() == [False, True]


@pytest.mark.parametrize("name", ["interests", "talk_topics", "communities"])
def test_what_was_said_later_is_not_known_at_a_moment_of_the_past(name):
    """An interest taken over after a like would else tell of the like that it followed."""
    tables = make_tables(6, np.random.default_rng(0))
    rows = tables[name].reset_index(drop=True)
    later = np.arange(len(rows)) % 2 == 1
    times = np.where(later, pd.Timestamp("2026-01-04", tz="UTC"), pd.Timestamp("2026-01-02", tz="UTC"))
    times[0] = pd.NaT
    dated = tables | {name: rows.assign(valid_from=pd.to_datetime(times, utc=True))}
    before, after = (load_population(dated, as_of=day, past=True) for day in ("2026-01-03", "2026-01-05"))
    assert 0 < later.sum() < len(rows)
    assert len(getattr(before.long, name)) == (~later).sum()
    assert len(getattr(after.long, name)) == len(getattr(load_population(tables).long, name)) == len(rows)
