"""The stage of a pair, one step at a time."""

from typing import Any

import pytest

from recsys.data import pair_stage
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
ONGOING = [*MEETING, *((15, who, "meet_feedback", other, "safe_again") for who, other in BOTH)]


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
        (MATCHED[len(LISTED) :], "unlisted"),
    ],
)
def test_forward_needs_both(lines: list[tuple[Any, ...]], stage: str) -> None:
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


def test_other_people_change_nothing() -> None:
    others = [(20, "c", "block", "a"), (20, "a", "end", "c", "unsafe")]
    assert pair_stage(events(*ONGOING, *others), "a", "b").name == "ongoing"
