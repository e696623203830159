"""What behaviour says of each person, found again whenever something happened."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.models.behaviour_base import BELIEFS, Base, Spaces
from recsys.models.content_logits import content_logits
from recsys.models.directed import Directed, sigmoid
from recsys.models.looks import Looks
from recsys.models.person_effects import PersonEffects, fit_person_effects
from recsys.models.space import Shifts, rows_at
from recsys.models.stacker import Parts, known

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class State:
    """What is known of some people beyond their answers; all 0 for somebody without evidence.

    generosity, popularity: `(n_people,)` logits. given, received: `(n_people,)` looks.
    personal, factors:      how far evidence moved them in the two spaces.
    """

    generosity: Floats
    popularity: Floats
    given: Floats
    received: Floats
    personal: Shifts
    factors: Shifts

    def at(self, rows: npt.NDArray[np.integer]) -> "State":
        """Return the people at `rows`; somebody without evidence for a row of -1."""
        return State(
            rows_at(self.generosity, rows),
            rows_at(self.popularity, rows),
            rows_at(self.given, rows),
            rows_at(self.received, rows),
            self.personal.at(rows),
            self.factors.at(rows),
        )

    @classmethod
    def found(cls, base: Base, spaces: Spaces, content: Directed | None, looks: Looks) -> "State":
        """Fold everybody in, given what was learned from all (`base`); nothing of that is changed."""
        n_people = spaces.n_people
        offset = base.offset(content, looks)
        effects = PersonEffects.none(n_people)
        for _ in range(BELIEFS):
            effects = fit_person_effects(
                looks, offset, n_people, variances=base.variances, intercept=base.intercept, start=effects
            )
            looks = looks.believed(sigmoid(offset + effects.logits(looks)))
        offset = offset + effects.logits(looks)
        own, bases, config = spaces.personal, spaces.personal_bases, base.config
        without = offset - own.score(own.taste, own.appeal, looks.viewers, looks.candidates)
        taste, appeal = own.folded(looks, without, bases, config.personal_strength, config.steps)
        personal = Shifts(taste - own.taste, appeal - own.appeal)
        offset = without + own.score(taste, appeal, looks.viewers, looks.candidates)
        own, bases = spaces.factors, spaces.factor_bases
        taste, appeal = own.folded(looks, offset, bases, config.strength, config.steps)
        given, received = looks.evidence(n_people)
        factors = Shifts(taste - own.taste, appeal - own.appeal)
        return cls(effects.generosity, effects.popularity, given, received, personal, factors)

    def parts(self, base: Base, spaces: Spaces, content: Directed | None, looks: Looks) -> Parts:
        """Return the parts of the pairs of `looks`; content counts as `base` has learned it."""
        i, j = looks.viewers, looks.candidates
        own = spaces.personal
        moved = own.score(own.taste + self.personal.taste, own.appeal + self.personal.appeal, i, j)
        moved -= own.score(own.taste, own.appeal, i, j)
        own = spaces.factors
        factors = own.score(own.taste + self.factors.taste, own.appeal + self.factors.appeal, i, j)
        logits, near = content_logits(content, i, j)
        return Parts(
            level=np.full(len(looks), base.level),
            scores=np.array([base.line.slope * logits, moved, factors]),
            near=base.line.slope * near,
            generosity=self.generosity[i],
            popularity=self.popularity[j],
            known_row=known(self.given)[i],
            known_column=known(self.received)[j],
            asked=looks.asked.astype(np.float64),
        )
