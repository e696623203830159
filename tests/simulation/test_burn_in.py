import numpy as np
import pandas as pd
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.catalogue.vocabulary import ENUMERATIONS
from recsys.constraints.policy import Policy
from recsys.simulation.town import Town
from recsys.storage.load import load_population

DAY = pd.Timedelta(days=1)


def impressions(town: Town) -> pd.DataFrame:
    events = town.tables[T.EVENTS]
    return events[events[C.TYPE] == "impression"]


@pytest.mark.parametrize("days_ago", [1, 25, 56])
def test_nobody_is_shown_whom_the_policy_forbids_that_night(town: Town, days_ago: int) -> None:
    night = town.as_of - days_ago * DAY
    people = load_population(town.tables, night, past=True)
    shown = impressions(town)
    tonight = shown[(shown[C.TS] >= night) & (shown[C.TS] < night + DAY)]
    assert len(tonight) > 100
    viewer, candidate = people.ids.rows(tonight[C.ACTOR]), people.ids.rows(tonight[C.TARGET])
    allowed = Policy.default().may_show(people, viewer, candidate)
    assert allowed.all(), tonight[~allowed].head()


def test_a_forbidden_exposure_is_detected(town: Town) -> None:
    night = town.as_of - 4 * DAY
    people = load_population(town.tables, night, past=True)
    shown = impressions(town)
    tonight = shown[(shown[C.TS] >= night) & (shown[C.TS] < night + DAY)]
    viewer = people.ids.rows(tonight[C.ACTOR])
    candidate = np.roll(people.ids.rows(tonight[C.TARGET]), 20)
    other = viewer != candidate
    assert not Policy.default().may_show(people, viewer[other], candidate[other]).all()


def test_every_exposure_has_its_place_and_propensity(town: Town) -> None:
    shown = impressions(town)
    assert shown[C.POSITION].between(1, 10).all()
    assert ((shown[C.PROPENSITY] > 0) & (shown[C.PROPENSITY] <= 1)).all()
    assert (shown[C.MODEL_VERSION] == "town-random").all()
    rest = town.tables[T.EVENTS].drop(shown.index)
    assert rest[[C.POSITION, C.PROPENSITY, C.MODEL_VERSION]].isna().all(axis=None)


def test_propensity_is_the_length_of_the_list_over_what_it_was_drawn_from(town: Town) -> None:
    """Summed over one list the propensities are its length: k entries of k / size, size once each."""
    shown = impressions(town)
    night = (shown[C.TS] - (town.as_of - 56 * DAY)) // DAY
    lists = shown.groupby([shown[C.ACTOR], night])
    sizes = pd.DataFrame(
        {"shown": lists.size(), "p": lists[C.PROPENSITY].first(), "n": lists[C.PROPENSITY].nunique()}
    )
    assert (sizes.n == 1).all()
    assert (sizes.p[sizes.shown < 9] == 1.0).mean() > 0.99  # a pass on the same night may shorten a list
    drawn_from = 10 / sizes.p[sizes.shown == 10]
    assert np.allclose(drawn_from, drawn_from.round())
    assert drawn_from.max() > 100


def test_positions_and_candidates_of_a_list_are_distinct(town: Town) -> None:
    shown = impressions(town)
    lists = shown.groupby([C.ACTOR, C.TS])
    assert (lists[C.POSITION].nunique() == lists.size()).all()
    assert (lists[C.POSITION].max() - lists.size()).between(0, 3).all()
    assert (lists[C.POSITION].max() == lists.size()).mean() > 0.95
    assert (lists[C.TARGET].nunique() == lists.size()).all()


def test_a_blocked_pair_is_never_shown_again(town: Town) -> None:
    events = town.tables[T.EVENTS]
    ended = events[events[C.TYPE].isin(["block", "report", "hide", "pass", "end"])]
    first = _unordered(ended).groupby("pair")[C.TS].min()
    shown = _unordered(impressions(town))
    after = shown["pair"].map(first) < shown[C.TS]
    assert not after.any()
    assert first.index.isin(shown["pair"]).mean() > 0.5


def test_blocks_and_reports_are_in_the_safety_tables_too(town: Town) -> None:
    events = town.tables[T.EVENTS]
    for name, kind in ((T.BLOCKS, "block"), (T.REPORTS, "report")):
        logged = events[events[C.TYPE] == kind][[C.ACTOR, C.TARGET]].drop_duplicates()
        kept = town.tables[name][[C.ACTOR, C.TARGET]].drop_duplicates()
        assert sorted(map(tuple, logged.to_numpy())) == sorted(map(tuple, kept.to_numpy()))
        assert len(kept) > 5
    assert set(town.tables[T.HOLDS][C.STATE]) <= {"active", "lifted"}


def test_likes_come_after_a_look_or_through_the_inbox(town: Town) -> None:
    events = town.tables[T.EVENTS]
    likes = events[events[C.TYPE] == "like"]
    assert not likes.duplicated([C.ACTOR, C.TARGET]).any()
    shown = set(zip(impressions(town)[C.ACTOR], impressions(town)[C.TARGET], strict=True))
    from_list = likes[likes[C.SURFACE] == "list"]
    assert set(zip(from_list[C.ACTOR], from_list[C.TARGET], strict=True)) <= shown
    everybody = set(zip(likes[C.ACTOR], likes[C.TARGET], strict=True))
    answers = likes[likes[C.SURFACE] == "inbox"]
    assert {(b, a) for a, b in zip(answers[C.ACTOR], answers[C.TARGET], strict=True)} <= everybody


def test_only_matched_pairs_have_messages_and_meetings(town: Town) -> None:
    events = town.tables[T.EVENTS]
    likes = events[events[C.TYPE] == "like"]
    liked = set(zip(likes[C.ACTOR], likes[C.TARGET], strict=True))
    later = events[
        events[C.TYPE].isin(["message", "rules_agreed", "meet_planned", "meet_feedback", "feeling_check"])
    ]
    assert len(later) > 1000
    assert all(
        (a, b) in liked and (b, a) in liked for a, b in zip(later[C.ACTOR], later[C.TARGET], strict=True)
    )


def test_nothing_happens_between_a_blocked_pair(town: Town) -> None:
    events = town.tables[T.EVENTS]
    blocked = _unordered(events[events[C.TYPE] == "block"]).groupby("pair")[C.TS].min()
    others = _unordered(events[~events[C.TYPE].isin(["block", "report"]) & events[C.TARGET].notna()])
    assert not (others["pair"].map(blocked) < others[C.TS]).any()


def test_people_who_left_neither_see_nor_are_seen(town: Town) -> None:
    profiles = town.tables[T.PROFILES].drop_duplicates(C.USER, keep="last")
    left = profiles[profiles[C.ACTIVITY] == "dormant"].set_index(C.USER)[C.VALID_FROM]
    shown = impressions(town)
    for column in (C.ACTOR, C.TARGET):
        assert not (shown[column].map(left) < shown[C.TS]).any()
    assert set(ENUMERATIONS[C.TYPE].words) - set(town.tables[T.EVENTS][C.TYPE]) <= {
        "erase",
        "unblock",
        "undo",
    }  # nobody of the town does any of them


def _unordered(events: pd.DataFrame) -> pd.DataFrame:
    low = np.minimum(events[C.ACTOR].to_numpy(object), events[C.TARGET].to_numpy(object))
    high = np.maximum(events[C.ACTOR].to_numpy(object), events[C.TARGET].to_numpy(object))
    return events.assign(pair=low + "|" + high)
