"""Who is out for now by a night that is refused, unless they are too many to be true."""

from collections.abc import Collection, Iterable
from typing import Final

import numpy as np

from recsys.catalogue.columns import Columns as C
from recsys.constraints.exclusions_and_tokens import SamePerson
from recsys.constraints.policy import Policy, may_show_each
from recsys.data.absent_accounts import UNREAD
from recsys.data.population import Population
from recsys.messaging.reasons import Reasons
from recsys.pipeline.closed_pairs import closed_pairs, hidden_pairs
from recsys.ranking.snapshot import Snapshot
from recsys.safety.by_person import AWAY_IN_TABLES
from recsys.safety.erasure_list import ErasedPeople
from recsys.safety.fingerprints import PERSON
from recsys.safety.ledger import SafetyLedger, told_under
from recsys.safety.ledger_file import pair_record, stop_record
from recsys.safety.ledger_state import ACCOUNT, BAN, HOLD, TABLES, LedgerState, LedgerTag, Who
from recsys.types import BoolArray

ACCOUNT_STOPS: Final = {"banned": LedgerTag(BAN, TABLES), "hold": LedgerTag(HOLD, ACCOUNT)}
"""States of an account that stop its person until its own row says another one."""
UNREAD_ROW: Final = LedgerTag(UNREAD, TABLES)
"""Of accounts whose row cannot be read, or is yet to come."""
APART_FOR_NOW: Final = LedgerTag("apart", TABLES)
"""Of pairs whom the tables of a night that was refused keep apart, until one is published."""
NARROWER_FOR_NOW: Final = LedgerTag("narrower", TABLES)
"""Of whoever is apart from many by such tables."""
NAMED_FOR_NOW: Final = LedgerTag("named", TABLES)
"""Of whom such tables stop by a person token alone that their account does not have in what is served.

It lasts while the tables of published nights lack the account, and the account is stopped."""
FOR_NOW: Final = (AWAY_IN_TABLES, APART_FOR_NOW, NARROWER_FOR_NOW, NAMED_FOR_NOW)
"""What the tables of a refused night say of people; the next night that is published goes by its own."""
_FEW_AWAY: Final = 20
_SHARE_AWAY: Final = 0.05
_NOBODY: Final = ErasedPeople()


def note_unread(ledger: SafetyLedger, people: Population) -> None:
    """Tell the ledger whom rows stop that cannot be read, or are yet to come: until one can be read.

    Where such a row says a ban, or another word for one, it ends as a ban does.
    """
    for why, tag in {**ACCOUNT_STOPS, UNREAD: UNREAD_ROW}.items():
        stopped = [who for who, said in _absent(people) if said == why]
        ledger.stop(stopped, tag, as_of="" if tag == UNREAD_ROW else people.as_of.isoformat())


def unread(people: Population, state: str | None = None) -> list[Who]:
    """Return the accounts that are stopped by a row that cannot be read, or is yet to come.

    state: of those whose row is another word for one state alone; None for all.
    """
    return [who for who, said in _absent(people) if said and state in (None, said)]


def _absent(people: Population) -> list[tuple[Who, str]]:
    absent = people.absent
    return [
        (Who(one, token), said)
        for one, token, said in zip(absent.account, absent.token, absent.stop, strict=True)
    ]


def _is_stopped(state: LedgerState, who: Who) -> bool:
    return state.is_stopped(state.fingerprints(who))


def are_many(out: Iterable[Who], shown: Collection[str], state: LedgerState) -> bool:
    """Say whether so many of those shown are newly out at once that it is no word about people."""
    return sum(not _is_stopped(state, who) for who in out) > most_at_once(len(shown))


def most_at_once(n_people: int) -> int:
    """Return of how many of `n_people` the tables of one night can tell at once and still be true."""
    return max(_FEW_AWAY, int(_SHARE_AWAY * n_people))


def away(people: Population) -> BoolArray:
    """Say who is out for now, `(n_people,)`: held, or not known to be active, proved, and with boundaries."""
    proved = people.known(C.VERIFICATION) & ~people.is_word(C.VERIFICATION, "none")
    proved &= people.known(C.AGE_BAND) & people.relations.accepted
    return people.held | ~(people.is_word(C.ACCOUNT_STATE, "active") & proved & people.has_boundaries)


def note_refused_night(
    ledger: SafetyLedger,
    people: Population,
    policy: Policy,
    shown: Iterable[str],
    erased: ErasedPeople = _NOBODY,
    *,
    served: str = "",
) -> int:
    """Tell the ledger who of those shown is out for now by the tables of a refused night; return how many.

    A night that is not published takes nobody out of what is served; a pause, an age that is no adult's, a
    proof that was taken back, lines that leave nobody, a row that cannot be read or is gone count all the
    same: whoever the rules of the night list no more. Where many are out at
    once, tables are broken rather than people away: nobody is. A night that is published leaves them out of
    its lists itself, and ends what is told here. That another account of a person takes part takes nobody
    out: whoever has two accounts in what is served stands there with one, and tonight's tokens may be wrong.

    shown: who stands in what is served. erased: they are out as it is. served: the run that is served, whose
    later ones leave out whom they do; they count among the many no more.
    """
    users, state, is_away = sorted(set(shown)), ledger.begin(), away(people)
    rows = people.ids.find(users)
    of_accounts = policy.without(*(one.name for one in policy.constraints if isinstance(one, SamePerson)))
    for unlisted in (is_away | ~of_accounts.compile(people).listed, is_away):  # a rule may be wrong
        is_out = np.append(unlisted, True)[rows]  # the last for those without a row, whose is -1
        out = [
            Who(user, people.person_tokens[row] if row >= 0 else None)
            for user, row in zip(np.array(users, object)[is_out], rows[is_out], strict=True)
        ]
        gone = erased.among([who.user_id for who in out])
        free = [
            who for who, is_gone in zip(out, gone, strict=True) if not is_gone and not _is_stopped(state, who)
        ]
        if not are_many(free, users, state.served_by(served) if served else state):
            ledger.stop(free, AWAY_IN_TABLES, as_of=people.as_of.isoformat())
            return len(free)
    return 0


