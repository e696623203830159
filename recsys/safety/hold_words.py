"""The owner and the reason of a hold: words, in which no id of a member stays in clear."""

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Final

import structlog

from recsys.errors import InputError, explained
from recsys.safety.fingerprints import Fingerprints, is_word_of, without_ids
from recsys.safety.ledger_state import HOLD, STORE, SUPPRESSED, LedgerTag

_log = structlog.get_logger(__name__)
OPERATOR: Final = "operator"
"""The owner of a hold when none is named."""
_HOLD_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")


def hold_words(owner: object, reason: object) -> tuple[str, str]:
    """Return the owner and the reason of a hold; the reason may be empty.

    Raises InputError for anything but a word of at most 64 letters, digits, `_`, `.`, `:` and `-`: a text
    about a person does not belong here.

    >>> hold_words("case-31", "money_request")
    ('case-31', 'money_request')
    """
    for word, where in (
        (owner, "owner"),
        (reason or "none" if isinstance(reason, str) else reason, "reason"),
    ):
        if not isinstance(word, str) or not _HOLD_WORD.fullmatch(word):
            remedy = "letters, digits, _ . : and -, at most 64"
            raise InputError(
                explained("the owner and reason of a hold are words", where=where, remedy=remedy)
            )
    return str(owner), str(reason)


def words_even_refused(owner: object, reason: object) -> tuple[str, str]:
    """Return the owner and the reason of a hold that was refused: the operator's, where they are no words."""
    with suppress(InputError):
        return hold_words(owner, reason)
    return OPERATOR, ""


def hold_tag(owner: str, reason: str) -> LedgerTag:
    """Return under which tag the ledger keeps a hold of a store."""
    return LedgerTag(
        f"{HOLD}:{reason}" if reason else HOLD, STORE if owner == OPERATOR else f"{STORE}:{owner}"
    )


def without_members(
    words: Sequence[str], naming: Fingerprints, is_member: Callable[[str], bool]
) -> list[str]:
    """Return owners and reasons with fingerprints for ids of members: a store and a ledger keep them on."""
    made = [without_ids(word, naming, is_member) for word in words]
    if made != [*words]:
        _log.warning("an owner or reason of a hold named a member: a fingerprint takes its place")
    return made


def holds_meant(
    holds: Iterable[tuple[str, str]], owner: str, reason: str | None, namings: Sequence[Fingerprints]
) -> list[tuple[str, str]]:
    """Return the holds of an owner, of one reason or of every one, by the words as they were given once."""
    return [
        (whose, why)
        for whose, why in holds
        if is_word_of(whose, owner, namings) and (reason is None or is_word_of(why, reason, namings))
    ]


def tags_meant(
    tags: Iterable[LedgerTag], owner: str, reason: str | None, namings: Sequence[Fingerprints]
) -> list[LedgerTag]:
    """Return under which tags the ledger keeps the same holds, with the one of the words themselves."""
    wanted = hold_tag(owner, reason or "")
    found = {
        tag._replace(account=0)
        for tag in tags
        if tag.why != SUPPRESSED
        and is_word_of(tag.owner, wanted.owner, namings)
        and (reason is None or is_word_of(tag.why, wanted.why, namings))
    }
    return sorted(found if reason is None else found | {wanted})
