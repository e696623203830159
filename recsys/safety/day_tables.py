"""What a member's own tables of today say of their person, also where nothing else of them can be used."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.catalogue.vocabulary import ADULT, ENUMERATIONS
from recsys.data.contract import token_meant
from recsys.data.fail_closed import STOPPED
from recsys.safety.day_log import TABLES_CHANGED, DayEvent
from recsys.safety.person_index import Accounts

_FIRST_NUMBER: Final = re.compile(r"\s*(\d{1,9})")
_OWN_STATES: Final = frozenset(ENUMERATIONS[C.ACCOUNT_STATE].words) - frozenset(STOPPED)


def note_tokens(accounts: Accounts, events: Iterable[DayEvent]) -> tuple[str, ...]:
    """Note every person token of the tables of today among some events; return who came with one."""
    told: dict[str, None] = {}
    for event in events:
        if event.type == TABLES_CHANGED:
            for token in person_tokens_in(event):
                accounts.add(event.actor, token)
                told[event.actor] = None
    return tuple(told)


def person_tokens_in(event: DayEvent) -> list[str]:
    """Return every person token in a member's own tables, of tables that cannot be used as well.

    >>> from datetime import UTC, datetime
    >>> payload = json.dumps({"profiles": [{"user_id": "a", "person_token": " T1 "}]})
    >>> person_tokens_in(DayEvent("e", datetime.now(UTC), "a", None, "tables", payload=payload))
    ['T1']
    """
    values = [row.get(C.PERSON_TOKEN) for row in _profile_rows(event)]
    return [
        text for value in values if isinstance(value, str) and (text := token_meant(value) or value.strip())
    ]


def is_stopped_by(event: DayEvent) -> bool:
    """Say whether a member's own tables say that somebody is out for good.

    That is a state such as `banned`, a state that is no known word, and an age of less than 18.

    >>> from datetime import UTC, datetime
    >>> def out(**row):
    ...     return is_stopped_by(DayEvent.of_tables("e", "a", {"profiles": [row]}))
    >>> out(account_state="active", age_band="25-34"), out(account_state=["active"]), out(age_band="13-17")
    (False, True, True)
    """
    return any(_is_out(row) for row in _profile_rows(event))


def _is_out(row: Mapping[str, Any]) -> bool:
    state = row.get(C.ACCOUNT_STATE)
    if state is not None and not (isinstance(state, str) and state in _OWN_STATES):
        return True
    band = _FIRST_NUMBER.match(str(row.get(C.AGE_BAND)))
    years = [row.get(C.AGE_YEARS), int(band[1]) if band else None]
    return any(isinstance(one, int | float) and one < ADULT for one in years)


def _profile_rows(event: DayEvent) -> list[Mapping[str, Any]]:
    try:
        tables = json.loads(event.payload or "{}")
    except (ValueError, RecursionError):
        return []
    rows = tables.get(T.PROFILES) if isinstance(tables, dict) else None
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
