"""The stage of one pair, written as the definition says it: the oracle of the vectorised stages."""

from collections.abc import Collection, Mapping

import pandas as pd

from recsys.catalogue.catalogue import load_catalogue
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.stages import CLOSED, UNLISTED, Stages
from recsys.catalogue.vocabulary import ENUMERATIONS
from recsys.data.events import Events
from recsys.data.pair_stages import ENDINGS, OPTINS, REQUESTS, SAFE, PairStage, by_day_in_public
from recsys.data.times import as_utc

_TIERS = ENUMERATIONS[C.VERIFICATION].words


def stage_facts(events: Events, a: str, b: str, stages: Stages) -> dict[str, bool]:
    """Return the facts about `a` and `b` from the events of the two.

    events: what the two did to each other and alone, in order (see `Events.of_pair`).
    """
    frame = _of_two(events.frame, a, b)
    kind, detail = frame[C.TYPE], frame[C.DETAIL]
    alone = frame[frame[C.TARGET].isna()]
    between = frame[frame[C.TARGET].notna()]
    matched = _matched_since(between)
    later = between[between[C.TS] > matched] if matched is not None else between[:0]
    messages = later[later[C.TYPE] == "message"]
    feedback = between[between[C.TYPE] == "meet_feedback"]
    plans = later[later[C.TYPE] == "meet_planned"]
    safe = feedback[feedback[C.DETAIL].isin(SAFE) & (feedback[C.TS] > plans[C.TS].min())]
    tier = {who: _tier(alone, who) for who in (a, b)}
    return {
        "both_accepted_terms": _both(alone[alone[C.TYPE] == "terms_accepted"], a, b),
        "both_proved_age": all(tier[who] >= _TIERS.index("age") for who in (a, b)),
        "both_liked": matched is not None,
        "wrote_for_days": len(_days(messages, a) & _days(messages, b)) >= stages.days_of_writing,
        "replied_each": all(_replies(messages, who) >= stages.replies_each for who in (a, b)),
        "nothing_flagged": not _flagged(between, safe, a, b),
        "both_opted_in_to_meet": _both(frame[(kind == "optin") & (detail == "meet")], a, b),
        "both_proved_identity": all(tier[who] >= _TIERS.index("id") for who in (a, b)),
        "both_agreed_rules": _both(later[later[C.TYPE] == "rules_agreed"], a, b),
        "both_met_safely": _both(safe, a, b),
        "ended": bool(
            between[C.TYPE].isin(ENDINGS).any()
            or _is_blocked(between)
            or (alone[C.TYPE] == "erase").any()
            or (feedback[C.DETAIL] == "unsafe").any()
        ),
    }


def _is_blocked(between: pd.DataFrame) -> bool:
    """Say whether a block stands that whoever made it has not taken back later."""
    for actor, rows in between.groupby(C.ACTOR):
        del actor
        blocks, back = (rows.loc[rows[C.TYPE] == kind, C.TS] for kind in ("block", "unblock"))
        if len(blocks) and not (len(back) and blocks.max() < back.max()):
            return True
    return False


def both_opted_in(events: Events, a: str, b: str, what: str) -> bool:
    """Say whether each of the two opted in to `what`, towards the other or anybody."""
    frame = _of_two(events.frame, a, b)
    return _both(frame[(frame[C.TYPE] == "optin") & (frame[C.DETAIL] == what)], a, b)


def _of_two(frame: pd.DataFrame, a: str, b: str) -> pd.DataFrame:
    actor, target = frame[C.ACTOR], frame[C.TARGET]
    inside = actor.isin([a, b]) & (target.isin([a, b]) | target.isna()) & (actor != target)
    return frame[inside]


def _both(rows: pd.DataFrame, a: str, b: str) -> bool:
    return {a, b} <= set(rows[C.ACTOR])


def _tier(alone: pd.DataFrame, who: str) -> int:
    """Return the tier last verified (one taken back no longer counts); of two at one time the lower."""
    said = alone[(alone[C.TYPE] == "verified") & (alone[C.ACTOR] == who) & alone[C.DETAIL].isin(_TIERS)]
    last = said[said[C.TS] == said[C.TS].max()]
    return min(map(_TIERS.index, last[C.DETAIL]), default=0)


def _matched_since(between: pd.DataFrame) -> pd.Timestamp | None:
    """Return when both likes first stood; events of one instant are taken together: likes, undos, others."""
    likes = set[str]()
    for ts, rows in between[between[C.TYPE].isin(["like", "pass", "hide", "undo"])].groupby(C.TS):
        likes |= set(rows[C.ACTOR][rows[C.TYPE] == "like"])
        likes -= set(rows[C.ACTOR][rows[C.TYPE] == "undo"])
        if len(likes) == 2:
            return pd.Timestamp(ts)
        likes -= set(rows[C.ACTOR][rows[C.TYPE].isin(["pass", "hide"])])
    return None


def _days(messages: pd.DataFrame, who: str) -> set[object]:
    return set(messages.loc[messages[C.ACTOR] == who, C.TS].dt.floor("D"))


def _replies(messages: pd.DataFrame, who: str) -> int:
    """Count the days on which `who` wrote after first hearing from the other."""
    heard = messages.loc[messages[C.ACTOR] != who, C.TS]
    if heard.empty:
        return 0
    sent = messages[(messages[C.ACTOR] == who) & (messages[C.TS] > heard.iloc[0])]
    return len(_days(sent, who))


def _flagged(between: pd.DataFrame, safe: pd.DataFrame, a: str, b: str) -> bool:
    kind, detail = between[C.TYPE], between[C.DETAIL]
    pressured = (kind == "feeling_check") & (detail == "pressured")
    plans = between[kind == "meet_planned"]
    if _both(safe, a, b):
        trusted_since = safe.groupby(C.ACTOR)[C.TS].min().max()
        plans = plans[plans[C.TS] < trusted_since]
    risky = not all(by_day_in_public(plan) for plan in plans[C.DETAIL])
    return bool(kind.isin(REQUESTS).any() or pressured.any() or risky)


def plain_stage(
    events: Events,
    a: str,
    b: str,
    as_of: str | pd.Timestamp | None = None,
    *,
    held: Collection[str] = (),
    unlisted: Collection[str] = (),
) -> PairStage:
    """Return what `pair_stage` returns, from the definition of each fact."""
    stages = load_catalogue().stages
    known = events.until(None if as_of is None else as_utc(as_of)).of_pair(a, b)
    facts = stage_facts(known, a, b, stages)
    optins = frozenset(what for what in OPTINS if both_opted_in(known, a, b, what))
    name = _reached(stages, facts)
    if a in held or b in held:
        name = CLOSED
    elif name != CLOSED and (a in unlisted or b in unlisted):
        name = UNLISTED
    return PairStage(name, optins)


def _reached(stages: Stages, facts: Mapping[str, bool]) -> str:
    if all(facts[need] for need in stages.stages[CLOSED].needs):
        return CLOSED
    reached = UNLISTED
    for stage in stages.forward:
        if not all(facts[need] for need in stage.needs):
            break
        reached = stage.name
    return reached
