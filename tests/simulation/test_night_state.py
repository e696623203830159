"""Attention is finite: places in an inbox, and time for talks."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from recsys.random import KeyedGenerator
from recsys.simulation.browsing import _places
from recsys.simulation.conversations import hold_conversations
from recsys.simulation.event_log import TYPES, EventLog
from recsys.simulation.night_state import DAY, DirectedEvents, NightContext, NightState, RecentEvents
from recsys.simulation.settings import AbuseSettings, TownSettings
from recsys.simulation.town import Town

FUNNEL = TownSettings().funnel


def pairs(*rows: tuple[int, int, int]) -> DirectedEvents:
    return DirectedEvents(*np.array(rows, np.int64).reshape(-1, 3).T)


def test_new_likes_are_ranked_among_waiting_ones() -> None:
    """Person 9 likes 1, 2, 3, 4 less and less; 1 and 4 are new, 2 and 3 wait, 5 waits for somebody else."""
    logits = {(9, 1): 4.0, (9, 2): 3.0, (9, 3): 2.0, (9, 4): 1.0, (8, 5): 9.0}
    truth = SimpleNamespace(logit=lambda j, i: np.array([logits[key] for key in zip(j, i, strict=True)]))
    context = SimpleNamespace(
        truth=truth, night_state=SimpleNamespace(waiting=pairs((2, 9, 0), (3, 9, 0), (5, 8, 0)))
    )
    assert _places(context, np.array([9, 9]), np.array([4.0, 1.0])).tolist() == [1.0, 4.0]


def recent(*rows: tuple[float, str, int, int]) -> RecentEvents:
    return RecentEvents(
        np.array([int(day * DAY) for day, *_ in rows], np.int64),
        np.array([TYPES.index(kind) for _, kind, _, _ in rows], np.int8),
        np.array([actor for *_, actor, _ in rows], np.int64),
        np.array([target for *_, target in rows], np.int64),
    )


@pytest.mark.parametrize(
    ("answer", "still"),
    [
        (None, True),
        ((9.0, "like", 1, 0), False),
        ((9.0, "pass", 1, 0), False),
        ((9.0, "block", 0, 1), False),
        ((11.0, "like", 1, 0), True),  # not read yet
        ((9.0, "like", 2, 0), True),
    ],
)
def test_a_like_waits_until_it_is_answered(answer: tuple[float, str, int, int] | None, still: bool) -> None:
    done = recent((8.0, "like", 0, 1), *([answer] if answer else []))
    likes = np.unique(done.actor[done.are("like")] * 3 + done.target[done.are("like")])
    found = NightState.at(10 * DAY, 3, likes=likes, recent=done, s=FUNNEL)
    assert ((found.waiting.actor == 0) & (found.waiting.target == 1)).any() == still


def test_a_waiting_like_expires() -> None:
    done = recent((8.0, "like", 0, 1))
    later = NightState.at((8 + FUNNEL.inbox_days + 1) * DAY, 3, likes=np.array([1]), recent=done, s=FUNNEL)
    assert not len(later.waiting)


def test_ongoing_conversations_are_counted_once_a_pair() -> None:
    done = recent(
        (9.0, "message", 0, 1), (9.5, "message", 1, 0), (9.0, "message", 0, 2), (1.0, "message", 1, 2)
    )
    found = NightState.at(10 * DAY, 3, likes=np.empty(0, np.int64), recent=done, s=FUNNEL)
    assert found.talking.tolist() == [2, 1, 1]


def test_people_in_many_conversations_answer_less(town: Town) -> None:
    n = len(town.ids)
    a, b = np.arange(0, n - 1, 2), np.arange(1, n, 2)
    matches = DirectedEvents(a, b, np.zeros(len(a), np.int64))
    free = NightState.at(0, n, likes=np.empty(0, np.int64), recent=RecentEvents.none(), s=FUNNEL)
    crowded = replace(free, talking=np.full(n, 4 * FUNNEL.conversations_at_once - 1))
    answered = []
    for night_state in (free, crowded):
        context = NightContext(
            town.residents, town.truth, FUNNEL, AbuseSettings(), night_state, KeyedGenerator(1), EventLog()
        )
        answered.append(len(hold_conversations(context, matches)))
    assert answered[1] / answered[0] == pytest.approx(0.25, abs=0.06)
