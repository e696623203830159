"""Accounts of one person in what is served, or in the safety ledger, and not tonight, or tonight alone.

Their links stay in the ledger, and with them what lasts. Hides and passes are of the tables: whoever hid the
person under one account would be shown the other again.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.constraints.exclusions_and_tokens import persons
from recsys.data.absent_accounts import ENDING
from recsys.data.contract import token_meant
from recsys.data.events import Events
from recsys.data.exclusions import EXCLUSION_REASONS, relations
from recsys.data.ids import IdIndex
from recsys.data.population import Population
from recsys.data.tables import read_and_check
from recsys.data.times import as_utc
from recsys.pipeline.erased_restrictions import KEPT_TABLES, note_restrictions
from recsys.pipeline.refused_night import APART_FOR_NOW
from recsys.ranking.publication_filter import ListFilter, known_fingerprints, published_accounts
from recsys.safety.by_person import AWAY_IN_TABLES, SafetyByPerson
from recsys.safety.erase_files import Gone
from recsys.safety.erasure_list import ErasedPeople, ErasureList
from recsys.safety.fingerprints import ID, PERSON, Fingerprints
from recsys.safety.ledger import SafetyLedger, told_under
from recsys.safety.ledger_state import HIDDEN, HIDDEN_LEAVER, LedgerState, Who
from recsys.safety.pending_ledger import PendingLedger
from recsys.safety.person_index import no_accounts
from recsys.safety.store import MemorySafety
from recsys.storage.publication import RUNS, current_run
from recsys.storage.sources import table_readers

_ENDING = [EXCLUSION_REASONS.index(why) for why in ENDING]


def note_hidden_before(ledger: SafetyLedger, people: Population, before: Mapping[str, int]) -> None:
    """Keep whoever hid or passed an account apart from other accounts of its person that tables do not tell.

    They are those that its person has in what is served, and those that the ledger links with it, whether the
    account has a row or is gone.
    before: accounts that have another token tonight, each with the fingerprint of the one it had.
    """
    person, relations = persons(people), people.relations
    pairs = relations.excluded[np.isin(relations.reason, _ENDING)]
    apart = set[tuple[int, int]]()
    for rows in (*_served_as_one(people, before, ledger.begin()), *_linked(people, ledger)):
        for one in rows:
            others = [row for row in rows if person[row] != person[one]]
            hidden = np.r_[pairs[pairs[:, 0] == one, 1], pairs[pairs[:, 1] == one, 0]].tolist()
            apart |= {(other, by) for other in others for by in hidden if by not in rows}
    ids, tokens = people.ids.ids(np.arange(len(people))), people.person_tokens
    named = [tuple(Who(str(ids[row]), tokens[row]) for row in pair) for pair in sorted(apart)]
    ledger.separate([(a, b) for a, b in named], HIDDEN, directed=True)
    _note_hidden_leavers(ledger, people)


def _note_hidden_leavers(ledger: SafetyLedger, people: Population) -> None:
    """Keep apart who hid or passed each other where one has no row any more, and came back with another.

    Of a hide of somebody who is known to have left and is not back, the ledger is told: they may come by day.
    """
    state, absent = ledger.begin(), people.absent
    ending = np.isin(absent.reason.astype(str), ENDING)
    told = [*zip(absent.pairs[ending].tolist(), absent.reason[ending].tolist(), strict=True)]
    gone = {one for pair, _ in told for one in pair if one not in people.ids}
    prints = {one: state.accounts(one) for one in gone}
    left = {one: own for one, own in prints.items() if not state.links.keys().isdisjoint(own)}
    if not (left or told_under(state, HIDDEN_LEAVER)[1]):
        return
    known = known_fingerprints(people, state)
    ledger.take_back(HIDDEN_LEAVER, map(Who, known))
    back = _accounts_linked(left, known, state)
    hidden, waiting = set[tuple[str, str]](), set[tuple[str, str]]()
    for (a, b), why in told:
        first, second = (a, b) if a in left else (b, a)
        mine, theirs = (back.get(one, set()) if one in gone else {one} for one in (first, second))
        hidden |= {(one, other) for one in mine for other in theirs if one != other}
        if why == "hide" and first in left and not (mine and theirs):
            waiting.add((first, second))

    for pairs, tag in ((hidden, HIDDEN), (waiting, HIDDEN_LEAVER)):
        named = sorted({one for pair in pairs for one in pair})
        tokens = np.append(people.person_tokens, [None])[people.ids.find(named)]  # the last of who has no row
        who = {one: Who(one, token) for one, token in zip(named, tokens, strict=True)}
        ledger.separate([(who[a], who[b]) for a, b in sorted(pairs)], tag, directed=True)


@contextmanager
def restrictions_of_erased(
    published: Path, source: str, as_of: str | pd.Timestamp | None = None
) -> Iterator[Gone]:
    """Keep what rows of somebody erased, which are given to what it yields, restrict in the safety ledger.

    They are bans, holds, blocks and reports, see `erased_restrictions`, and hides. A pass is kept where the
    tables of the night know another account of the person.

    source: how these tables are read, without the rows. as_of: their time, None for now.
    """
    found: dict[str, list[pd.DataFrame]] = {table: [] for table in KEPT_TABLES}
    yield lambda table, rows: found.get(table, []).append(rows)
    if not any(found.values()):
        return
    current, ledger, erasures = current_run(published), SafetyLedger.of(published), ErasureList.of(published)
    store = SafetyByPerson(MemorySafety(), erasures, ledger)
    store.accounts = (
        no_accounts(ledger.keys)
        if current is None
        else published_accounts(published / RUNS / current, ledger.keys)
    )
    for rows in found[T.PROFILES]:
        for user_id, token in _tokens_meant(rows):
            store.accounts.add(user_id, token)
    time = pd.Timestamp.now("UTC") if as_of is None else as_utc(as_of)
    note_restrictions(store, found, erasures.now(), time, partial(_tokens_of, source))
    if not found[T.EVENTS]:
        return
    apart, left = _apart_in(pd.concat(found[T.EVENTS], ignore_index=True), time)
    gone = erasures.now()
    stands = {pair: why for pair, why in _from_erased(apart, gone) if why != "matched"}
    over = {pair for pair, _ in _from_erased(dict.fromkeys(left, ""), gone)} - stands.keys()
    state, present = ledger.begin(), frozenset[int]()
    store.link_accounts(one for one, _ in stands)
    if "pass" in stands.values():
        present = _accounts_present(source, state.namings[-1])

    def is_back(user_id: str) -> bool:
        return not present.isdisjoint(state.linked(state.accounts(user_id)))

    kept = {pair for pair, why in stands.items() if why != "pass" or is_back(pair[0])}
    store.link_accounts(one for pair in sorted(kept) for one in pair)
    named, ended = ([(Who(a), Who(b)) for a, b in sorted(pairs)] for pairs in (kept, over))
    ledger.separate(named, HIDDEN_LEAVER, directed=True)
    ledger.lift(HIDDEN_LEAVER, pairs=ended, directed=True)


def _apart_in(
    events: pd.DataFrame, as_of: pd.Timestamp
) -> tuple[dict[tuple[str, str], str], set[tuple[str, str]]]:
    """Return the pairs that rows of events keep apart, each with the reason, and all that hide or pass.

    A refused row that may be a hide counts as one; a hide that is dated ahead counts at once.
    """
    checked = read_and_check(T.EVENTS, lambda: events)
    rows, refused = checked.accepted, checked.restrictions.at_once()
    pairs = rows[[C.ACTOR, C.TARGET]].dropna().astype(str)
    ended = pairs[rows[C.TYPE].isin(ENDING).loc[pairs.index]].to_numpy().tolist()
    ids = IdIndex({*pairs[C.ACTOR], *pairs[C.TARGET]})
    known = rows[~rows[C.TYPE].eq("erase") & (rows[C.TYPE].eq("hide") | ~(rows[C.TS] > as_of))]
    told = Events.of(known.assign(**{C.TS: known[C.TS].where(~(known[C.TS] > as_of), as_of)}))
    found = relations(told, None, None, ids, as_of)
    apart = dict.fromkeys(refused.passed, "pass") | dict.fromkeys(refused.pairs, "hide")
    for pair, why in zip(found.excluded, found.reason, strict=True):
        one, other = map(str, ids.ids(pair))
        apart[one, other] = EXCLUSION_REASONS[why]
    return apart, {(one, other) for one, other in ended}


def _from_erased(
    pairs: Mapping[tuple[str, str], str], erased: ErasedPeople
) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield each pair of which one was erased with that one first, and both ways where both were."""
    for (one, other), why in pairs.items():
        gone = erased.among([one, other])
        for at, pair in enumerate(((one, other), (other, one))):
            if gone[at]:
                yield pair, why


