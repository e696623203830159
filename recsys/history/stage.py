"""How far two people have come, computed from events alone, as of a time: one pair, in plain form."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import pandas as pd

from recsys.history.events import Events
from recsys.history.stage_facts import both_opted_in, stage_facts
from recsys.schema.catalogue import load_catalogue
from recsys.schema.catalogue.stages import CLOSED, DISCLOSURES, UNLISTED, Stages
from recsys.schema.population import as_utc


@dataclass(frozen=True, slots=True)
class PairStage:
    """The stage of a pair, the facts it rests on, and what both opted in to."""

    name: str
    facts: Mapping[str, bool]
    optins: frozenset[str]

    def fields(self, *disclosures: str | None) -> frozenset[str]:
        """Return the fields that each may see of the other.

        disclosures: what each of the two wishes to disclose; unknown is as little as possible.

        >>> two = PairStage("acquainted", {}, frozenset())
        >>> "general_job" in two.fields("general_job", "general_job"), "photo" in two.fields()
        (True, False)
        """
        stages = load_catalogue().stages
        return frozenset(
            name
            for name in stages.shows(self.name)
            if _open_enough(stages.fields[name].disclosure, disclosures)
            and (stages.fields[name].optin or "") in {"", *self.optins}
        )


def _open_enough(needed: str | None, disclosures: tuple[str | None, ...]) -> bool:
    if needed is None:
        return True
    least = DISCLOSURES.index(needed)
    return len(disclosures) == 2 and all(
        wish in DISCLOSURES and DISCLOSURES.index(wish) >= least for wish in disclosures
    )


OPTINS: Final = ("photo", "meet")


def pair_stage(
    events: Events,
    a: str,
    b: str,
    as_of: str | pd.Timestamp | None = None,
    *,
    held: Collection[str] = (),
    unlisted: Collection[str] = (),
) -> PairStage:
    """Return the stage two people have reached together at `as_of` (None: after the last event).

    held, unlisted: who is under a hold, and who may not be listed (boundaries incomplete, say), as of the
    same time; neither is an event. A hold of either closes while it lasts.

    Going forward needs both people; one end, block, report, unsafe meeting or erasure closes; a flag
    drops the pair to `matched` at once. Nothing else counts: not money, nor account age, nor popularity.

    >>> like = pd.DataFrame({"actor": ["a", "b"], "target": ["b", "a"], "type": "like"})
    >>> pair_stage(Events.of(like), "a", "b").name
    'unlisted'
    """
    stages = load_catalogue().stages
    known = events.until(None if as_of is None else as_utc(as_of)).of_pair(a, b)
    facts = stage_facts(known, a, b, stages)
    optins = frozenset(what for what in OPTINS if both_opted_in(known, a, b, what))
    name = _reached(stages, facts)
    if a in held or b in held:
        name = CLOSED
    elif name != CLOSED and (a in unlisted or b in unlisted):
        name = UNLISTED
    return PairStage(name, facts, optins)


def _reached(stages: Stages, facts: Mapping[str, bool]) -> str:
    if all(facts[need] for need in stages.stages[CLOSED].needs):
        return CLOSED
    reached = UNLISTED
    for stage in stages.forward:
        if not all(facts[need] for need in stage.needs):
            break
        reached = stage.name
    return reached
