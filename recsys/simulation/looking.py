"""The first step: a list is read from the top, and some of the people on it are liked."""

from dataclasses import dataclass

import numpy as np

from recsys.simulation.chance import Step
from recsys.simulation.directed import Directed, is_among
from recsys.simulation.draws import Mask
from recsys.simulation.event_log import Seconds
from recsys.simulation.residents import GOOD
from recsys.simulation.scene import DAY, HOUR, Rows, Scene
from recsys.simulation.shown import Shown

_LOOK_SECONDS = 40


@dataclass(frozen=True, eq=False)
class _Looks:
    """What the viewer of each exposure would do: when, and one of like, hide, pass or nothing."""

    opened: Seconds
    ts: Seconds
    liked: Mask
    hidden: Mask
    passed: Mask


def look(scene: Scene, shown: Shown, at: int) -> Directed:
    """Log the exposures of opened lists and what follows a look; return the likes.

    A like made before is not made again. Every exposure is logged, looked at or not: the lower a
    place, the less likely the look. Who was passed or hidden by the other earlier on the same night
    is taken off the list before it is opened.
    """
    looks = _looks(scene, shown, at)
    there = ~_refused_before(shown, looks, len(scene.people))
    i, j = shown.viewer, shown.candidate
    scene.log.add(
        "impression",
        looks.opened[there],
        i[there],
        j[there],
        surface="list",
        position=shown.position[there],
        propensity=shown.propensity[there],
    )
    for kind, does in (("like", looks.liked), ("hide", looks.hidden), ("pass", looks.passed)):
        done = does & there
        scene.log.add(kind, looks.ts[done], i[done], j[done], surface="list")
    liked = looks.liked & there
    return Directed(i[liked], j[liked], looks.ts[liked])


def _looks(scene: Scene, shown: Shown, at: int) -> _Looks:
    s, chance = scene.funnel, scene.chance
    i, j = shown.viewer, shown.candidate
    opened = at + (chance.uniform(Step.MOMENT, i, i) * (DAY - 4 * HOUR)).astype(np.int64)
    looked = chance.uniform(Step.LOOK, i, j) < shown.position.astype(np.float64) ** -s.look_decay
    bad = scene.people.harm[i] != GOOD
    p_like = np.where(bad, scene.trouble.scripted_like, scene.truth.p_like(i, j))
    liked = looked & (chance.uniform(Step.LIKE, i, j) < p_like)
    known = is_among(i * len(scene.people) + j, scene.standing.likes)
    cold = looked & ~liked & ~bad & ~known
    hidden = cold & (chance.uniform(Step.HIDE, i, j) < s.hides)
    passed = cold & ~hidden & (chance.uniform(Step.PASS, i, j) < s.passes)
    ts = opened + _LOOK_SECONDS * shown.position
    return _Looks(opened=opened, ts=ts, liked=liked & ~known, hidden=hidden, passed=passed)


def _refused_before(shown: Shown, looks: _Looks, n: int) -> Mask:
    """Say which exposures come after the candidate passed or hid the viewer on the same night."""
    refusing = looks.hidden | looks.passed
    by_other = shown.candidate[refusing] * n + shown.viewer[refusing]
    order = np.argsort(by_other)
    keys: Rows = by_other[order]
    when = looks.ts[refusing][order]
    found = np.zeros(len(shown), bool)
    if len(keys):
        own = shown.viewer * n + shown.candidate
        at = np.searchsorted(keys, own).clip(0, len(keys) - 1)
        found = (keys[at] == own) & (when[at] < looks.opened)
    return found
