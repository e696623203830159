"""How far two people have come, computed from events alone, as of a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pandas as pd

from recsys.history.events import Events
from recsys.history.stage_facts import stage_facts
from recsys.schema.population import as_utc


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage and the facts needed to enter it, on top of those of every earlier stage."""

    name: str
    needs: tuple[str, ...]


STAGES: Final = (
    Stage("unlisted", ()),
    Stage("listed", ("both_accepted_terms", "both_proved_age")),
    Stage("matched", ("both_liked",)),
    Stage("acquainted", ("wrote_for_seven_days", "five_replies_each", "nothing_flagged")),
    Stage("meeting", ("both_opted_in_to_meet", "both_proved_identity", "both_agreed_rules")),
    Stage("ongoing", ("both_met_safely",)),
)
"""In order; `closed` stands beside them and is entered from anywhere."""

CLOSED: Final = Stage("closed", ("ended",))


@dataclass(frozen=True, slots=True)
class PairStage:
    """The stage of a pair and the facts it rests on."""

    name: str
    facts: Mapping[str, bool]


def pair_stage(events: Events, a: str, b: str, as_of: str | pd.Timestamp | None = None) -> PairStage:
    """Return the stage two people have reached together at `as_of` (None: after the last event).

    Going forward needs both people; one end, block, report, unsafe meeting or erasure closes; a
    flag drops the pair to `matched` at once. Holds and incomplete boundaries are no events: whoever
    lists people applies them.

    >>> like = pd.DataFrame({"actor": ["a", "b"], "target": ["b", "a"], "type": "like"})
    >>> pair_stage(Events.of(like), "a", "b").name
    'unlisted'
    """
    time = None if as_of is None else as_utc(as_of)
    facts = stage_facts(events.until(time).of_pair(a, b), a, b)
    if all(facts[need] for need in CLOSED.needs):
        return PairStage(CLOSED.name, facts)
    reached = STAGES[0]
    for stage in STAGES:
        if not all(facts[need] for need in stage.needs):
            break
        reached = stage
    return PairStage(reached.name, facts)
