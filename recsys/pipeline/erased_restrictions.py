"""What the rows of somebody erased say of them that outlives an erasure: bans, holds, blocks and reports.

A member may be banned and erased between two nights: no night reads the row of the ban, and with the same
person token they would come back as somebody new.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final

import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.data.absent_accounts import LASTING
from recsys.data.as_of import present_rows
from recsys.data.events import Events
from recsys.data.exclusions import EXCLUSION_REASONS, relations
from recsys.data.fail_closed import STOPPED, stop_meant
from recsys.data.ids import IdIndex
from recsys.data.tables import read_and_check
from recsys.pipeline.night_safety import HoldStates, hold_tag
from recsys.pipeline.refused_night import ACCOUNT_STOPS, UNREAD_ROW
from recsys.safety.by_person import SafetyByPerson
from recsys.safety.erasure_list import ErasedPeople
from recsys.safety.ledger_state import TABLES, LedgerTag, Who
from recsys.safety.store import BLOCK

Rows = Mapping[str, Sequence[pd.DataFrame]]
KEPT_TABLES: Final = (T.PROFILES, T.EVENTS, T.BLOCKS, T.REPORTS, T.HOLDS)
"""The tables whose rows restrict somebody who is gone."""
_PAIRS: Final = (T.BLOCKS, T.REPORTS)


def note_restrictions(
    store: SafetyByPerson,
    rows: Rows,
    erased: ErasedPeople,
    as_of: pd.Timestamp,
    tokens: Callable[[], Mapping[str, str]],
) -> None:
    """Tell the safety ledger whom dropped rows stop or keep apart, as a night that reads them does.

    rows: by table, those that name somebody erased. tokens: reads the person tokens of accounts that
    stay.
    """
    found = {name: pd.concat(rows[name], ignore_index=True) for name in KEPT_TABLES if rows.get(name)}
    stops = [*dict.fromkeys(one for one in _stops(found, as_of) if erased.among(one[:1]).any())]
    pairs = [*dict.fromkeys(one for one in _pairs(found, as_of) if erased.among(one[0]).any())]
    named = dict.fromkeys([*(one for one, _ in stops), *(one for pair, _ in pairs for one in pair)])
    known = tokens() if named else {}
    for one in named:
        if one in known:
            store.accounts.add(one, known[one])
    store.link_accounts(named)
    for tag in dict.fromkeys(tag for _, tag in stops):
        time = "" if tag == UNREAD_ROW else as_of.isoformat()
        store.ledger.stop([Who(one) for one, why in stops if why == tag], tag, as_of=time)
    for why in dict.fromkeys(why for _, why in pairs):
        told = [(Who(a), Who(b)) for (a, b), of in pairs if of == why]
        store.ledger.separate(told, LedgerTag(why, TABLES))


def _stops(found: Mapping[str, pd.DataFrame], as_of: pd.Timestamp) -> Iterator[tuple[str, LedgerTag]]:
    if T.HOLDS in found:
        holds = HoldStates.of_source({T.PROFILES: _none(), T.HOLDS: found[T.HOLDS]}, as_of)
        for user, owner in sorted({*holds.held, *holds.unread}):
            yield user, hold_tag(owner)
    if T.PROFILES in found:
        rows = found[T.PROFILES]
        checked = read_and_check(T.PROFILES, lambda: rows, as_of=as_of)
        now = present_rows(checked.accepted, as_of, checked.later)
        for user, state in zip(now[C.USER].astype(str), now[C.ACCOUNT_STATE].astype(object), strict=True):
            if state in STOPPED:
                yield user, ACCOUNT_STOPS[state]
        told = checked.restrictions.at_once()
        ahead = checked.later[checked.later[C.ACCOUNT_STATE].isin(STOPPED)]
        states = {
            *told.states,
            *zip(ahead[C.USER].astype(str), ahead[C.ACCOUNT_STATE].astype(str), strict=True),
        }
        yield from ((user, ACCOUNT_STOPS[state]) for user, state in sorted(states))
    if T.EVENTS in found:
        refused = read_and_check(T.EVENTS, lambda: found[T.EVENTS]).quarantined
        stopping = refused[stop_meant(refused[C.TYPE]).notna().to_numpy(bool)]
        for column in (C.ACTOR, C.TARGET):
            alone = stopping[stopping[C.TARGET].isna()] if column == C.ACTOR else stopping
            yield from ((str(one), UNREAD_ROW) for one in alone[column].dropna())


def _none() -> pd.DataFrame:
    return pd.DataFrame({C.USER: pd.Series(dtype=object), C.ACCOUNT_STATE: pd.Series(dtype=object)})


def _pairs(found: Mapping[str, pd.DataFrame], as_of: pd.Timestamp) -> Iterator[tuple[tuple[str, str], str]]:
    known = dict[str, pd.DataFrame]()
    for name in (T.EVENTS, *_PAIRS):
        if name in found:
            checked = read_and_check(name, partial(found.__getitem__, name))
            yield from ((pair, BLOCK) for pair in sorted(checked.restrictions.at_once().pairs))
            times = checked.accepted[C.TS]  # dated ahead of the clock counts at once
            known[name] = checked.accepted.assign(**{C.TS: times.where(~(times > as_of), as_of)})
    events, blocks, reports = (known.get(name) for name in (T.EVENTS, *_PAIRS))
    told = Events.none() if events is None else Events.of(events[~events[C.TYPE].eq("erase")])
    people = {str(one) for one in told.coded.people}
    for frame in (blocks, reports):
        people |= set() if frame is None else {*frame[C.ACTOR].astype(str), *frame[C.TARGET].astype(str)}
    ids = IdIndex(people)
    between = relations(told, blocks, reports, ids, as_of)
    for pair, code in zip(between.excluded, between.reason, strict=True):
        if (why := EXCLUSION_REASONS[code]) in LASTING:
            one, other = ids.ids(pair).tolist()
            yield (str(one), str(other)), why