def note_refused_pairs(
    ledger: SafetyLedger,
    people: Population,
    policy: Policy,
    snapshot: Snapshot | None,
    shown: Collection[str],
) -> None:
    """Tell the ledger which pairs are apart for now by the tables of a refused night.

    A hide and a pass keep the two apart. So does a boundary, an answer or a token by which the rules keep
    apart whom what is served may show; who is apart from more than a few is out. Where that is of many
    people, tables are broken, and hides and passes alone are told.

    snapshot: what is served; None where nothing is. shown: who stands in it.
    """
    ids, tokens = people.ids.ids(np.arange(len(people))).tolist(), people.person_tokens

    def who(row: int) -> Who:
        return Who(str(ids[row]), tokens[row])

    if snapshot is None:
        return
    pairs = hidden_pairs(snapshot, people).tolist()
    closed = closed_pairs(snapshot, people, policy, most_at_once(len(shown)))
    if closed is not None:
        pairs += closed.pairs.tolist()
        ledger.stop(map(who, closed.people.tolist()), NARROWER_FOR_NOW, as_of=people.as_of.isoformat())
    ledger.separate([(who(a), who(b)) for a, b in pairs], APART_FOR_NOW)


def says_less(snapshot: Snapshot, people: Population) -> bool:
    """Say whether anybody no more says of themselves, in tables, what a snapshot tells of them as a reason.

    That is a public answer, an interest, a topic that they listen to or talk about, or a circle.
    """
    told, now = snapshot.reasons, Reasons.of(people, snapshot.catalogue)
    at = np.array(snapshot.ids.find(people.ids.ids(np.arange(len(people))).tolist()), np.int64)
    rows, at = np.flatnonzero(at >= 0), at[at >= 0]
    for before, after, said in (
        (told.answer.codes, now.answer.codes, (told.answer.option, now.answer.option)),
        (told.interest.codes, now.interest.codes, (told.interest.level, now.interest.level)),
        (told.listens.codes, now.listens.codes, (told.listens.listens, now.listens.listens)),
        (told.listens.codes, now.listens.codes, (told.listens.talks, now.listens.talks)),
    ):
        for column, code in enumerate(before):
            is_told = said[0][at, column] > 0
            if code in after:
                is_told &= said[1][rows, after.index(code)] <= 0
            if is_told.any():
                return True
    n_before, n_after = (np.diff(one.circle.member.indptr) for one in (told, now))
    return bool((n_after[rows] < n_before[at]).any())


def end_for_now(ledger: SafetyLedger, people: Population, policy: Policy) -> None:
    """End what refused nights told for now of whom tonight's tables show again, once the night is served.

    Whoever is out by tonight's tables as well, under every account, stays so in the ledger: a worker that has
    not loaded the night yet would show them.
    """
    state = ledger.begin()
    told = {tag: told_under(state, tag) for tag in FOR_NOW}
    if not any(stopped or apart for stopped, apart in told.values()):
        return
    ids, listed = (
        people.ids.ids(np.arange(len(people))).tolist(),
        policy.compile(people).listed & ~away(people),
    )
    row_of: dict[int, int] = {}
    for naming, prints in zip(state.namings, state.fingerprints_of_ids(ids), strict=True):
        row_of |= dict(zip(prints, range(len(ids)), strict=True))
        row_of |= {naming.of(PERSON, token): row for row, token in enumerate(people.person_tokens) if token}
    shown = {one for one, row in row_of.items() if listed[row]} | {0}  # 0: told of no account

    def open_pairs(pairs: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
        """Return the pairs of whom some account may be shown some account of the other, asked all at once."""
        ends = [
            [
                np.array([row_of[one] for one in state.linked([end]) if one in row_of], np.int32)
                for end in pair[:2]
            ]
            for pair in pairs
        ]
        of = np.repeat(np.arange(len(pairs)), [len(a) * len(b) for a, b in ends])
        i = np.concatenate([np.repeat(a, len(b)) for a, b in ends])
        j = np.concatenate([np.tile(b, len(a)) for a, b in ends])
        shown = may_show_each(policy, unmatched, i, j) | may_show_each(policy, unmatched, j, i)
        return [pairs[at] for at in np.unique(of[shown])]

    lasting = state.without(*FOR_NOW)
    unmatched = people.with_relations(people.relations.without_matches())  # a match is told by the night

    def is_over(tag: LedgerTag, at: tuple[int, int]) -> bool:
        if tag != NAMED_FOR_NOW or not at[1]:
            return not shown.isdisjoint(state.linked(at))
        # tonight's tables tell which token an account has; of one that they lack nobody knows better
        return at[1] in row_of or not lasting.is_stopped(at[1:])

    records = []
    for tag, (stopped, apart) in told.items():
        free = [at for at in stopped if is_over(tag, at)]
        records += [stop_record("lift", tag, free)] if free else []
        may_meet = open_pairs(apart) if apart else []
        records += [pair_record("lift", tag, may_meet)] if may_meet else []
    ledger.append(records)
