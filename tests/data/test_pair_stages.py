"""Stages of pairs: forward needs both people, one closes, and all pairs agree with the plain definition."""

from dataclasses import replace
from importlib import import_module
from itertools import combinations, pairwise
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.catalogue import load_catalogue
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.stages import FACTS
from recsys.catalogue.vocabulary import EVENT_DETAILS, PERSONAL_EVENTS
from recsys.data import Events, pair_stage, pair_stages
from recsys.data.pair_stages import PairEvents, PairStage, opted_in, pair_facts
from recsys.errors import InputError
from tests.data.plain_pair_stage import both_opted_in, plain_stage, stage_facts
from tests.data.timeline import day, events

BOTH = ("a", "b"), ("b", "a")
LISTED = [
    (0, who, kind, None, tier)
    for who in "ab"
    for kind, tier in (("terms_accepted", None), ("verified", "age"))
]
MATCHED = [*LISTED, *((1, who, "like", other) for who, other in BOTH)]
ACQUAINTED = [*MATCHED, *((2 + at, who, "message", other) for at in range(8) for who, other in BOTH)]
MEETING = [
    *ACQUAINTED,
    *((11, who, "optin", other, "meet") for who, other in BOTH),
    *((11, who, "verified", None, "id") for who in "ab"),
    *((12, who, "rules_agreed", other) for who, other in BOTH),
]
ONGOING = [
    *MEETING,
    (14, "a", "meet_planned", "b", "cafe_day/day"),
    *((15, who, "meet_feedback", other, "safe_again") for who, other in BOTH),
]


@pytest.mark.parametrize(
    ("lines", "stage"),
    [
        ([], "unlisted"),
        (LISTED, "listed"),
        (LISTED[:3], "unlisted"),
        (MATCHED, "matched"),
        (MATCHED[:-1], "listed"),
        (ACQUAINTED, "acquainted"),
        (ACQUAINTED[:-6], "matched"),
        (MEETING, "meeting"),
        (MEETING[:-1], "acquainted"),
        (ONGOING, "ongoing"),
        (ONGOING[:-1], "meeting"),
        ([line for line in ONGOING if line[2] != "meet_planned"], "meeting"),
        (MATCHED[len(LISTED) :], "unlisted"),
    ],
)
def test_each_stage_needs_the_facts_of_both(lines: list[tuple[Any, ...]], stage: str) -> None:
    assert pair_stage(events(*lines), "a", "b").name == stage
    assert pair_stage(events(*lines), "b", "a").name == stage


@pytest.mark.parametrize(
    "line",
    [
        (20, "a", "end", "b", "amicable"),
        (20, "b", "block", "a"),
        (20, "b", "report", "a", "other"),
        (20, "a", "meet_feedback", "b", "unsafe"),
        (20, "a", "erase"),
    ],
)
def test_one_person_closes_at_once(line: tuple[Any, ...]) -> None:
    assert pair_stage(events(*ONGOING, line), "a", "b").name == "closed"
    assert pair_stage(events(*ONGOING, line), "a", "b", as_of=day(19)).name == "ongoing"


def test_a_block_that_is_taken_back_reopens_the_stage_and_another_closes_it() -> None:
    blocked = (*ONGOING, (20, "b", "block", "a"), (21, "a", "unblock", "b"))
    back = (*blocked, (22, "b", "unblock", "a"))
    found = [
        pair_stage(events(*lines), "a", "b").name
        for lines in (
            blocked,
            back,
            (*back, (23, "a", "block", "b")),
            (*back, (23, "b", "end", "a", "unsafe")),
        )
    ]
    assert found == ["closed", "ongoing", "closed", "closed"]


@pytest.mark.parametrize(
    "line",
    [
        (20, "a", "money_request", "b"),
        (20, "a", "off_platform_request", "b"),
        (20, "a", "feeling_check", "b", "pressured"),
        (13, "a", "meet_planned", "b", "private/day"),
        (13, "a", "meet_planned", "b", "cafe_day/night"),
    ],
)
def test_a_flag_drops_the_pair(line: tuple[Any, ...]) -> None:
    assert pair_stage(events(*ONGOING, line), "a", "b").name == "matched"


@pytest.mark.parametrize(
    "line", [(13, "a", "meet_planned", "b", "cafe_day/day"), (20, "a", "meet_planned", "b", "other/evening")]
)
def test_plans_by_day_or_after_trust_are_no_flag(line: tuple[Any, ...]) -> None:
    assert pair_stage(events(*ONGOING, line), "a", "b").name == "ongoing"


def test_events_of_other_people_change_no_stage() -> None:
    others = [(20, "c", "block", "a"), (20, "a", "end", "c", "unsafe")]
    assert pair_stage(events(*ONGOING, *others), "a", "b").name == "ongoing"


