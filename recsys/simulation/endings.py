"""How talks end that do not last: a bad actor asks, two people rub, or they say goodbye."""

from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.simulation.chance import Step
from recsys.simulation.residents import GOOD
from recsys.simulation.scene import DAY, HOUR, Scene
from recsys.simulation.talks import Talks

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
