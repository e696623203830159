"""From a talk to a relation: rules, photos, a first meeting by day, and how both feel."""

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.vocabulary import ENUMERATIONS
from recsys.simulation.conversations import Talks
from recsys.simulation.night_state import DAY, HOUR, Scene
from recsys.simulation.sampling import Step
from recsys.types import BoolArray, Int64Array

SETTINGS: Final = ENUMERATIONS[C.MEETING_SETTINGS].words
_ONLINE: Final = SETTINGS.index("online_only")


def build_trust(scene: Scene, talks: Talks) -> BoolArray:
    """Log rules, opt-ins, meetings and feelings of talks that last; return who are still together."""
    s = scene.funnel
    lasting = (talks.days >= s.rules_after_days) & ~talks.asks
    agreed = _both(scene, talks, Step.RULES, s.agrees_rules) & lasting
    since = talks.ts + s.rules_after_days * DAY
    for who, other, wait in ((talks.a, talks.b, 3), (talks.b, talks.a, 9)):
        scene.log.add("rules_agreed", since[agreed] + wait * HOUR, who[agreed], other[agreed], surface="talk")
        photo = agreed & (scene.chance.uniform(Step.PHOTO, who, other) < s.shares_photo)
        scene.log.add(
            "optin", since[photo] + 20 * HOUR, who[photo], other[photo], surface="talk", detail="photo"
        )
    safe, checked = _meet(scene, talks, agreed, since + DAY)
    return _feel(scene, talks, agreed & safe, checked)


def _meet(scene: Scene, talks: Talks, agreed: BoolArray, since: Int64Array) -> tuple[BoolArray, Int64Array]:
    """Log first meetings; return who may go on (not felt unsafe) and when feelings are next checked."""
    s, chance, people = scene.funnel, scene.chance, scene.people
    a, b = talks.a, talks.b
    common = people.settings[a] & people.settings[b]
    common[:, _ONLINE] = False
    wish = chance.uniform(Step.PLAN, a, b) < expit(s.meets + s.rapport * talks.rapport)
    meets = agreed & people.in_person[a] & people.in_person[b] & common.any(axis=1) & wish
    for who, other in ((a, b), (b, a)):
        scene.log.add("optin", since[meets], who[meets], other[meets], surface="talk", detail="meet")
    planned = since + 8 * HOUR
    place = _places(scene, talks, common)
    scene.log.add("meet_planned", planned[meets], a[meets], b[meets], surface="talk", detail=place[meets])
    met = planned + 3 * DAY
    fine = np.ones(len(talks), bool)
    for who, other, wait in ((a, b, 6), (b, a, 11)):
        safe = chance.uniform(Step.SAFE, who, other) < s.safe
        again = chance.uniform(Step.AGAIN, who, other) < expit(s.again + s.rapport * talks.rapport)
        word = np.where(~safe, "unsafe", np.where(again, "safe_again", "safe_once")).astype(object)
        scene.log.add(
            "meet_feedback",
            met[meets] + wait * HOUR,
            who[meets],
            other[meets],
            surface="talk",
            detail=word[meets],
        )
        fine &= safe | ~meets
    return fine, np.where(meets, met, since) + s.check_after_days * DAY


def _places(scene: Scene, talks: Talks, common: BoolArray) -> npt.NDArray[np.object_]:
    """Where and when a first meeting is planned: a setting both ticked, by day, with rare exceptions."""
    u = scene.chance.uniform(Step.SETTING, talks.a, talks.b)
    nth = np.floor(u * common.sum(axis=1)).astype(np.int64)
    setting = (np.cumsum(common, axis=1) > nth[:, None]).argmax(axis=1)
    words = np.array([f"{place}/day" for place in SETTINGS], dtype=object)[setting]
    odd = scene.chance.uniform(Step.SETTING, talks.b, talks.a, 1) < scene.funnel.odd_plan
    words[odd] = np.where(u[odd] < 0.5, "private/evening", "cafe_day/evening")
    return words


def _feel(scene: Scene, talks: Talks, asked: BoolArray, at: Int64Array) -> BoolArray:
    """Log how both feel at a check; return who both feel comfortable, or were not asked."""
    s, chance = scene.funnel, scene.chance
    both = np.ones(len(talks), bool)
    for who, other, wait in ((talks.a, talks.b, 1), (talks.b, talks.a, 5)):
        fine = chance.uniform(Step.FEEL, who, other) < expit(s.comfortable + s.rapport * talks.rapport)
        u = chance.uniform(Step.UNEASE, who, other)
        uneasy = np.where(
            u < s.pressured, "pressured", np.where(u < s.pressured + s.drifting, "drifting", "done")
        )
        word = np.where(fine, "comfortable", uneasy).astype(object)
        scene.log.add(
            "feeling_check",
            at[asked] + wait * HOUR,
            who[asked],
            other[asked],
            surface="talk",
            detail=word[asked],
        )
        both &= fine
    return both & asked


def _both(scene: Scene, talks: Talks, step: Step, chance: float) -> BoolArray:
    first = scene.chance.uniform(step, talks.a, talks.b) < chance
    return first & (scene.chance.uniform(step, talks.b, talks.a) < chance)
