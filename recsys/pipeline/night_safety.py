"""What a night tells the safety ledger: holds, bans and separations it read, and what was lifted since."""

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b
from os.path import lexists
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.data.absent_accounts import LASTING, REOPENED
from recsys.data.as_of import latest_holds
from recsys.data.contract import LONGEST_ID
from recsys.data.exclusions import EXCLUSION_REASONS
from recsys.data.id_spellings import Spellings, as_id_text
from recsys.data.population import Population
from recsys.data.quarantine import ROW_NUMBER
from recsys.data.tables import read_and_check
from recsys.errors import PublicationError, SafetyUnavailable, as_text
from recsys.pipeline.backdated_stops import no_stop_rows, stop_rows
from recsys.pipeline.night_accounts import NightAccounts
from recsys.pipeline.paths import HOME_STORE
from recsys.pipeline.refused_night import ACCOUNT_STOPS, UNREAD_ROW, are_many, away, note_unread, unread
from recsys.pipeline.retention import run_folders
from recsys.safety.by_person import AWAY_IN_TABLES, AWAY_TODAY, HELD_TODAY, OUT_TODAY
from recsys.safety.ledger import SafetyLedger
from recsys.safety.ledger_state import EXCLUDED_NUMBER, HOLD, TABLES, LedgerTag, Who
from recsys.safety.sqlite_store import SqliteSafety
from recsys.safety.store import ask_safety
from recsys.safety.store_binding import StoreBinding
from recsys.storage.manifest import read_manifest
from recsys.storage.sources import Reader, Source, table_readers
from recsys.types import Int32Array


@dataclass(frozen=True)
class HoldStates:
    """The latest word of the holds table on each hold, an account and its owner.

    held: also by a row that is refused or dated ahead, where its state is read as `active`.
    lifted: when each hold ended, later than anything where the table itself has its beginning.
    unread: the times of rows whose state could not be read, ISO UTC, "" for none; such a hold ends by a row
        of its owner that can be read and is no older. read: the times of those.
    profile_times: reads the time of the latest profile of each account; None when the source has no times.
    stop_rows: reads the rows of profiles that say a ban or a hold, see `recsys.pipeline.backdated_stops`.
    """

    held: frozenset[tuple[str, str]]
    lifted: Mapping[tuple[str, str], pd.Timestamp]
    profile_times: Callable[[], Mapping[str, pd.Timestamp] | None] = lambda: None
    unread: Mapping[tuple[str, str], str] = field(default_factory=dict)
    read: Mapping[tuple[str, str], str] = field(default_factory=dict)
    stop_rows: Callable[[], pd.DataFrame] = no_stop_rows

    @classmethod
    def of_source(cls, source: Source, as_of: pd.Timestamp) -> "HoldStates":
        """Read the holds of a night; a source without the table lifts nobody."""
        readers = table_readers(source)
        times = partial(_profile_times, readers[T.PROFILES], as_of)
        stops = partial(stop_rows, readers[T.PROFILES], as_of)
        if T.HOLDS not in readers:
            return cls(frozenset(), {}, times, stop_rows=stops)
        checked = read_and_check(T.HOLDS, readers[T.HOLDS], as_of=as_of)
        every = checked.accepted
        rows = latest_holds(every, as_of)
        active = rows[C.STATE].eq("active").to_numpy(bool)
        held, lifted = _named_holds(rows[active]), rows[~active]
        begun = set(_named_holds(every[every[C.STATE].eq("active")]))
        dated = C.TS in rows and bool(rows[C.TS].notna().any())
        ends = lifted[C.TS] if dated else pd.Series(pd.NaT, lifted.index)
        told = rows[C.TS] if C.TS in rows else pd.Series(pd.NaT, rows.index)
        refused, unread = _held_by_refused(readers[T.HOLDS](), checked.quarantined)
        return cls(
            frozenset(held) | refused,
            {
                hold: _ALWAYS if hold in begun or not dated else end
                for hold, end in zip(_named_holds(lifted), ends, strict=True)
                if hold in begun or not dated or pd.notna(end)
            },
            times,
            unread,
            {hold: _iso(at) for hold, at in zip(_named_holds(rows), told, strict=True)},
            stops,
        )


