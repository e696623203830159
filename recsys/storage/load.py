"""Loading: from a source to checked tables, a population and events."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from html import escape
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from recsys.arguments import checked_arguments
from recsys.catalogue.catalogue import Catalogue, load_catalogue
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.catalogue.text_folding import fold, plain
from recsys.data.absent_accounts import UNREAD, AbsentRows, quarantine_erased, restrictions_of_erased
from recsys.data.account_linkage import token_rows, tokens_of_persons
from recsys.data.as_of import latest_holds, latest_time
from recsys.data.build_population import build_population
from recsys.data.contract import CheckedTable
from recsys.data.exclusions import EXCLUSION_REASONS, Relations
from recsys.data.fail_closed import STOPPED, Restrictions
from recsys.data.id_spellings import Spellings
from recsys.data.population import Population
from recsys.data.quarantine import CODES, RowsAhead, one_table, rows_ahead
from recsys.data.safety_rows import (
    SAFETY_TABLES,
    NamesNobody,
    named_in,
    nobody_in,
    of_known_people,
    restricted_by_twins,
    settled_by_events,
)
from recsys.data.tables import read_and_check
from recsys.data.times import as_utc
from recsys.errors import InputError, SourceError, explained, warn
from recsys.parallel import n_threads
from recsys.storage.check_tables import absent_accounts, check_each_table, row_counts
from recsys.storage.sources import Reader, Source, source_catalogue, source_name, table_readers

if TYPE_CHECKING:
    from recsys.data.events import Events


Time = str | pd.Timestamp | None

_EVENTS: Final = "_events"
"""Where loaded tables remember their events once they were sorted."""

PEOPLE_TABLES: Final = (T.PROFILES, T.BOUNDARIES)
"""Without these two there are no people to load."""
_TIGHTEN: Final = (*PEOPLE_TABLES, T.ANSWERS)
"""Tables whose rows of a later time tighten those of now."""


@dataclass(frozen=True, eq=False)
class LoadedTables:
    """The tables of a source, checked.

    accepted:   canonical frames by table name; a table the source lacks is lacking here.
    quarantine: one frame of everything refused, see `recsys.data.quarantine`.
    counts:     table, rows_in, accepted, quarantined: rows_in is always the sum of the other two.
    restrictions: people and pairs to keep apart because of what was refused, and everybody who is erased.
    later:      canonical rows by table that are yet to come; what they restrict counts at once.
    nobody:     by table, how many rows about safety name nobody, refused ones too.
    ahead:      by table, the rows dated after the clock, where that was looked at.
    as_of:      the time of loading, UTC; None when none was given and the source holds no time.
    catalogue:  what answers, topics and interests were held against.
    """

    accepted: Mapping[str, pd.DataFrame]
    quarantine: pd.DataFrame
    counts: pd.DataFrame
    restrictions: Restrictions
    as_of: pd.Timestamp | None
    source: str
    catalogue: Catalogue
    later: Mapping[str, pd.DataFrame]
    nobody: Mapping[str, NamesNobody]
    ahead: Mapping[str, RowsAhead] = field(default_factory=dict)

    def __repr__(self) -> str:
        accepted, refused = (int(self.counts[column].sum()) for column in ("accepted", "quarantined"))
        return f"LoadedTables({accepted:,} rows accepted, {refused:,} quarantined, from {self.source})"

    def _repr_html_(self) -> str:
        """Show one row a table."""
        return f"<p>{escape(repr(self))}</p>{self.counts.set_index('table').to_html()}"


def load_tables(
    source: Source, as_of: Time = None, *, past: bool = False, catalogue: Catalogue | None = None
) -> LoadedTables:
    """Read and check every table of a source.

    as_of: rows with a later time are quarantined. None means the latest time in the source, never
    the clock, so that the same source gives the same tables on any day; nothing is then too late,
    so a night should say its time.

    past: `as_of` is a moment of the past, looked at from a later one; the quarantine then counts rows that
    were merely not there yet, and repeats nothing of them but their type. Else a block, report or hold that
    is dated after `as_of` counts at once: a clock that is ahead must not let two people meet.

    catalogue: the questions, topics and interests there are; the one the source brings when None, else
    that of the package.

    Raises SourceError when the source cannot be read, TableError with the problems of every broken table.
    """
    known = catalogue or source_catalogue(source) or load_catalogue()
    return _checked(table_readers(source), source_name(source), as_of, known, past=past)


@checked_arguments
def load_population(
    source: Source, as_of: Time = None, *, past: bool = False, catalogue: Catalogue | None = None
) -> Population:
    """Return everybody of a source as of one time, with what stands between them.

    See `load_tables` for `as_of`, `catalogue` and `past`: say `past=True` to learn from a moment and judge
    by what came after. Without `as_of` it is the latest time in the source that has come by the clock.
    People whose refused rows may have forbidden something are held,
    pairs of refused blocks and reports stay apart (`recsys.data.fail_closed`).

    Raises SourceError when the source has no profiles or no boundaries, and as `load_tables` does.

    >>> import recsys
    >>> town = recsys.make_town(40, np.random.default_rng(7))
    >>> load_population(town.tables, as_of="2026-01-05T03:00")
    Population(40 people as of 2026-01-05 03:00 UTC, from memory)
    """
    tables = load_come(source, as_of, past=past, catalogue=catalogue)
    misspelled = {name: of.misspelled for name, of in sorted(tables.nobody.items()) if of.misspelled}
    if misspelled:
        got = ", ".join(f"{count} in {name}" for name, count in misspelled.items())
        what = "rows about safety name nobody: an id in them is made of other characters than those of people"
        warn(explained(what, where=tables.source, got=got, remedy="name people as the profiles do"))
    people = population_of(tables)
    refused = tables.quarantine[tables.quarantine["table"].eq(T.PROFILES)]
    if not len(people) and len(refused):
        counts = ", ".join(f"{n:,} {codes}" for codes, n in refused[CODES].value_counts().head(3).items())
        remedy = "`recsys validate` says what is wrong with each row"
        warn(explained("every profile is set aside", where=tables.source, got=counts, remedy=remedy))
    return people


def load_come(
    source: Source, as_of: Time = None, *, past: bool = False, catalogue: Catalogue | None = None
) -> LoadedTables:
    """Return what `load_tables` does; without `as_of` as of the latest time that has come by the clock."""
    return _by_the_clock(partial(load_tables, source, past=past, catalogue=catalogue), as_of)


CLOCK_TOLERANCE: Final = timedelta(hours=1)
"""How far rows may be dated after the clock: those who write them have clocks of their own."""


def _by_the_clock(
    read: Callable[[Time], LoadedTables], as_of: Time, tolerance: timedelta = CLOCK_TOLERANCE
) -> LoadedTables:
    """Return tables as of a time; None takes the latest in them that has come.

    A row of a time to come must not open what is due by then only, nor keep a night from being of its time:
    it is told, and what it restricts counts at once.

    read: reads the tables as of a time. tolerance: how far a row may be dated after the clock.
    """
    tables = read(as_of)
    if as_of is not None or (latest := _before_the_clock(tables, tolerance)) is None:
        return tables
    del tables  # two of a large source are never in memory
    tables = read(latest)
    tables = replace(tables, ahead=MappingProxyType(rows_ahead(tables.quarantine)))
    got = ", ".join(
        f"{of.rows:,} in {name}, the first in row {of.first}" for name, of in tables.ahead.items()
    )
    what, remedy = "rows are dated after the clock (rows from 0)", "mend them, or the clock of this machine"
    warn(explained(what, where=tables.source, got=got, remedy=f"{remedy}; they only restrict until then"))
    return tables


def _before_the_clock(tables: LoadedTables, tolerance: timedelta) -> pd.Timestamp | None:
    """Return the latest time that has come, where rows of a later one stand; None where none does."""
    now = pd.Timestamp.now("UTC")
    if tables.as_of is None or tables.as_of <= now + tolerance:
        return None
    times = [frame[c] for frame in tables.accepted.values() for c in (C.TS, C.VALID_FROM) if c in frame]
    come = [column[column <= now + tolerance].max() for column in times]
    return max([time for time in come if pd.notna(time)], default=now)


def population_of(tables: LoadedTables, *, answers_last_read: bool = False) -> Population:
    """Return everybody in tables that are loaded already.

    answers_last_read: the answers, the largest of the tables, lose their columns as they are read.

    Raises SourceError when there are no profiles or no boundaries, InputError without a time.
    """
    for name in PEOPLE_TABLES:
        _require(name, tables.accepted, tables.source)
    if tables.as_of is None:
        raise InputError(
            explained(
                "no time to load people as of", where=tables.source, remedy="give as_of, such as 2026-01-05"
            )
        )
    people = build_population(
        tables.accepted,
        tables.as_of,
        tables.source,
        catalogue=tables.catalogue,
        later=_narrowing(tables),
        former_tokens=_former_tokens(tables),
        answers_last_read=answers_last_read,
    )
    return _with_restrictions(people, tables)


def _narrowing(tables: LoadedTables) -> Mapping[str, pd.DataFrame]:
    """Return the rows yet to come, by table, and a hidden answer for each that a refused row hides."""
    if not tables.restrictions.hidden or T.ANSWERS not in tables.accepted:
        return tables.later
    rows = pd.DataFrame(sorted(tables.restrictions.hidden), columns=[C.USER, C.QUESTION])
    known = {fold(one): one for one in tables.catalogue.questions}
    meant = rows[C.QUESTION].map(lambda one: known.get(fold(plain(one)), one))
    rows = rows.assign(
        **{C.QUESTION: meant, C.ACCEPTED: None, C.MANDATORY: False, C.VISIBILITY: "match_only"}
    )
    later = tables.later.get(T.ANSWERS)
    if later is not None and len(later):
        rows = pd.concat([one.astype(object) for one in (later, rows)], ignore_index=True)
    return {**tables.later, T.ANSWERS: rows}


@checked_arguments
def load_events(source: Source, as_of: Time = None) -> "Events":
    """Return the events of a source up to one time; ids may be any text, and need no profiles.

    See `load_tables` for `as_of`.

    Raises SourceError when the source has no events, and as `load_tables` does.

    >>> import recsys
    >>> events = load_events(recsys.make_town(40, np.random.default_rng(7)).tables)
    >>> bool(events.summary().loc["impression", "events"] > events.summary().loc["like", "events"])
    True
    """
    readers = table_readers(source)
    _require(T.EVENTS, readers, source_name(source))
    return events_of(_checked({T.EVENTS: readers[T.EVENTS]}, source_name(source), as_of, load_catalogue()))


def events_of(tables: LoadedTables) -> "Events":
    """Return the events in tables that are loaded already; none when there is no such table."""
    from recsys.data.events import Events

    known: Events | None = tables.__dict__.get(_EVENTS)
    if known is None:  # sorted once: people and what follows them need the same
        rows = tables.accepted.get(T.EVENTS, ())
        known = Events.of(rows) if isinstance(rows, pd.DataFrame) and len(rows) else Events.none()
        tables.__dict__[_EVENTS] = known
    return known


def _require(name: str, tables: Collection[str], source: str) -> None:
    if name not in tables:
        kind = source.partition(":")[0]
        remedy = f"add the file {name}.{kind}" if kind in {"parquet", "csv"} else f"add the table '{name}'"
        raise SourceError(explained(f"no table '{name}'", where=source, remedy=remedy))


def load_sorted(
    source: Source,
    as_of: Time,
    *,
    past: bool = False,
    catalogue: Catalogue | None = None,
    tolerance: timedelta = CLOCK_TOLERANCE,
) -> LoadedTables:
    """Return what `load_tables` does, of the events only those sorted and compact, in `events_of`.

    A large log is in memory once, and never as a text for each event. Without `as_of` the tables are as of
    the latest time in them that has come; tolerance: how far a row may be dated after the clock.
    """
    from recsys.data.events import Events

    known = catalogue or source_catalogue(source) or load_catalogue()

    def read(time: Time) -> LoadedTables:
        return _checked(table_readers(source), source_name(source), time, known, past=past, coded=True)

    tables = _by_the_clock(read, as_of, tolerance)
    rest = dict(tables.accepted)
    rows = rest.pop(T.EVENTS, None)
    left = replace(tables, accepted=MappingProxyType(rest))
    del tables
    left.__dict__[_EVENTS] = Events.none().compact() if rows is None else Events.compact_of(rows)
    return left


def _checked(
    readers: Mapping[str, Reader],
    source: str,
    as_of: Time,
    catalogue: Catalogue,
    *,
    past: bool = False,
    coded: bool = False,
) -> LoadedTables:
    """Check every table. coded: texts of accepted events are categories."""
    time = None if as_of is None else as_utc(as_of)

    def check(name: str, known: frozenset[str] | None) -> CheckedTable:
        return read_and_check(
            name,
            readers[name],
            as_of=time,
            users=known,
            catalogue=catalogue,
            past=past,
            coded=coded and name == T.EVENTS,
        )

    checked, users = check_each_table(readers, check, beside=coded and n_threads() > 1)
    rows_in = {name: len(found.accepted) + len(found.quarantined) for name, found in checked.items()}
    restrictions, nobody = _restricted(checked, users, past=past)
    later = {} if past else {name: table.later for name, table in checked.items() if name in _TIGHTEN}
    erased = restrictions.erased | _erased(checked)
    if erased and T.PROFILES in checked:
        rows = {name: table.accepted for name, table in checked.items()}
        latest = time or latest_time(rows) or pd.Timestamp.now("UTC")
        restrictions |= restrictions_of_erased(rows[T.PROFILES], rows, erased, latest)
    restrictions |= Restrictions(erased=erased)
    checked = {name: quarantine_erased(checked.pop(name), erased) for name in tuple(checked)}
    accepted = {name: table.accepted for name, table in checked.items()}
    return LoadedTables(
        accepted=MappingProxyType(accepted),
        quarantine=one_table({name: table.quarantined for name, table in checked.items()}),
        counts=row_counts(rows_in, checked),
        restrictions=restrictions,
        as_of=latest_time(accepted) if time is None else time,
        source=source,
        catalogue=catalogue,
        later=MappingProxyType(later),
        nobody=MappingProxyType(nobody),
    )


def _restricted(
    checked: Mapping[str, CheckedTable], users: frozenset[str] | None, *, past: bool
) -> tuple[Restrictions, dict[str, NamesNobody]]:
    """Return what refused rows and other spellings restrict, and how many rows of each table name nobody."""
    restrictions = Restrictions()
    for table in checked.values():
        restrictions |= table.restrictions if past else table.restrictions.at_once()
    nobody: dict[str, NamesNobody] = {}
    if users is not None:
        spellings = Spellings(users, absent_accounts(checked[T.PROFILES]))
        restrictions = of_known_people(restrictions, spellings)
        restrictions |= restricted_by_twins(checked[T.PROFILES].accepted)
        for name in set(SAFETY_TABLES) & set(checked):
            named = named_in(name, checked[name].accepted, spellings, users)
            restrictions |= named.restrictions
            nobody[name] = named.nobody.plus(nobody_in(checked[name].restrictions.at_once(), spellings))
        if T.EVENTS in checked:
            restrictions = settled_by_events(restrictions, checked[T.EVENTS].accepted, spellings)
    return restrictions, nobody


def _erased(checked: Mapping[str, CheckedTable]) -> frozenset[str]:
    if T.EVENTS not in checked:
        return frozenset()
    events = checked[T.EVENTS].accepted
    return frozenset(events.loc[events[C.TYPE] == "erase", C.ACTOR])


def _former_tokens(tables: LoadedTables) -> frozenset[tuple[str, str]]:
    """Return accounts and person tokens of profiles that were refused or are yet to come."""
    later = tables.later.get(T.PROFILES)
    if later is None or C.PERSON_TOKEN not in later:
        return tables.restrictions.tokens
    known = later.dropna(subset=[C.USER, C.PERSON_TOKEN])
    return tables.restrictions.tokens | frozenset(zip(known[C.USER], known[C.PERSON_TOKEN], strict=True))


_RESTRICTING: Final = frozenset((*SAFETY_TABLES, T.EVENTS))
"""Tables that say what stands between people, and who is out."""


_PASSED: Final = EXCLUSION_REASONS.index("pass")


def _with_restrictions(people: Population, tables: LoadedTables) -> Population:
    """Return the people, held and apart by what is known of any account of their person."""
    restrictions, former, events = tables.restrictions, _former_tokens(tables), events_of(tables)
    tables_given = {*tables.accepted} | ({T.EVENTS} if len(events) else set())
    if restrictions == Restrictions() and not former and _RESTRICTING.isdisjoint(tables_given):
        return people
    of_person = tokens_of_persons(token_rows(tables.accepted[T.PROFILES], former)) if former else {}
    rows = AbsentRows(people.ids, people.person_tokens, {one: of_person[token] for one, token in former})
    blocks, reports = (tables.accepted.get(name) for name in (T.BLOCKS, T.REPORTS))
    known, told = rows.relations(events.for_relations(), blocks, reports, people.as_of, restrictions.unproved)
    tokens = {of_person[token] for token in _stopped_tokens(tables)}
    stopped = {one for one, token in rows.tokens.items() if token in tokens}
    stopped |= restrictions.people | _held_absent(tables, rows, people.as_of)
    held, at = people.held.copy(), rows.find(sorted(stopped))
    held[at[at >= 0]] = True
    if tokens:
        held |= np.isin(people.person_tokens.astype(str), sorted(tokens))
    pairs, states = sorted(restrictions.pairs), dict(sorted(restrictions.states))
    apart, left = rows.pairs(pairs), rows.pairs(sorted(restrictions.passed))
    told += [(a, b, "block") for a, b in pairs if a not in people.ids or b not in people.ids]
    circles = {(one, circle) for one, circle in restrictions.circles if one not in restrictions.erased}
    return replace(
        people,
        held=held,
        absent=rows.accounts({one: states.get(one, UNREAD) for one in stopped}, told, tokens, circles),
        relations=Relations.of(
            len(people),
            excluded=np.concatenate([known.excluded, apart, left]),
            reason=np.r_[known.reason, np.zeros(len(apart), np.int8), np.full(len(left), _PASSED, np.int8)],
            liked=known.liked,
            suggestible=known.suggestible,
            accepted=known.accepted,
            proved=known.proved,
            reopened=known.reopened,
        ),
    )


def _held_absent(tables: LoadedTables, rows: AbsentRows, as_of: pd.Timestamp) -> frozenset[str]:
    """Return the absent accounts that the holds table holds."""
    if T.HOLDS not in tables.accepted or not rows.tokens:
        return frozenset()
    holds = latest_holds(tables.accepted[T.HOLDS], as_of)
    return frozenset(holds.loc[holds[C.STATE].eq("active"), C.USER]) & rows.tokens.keys()


def _stopped_tokens(tables: LoadedTables) -> frozenset[str]:
    """Return the tokens of persons one of whose accounts is out by a profile that is refused or to come."""
    later = tables.later.get(T.PROFILES)
    if later is None or C.PERSON_TOKEN not in later:
        return tables.restrictions.stopped
    out = later[C.ACCOUNT_STATE].isin(STOPPED)
    return tables.restrictions.stopped | frozenset(later[C.PERSON_TOKEN][out].dropna())
