"""The constraints of the default policy, in the order the funnel shows them."""

from recsys.constraints.account import Account, Activity
from recsys.constraints.ages import AgeBands
from recsys.constraints.apart import Apart
from recsys.constraints.constraint import Constraint
from recsys.constraints.discretion import Discretion
from recsys.constraints.distance import Distance
from recsys.constraints.frequency import ContactFrequency
from recsys.constraints.genders import Genders
from recsys.constraints.hours import ContactHours
from recsys.constraints.household import HouseholdStatus
from recsys.constraints.lines import FinancialLine, PhysicalLine, RomanceLine
from recsys.constraints.mandatory import MandatoryAnswers
from recsys.constraints.same_person import SamePerson
from recsys.constraints.shared_words import Channels, Intents, Languages, MeetingSettings
from recsys.constraints.tokens import Tokens
from recsys.constraints.verification import Verified


def standard_constraints(*, verification: str = "age", same_employer: bool = True) -> tuple[Constraint, ...]:
    """Return one of each.

    >>> len(standard_constraints())
    21
    """
    return (
        Account(),
        Activity(),
        Verified(verification),
        Discretion(),
        AgeBands(),
        Genders(),
        HouseholdStatus(),
        Intents(),
        Languages(),
        Distance(),
        ContactFrequency(),
        Channels(),
        ContactHours(),
        MeetingSettings(),
        RomanceLine(),
        PhysicalLine(),
        FinancialLine(),
        MandatoryAnswers(),
        Apart(),
        Tokens(same_employer),
        SamePerson(),
    )