_UNREAD_HOLD: Final = f"{HOLD} unread"
_ALWAYS: Final = pd.Timestamp.max.tz_localize("UTC")


def _iso(at: pd.Timestamp) -> str:
    return "" if pd.isna(at) else at.isoformat()


def _named_holds(rows: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the account and the owner of each hold, no owner as an empty text."""
    owners = rows[C.OWNER].astype(object) if C.OWNER in rows else pd.Series(None, rows.index, dtype=object)
    owner = owners.where(owners.notna(), "").astype(str)
    return list(zip(rows[C.USER].astype(str), owner, strict=True))


def _held_by_refused(
    given: pd.DataFrame, quarantined: pd.DataFrame
) -> tuple[frozenset[tuple[str, str]], dict[tuple[str, str], str]]:
    """Return the holds in refused rows that say `active`, and the times of those with no known state."""
    rows = given.reset_index(drop=True).iloc[quarantined[ROW_NUMBER].to_numpy(np.intp)]
    if rows.empty:
        return frozenset(), {}
    states = rows[C.STATE].map(lambda one: as_text(one).strip().casefold())
    named = rows[C.USER].map(lambda one: as_id_text(one)[:LONGEST_ID], na_action="ignore")
    named = named[named.notna() & named.ne("") & states.ne("lifted")]
    owners = rows[C.OWNER].reindex(named.index) if C.OWNER in rows else pd.Series(None, named.index)
    holds = list(zip(named, owners.map(as_text, na_action="ignore").fillna(""), strict=True))
    times = pd.to_datetime(rows[C.TS], utc=True, errors="coerce") if C.TS in rows else None
    is_active = states[named.index].eq("active").to_numpy(bool)
    unread = {
        hold: "" if times is None else _iso(times[at])
        for hold, at, active in zip(holds, named.index, is_active, strict=True)
        if not active
    }
    return frozenset(hold for hold, active in zip(holds, is_active, strict=True) if active), unread


def hold_tag(owner: str) -> LedgerTag:
    """Return the tag of a hold of the holds table; an owner, who may be a person, stands in it as a hash."""
    if not owner:
        return LedgerTag(HOLD, TABLES)
    return LedgerTag(HOLD, f"{TABLES}:{blake2b(owner.encode(), digest_size=6).hexdigest()}")


def _profile_times(read: Reader, as_of: pd.Timestamp) -> Mapping[str, pd.Timestamp] | None:
    """Return the time of each account's latest accepted profile; accounts with undated ones are lacking."""
    rows = read_and_check(T.PROFILES, read, as_of=as_of).accepted
    if C.VALID_FROM not in rows or rows[C.VALID_FROM].isna().all():
        return None
    dated = rows[rows[C.VALID_FROM].notna()]
    latest = dated.groupby(dated[C.USER].astype(object))[C.VALID_FROM].max()
    return {str(user): time for user, time in latest.items()}


def note_night(
    ledger: SafetyLedger,
    people: Population,
    holds: HoldStates | None = None,
    shown: Collection[str] = frozenset(),
) -> None:
    """Tell the ledger whom the tables of a night stop, separate and free again.

    holds: what the holds table says; None takes whoever of `people` is held, and lifts nothing. shown: who
    stands in what is served; where the rows of many of them cannot be read, tables are broken, and only
    `note_unread` tells of it, once the night is published.

    A ban, or the state `hold`, ends when the account's own row says another state and is dated after the
    night that first read the stop, or after the tables of today that said so: an older row that is left when
    the row of the ban is gone ends nothing. Where a source dates no row, the state alone decides. A hold of
    the holds table ends when the latest row of its owner says `lifted`, and that is dated after the night
    that first read it or follows its beginning.
    A block ends when it is there with the event by which whoever made it took it back, and no other stands
    between the two.
    Nothing ends because a row, or a table, is missing.
    """
    accounts = NightAccounts(people)
    whom = accounts.whom
    for state, tag in ACCOUNT_STOPS.items():
        ledger.stop(whom(people.is_word(C.ACCOUNT_STATE, state)), tag, as_of=people.as_of.isoformat())
    if holds is None:
        ledger.stop(whom(people.held), LedgerTag(HOLD, TABLES))
    else:
        _note_holds(ledger, people, holds)
    known, stopped = people.known(C.ACCOUNT_STATE), np.zeros(len(people), bool)
    for state, tag in ACCOUNT_STOPS.items():  # after every stop: who goes from one to another is never free
        in_state = people.is_word(C.ACCOUNT_STATE, state)
        stopped |= in_state
        said = {who.user_id for who in unread(people, state)}  # a row still says so, in another word
        was_stopped = accounts.stopped(known & ~in_state, ledger.now(), tag)
        was_stopped = [(who, since) for who, since in was_stopped if who.user_id not in said]
        ledger.lift(tag, people=_since_stopped(was_stopped, holds))
    for tag in (OUT_TODAY, HELD_TODAY, AWAY_TODAY):
        was_stopped = accounts.stopped(known & ~stopped, ledger.now(), tag)
        ledger.lift(tag, people=_since_stopped(was_stopped, holds, people.as_of))
    stopped_before = {tag for tags in ledger.now().stops.values() for tag in tags}
    if any(tag._replace(account=0) == AWAY_IN_TABLES for tag in stopped_before):
        ledger.lift(AWAY_IN_TABLES, people=whom(~away(people)))
    relations = people.relations

    def named(pairs: Int32Array) -> list[tuple[Who, Who]]:
        return [(accounts.everybody[a], accounts.everybody[b]) for a, b in pairs.tolist() if a != b]

    for why in LASTING:
        pairs = relations.excluded[relations.reason == EXCLUSION_REASONS.index(why)]
        ledger.separate(named(pairs), LedgerTag(why, TABLES))
    ledger.lift(LedgerTag("block", TABLES), pairs=named(relations.reopened))
    ledger.separate(_excluded_numbers(people, accounts), EXCLUDED_NUMBER, directed=True)
    _note_absent(ledger, people, accounts)
    if not are_many([who for who in unread(people) if who.user_id in shown], shown, ledger.now()):
        note_unread(ledger, people)


def _excluded_numbers(people: Population, accounts: NightAccounts) -> list[tuple[Who, Who]]:
    """Return who excludes whom by a number or mailbox; an employer is avoided while it is one's own."""
    tokens = people.long.tokens
    told = tokens[tokens[C.NAMESPACE].ne("employer").to_numpy(bool)]
    owned = told[told[C.KIND].eq("self")][[C.NAMESPACE, C.HMAC, C.ROW]]
    avoided = told[told[C.KIND].eq("exclude")][[C.NAMESPACE, C.HMAC, C.ROW]]
    met = avoided.merge(owned, on=[C.NAMESPACE, C.HMAC], suffixes=("", "_other"))
    met = met[met[C.ROW].ne(met[f"{C.ROW}_other"])][[C.ROW, f"{C.ROW}_other"]].drop_duplicates()
    everybody = accounts.everybody
    return [(everybody[a], everybody[b]) for a, b in met.to_numpy(np.int64).tolist()]


def note_numbers_taken_back(ledger: SafetyLedger, people: Population) -> None:
    """Tell the ledger, once a night is served, who excludes no number or mailbox any more."""
    told = people.long.tokens
    excluding = told[told[C.KIND].eq("exclude") & told[C.NAMESPACE].ne("employer")][C.ROW].to_numpy(np.int64)
    free = np.setdiff1d(np.arange(len(people)), excluding)
    ids, tokens = people.ids.ids(free).tolist(), people.person_tokens[free].tolist()
    ledger.take_back(EXCLUDED_NUMBER, [Who(str(one), token) for one, token in zip(ids, tokens, strict=True)])


def _note_absent(ledger: SafetyLedger, people: Population, accounts: NightAccounts) -> None:
    """Tell the ledger of accounts without a row, whose persons may come back with another one.

    What stops somebody because a row cannot be read, or is yet to come, ends when the account has a row and
    is not held any more.
    """
    absent = people.absent
    was_stopped = accounts.stopped(~people.held, ledger.now(), UNREAD_ROW)
    ledger.lift(UNREAD_ROW, people=[who for who, since in was_stopped if not since])

    def who(one: str) -> Who:
        (row,) = people.ids.find([one])
        return Who(one, people.person_tokens[row] if row >= 0 else absent.token_of.get(one))

    for why in (*LASTING, REOPENED):
        pairs = [(who(a), who(b)) for a, b in absent.pairs[absent.reason == why]]
        if why == REOPENED:
            ledger.lift(LedgerTag("block", TABLES), pairs=pairs)
        else:
            ledger.separate(pairs, LedgerTag(why, TABLES))


def _note_holds(ledger: SafetyLedger, people: Population, holds: HoldStates) -> None:
    """Tell the ledger of the holds of the holds table, owner by owner."""
    absent = people.absent.token_of
    known = [*people.ids.ids(np.arange(len(people))).tolist(), *absent]
    named = {one for one, _ in (*holds.held, *holds.unread)}
    spellings = Spellings(known) if not named.issubset(known) else None

    def whom(users: set[str]) -> list[Who]:
        named = sorted(users)
        rows = zip(named, people.ids.find(named), strict=True)
        return [Who(one, people.person_tokens[row] if row >= 0 else absent.get(one)) for one, row in rows]

    def whom_meant(users: set[str]) -> list[Who]:
        return whom(users if spellings is None else {spellings.whom(one) or one for one in users})

    held, lifted = _by_owner(holds.held), _by_owner(holds.lifted)
    for (user, owner), at in holds.unread.items():
        ledger.stop(whom_meant({user}), hold_tag(owner)._replace(why=_UNREAD_HOLD), as_of=at, renew=True)
    for owner, users in sorted(held.items()):
        ledger.stop(whom_meant(users), hold_tag(owner), as_of=people.as_of.isoformat())
    for (user, owner), at in sorted(holds.read.items()):
        tag = hold_tag(owner)._replace(why=_UNREAD_HOLD)
        stopped = ledger.now().stop_of_account(user, tag)
        if stopped is not None and (user, owner) not in holds.unread and at >= stopped:
            ledger.lift(tag, people=whom({user}))
    for owner, users in sorted(lifted.items()):
        tag, state = hold_tag(owner), ledger.now()
        since = {user: state.stop_of_account(user, tag) for user in users - held.get(owner, set())}
        free = {
            user
            for user, first in since.items()
            if first is not None and (not first or holds.lifted[user, owner] > pd.Timestamp(first))
        }
        ledger.lift(tag, people=whom(free))


def _by_owner(holds: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for user, owner in holds:
        found.setdefault(owner, set()).add(user)
    return found


def _since_stopped(
    stopped: list[tuple[Who, str]], holds: HoldStates | None, as_of: pd.Timestamp | None = None
) -> list[Who]:
    """Return those of the accounts that are stopped whose own row is younger than that.

    as_of: of the night, whose rows are no younger where they have no times; None for younger than any stop.
    """
    times = holds.profile_times() if stopped and holds is not None else None

    def is_younger(user_id: str, since: str | None) -> bool:
        at = as_of if times is None else times.get(user_id, pd.Timestamp.min.tz_localize("UTC"))
        return not since or at is None or at > pd.Timestamp(since)

    return [who for who, since in stopped if is_younger(who.user_id, since)]


def require_ledger(published: Path, ledger: SafetyLedger) -> None:
    """Raise SafetyUnavailable when the ledger is gone, replaced or older than a publication that is here.

    So it does where the safety store of the home knows a newer ledger, or lacks writes that the ledger knows.
    """
    for folder in run_folders(published):
        with suppress(PublicationError):  # a damaged run says nothing of the ledger
            ledger.require(read_manifest(folder).safety_watermark)
    if (store := home_store(published)) is not None:
        StoreBinding(store, ledger).compare(or_another=True)


def home_store(published: Path) -> SqliteSafety | None:
    """Return the safety store beside a folder of publications; None where none answers."""
    path = published.parent / HOME_STORE.name
    if not lexists(path):
        return None
    with suppress(SafetyUnavailable):  # one that is locked just now is asked by the next night
        store = SqliteSafety(path)
        ask_safety(store.watermark)
        return store
    return None
