"""Bands a healthy town of 2,000 stays in; each is wide enough for another seed."""

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.constraints.policy import Policy
from recsys.simulation.town import Town
from recsys.storage.load import load_population


def test_most_people_are_listed_and_have_tens_to_hundreds_to_meet(town: Town) -> None:
    people = load_population(town.tables, town.as_of)
    compiled = Policy.default().compile(people)
    assert 0.74 < compiled.listed.mean() < 0.86
    listed = np.flatnonzero(compiled.listed)
    eligible = compiled.may_meet_block(listed, listed).sum(axis=1)
    assert 20 < np.median(eligible) < 400
    assert 0.05 < (eligible < 20).mean() < 0.45
    assert (eligible == 0).mean() < 0.1


def test_the_funnel_narrows_step_by_step(town: Town) -> None:
    events = town.tables[T.EVENTS]
    count = events[C.TYPE].value_counts()
    likes = events[events[C.TYPE] == "like"]
    from_list = int((likes[C.SURFACE] == "list").sum())
    assert 40_000 < len(events) < 150_000
    assert 0.08 < from_list / count["impression"] < 0.25
    pairs = set(zip(likes[C.ACTOR], likes[C.TARGET], strict=True))
    mutual = sum((b, a) in pairs for a, b in pairs) / 2
    assert 0.02 < mutual / count["impression"] < 0.10
    conversations = events[(events[C.TYPE] == "message") & events[C.REPLY_LAG_H].notna()]
    answered = len({frozenset(p) for p in zip(conversations[C.ACTOR], conversations[C.TARGET], strict=True)})
    agreed = count["rules_agreed"] / 2
    met = count["meet_planned"]
    assert from_list > mutual > answered > agreed > met > 5


def test_the_top_of_a_list_is_liked_more(town: Town) -> None:
    events = town.tables[T.EVENTS]
    shown = events[events[C.TYPE] == "impression"]
    liked = events[(events[C.TYPE] == "like") & (events[C.SURFACE] == "list")]
    pairs = pd.MultiIndex.from_frame(liked[[C.ACTOR, C.TARGET]])
    hit = pd.Series(pd.MultiIndex.from_frame(shown[[C.ACTOR, C.TARGET]]).isin(pairs), index=shown.index)
    by_position = hit.groupby(shown[C.POSITION]).mean()
    assert by_position.loc[1] > 1.5 * by_position.loc[6:10].mean()


def test_popularity_is_skewed(town: Town) -> None:
    events = town.tables[T.EVENTS]
    likes = events[(events[C.TYPE] == "like") & (events[C.SURFACE] == "list")]
    received = np.sort(likes[C.TARGET].value_counts().to_numpy())
    top_tenth = received[-len(received) // 10 :].sum() / received.sum()
    assert 0.2 < top_tenth < 0.6


def test_bad_actors_ask_and_are_answered(town: Town) -> None:
    events = town.tables[T.EVENTS]
    asked = events[events[C.TYPE].isin(["money_request", "off_platform_request"])]
    assert len(asked) > 3
    abuse_kind = town.residents.abuse_kind[town.ids.rows(asked[C.ACTOR])]
    assert (abuse_kind >= 0).all()
    assert (town.residents.abuse_kind >= 0).mean() < 0.03
    blocked = set(zip(*(town.tables[T.BLOCKS][c] for c in (C.ACTOR, C.TARGET)), strict=True))
    assert np.mean([(b, a) in blocked for a, b in zip(asked[C.ACTOR], asked[C.TARGET], strict=True)]) > 0.3
