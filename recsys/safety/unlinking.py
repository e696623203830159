"""Taking back that an account is of one person with others, where a wrong person token made them so."""

from collections.abc import Collection

from recsys.errors import InputError, explained
from recsys.safety.fingerprints import ID
from recsys.safety.hold_words import hold_words
from recsys.safety.ledger import SafetyLedger, told_under
from recsys.safety.ledger_file import pair_record, stop_record
from recsys.safety.ledger_state import HIDDEN, UNLINK, LedgerState, LedgerTag, spelling_link

Link = tuple[int, int]


def unlink(ledger: SafetyLedger, user_id: str, tokens: Collection[int], *, owner: str, reason: str) -> int:
    """Take back every link of an account but that to the person token it has; return how many there were.

    The other accounts lose their links to that token. What was said of them no longer stops the token, nor
    what was said of this account the tokens it had before; a ban or hold of its own stays, and so does what
    was said of a pair, which does not tell of which account, but that somebody hid another account of it.
    Where it has none to a token, that to the other spellings of its id is taken back.

    tokens: fingerprints of the token it has in what is served, under each key, 0 for none; no other account
    of what is served may have it. owner, reason: words of who decides it and why; they stand in the ledger.

    Raises InputError for words that are none, and where there is no link to take back.
    """
    hold_words(owner, reason)
    state = ledger.begin()
    ids, held = {naming.of(ID, user_id) for naming in state.namings}, set(tokens) - {0}
    spelled = {spelling_link(naming, user_id) for naming in state.namings}
    cut = _links_of(state, ids, {*ids, *held, *(to for _, to in spelled)}, held)
    cut = cut or {(at, to) for at, to in spelled if to in state.links.get(at, ())}
    if not cut:
        raise InputError(explained("this account has no link to another person token or account"))
    ends = "".join(f"{end:016x}" for link in sorted(cut) for end in link)
    ledger.append([{"kind": UNLINK, "pairs": ends, "owner": owner, "reason": reason}])
    before = {one for link in cut for one in link} - ids - held
    lifted: dict[LedgerTag, list[Link]] = {}
    for one in sorted(before | held):
        for tag in state.stops.get(one, ()):
            of_own = tag.account in ids
            if tag.account and of_own == (one in before):
                lifted.setdefault(tag._replace(account=0), []).append((one, tag.account))
    ledger.append([stop_record("lift", tag, sorted(at)) for tag, at in sorted(lifted.items())])
    hidden = [pair for pair in told_under(state, HIDDEN)[1] if pair[2] in ids]
    ledger.append([pair_record("lift", HIDDEN, hidden)] if hidden else [])
    return len(cut)


def _links_of(state: LedgerState, ids: set[int], own: set[int], held: set[int]) -> set[Link]:
    """Return the links of an account to tokens that it does not hold, and of others to those it does."""
    return {(at, to) for at in {*ids, *held} for to in state.links.get(at, ()) if to not in own}
