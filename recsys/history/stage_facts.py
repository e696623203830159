"""What the events of one pair say: the facts that stages need."""

from typing import Final

import pandas as pd

from recsys.history.events import Events
from recsys.history.stance import matched_pairs
from recsys.schema.columns import Columns as C
from recsys.schema.vocabulary import ENUMERATIONS

PUBLIC_BY_DAY: Final = ("cafe_day", "lunch", "public_event", "group", "class", "online_only")
DAYTIME: Final = ("early", "day")
SEVEN_DAYS: Final = pd.Timedelta(days=7)
REPLIES: Final = 5

_TIERS = ENUMERATIONS[C.VERIFICATION].words


def stage_facts(events: Events, a: str, b: str) -> dict[str, bool]:
    """Return the facts about `a` and `b` from the events of the two.

    events: what the two did to each other and alone, in order (see `Events.of_pair`).
    """
    frame = events.frame
    kind, detail = frame[C.TYPE], frame[C.DETAIL]
    messages = frame[kind == "message"]
    safe = frame[(kind == "meet_feedback") & detail.isin(["safe_again", "safe_once"])]
    return {
        "both_accepted_terms": _both(frame[kind == "terms_accepted"], a, b),
        "both_proved_age": _both(_verified(frame, "age"), a, b),
        "both_liked": len(matched_pairs(events.coded)) > 0,
        "wrote_for_seven_days": _span(messages) >= SEVEN_DAYS,
        "five_replies_each": all(_replies(messages, who) >= REPLIES for who in (a, b)),
        "nothing_flagged": not _flagged(frame, safe, a, b),
        "both_opted_in_to_meet": _both(frame[(kind == "optin") & (detail == "meet")], a, b),
        "both_proved_identity": _both(_verified(frame, "id"), a, b),
        "both_agreed_rules": _both(frame[kind == "rules_agreed"], a, b),
        "both_met_safely": _both(safe, a, b),
        "ended": bool(
            kind.isin(["end", "block", "report", "erase"]).any()
            or ((kind == "meet_feedback") & (detail == "unsafe")).any()
        ),
    }


def _both(rows: pd.DataFrame, a: str, b: str) -> bool:
    return {a, b} <= set(rows[C.ACTOR])


def _verified(frame: pd.DataFrame, least: str) -> pd.DataFrame:
    tiers = _TIERS[_TIERS.index(least) :]
    return frame[(frame[C.TYPE] == "verified") & frame[C.DETAIL].isin(tiers)]


def _span(rows: pd.DataFrame) -> pd.Timedelta:
    return rows[C.TS].max() - rows[C.TS].min() if len(rows) else pd.Timedelta(0)


def _replies(messages: pd.DataFrame, who: str) -> float:
    """Count the messages `who` sent after first hearing from the other."""
    heard = messages.loc[messages[C.ACTOR] != who, C.TS]
    if heard.empty:
        return 0.0
    sent = messages[(messages[C.ACTOR] == who) & (messages[C.TS] > heard.iloc[0])]
    return float(pd.to_numeric(sent[C.COUNT]).fillna(1).sum())


def _flagged(frame: pd.DataFrame, safe: pd.DataFrame, a: str, b: str) -> bool:
    kind, detail = frame[C.TYPE], frame[C.DETAIL]
    asked = kind.isin(["off_platform_request", "money_request"])
    pressured = (kind == "feeling_check") & (detail == "pressured")
    plans = frame[kind == "meet_planned"]
    if _both(safe, a, b):
        trusted_since = safe.groupby(C.ACTOR)[C.TS].min().max()
        plans = plans[plans[C.TS] < trusted_since]
    risky = [plan for plan in plans[C.DETAIL] if not _by_day_in_public(plan)]
    return bool(asked.any() or pressured.any() or risky)


def _by_day_in_public(plan: object) -> bool:
    setting, _, part = str(plan).partition("/")
    return setting in PUBLIC_BY_DAY and part in DAYTIME
