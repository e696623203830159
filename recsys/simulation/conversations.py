"""Matched pairs write to each other, some for a day and some for weeks."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from recsys.simulation.night_state import DAY, GOOD, HOUR, Directed, Scene
from recsys.simulation.sampling import Step
from recsys.types import Float64Array, Int64Array


@dataclass(frozen=True, eq=False)
class Talks:
    """Talks of pairs: `a` wrote first, `b` answered; both rows `(n_talks,)`.

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

    def take(self, which: npt.NDArray[np.bool_]) -> "Talks":
        """Return some of the talks."""
        return Talks(
            self.a[which],
            self.b[which],
            self.ts[which],
            self.days[which],
            self.rapport[which],
            self.asks[which],
        )


def talk(scene: Scene, matches: Directed) -> Talks:
    """Log the messages of matched pairs; return the talks in which somebody answered.

    One row is what one person wrote to the other on one day: how many messages, and the hours until
    the first of them answered.
    """
    s, chance = scene.funnel, scene.chance
    a, b = matches.actor, matches.target
    rapport = scene.truth.rapport(a, b)
    wrote = chance.uniform(Step.FIRST, a, b) < s.first_message
    time_left = np.minimum(1.0, s.talks_at_once / (1.0 + scene.standing.talking[b]))
    replies = time_left * expit(s.reply + s.rapport * rapport)
    answered = wrote & (chance.uniform(Step.REPLY, b, a) < replies)
    first = matches.ts + _seconds(scene, a, b)
    answer = first + _seconds(scene, b, a)
    scene.log.add("message", first[wrote], a[wrote], b[wrote], surface="talk", count=1)
    lag = (answer - first) / HOUR
    scene.log.add(
        "message", answer[answered], b[answered], a[answered], surface="talk", count=1, lag=lag[answered]
    )
    harm = (scene.people.harm[a] != GOOD) | (scene.people.harm[b] != GOOD)
    asks = harm & (chance.uniform(Step.ASK, a, b) < scene.trouble.asks)
    days = _lengths(scene, a, b, rapport)
    days = np.where(asks, np.minimum(days, 1 + days % 4), days)
    talks = Talks(a, b, answer, days, rapport, asks).take(answered)
    _write(scene, talks, first=talks.a, second=talks.b, turn=0)
    _write(scene, talks, first=talks.b, second=talks.a, turn=1)
    return talks


def _lengths(scene: Scene, a: Int64Array, b: Int64Array, rapport: Float64Array) -> Int64Array:
    """Days until a talk stops: a constant chance a day, smaller the better the two get on."""
    s = scene.funnel
    hazard = np.clip(s.stop_a_day * np.exp(-s.rapport * rapport), 1e-3, 0.9)
    days = np.log(scene.chance.uniform(Step.LENGTH, a, b)) / np.log1p(-hazard)
    return np.clip(np.floor(days), 0, s.talk_days_at_most).astype(np.int64)


def _write(scene: Scene, talks: Talks, *, first: Int64Array, second: Int64Array, turn: int) -> None:
    """Log the days on which `first` wrote to `second`; each writes as often as the rarer of the two."""
    s, chance = scene.funnel, scene.chance
    pair = np.repeat(np.arange(len(talks)), talks.days)
    day = np.arange(len(pair)) - np.repeat(np.cumsum(talks.days) - talks.days, talks.days)
    i, j = first[pair], second[pair]
    speaks = np.minimum(scene.people.speaks[first], scene.people.speaks[second])[pair]
    written = chance.uniform(Step.SPEAKS, i, j, day) < speaks
    pair, day, i, j = pair[written], day[written], i[written], j[written]
    extra = -np.log(chance.uniform(Step.COUNT, i, j, day)) * (s.messages_a_day - 1.0)
    lag = _lag(scene, i, j, day + 1).clip(0.05, 47.0)
    late = (chance.uniform(Step.MOMENT, i, j, day) * (DAY - HOUR)).astype(np.int64)
    scene.log.add(
        "message",
        talks.ts[pair] + day * DAY + turn * 60 + late,
        i,
        j,
        surface="talk",
        count=1 + extra.clip(0, 40).astype(np.int64),
        lag=lag,
    )


def _lag(scene: Scene, i: Int64Array, j: Int64Array, turn: npt.ArrayLike = 0) -> Float64Array:
    return scene.funnel.reply_hours * np.exp(0.9 * scene.chance.normal(Step.REPLY_TIME, i, j, turn))


def _seconds(scene: Scene, i: Int64Array, j: Int64Array) -> Int64Array:
    return (_lag(scene, i, j).clip(0.05, 24.0 * 7) * HOUR).astype(np.int64)


KINDS: Final = ("money", "off_platform", "pushy")
"""What bad actors are after; `Residents.harm` is the position here."""

_ASK_EVENT: Final = MappingProxyType({"money": "money_request", "off_platform": "off_platform_request"})
_REPORTED_AS: Final = MappingProxyType(
    {"money": "money", "off_platform": "other", "pushy": "romance_pressure"}
)


def break_off(scene: Scene, talks: Talks) -> npt.NDArray[np.bool_]:
    """Log the talks that end badly, by a bad actor or by friction; return which they are."""
    _answer_bad_actors(scene, talks.take(talks.asks))
    chance = scene.chance
    a, b, ts = talks.a, talks.b, talks.end + 2 * HOUR
    rubs = ~talks.asks & (chance.uniform(Step.FRICTION, a, b) < scene.funnel.friction)
    tells = rubs & (chance.uniform(Step.COMPLAIN, a, b) < 0.5)
    scene.log.add("block", ts[rubs], b[rubs], a[rubs], surface="talk")
    scene.log.add("report", ts[tells] + 60, b[tells], a[tells], surface="talk", detail="harassment")
    return rubs | talks.asks


def say_goodbye(scene: Scene, talks: Talks) -> None:
    """Log amicable ends of talks that led to nothing; most simply fall silent."""
    goodbye = scene.chance.uniform(Step.GOODBYE, talks.a, talks.b) < scene.funnel.says_goodbye
    a, b, later = talks.a, talks.b, talks.end + 40 * DAY
    scene.log.add("end", later[goodbye], a[goodbye], b[goodbye], surface="talk", detail="amicable")


def _answer_bad_actors(scene: Scene, talks: Talks) -> None:
    trouble, chance = scene.trouble, scene.chance
    bad_first = scene.people.harm[talks.a] != GOOD
    bad = np.where(bad_first, talks.a, talks.b)
    victim = np.where(bad_first, talks.b, talks.a)
    ts = talks.end + HOUR
    kinds = scene.people.harm[bad]
    for code, kind in enumerate(KINDS):
        of_kind = kinds == code
        if kind in _ASK_EVENT:
            scene.log.add(_ASK_EVENT[kind], ts[of_kind], bad[of_kind], victim[of_kind], surface="talk")
        tells = of_kind & (chance.uniform(Step.COMPLAIN, victim, bad) < trouble.victim_reports)
        scene.log.add(
            "report", ts[tells] + 600, victim[tells], bad[tells], surface="talk", detail=_REPORTED_AS[kind]
        )
    blocks = chance.uniform(Step.FRICTION, victim, bad) < trouble.victim_blocks
    scene.log.add("block", ts[blocks] + 900, victim[blocks], bad[blocks], surface="talk")
