"""Whose a record of a file is, and what a person may see of their own.

Subject access hands over what is theirs, and nothing that another person said of them.
"""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.data.quarantine import CODES, REASON, TABLE, VALUES
from recsys.safety.erasure_list import person_hash
from recsys.safety.fingerprints import forms_of
from recsys.safety.keys import read_keys
from recsys.safety.store import LEAVER, MEMBER, PROOF

PERSON_COLUMNS: Final = (C.USER, C.ACTOR, C.TARGET, C.VIEWER, C.CANDIDATE)
"""Columns that name a person; whose row it is stands in the first of them that a table has."""
_OWNERS: Final = ("actor", "user_id", "viewer_id", "person")
OTHERS: Final = frozenset({*PERSON_COLUMNS, "other_id", "other", "person", "blocked_id", "by"})
_ABOUT_OTHERS: Final = frozenset({"p_liked_back", "p_mutual", "liked_back", "mutual"})
"""Figures of a row that say how the other person is expected to feel."""
RESTRICTS: Final = "restricts"
"""The column of a day log that repeats type and target, by which an event is known."""
ANOTHER: Final = "(another member)"
_CASE_COLUMNS: Final = frozenset({"person", "note"})
"""Columns of what a case keeps about whom it is about."""
_AUDIT_COLUMNS: Final = frozenset({"operator", "purpose", "what"})
"""Columns of a look of an operator; its purpose may say that somebody reported them."""


_STEP_COLUMNS: Final = frozenset({"case", "step"})
"""Columns of a step of a case."""
_LEDGER_COLUMNS: Final = frozenset({"kind", "mac"})
"""Columns of a record of the safety ledger, which names the case that holds somebody."""
_NOTICED: Final = frozenset({"money_request", "off_platform_request"})
"""Events that say what somebody asked for, noted by the service or by whom it was asked of."""
_REFUSED_COLUMNS: Final = frozenset({TABLE, CODES, REASON, VALUES, C.USER})
"""Columns of a refused row of a night; what was given of it may be what somebody else says."""
_OPERATORS_OWN: Final = (_CASE_COLUMNS, _AUDIT_COLUMNS, _STEP_COLUMNS, _LEDGER_COLUMNS)


def _given(record: dict[str, Any]) -> dict[str, Any]:
    """Return what was given in a refused row, whose row it is among it."""
    given = json.loads(record[VALUES]) if isinstance(record[VALUES], str) else {}
    return {C.USER: record[C.USER], **given} if isinstance(record[C.USER], str) else given


def _is_of_operators(record: dict[str, Any], column: str) -> bool:
    """Say whether a value says who of the operators did something, or may say what another member did.

    Of a hold that is its owner and its reason, unless the member or a proof of theirs set it.
    """
    if column == "note":
        return True
    if "owner" in record:
        return column in ("owner", "reason") and record["owner"] not in (MEMBER, LEAVER, PROOF)
    return column == "reason" and str(record[column]).startswith(("hold:", "ban:"))


@dataclass(frozen=True)
class Person:
    """The forms in which files may hold one person."""

    user_id: str

    @cached_property
    def forms(self) -> frozenset[str]:
        """The id, and what tracked nights hold in its place: fingerprints, or in old ones a plain hash."""
        return forms_of(self.user_id, read_keys()) | {self.user_id, person_hash(self.user_id)}

    def owns(self, record: dict[str, Any]) -> bool:
        """Say whether a record is theirs rather than another person's about them.

        A case is not, nor a look of an operator: that it is there says that somebody reported them. Nor is
        the safety ledger, nor what was noticed in a conversation, which the other may have told. What was
        decided stands as a hold.
        """
        if record.get(C.TYPE) in _NOTICED:
            return False
        if any(record.keys() >= columns for columns in _OPERATORS_OWN):
            return False
        if record.keys() >= _REFUSED_COLUMNS:
            given = _given(record)
            is_named = any(isinstance(given.get(column), str) for column in _OWNERS)
            return is_named and record[TABLE] != T.HOLDS and self.owns(given)
        owners = [column for column in _OWNERS if column in record]
        for column in owners:
            if isinstance(record[column], str):
                return record[column] in self.forms
        return not owners and self._stands_first(record)

    def _stands_first(self, record: dict[str, Any]) -> bool:
        """Say whether a record of columns that nobody here knows begins with the person.

        In others it may be somebody else who says something of them. A record of one value, or of an array,
        is what a file holds of the person alone.
        """
        if len(record) == 1 or "row" in record:
            return True
        first = next(iter(record.values()))
        return isinstance(first, str) and first in self.forms

    def visible(self, record: dict[str, Any]) -> dict[str, Any]:
        """Return what the person may see of a record of theirs: no other id, nothing others may feel.

        Who of the operators holds them, and why, is left out as well, where it is that they were reported,
        and so is a note of an operator, which may name others.
        """
        if record.keys() >= _REFUSED_COLUMNS:
            given = json.dumps(self.visible(_given(record)), ensure_ascii=False)
            return {TABLE: record[TABLE], CODES: record[CODES], VALUES: given}
        return {
            column: ANOTHER
            if column in OTHERS and isinstance(value, str) and value not in self.forms
            else value
            for column, value in record.items()
            if column not in (*_ABOUT_OTHERS, RESTRICTS)
            and value is not None
            and not _is_of_operators(record, column)
        }