STAGES = load_catalogue().stages
WHO = "abc"
ORDER = {name: code for code, name in enumerate(STAGES.names)}


KINDS = (
    *(
        "like",
        "like",
        "pass",
        "hide",
        "undo",
        "message",
        "message",
        "message",
        "optin",
        "rules_agreed",
        "verified",
    ),
    *("meet_feedback", "meet_feedback", "meet_planned", "feeling_check", "terms_accepted", "impression"),
)
RARE = ("end", "block", "block", "unblock", "report", "erase", "money_request", "off_platform_request")
OFTEN = ("meet", "id", "safe_again", "lunch/day", "comfortable")
STORIES = (LISTED, MATCHED, ACQUAINTED, MEETING, ONGOING, ONGOING)


def one_event(rng: np.random.Generator, kinds: tuple[str, ...]) -> tuple[Any, ...]:
    kind = str(rng.choice(kinds))
    actor, other = rng.permutation(list(WHO))[:2].tolist()
    alone = kind in PERSONAL_EVENTS or (kind == "optin" and rng.random() < 0.4)
    detail = None
    if kind in EVENT_DETAILS:
        common = [word for word in EVENT_DETAILS[kind] if word in OFTEN]
        detail = str(rng.choice(common if common and rng.random() < 0.5 else EVENT_DETAILS[kind]))
    count = [None, 1, 3, 5][rng.integers(4)]
    return (int(rng.integers(0, 25)), actor, kind, None if alone else other, detail, count)


def extra(seed: int, kinds: tuple[str, ...], most: int = 12) -> list[tuple[Any, ...]]:
    rng = np.random.default_rng(seed)
    return [one_event(rng, kinds) for _ in range(rng.integers(0, most + 1))]


