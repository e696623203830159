"""Conversations of matched pairs: messages, rules, meetings, feelings, and how they end."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.vocabulary import ENUMERATIONS
from recsys.simulation.night_state import DAY, HOUR, NOT_ABUSIVE, DirectedEvents, NightContext
from recsys.simulation.sampling import Step
from recsys.types import BoolArray, Float64Array, Int64Array


@dataclass(frozen=True, eq=False)
class Conversations:
    """Conversations of pairs: `a` wrote first, `b` answered; both rows `(n_talks,)`.

    ts: first answer. days: how long it lasted. rapport: how well they get on. asks: one of the two
    is a bad actor who made a move on day `days`.
    """

    a: Int64Array
    b: Int64Array
    ts: Int64Array
    days: Int64Array
    rapport: Float64Array
    asks: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.a)

    @property
    def end(self) -> Int64Array:
        """When the last day of each talk was over."""
        return self.ts + self.days * DAY

    def take(self, which: npt.NDArray[np.bool_]) -> "Conversations":
        """Return some of the conversations."""
        return Conversations(
            self.a[which],
            self.b[which],
            self.ts[which],
            self.days[which],
            self.rapport[which],
            self.asks[which],
        )


def hold_conversations(context: NightContext, matches: DirectedEvents) -> Conversations:
    """Log the messages of matched pairs; return those in which somebody answered.

    One row is what one person wrote to the other on one day: how many messages, and the hours until
    the first of them answered.
    """
    s, random = context.funnel, context.random
    a, b = matches.actor, matches.target
    rapport = context.truth.rapport(a, b)
    wrote = random.uniform(Step.FIRST, a, b) < s.first_message
    time_left = np.minimum(1.0, s.conversations_at_once / (1.0 + context.night_state.talking[b]))
    replies = time_left * expit(s.reply + s.rapport * rapport)
    answered = wrote & (random.uniform(Step.REPLY, b, a) < replies)
    first = matches.ts + _seconds(context, a, b)
    answer = first + _seconds(context, b, a)
    context.log.add("message", first[wrote], a[wrote], b[wrote], surface="talk", count=1)
    lag = (answer - first) / HOUR
    context.log.add(
        "message", answer[answered], b[answered], a[answered], surface="talk", count=1, lag=lag[answered]
    )
    abuse_kind = (context.people.abuse_kind[a] != NOT_ABUSIVE) | (context.people.abuse_kind[b] != NOT_ABUSIVE)
    asks = abuse_kind & (random.uniform(Step.ASK, a, b) < context.abuse.asks)
    days = _lengths(context, a, b, rapport)
    days = np.where(asks, np.minimum(days, 1 + days % 4), days)
    conversations = Conversations(a, b, answer, days, rapport, asks).take(answered)
    _write(context, conversations, first=conversations.a, second=conversations.b, turn=0)
    _write(context, conversations, first=conversations.b, second=conversations.a, turn=1)
    return conversations


def _lengths(context: NightContext, a: Int64Array, b: Int64Array, rapport: Float64Array) -> Int64Array:
    """Days until a talk stops: a constant chance a day, smaller the better the two get on."""
    s = context.funnel
    hazard = np.clip(s.stop_a_day * np.exp(-s.rapport * rapport), 1e-3, 0.9)
    days = np.log(context.random.uniform(Step.LENGTH, a, b)) / np.log1p(-hazard)
    return np.clip(np.floor(days), 0, s.max_conversation_days).astype(np.int64)


def _write(
    context: NightContext, conversations: Conversations, *, first: Int64Array, second: Int64Array, turn: int
) -> None:
    """Log the days on which `first` wrote to `second`; each writes as often as the rarer of the two."""
    s, random = context.funnel, context.random
    pair = np.repeat(np.arange(len(conversations)), conversations.days)
    day = np.arange(len(pair)) - np.repeat(
        np.cumsum(conversations.days) - conversations.days, conversations.days
    )
    i, j = first[pair], second[pair]
    speaks = np.minimum(context.people.speaks[first], context.people.speaks[second])[pair]
    written = random.uniform(Step.SPEAKS, i, j, day) < speaks
    pair, day, i, j = pair[written], day[written], i[written], j[written]
    extra = -np.log(random.uniform(Step.COUNT, i, j, day)) * (s.messages_a_day - 1.0)
    lag = _lag(context, i, j, day + 1).clip(0.05, 47.0)
    late = (random.uniform(Step.MOMENT, i, j, day) * (DAY - HOUR)).astype(np.int64)
    context.log.add(
        "message",
        conversations.ts[pair] + day * DAY + turn * 60 + late,
        i,
        j,
        surface="talk",
        count=1 + extra.clip(0, 40).astype(np.int64),
        lag=lag,
    )


def _lag(context: NightContext, i: Int64Array, j: Int64Array, turn: npt.ArrayLike = 0) -> Float64Array:
    return context.funnel.reply_hours * np.exp(0.9 * context.random.normal(Step.REPLY_TIME, i, j, turn))


def _seconds(context: NightContext, i: Int64Array, j: Int64Array) -> Int64Array:
    return (_lag(context, i, j).clip(0.05, 24.0 * 7) * HOUR).astype(np.int64)


ABUSE_KINDS: Final = ("money", "off_platform", "pushy")
"""What bad actors are after; `Residents.harm` is the position here."""

_ASK_EVENT: Final = MappingProxyType({"money": "money_request", "off_platform": "off_platform_request"})
_REPORTED_AS: Final = MappingProxyType(
    {"money": "money", "off_platform": "other", "pushy": "romance_pressure"}
)


def log_bad_endings(context: NightContext, conversations: Conversations) -> npt.NDArray[np.bool_]:
    """Log the conversations that end by abuse or by friction; return which they are."""
    _answer_bad_actors(context, conversations.take(conversations.asks))
    random = context.random
    a, b, ts = conversations.a, conversations.b, conversations.end + 2 * HOUR
    rubs = ~conversations.asks & (random.uniform(Step.FRICTION, a, b) < context.funnel.friction)
    tells = rubs & (random.uniform(Step.COMPLAIN, a, b) < 0.5)
    context.log.add("block", ts[rubs], b[rubs], a[rubs], surface="talk")
    context.log.add("report", ts[tells] + 60, b[tells], a[tells], surface="talk", detail="harassment")
    return rubs | conversations.asks


def log_amicable_endings(context: NightContext, conversations: Conversations) -> None:
    """Log amicable ends of conversations that led to nothing; most simply fall silent."""
    goodbye = (
        context.random.uniform(Step.GOODBYE, conversations.a, conversations.b) < context.funnel.says_goodbye
    )
    a, b, later = conversations.a, conversations.b, conversations.end + 40 * DAY
    context.log.add("end", later[goodbye], a[goodbye], b[goodbye], surface="talk", detail="amicable")


def _answer_bad_actors(context: NightContext, conversations: Conversations) -> None:
    abuse, random = context.abuse, context.random
    bad_first = context.people.abuse_kind[conversations.a] != NOT_ABUSIVE
    bad = np.where(bad_first, conversations.a, conversations.b)
    victim = np.where(bad_first, conversations.b, conversations.a)
    ts = conversations.end + HOUR
    kinds = context.people.abuse_kind[bad]
    for code, kind in enumerate(ABUSE_KINDS):
        of_kind = kinds == code
        if kind in _ASK_EVENT:
            context.log.add(_ASK_EVENT[kind], ts[of_kind], bad[of_kind], victim[of_kind], surface="talk")
        tells = of_kind & (random.uniform(Step.COMPLAIN, victim, bad) < abuse.victim_reports)
        context.log.add(
            "report", ts[tells] + 600, victim[tells], bad[tells], surface="talk", detail=_REPORTED_AS[kind]
        )
    blocks = random.uniform(Step.FRICTION, victim, bad) < abuse.victim_blocks
    context.log.add("block", ts[blocks] + 900, victim[blocks], bad[blocks], surface="talk")


SETTINGS: Final = ENUMERATIONS[C.MEETING_SETTINGS].words
_ONLINE: Final = SETTINGS.index("online_only")


def build_trust(context: NightContext, conversations: Conversations) -> BoolArray:
    """Log rules, opt-ins, meetings and feelings of talks that last; return who are still together."""
    s = context.funnel
    lasting = (conversations.days >= s.rules_after_days) & ~conversations.asks
    agreed = _both(context, conversations, Step.RULES, s.agrees_rules) & lasting
    since = conversations.ts + s.rules_after_days * DAY
    for who, other, wait in ((conversations.a, conversations.b, 3), (conversations.b, conversations.a, 9)):
        context.log.add(
            "rules_agreed", since[agreed] + wait * HOUR, who[agreed], other[agreed], surface="talk"
        )
        photo = agreed & (context.random.uniform(Step.PHOTO, who, other) < s.shares_photo)
        context.log.add(
            "optin", since[photo] + 20 * HOUR, who[photo], other[photo], surface="talk", detail="photo"
        )
    safe, checked = _meet(context, conversations, agreed, since + DAY)
    return _feel(context, conversations, agreed & safe, checked)


def _meet(
    context: NightContext, conversations: Conversations, agreed: BoolArray, since: Int64Array
) -> tuple[BoolArray, Int64Array]:
    """Log first meetings; return who may go on (not felt unsafe) and when feelings are next checked."""
    s, random, people = context.funnel, context.random, context.people
    a, b = conversations.a, conversations.b
    common = people.settings[a] & people.settings[b]
    common[:, _ONLINE] = False
    wish = random.uniform(Step.PLAN, a, b) < expit(s.meets + s.rapport * conversations.rapport)
    meets = agreed & people.in_person[a] & people.in_person[b] & common.any(axis=1) & wish
    for who, other in ((a, b), (b, a)):
        context.log.add("optin", since[meets], who[meets], other[meets], surface="talk", detail="meet")
    planned = since + 8 * HOUR
    place = _places(context, conversations, common)
    context.log.add("meet_planned", planned[meets], a[meets], b[meets], surface="talk", detail=place[meets])
    met = planned + 3 * DAY
    fine = np.ones(len(conversations), bool)
    for who, other, wait in ((a, b, 6), (b, a, 11)):
        safe = random.uniform(Step.SAFE, who, other) < s.safe
        again = random.uniform(Step.AGAIN, who, other) < expit(s.again + s.rapport * conversations.rapport)
        word = np.where(~safe, "unsafe", np.where(again, "safe_again", "safe_once")).astype(object)
        context.log.add(
            "meet_feedback",
            met[meets] + wait * HOUR,
            who[meets],
            other[meets],
            surface="talk",
            detail=word[meets],
        )
        fine &= safe | ~meets
    return fine, np.where(meets, met, since) + s.check_after_days * DAY


def _places(
    context: NightContext, conversations: Conversations, common: BoolArray
) -> npt.NDArray[np.object_]:
    """Where and when a first meeting is planned: a setting both ticked, by day, with rare exceptions."""
    u = context.random.uniform(Step.SETTING, conversations.a, conversations.b)
    nth = np.floor(u * common.sum(axis=1)).astype(np.int64)
    setting = (np.cumsum(common, axis=1) > nth[:, None]).argmax(axis=1)
    words = np.array([f"{place}/day" for place in SETTINGS], dtype=object)[setting]
    odd = context.random.uniform(Step.SETTING, conversations.b, conversations.a, 1) < context.funnel.odd_plan
    words[odd] = np.where(u[odd] < 0.5, "private/evening", "cafe_day/evening")
    return words


def _feel(context: NightContext, conversations: Conversations, asked: BoolArray, at: Int64Array) -> BoolArray:
    """Log how both feel at a check; return who both feel comfortable, or were not asked."""
    s, random = context.funnel, context.random
    both = np.ones(len(conversations), bool)
    for who, other, wait in ((conversations.a, conversations.b, 1), (conversations.b, conversations.a, 5)):
        fine = random.uniform(Step.FEEL, who, other) < expit(
            s.comfortable + s.rapport * conversations.rapport
        )
        u = random.uniform(Step.UNEASE, who, other)
        uneasy = np.where(
            u < s.pressured, "pressured", np.where(u < s.pressured + s.drifting, "drifting", "done")
        )
        word = np.where(fine, "comfortable", uneasy).astype(object)
        context.log.add(
            "feeling_check",
            at[asked] + wait * HOUR,
            who[asked],
            other[asked],
            surface="talk",
            detail=word[asked],
        )
        both &= fine
    return both & asked


def _both(context: NightContext, conversations: Conversations, step: Step, probability: float) -> BoolArray:
    first = context.random.uniform(step, conversations.a, conversations.b) < probability
    return first & (context.random.uniform(step, conversations.b, conversations.a) < probability)
