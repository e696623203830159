"""Why the safety ledger shows somebody to nobody or keeps two apart, for an operator who asks."""

from collections.abc import Iterable
from typing import NamedTuple

from recsys.safety.ledger_state import LedgerState, LedgerTag, Who


class LedgerReason(NamedTuple):
    """One word of the ledger.

    why: such as `ban` or `block`. owner: whose word it is. linked: whether it was said of another account,
    which the ledger takes for one of the same person, and not of this one.
    """

    why: str
    owner: str
    linked: bool


def stop_reasons(state: LedgerState, who: Who) -> list[LedgerReason]:
    """Return why somebody is shown to nobody, each reason once; [] where nothing stops them.

    >>> from recsys.safety.fingerprints import Fingerprints, Naming
    >>> from recsys.safety.keys import Keys
    >>> stop_reasons(LedgerState(namings=[Fingerprints(Naming(), Keys())]), Who("a"))
    []
    """
    own = {*state.fingerprints(who), *state.accounts(who.user_id)}
    of_person = [state.stops.get(one, set()) for one in state.linked(own)]
    return _told(set[LedgerTag]().union(*of_person), own)


def separation_reasons(state: LedgerState, who: Who, other: Who) -> list[LedgerReason]:
    """Return why two are kept apart, each reason once; none where they are not."""
    own = [{*state.fingerprints(one), *state.accounts(one.user_id)} for one in (who, other)]
    mine, theirs = (state.linked(one) for one in own)
    if not mine.isdisjoint(theirs):
        return [LedgerReason("same_person", "", linked=True)]
    between = [
        (tag, a not in own[0] or b not in own[1])
        for a in mine
        for b, tags in state.pairs.get(a, {}).items()
        if b in theirs
        for tag in tags
    ]
    return _each_once(LedgerReason(tag.why, tag.owner, is_linked) for tag, is_linked in between)


def _told(tags: Iterable[LedgerTag], own: set[int]) -> list[LedgerReason]:
    return _each_once(
        LedgerReason(tag.why, tag.owner, bool(tag.account) and tag.account not in own) for tag in tags
    )


def _each_once(reasons: Iterable[LedgerReason]) -> list[LedgerReason]:
    """Return reasons in order; one that is of the account itself stands for those of linked ones."""
    known = dict[tuple[str, str], LedgerReason]()
    for one in sorted(set(reasons)):
        known.setdefault((one.why, one.owner), one)
    return list(known.values())
