"""The first step: a list is read from the top, and some of the people on it are liked."""

import numpy as np

from recsys.simulation.chance import Step
from recsys.simulation.residents import GOOD
from recsys.simulation.scene import DAY, HOUR, Directed, Scene
from recsys.simulation.shown import Shown

_LOOK_SECONDS = 40


def look(scene: Scene, shown: Shown, at: int) -> Directed:
    """Log the exposures of opened lists and what follows a look; return the likes.

    Every exposure is logged, looked at or not: the lower a place, the less likely the look.
    """
    s, chance = scene.funnel, scene.chance
    i, j = shown.viewer, shown.candidate
    opened = at + (chance.uniform(Step.MOMENT, i, i) * (DAY - 4 * HOUR)).astype(np.int64)
    ts = opened + _LOOK_SECONDS * (shown.position - 1)
    scene.log.add(
        "impression",
        opened,
        i,
        j,
        surface="list",
        position=shown.position,
        propensity=shown.propensity,
    )
    looked = chance.uniform(Step.LOOK, i, j) < shown.position.astype(np.float64) ** -s.look_decay
    bad = scene.people.harm[i] != GOOD
    p_like = np.where(bad, scene.trouble.scripted_like, scene.truth.p_like(i, j))
    liked = looked & (chance.uniform(Step.LIKE, i, j) < p_like)
    scene.log.add("like", ts[liked] + 20, i[liked], j[liked], surface="list")
    cold = looked & ~liked & ~bad
    hidden = cold & (chance.uniform(Step.HIDE, i, j) < s.hides)
    passed = cold & ~hidden & (chance.uniform(Step.PASS, i, j) < s.passes)
    scene.log.add("hide", ts[hidden] + 15, i[hidden], j[hidden], surface="list")
    scene.log.add("pass", ts[passed] + 15, i[passed], j[passed], surface="list")
    return Directed(i[liked], j[liked], ts[liked] + 20)
