"""How far two people seem to have come: counts, replays and feedback that never happened."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from recsys.data import pair_stage
from tests.benchmarks.attacks import Verdict, attack
from tests.data.timeline import events

BOTH: Final = (("a", "b"), ("b", "a"))
Line = tuple[Any, ...]
LISTED: Final[list[Line]] = [
    (0, who, kind, None, tier)
    for who in "ab"
    for kind, tier in (("terms_accepted", None), ("verified", "age"))
]
MATCHED: Final = [*LISTED, *((1, who, "like", other) for who, other in BOTH)]
WROTE: Final = [*MATCHED, *((2 + at, who, "message", other) for at in range(8) for who, other in BOTH)]
PROVED: Final = [
    *((11, who, "optin", other, "meet") for who, other in BOTH),
    *((11, who, "verified", None, "id") for who in "ab"),
]
AGREED: Final = [(12, who, "rules_agreed", other) for who, other in BOTH]
PLANNED: Final = [(14, "a", "meet_planned", "b", "cafe_day/day")]


def _is_not(stages: Sequence[str], lines: Sequence[Line]) -> Verdict:
    """Return held when the stage of the two is none of these."""
    found = pair_stage(events(*lines), "a", "b").name
    return Verdict.of(found not in stages, f"the stage is {found}")


AHEAD: Final = ("acquainted", "meeting", "ongoing")
TRIES: Final[dict[str, tuple[Sequence[str], list[Line]]]] = {
    "one message on day 0, five minutes on day 7": (
        AHEAD,
        [*MATCHED, *((at, who, "message", other) for at in (2, 9) for who, other in BOTH)],
    ),
    "a hundred messages in a day": (
        AHEAD,
        [*MATCHED, *((2 + at / 200, who, "message", other) for at in range(100) for who, other in BOTH)],
    ),
    "one writes every day, the other never": (
        AHEAD,
        [*MATCHED, *((2 + at, "a", "message", "b") for at in range(40))],
    ),
    "days that never meet": (
        AHEAD,
        [*MATCHED, *((2 + at, "ab"[at % 2], "message", "ba"[at % 2]) for at in range(8))],
    ),
    "messages before the match": (
        AHEAD,
        [
            *LISTED,
            *((1 + at, who, "message", other) for at in range(9) for who, other in BOTH),
            *((20, who, "like", other) for who, other in BOTH),
        ],
    ),
    "rules agreed before the match": (
        ("meeting", "ongoing"),
        [
            *LISTED,
            *((0.5, who, "rules_agreed", other) for who, other in BOTH),
            *WROTE[len(LISTED) :],
            *PROVED,
        ],
    ),
    "rules agreed by one": (("meeting", "ongoing"), [*WROTE, *PROVED, AGREED[0], AGREED[0]]),
    "feedback without a meeting": (
        ("ongoing",),
        [*WROTE, *PROVED, *AGREED, *((15, who, "meet_feedback", other, "safe_again") for who, other in BOTH)],
    ),
    "feedback before the meeting": (
        ("ongoing",),
        [
            *WROTE,
            *PROVED,
            *AGREED,
            *((13, who, "meet_feedback", other, "safe_again") for who, other in BOTH),
            *PLANNED,
        ],
    ),
    "two feedbacks by one": (
        ("ongoing",),
        [*WROTE, *PROVED, *AGREED, *PLANNED, *((15, "a", "meet_feedback", "b", "safe_again"),) * 2],
    ),
    "an identity withdrawn": (
        ("meeting", "ongoing"),
        [*WROTE, *PROVED, *AGREED, (13, "b", "verified", None, "age")],
    ),
    "an opt-in of one": (("meeting", "ongoing"), [*WROTE, PROVED[0], *PROVED[2:], *AGREED]),
    "a block beside everything": (
        ("listed", "matched", *AHEAD),
        [*WROTE, *PROVED, *AGREED, (13, "a", "block", "b")],
    ),
    "an unsafe meeting": (
        ("listed", "matched", *AHEAD),
        [*WROTE, *PROVED, *AGREED, *PLANNED, (15, "a", "meet_feedback", "b", "unsafe")],
    ),
    "likes by one twice": (("matched", *AHEAD), [*LISTED, (1, "a", "like", "b"), (2, "a", "like", "b")]),
    "no terms": (("listed", "matched", *AHEAD), MATCHED[1:]),
}
for _name, (_stages, _lines) in TRIES.items():
    attack("stages", _name, partial(_is_not, _stages, _lines))


def _inflated() -> Verdict:
    frame = events(
        *MATCHED, *((2 + at, who, "message", other) for at in range(2) for who, other in BOTH)
    ).frame
    from recsys.data.events import Events

    found = pair_stage(Events(frame.assign(count=1_000_000)), "a", "b").name
    return Verdict.of(found not in AHEAD, f"the stage is {found} with count=1000000")


attack("stages", "count=1000000", _inflated)