@st.composite
def histories(draw: st.DrawFn) -> Events:
    """One of the standard stories, now and then with lines lost, with anything else between."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    story = STORIES[rng.integers(len(STORIES))]
    lost = rng.choice([0.0, 0.06])
    told = [line for line in story if rng.random() >= lost]
    more = extra(int(rng.integers(2**32)), KINDS)
    harm = extra(int(rng.integers(2**32)), RARE, most=1)
    return events(*told, *more, *harm)


@settings(max_examples=20)
@given(history=histories(), at=st.sampled_from([None, 2, 9, 14, 30]), held=st.sampled_from(["", "a", "bz"]))
def test_stages_equal_the_plain_definition(history: Events, at: int | None, held: str) -> None:
    as_of = None if at is None else day(at)
    found = pair_stages(history, as_of, held=list(held), unlisted=["c"] if held else [])
    for a, b in combinations([*WHO, "nobody"], 2):
        gates = {"held": list(held), "unlisted": ["c"] if held else []}
        plain, one = (stage(history, a, b, as_of, **gates) for stage in (plain_stage, pair_stage))
        assert found.of([a, b], [b, a]).tolist() == [plain.name] * 2
        assert (one.name, one.fields("general_job", "general_job")) == (
            plain.name,
            plain.fields("general_job", "general_job"),
        )


@settings(max_examples=40)
@given(history=histories(), at_once=st.integers(1, 12), held=st.sampled_from(["", "a", "bz"]))
def test_events_in_parts_make_the_same_stages(history: Events, at_once: int, held: str) -> None:
    whole = pair_stages(history, held=list(held))
    with patch.object(import_module("recsys.data.pair_stages"), "_EVENTS_AT_ONCE", at_once):
        parts = pair_stages(history, held=list(held))
    assert parts.people.equals(whole.people)
    for name in ("closed", "listed", "pair", "stage", "check_due"):
        assert getattr(parts, name).tobytes() == getattr(whole, name).tobytes()


@settings(max_examples=60)
@given(history=histories())
def test_every_fact_equals_its_plain_definition(history: Events) -> None:
    between = PairEvents.of(history.coded)
    facts = pair_facts(between, STAGES)
    assert set(facts) == set(FACTS)
    names = history.coded.people
    photos = opted_in(between, "photo")
    for at, (a, b) in enumerate(between.people.tolist()):
        known = history.of_pair(names[a], names[b])
        plain = stage_facts(known, names[a], names[b], STAGES)
        assert {fact: bool(value[at]) for fact, value in facts.items()} == plain
        assert bool(photos[at]) == both_opted_in(known, names[a], names[b], "photo")


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32 - 1))
def test_one_person_alone_cannot_advance_a_pair(seed: int) -> None:
    """Whatever one person does alone, a pair goes no further than what the other agreed to."""
    did = extra(seed, ("like", "message", "optin", "rules_agreed", "meet_feedback", "verified"), most=40)
    silent = events(*LISTED, *(line for line in did if line[1] == "a"))
    assert pair_stage(silent, "a", "b").name in ("unlisted", "listed", "closed")


@settings(max_examples=8)
@given(history=histories(), fans=st.integers(5, 30), shown=st.integers(0, 20), later=st.integers(0, 4000))
def test_popularity_exposure_and_time_advance_no_stage(
    history: Events, fans: int, shown: int, later: int
) -> None:
    """Money and popularity have no event to come in by; being liked by many and old changes no stage."""
    crowd = [(1, f"fan{n}", "like", "a") for n in range(fans)]
    seen = [(1, "b", "impression", "a") for _ in range(shown)]
    frame = events(*crowd, *seen).frame.assign(event_id=lambda t: "x" + t.event_id)
    both = Events.of(pd.concat([history.frame, frame], ignore_index=True))
    for a, b in combinations(WHO, 2):
        assert pair_stage(both, a, b, day(24 + later)).name == pair_stage(history, a, b).name
    assert not any(word in fact for fact in FACTS for word in ("paid", "money", "age_of", "popular", "since"))


@pytest.mark.parametrize("story", [MATCHED, ACQUAINTED, MEETING, ONGOING])
def test_a_hold_of_either_closes_and_only_while_it_lasts(story: list[tuple[Any, ...]]) -> None:
    told = events(*story)
    before = pair_stage(told, "a", "b").name
    for held in (["a"], ["b"]):
        assert pair_stage(told, "a", "b", held=held).name == "closed"
        assert pair_stages(told, held=held).of(["a"], ["b"]).tolist() == ["closed"]
    assert pair_stage(told, "a", "b").name == before


def test_a_held_person_has_closed_pairs_however_popular() -> None:
    crowd = [(1, f"fan{n:03d}", "like", "a") for n in range(200)]
    back = [(2, "a", "like", f"fan{n:03d}") for n in range(200)]
    told = pair_stages(events(*LISTED, *crowd, *back), held=["a"])
    assert set(told.of(["a"] * 200, [f"fan{n:03d}" for n in range(200)])) == {"closed"}
    assert told.frame().empty


def test_a_tier_taken_back_no_longer_counts() -> None:
    told = events(*MEETING, (13, "a", "verified", None, "age"))
    assert pair_stage(told, "a", "b").name == "acquainted"
    assert pair_stages(told).of(["a"], ["b"]).tolist() == ["acquainted"]


def test_erased_people_are_absent_from_the_frame() -> None:
    told = pair_stages(events(*ONGOING, (20, "a", "erase")))
    assert told.frame().empty
    assert told.of(["a"], ["b"]).tolist() == ["closed"]


def test_frame_lists_pairs_with_a_history() -> None:
    frame = pair_stages(events(*ONGOING, (3, "c", "like", "a"))).frame()
    assert frame.to_dict("records") == [
        {"user_a": "a", "user_b": "b", "stage": "ongoing"},
        {"user_a": "a", "user_b": "c", "stage": "unlisted"},
    ]


def test_no_events_give_unlisted_pairs() -> None:
    assert pair_stages(Events.none()).frame().empty
    assert pair_stages(Events.none()).of(["a"], ["b"]).tolist() == ["unlisted"]
    assert pair_stages(events(*LISTED)).of(["a"], ["b"]).tolist() == ["listed"]


def test_many_pairs_keep_their_order() -> None:
    rng = np.random.default_rng(0)
    lines = [(int(d), f"p{a}", "like", f"p{b}") for d, a, b in rng.integers(0, 20, (400, 3)) if a != b]
    grown = [
        (0, f"p{n}", kind, None, d)
        for n in range(20)
        for kind, d in (("terms_accepted", None), ("verified", "id"))
    ]
    told = events(*grown, *lines)
    a, b = (rng.permutation(20) for _ in range(2))
    ids_a, ids_b = [f"p{n}" for n in a], [f"p{n}" for n in b]
    plain = [plain_stage(told, x, y).name if x != y else "listed" for x, y in zip(ids_a, ids_b, strict=True)]
    assert pair_stages(told).of(ids_a, ids_b).tolist() == plain


def test_later_stages_show_more_and_the_ends_nothing() -> None:
    forward = [STAGES.shows(stage.name) for stage in STAGES.forward]
    assert all(earlier <= later for earlier, later in pairwise(forward))
    assert not STAGES.shows("unlisted")
    assert not STAGES.shows("closed")
    assert set(STAGES.never) == {"address", "employer", "family"}
    assert not set(STAGES.never) & set(STAGES.fields)
    with pytest.raises(InputError, match="unknown stage"):
        STAGES.shows("engaged")


def test_a_photo_needs_both_opt_ins_and_a_job_both_wishes() -> None:
    photos = [(12, who, "optin", other, "photo") for who, other in BOTH]
    one = pair_stage(events(*ACQUAINTED, photos[0]), "a", "b")
    two = pair_stage(events(*ACQUAINTED, *photos), "a", "b")
    assert "photo" not in one.fields("face_after_stage", "face_after_stage")
    assert "photo" in two.fields("nickname_only", "nickname_only")
    assert "photo" not in pair_stage(events(*MATCHED, *photos), "a", "b").fields()
    assert "general_job" in two.fields("general_job", "face_after_stage")
    for wishes in (("nickname_only", "general_job"), ("general_job", None), ("general_job",), ()):
        assert "general_job" not in two.fields(*wishes)


def test_a_closed_stage_shows_no_fields() -> None:
    """What a person must have done to be listed at all is what `codes` knows of people without a history."""
    assert STAGES.stages["listed"].needs == ("both_accepted_terms", "both_proved_age")
    stage = PairStage("closed", frozenset({"photo"}))
    assert stage.fields("face_after_stage", "face_after_stage") == frozenset()
    assert replace(stage, name="ongoing").fields() >= STAGES.shows("listed")
    assert C.DISCLOSURE == "disclosure"


WROTE = ("a", "message", "b"), ("b", "message", "a")
FIVE_AT_ONCE = [*MATCHED, *((2 + 2 * at, who, "message", other) for at in range(5) for who, other in BOTH)]


@pytest.mark.parametrize(
    ("story", "stage"),
    [
        (FIVE_AT_ONCE, "matched"),  # the first of each was no answer: they crossed
        ([*FIVE_AT_ONCE, *((at, *x) for at in (11, 12) for x in WROTE)], "acquainted"),
        ([*ONGOING, (15, "a", "meet_planned", "b", "cafe_day/evening")], "ongoing"),
        ([*ONGOING, (14.99, "a", "meet_planned", "b", "cafe_day/evening")], "matched"),
    ],
)
def test_events_at_the_same_instant(story: list[tuple[Any, ...]], stage: str) -> None:
    assert pair_stage(events(*story), "a", "b").name == stage
    assert pair_stages(events(*story)).of(["a"], ["b"]).tolist() == [stage]


def written(days: Any, **changes: Any) -> list[tuple[Any, ...]]:
    """Both wrote on these days, `count` messages at once."""
    return [(at, who, "message", other, None, changes.get("count", 1)) for at in days for who, other in BOTH]


@pytest.mark.parametrize(
    ("talk", "stage"),
    [
        (written(range(2, 9)), "acquainted"),
        (written([2, 2.003, 2.006, 9.01]), "matched"),  # one message on day 0 and five minutes on day 7
        (written([2 + at / 100 for at in range(90)]), "matched"),
        (written([2, 3], count=1_000_000), "matched"),
        (written([2, 3, 4] * 50), "matched"),  # replayed
        (written([at / 10 for at in range(1, 9)]) + written([2, 3]), "matched"),  # before the match
        ([line for line in written(range(2, 30)) if (line[0] % 2 == 0) == (line[1] == "a")], "matched"),
    ],
)
def test_only_days_on_which_both_wrote_after_the_match_count(talk: Any, stage: str) -> None:
    assert pair_stage(events(*MATCHED, *talk), "a", "b").name == stage


def test_rules_agreed_before_the_match_do_not_count() -> None:
    early = [(0.5, *line[1:]) if line[2] == "rules_agreed" else line for line in MEETING]
    assert pair_stage(events(*early), "a", "b").name == "acquainted"


@pytest.mark.parametrize("planned", [0.5, 15, 16])
def test_feedback_without_a_meeting_before_it_does_not_count(planned: float) -> None:
    moved = [(planned, *line[1:]) if line[2] == "meet_planned" else line for line in ONGOING]
    assert pair_stage(events(*moved), "a", "b").name == "meeting"


@settings(max_examples=20)
@given(history=histories(), times=st.integers(2, 4), count=st.sampled_from([2, 1_000_000]))
def test_replayed_events_and_inflated_counts_change_no_stage(history: Events, times: int, count: int) -> None:
    copies = [history.frame.assign(event_id=history.frame[C.EVENT] + f"-{n}") for n in range(times)]
    replayed = pd.concat(copies, ignore_index=True)
    said = replayed[C.TYPE] == "message"
    replayed[C.COUNT] = replayed[C.COUNT].mask(said, count)
    for a, b in combinations(WHO, 2):
        assert pair_stage(Events.of(replayed), a, b).name == pair_stage(history, a, b).name
