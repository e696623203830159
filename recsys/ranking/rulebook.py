"""The rules over everybody: as masks, to choose by, and in plain form, to check what was chosen."""

from functools import cached_property

import structlog

from recsys.constraints.compiled import Compiled
from recsys.constraints.csr import Lists
from recsys.constraints.policy import Policy
from recsys.explain.reasons import Reasons
from recsys.ranking.likes_given import likes_given
from recsys.ranking.ranked_pairs import RankedPairs
from recsys.schema.population import Population

_log = structlog.get_logger(__name__)


class Rulebook:
    """A policy over one population, laid out once for any number of pairs."""

    def __init__(self, people: Population, policy: Policy) -> None:
        self.people, self.policy = people, policy

    @cached_property
    def compiled(self) -> Compiled:
        """The rules as masks over everybody."""
        return self.policy.compile(self.people)

    @cached_property
    def reasons(self) -> Reasons:
        """What reasons are read from."""
        return Reasons(self.people)

    @cached_property
    def likes(self) -> Lists:
        """Whom each person has liked already."""
        return likes_given(self.people)

    def checked(self, found: RankedPairs) -> tuple[RankedPairs, int]:
        """Return the pairs the plain form of the rules allows, and how many it took out.

        Anything but 0 taken out is a defect, and is logged with the names of the rules that disagree.
        """
        allowed = found.allowed(self.policy, self.people)
        allowed &= ~self.likes.holds(found.viewer, found.candidate)
        dropped = int((~allowed).sum())
        if dropped:
            rules = found.kept(~allowed).refused_by(self.policy, self.people)
            _log.warning(
                "pairs dropped by the plain check: compiled masks and rules disagree",
                pairs=dropped,
                constraints=rules,
            )
        return found.kept(allowed), dropped
