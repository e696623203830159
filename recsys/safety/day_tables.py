"""What a member's own tables of today say of their person, also where nothing else of them can be used."""

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any, Final

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.catalogue.vocabulary import ENUMERATIONS
from recsys.data.contract import token_meant
from recsys.data.date_reading import may_be_under_age
from recsys.data.fail_closed import PROVES_AGE, STOPPED
from recsys.data.id_spellings import as_id_text
from recsys.safety.day_log import TABLES_CHANGED, DayEvent
from recsys.safety.person_index import Accounts

_TOKEN: Final = re.compile(r"hmac\d*:[0-9a-f]{16,128}")
_OWN_STATES: Final = frozenset(ENUMERATIONS[C.ACCOUNT_STATE].words) - frozenset(STOPPED)
_AWAY_STATES: Final = tuple(sorted(_OWN_STATES - {"active"}))


def note_tokens(accounts: Accounts, events: Iterable[DayEvent]) -> tuple[str, ...]:
    """Note who came with tables among some events, and every token in them; return who came with one."""
    told: dict[str, None] = {}
    for event in events:
        if event.type == TABLES_CHANGED:
            accounts.add(event.actor, None)
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
    return [text for value in values if value is not None and (text := _token_in(as_id_text(value)))]


def _token_in(text: str) -> str | None:
    """Return the one token that a text holds, whatever stands around it; the text where it holds none."""
    plain = "".join(one for one in unicodedata.normalize("NFKD", text).casefold() if one.isascii())
    found = _TOKEN.findall("".join(plain.split()))
    return found[0] if len(found) == 1 else token_meant(text) or text.strip()


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


def is_away_by(event: DayEvent) -> bool:
    """Say whether a member's own tables say that somebody is away: paused, erasing, or without a proof."""
    return any(
        row.get(C.ACCOUNT_STATE) in _AWAY_STATES or takes_proof_back(row) for row in _profile_rows(event)
    )


def takes_proof_back(row: Mapping[str, Any]) -> bool:
    """Say whether a row of a profile names a proof, and none that proves an age."""
    proof = row.get(C.VERIFICATION)
    is_given = proof is not None and proof == proof  # noqa: PLR0124 - not a NaN
    return is_given and not (isinstance(proof, str) and proof in PROVES_AGE)


def says_active(event: DayEvent) -> bool:
    """Say whether a member's own tables say that they are active, or say nothing of their state."""
    return all(row.get(C.ACCOUNT_STATE) in (None, "active") for row in _profile_rows(event))


def _is_out(row: Mapping[str, Any]) -> bool:
    state = row.get(C.ACCOUNT_STATE)
    if state is not None and not (isinstance(state, str) and state in _OWN_STATES):
        return True
    return any(may_be_under_age(row.get(column)) for column in (C.AGE_YEARS, C.AGE_BAND))


def tables_of(event: DayEvent) -> dict[str, Any]:
    """Return the tables that an event holds, by name; none where they cannot be read."""
    try:
        tables = json.loads(event.payload or "{}")
    except (ValueError, RecursionError):
        return {}
    return tables if isinstance(tables, dict) else {}


def _profile_rows(event: DayEvent) -> list[Mapping[str, Any]]:
    rows = tables_of(event).get(T.PROFILES)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