def _tokens_meant(profiles: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """Yield the accounts in rows of profiles, each with the person token that its row means."""
    if C.PERSON_TOKEN in profiles:
        for user_id, given in zip(profiles[C.USER], profiles[C.PERSON_TOKEN], strict=True):
            if isinstance(user_id, str) and isinstance(given, str):
                yield user_id, token_meant(given) or given.strip()


def _tokens_of(source: str) -> dict[str, str]:
    """Return the person tokens in the profiles of a source, by account."""
    readers = table_readers(source)
    return dict(_tokens_meant(readers[T.PROFILES]())) if T.PROFILES in readers else {}


def _accounts_present(source: str, naming: Fingerprints) -> frozenset[int]:
    """Return the fingerprints of the ids and the person tokens of everybody in the profiles of a source."""
    readers = table_readers(source)
    if T.PROFILES not in readers:
        return frozenset()
    profiles = readers[T.PROFILES]()
    ids = naming.of_all(ID, (one for one in profiles[C.USER] if isinstance(one, str)))
    tokens = naming.of_all(PERSON, {token for _, token in _tokens_meant(profiles)})
    return frozenset([*ids.tolist(), *tokens.tolist()])


def _accounts_linked(
    accounts: Mapping[str, Collection[int]], known: Mapping[str, Collection[int]], state: LedgerState
) -> dict[str, set[str]]:
    """Return which of the known accounts the ledger links with each of some others; by their fingerprints."""
    whose = defaultdict[int, list[str]](list)
    for user_id, mine in known.items():
        for one in mine:
            whose[one].append(user_id)
    return {
        one: {user_id for other in state.linked(mine) for user_id in whose.get(other, ())}
        for one, mine in accounts.items()
    }


def _linked(people: Population, ledger: SafetyLedger) -> list[list[int]]:
    """Return the rows of each person of whom the ledger links several accounts."""
    found = defaultdict[int, list[int]](list)
    for user_id, number in ListFilter.of_people(people, ledger).persons.items():
        found[number].extend(row for row in people.ids.find([user_id]).tolist() if row >= 0)
    return [rows for rows in found.values() if len(rows) > 1]


def _served_as_one(people: Population, before: Mapping[str, int], state: LedgerState) -> list[list[int]]:
    """Return the rows of each person in what is served of whom an account has another token tonight."""
    found = defaultdict[int, set[int]](set)
    for row, old in zip(people.ids.find([*before]).tolist(), before.values(), strict=True):
        if old and row >= 0:
            found[old].add(row)
    for naming in state.namings if found else ():
        for row, token in enumerate(naming.of_all(PERSON, people.person_tokens).tolist()):
            if token in found:
                found[token].add(row)
    return [sorted(rows) for rows in found.values() if len(rows) > 1]


def note_sharing(
    ledger: PendingLedger, tokens: Mapping[str, str], telling: Collection[int], as_of: str
) -> None:
    """Stop and part, for now, accounts that have tonight the person token of somebody stopped or apart.

    tokens: tonight's, of accounts with another one in what is served. telling: fingerprints of the tokens
    by which this counts.
    """
    state = ledger.now()
    newest = state.namings[-1]
    named = [(user, newest.of(PERSON, token)) for user, token in tokens.items()]
    sharing = [one for one in named if one[1] in telling]
    ledger.stop([Who(user) for user, now in sharing if state.is_stopped([now])], AWAY_IN_TABLES, as_of=as_of)
    apart = {(newest.of(ID, user), other) for user, now in sharing for other in state.separated_from([now])}
    ledger.write_pairs_for_now(APART_FOR_NOW, also={(a, b) for a, b in apart if a != b})
