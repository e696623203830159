"""What a mapping gives: who could be listed, why the rest could not, and what could not be read."""

import os
import re
from collections import Counter
from collections.abc import Collection
from collections.abc import Mapping as Frames
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import pandas as pd

from recsys.arguments import checked_arguments
from recsys.catalogue.catalogue import load_catalogue
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.catalogue.entries import Language
from recsys.catalogue.vocabulary import ENUMERATIONS
from recsys.config import token_secret
from recsys.constraints.policy import Policy
from recsys.data.contact_tokens import SHORTEST_SECRET
from recsys.data.date_reading import NOBODY_YOUNGER
from recsys.data.id_spellings import Spellings
from recsys.data.tables import CONTRACTS
from recsys.errors import SettingsError, did_you_mean, explained
from recsys.mapping.completeness import unended_files
from recsys.mapping.draft_tables import subject_of
from recsys.mapping.functions import Remarks
from recsys.mapping.listing import (
    first_constraints,
    listing_by_person,
    listing_funnel,
    required_answers,
    row_numbers,
    shared_tokens,
    unwished_words,
)
from recsys.mapping.places import near_names
from recsys.mapping.project import ASK, MAPPING_FILE, VIEWS, Mapping, unconfirmed
from recsys.mapping.run import MappedTables, map_tables
from recsys.storage.load import LoadedTables, events_of, load_tables, population_of
from recsys.storage.source_folder import name_of_table

MOST_PEOPLE: Final = 20_000
"""About how many people of a large source a check looks at first."""
_MOST_WORDS = 10
_SEVERAL = 3
_GOT = re.compile(r"got '([^']*)'")


@dataclass(frozen=True)
class MappingCheck:
    """What one run of a mapping came to.

    tables:   what the queries gave. loaded: the same, held against the contracts.
    listing:  one row a constraint, in the order they are asked: people it leaves out first, why in words.
    people_listing: one row an id: whether it may be listed, and the first reason why not, in words.
    listed:   ids that may be listed. missing: people without a value, by column, what listing needs first.
    consent:  one row a column of profiles and boundaries: asked, declared by which document, or not there.
    queries:  SQL by table. unended: files whose last row has no line end. strangers: rows that name nobody of
              profiles, by table and column. row_numbers: columns of two people that may number rows instead.
    waiting:  of those who may be listed, people without an event that a page asks for, by its type.
    drafted:  one row a file that `recsys map init` drafted and nobody has confirmed: guesses and TODO in it.
    """

    tables: MappedTables
    loaded: LoadedTables
    listing: pd.DataFrame
    people_listing: pd.DataFrame
    listed: tuple[str, ...]
    missing: pd.DataFrame
    consent: pd.DataFrame
    country: str | None = None
    drafted: pd.DataFrame = field(default_factory=pd.DataFrame)
    waiting: pd.DataFrame = field(default_factory=pd.DataFrame)
    queries: Frames[str, str] = field(default_factory=dict)
    strangers: pd.DataFrame = field(default_factory=pd.DataFrame)
    unended: pd.DataFrame = field(default_factory=pd.DataFrame)
    row_numbers: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def people(self) -> int:
        """How many people were accepted, without accounts that were set aside and stay."""
        profiles = self.loaded.accepted.get(T.PROFILES)
        return 0 if profiles is None else int((~profiles[C.USER].isin(self.tables.stay)).sum())

    def report(self, lang: Language = "en") -> str:
        """Return everything as text in one language, the most important last: who could be listed."""
        catalogue = load_catalogue()
        sections = (
            ("rows_read", pd.Series(self.tables.rows_read, name="rows", dtype=int).to_frame()),
            ("rows_by_table", self.loaded.counts.set_index("table")),
            ("set_aside", _set_aside(self.tables.set_aside)),
            ("refused", _quarantined(self.loaded, self.queries)),
            ("unread", _remarks(self.tables.remarks, self.loaded.as_of)),
            ("unmatched", _unmatched(self.tables.remarks, self.country)),
            ("employers", _employers(self.tables.remarks)),
            ("strangers", self.strangers),
            ("row_numbers", self.row_numbers),
            ("unused", _columns(self.tables.unused)),
            ("empty", _columns(self.tables.empty)),
            ("unread_tables", _unread(self.tables.unread)),
            ("consent", self.consent),
            ("filled", pd.Series(self.tables.filled, name="value", dtype=object).to_frame()),
            ("unknown", self.missing),
            ("unended", self.unended),
            ("unmapped", _unmapped(self.queries, lang)),
            ("unwished", unwished_words(self.loaded)),
            ("required", required_answers(self.loaded.accepted)),
            ("shared_tokens", shared_tokens(self.loaded.accepted)),
            ("drafted", self.drafted),
            ("unlisted", self.listing[["people", lang]]),
            ("waiting", self.waiting),
        )
        parts = [
            f"{catalogue.text(f'mapping.{key}', lang)}\n{frame.to_string()}"
            for key, frame in sections
            if len(frame)
        ]
        counts = {"listed": f"{len(self.listed):,}", "people": f"{self.people:,}"}
        if self.tables.one_of > 1:
            parts.append(catalogue.text("mapping.sampled", lang, one_of=f"{self.tables.one_of:,}"))
        parts.append(catalogue.text("mapping.listed", lang, **counts))
        return "\n\n".join(parts if self.listed else [*parts, catalogue.text("mapping.nobody", lang)])


@checked_arguments
def check_mapping(
    mapping: Mapping, *, secret: bytes | None = None, policy: Policy | None = None, most: int | None = None
) -> MappingCheck:
    """Run a mapping and hold what it gives against the contracts and the rules of listing.

    secret: keys contact tokens; one that is thrown away when None and the environment holds none: nothing
    that a check gives is kept. most: about how many people to look at; everybody when None.

    Raises what `map_tables` and `load_tables` raise.
    """
    for name in (T.PROFILES, T.BOUNDARIES):
        if name not in mapping.queries:
            remedy = "write it; without it nothing is known of anybody"
            raise SettingsError(
                explained("no query for a table", where=str(mapping.folder), got=f"{name}.sql", remedy=remedy)
            )
    tables = map_tables(mapping, secret=secret or _any_secret(), most=most)
    loaded = load_tables(tables.tables, as_of=pd.Timestamp(mapping.settings.as_of), catalogue=tables.own)
    people = population_of(loaded)
    rules = policy or Policy.default()
    reasons = first_constraints(people, rules)
    by_person = dict(zip(map(str, people.ids.values), reasons, strict=True))
    listed = tuple(name for name, reason in by_person.items() if reason is None)
    return MappingCheck(
        tables=tables,
        loaded=loaded,
        listing=listing_funnel(reasons, rules),
        people_listing=listing_by_person(by_person, loaded, tables.aside_ids),
        listed=listed,
        waiting=_waiting(loaded, listed),
        missing=_missing(loaded),
        consent=_consent(mapping, tables.tables),
        country=mapping.settings.country,
        drafted=_drafted(mapping),
        queries=mapping.queries,
        strangers=_strangers(loaded),
        row_numbers=row_numbers(loaded.accepted, tables.one_of),
        unended=_unended(mapping, tables.rows_read),
    )


def _waiting(loaded: LoadedTables, listed: tuple[str, ...]) -> pd.DataFrame:
    """Return how many of the listed lack each event without which no page shows them."""
    types = events_of(loaded).frame[[C.ACTOR, C.TYPE]] if T.EVENTS in loaded.accepted else None
    counts = {}
    for kind in ("terms_accepted", "verified"):
        known = set() if types is None else set(types.loc[types[C.TYPE] == kind, C.ACTOR].astype(str))
        if missing := len(set(listed) - known):
            counts[kind] = missing
    return pd.Series(counts, name="people without", dtype=int).to_frame()


def _any_secret() -> bytes:
    try:
        return token_secret()
    except SettingsError:
        return os.urandom(SHORTEST_SECRET)


def _drafted(mapping: Mapping) -> pd.DataFrame:
    """Return how many guesses and TODO each file still holds."""
    texts = {f"{name}.sql": sql for name, sql in mapping.queries.items()}
    texts |= {f"{VIEWS}/{name}.sql": sql for name, sql in mapping.views.items()}
    with suppress(OSError):
        texts[MAPPING_FILE] = (mapping.folder / MAPPING_FILE).read_text(encoding="utf-8")
    rows = [(name, *unconfirmed(text)) for name, text in texts.items() if any(unconfirmed(text))]
    return pd.DataFrame(rows, columns=["file", "guesses", "todo"]).set_index("file")


def _unended(mapping: Mapping, rows_read: Frames[str, int]) -> pd.DataFrame:
    """Return the files that may have been cut off, with the rows of their tables."""
    files = unended_files(mapping.settings.source, mapping.folder)
    rows = [(name, rows_read.get(name_of_table(name.partition("/")[0]), 0)) for name in files]
    return pd.DataFrame(rows, columns=["file", "rows of the table"]).set_index("file")


def _unmapped(queries: Frames[str, str], lang: Language) -> pd.DataFrame:
    """Return the tables that keep people apart and that no query gives: their absence is never silent."""
    texts = load_catalogue()
    rows = [
        (name, texts.text(f"mapping.no_{name}", lang))
        for name in (T.BLOCKS, T.REPORTS)
        if name not in queries
    ]
    return pd.DataFrame(rows, columns=["table", "so"]).set_index("table")


def _strangers(loaded: LoadedTables) -> pd.DataFrame:
    """Return how many rows name nobody of profiles as spelled, and how many of them somebody all the same."""
    users = set(loaded.accepted.get(T.PROFILES, pd.DataFrame({C.USER: []}))[C.USER].astype(str))
    spellings = Spellings(users)
    rows = []
    for table in (T.BLOCKS, T.REPORTS, T.HOLDS, T.EVENTS):
        frame = loaded.accepted.get(table, pd.DataFrame())
        for column in frame.columns.intersection([C.USER, C.ACTOR, C.TARGET]):
            named = frame[column].dropna().astype(str)
            others = named[~named.isin(users)]
            if len(others):
                meant = int(others.map(spellings.whom).notna().sum())
                rows.append((f"{table}.{column}", len(others), meant, len(named)))
    return pd.DataFrame(rows, columns=["column", "rows", "meant", "of"]).set_index("column")


_NEEDED = (
    *(
        C.AGE_BAND,
        C.VERIFICATION,
        C.ACCOUNT_STATE,
        C.ACTIVITY,
        C.HOUSEHOLD_STATUS,
        C.ACCEPTS_HOUSEHOLD_STATUS,
    ),
    *(C.INTENTS, C.LANGUAGES, C.TZ, C.MAX_DISTANCE_KM, C.DISCRETION, C.CONTACT_FREQUENCY, C.CHANNELS),
    *(C.CONTACT_WINDOWS, C.MEETING_SETTINGS, C.ROMANCE_LINE, C.PHYSICAL_LINE, C.FINANCIAL_LINE),
)


def _missing(loaded: LoadedTables) -> pd.DataFrame:
    """Return how many accepted people have nothing known in each column of profiles and boundaries.

    A word of the source that a query does not know becomes NULL without a trace but this count.
    """
    users = loaded.accepted.get(T.PROFILES, pd.DataFrame({C.USER: []}))[C.USER]
    rows = []
    for table in (T.PROFILES, T.BOUNDARIES):
        frame = loaded.accepted.get(table, pd.DataFrame({C.USER: []})).set_index(C.USER).reindex(users)
        for column in (one.name for one in CONTRACTS[table].fields if one.needed):
            known = frame[column].notna().sum() if column in frame else 0
            if column != C.USER and (unknown := len(users) - int(known)):
                rows.append((f"{table}.{column}", unknown, "for listing" if column in _NEEDED else ""))
    found = pd.DataFrame(rows, columns=["column", "people without", "needed"]).set_index("column")
    return found.sort_values(["needed", "people without"], ascending=False, kind="stable")


def _consent(mapping: Mapping, tables: Frames[str, pd.DataFrame]) -> pd.DataFrame:
    rows = []
    for key, declared in mapping.settings.declared.items():
        rows.append((key, "declared for everybody", declared.document))
    for table in (T.PROFILES, T.BOUNDARIES):
        for column in tables.get(table, pd.DataFrame()).columns:
            key = f"{table}.{column}"
            if (
                key not in mapping.settings.declared
                and column in (*_NEEDED, *ASK)
                and column not in {C.USER, C.VALID_FROM}
            ):
                asked = tables[table][column].notna().any()
                rows.append((key, "asked of each member" if asked else "not there", ""))
    return pd.DataFrame(rows, columns=["column", "how", "document"]).set_index("column")


def _set_aside(found: Frames[str, Counter[str]]) -> pd.DataFrame:
    rows = [(table, reason, n) for table, reasons in found.items() for reason, n in reasons.most_common()]
    return pd.DataFrame(rows, columns=["table", "reason", "rows"]).set_index("table")


def _quarantined(loaded: LoadedTables, queries: Frames[str, str]) -> pd.DataFrame:
    """Return refused rows by table and reason, with the unknown words that stand in the query itself.

    Each word stands beside the nearest that its column has.
    """
    quarantine = loaded.quarantine
    if not len(quarantine):
        return pd.DataFrame()
    found = quarantine.groupby(["table", "codes"]).size().rename("rows").to_frame()
    words = []
    for (_, codes), rows in quarantine.groupby(["table", "codes"]):
        column = str(codes).partition(".")[0]
        known = loaded.catalogue.vocabulary(column) if column in ENUMERATIONS else ()
        query = queries.get(str(rows["table"].iloc[0]), "")
        got = set(_GOT.findall(" ".join(rows["reason"])))
        written = sorted(word for word in got if f"'{word}'" in query)
        words.append(
            ", ".join(f"{word}: {near}" if (near := _near(word, known)) else word for word in written)
        )
    return found.assign(words=words) if any(words) else found


def _near(word: str, known: Collection[str]) -> str:
    return did_you_mean(word, known) if len(known) <= _MOST_WORDS else ""


def _remarks(remarks: Remarks, as_of: pd.Timestamp | None) -> pd.DataFrame:
    rows = [(*key, times, remarks.calls[key[0]]) for key, times in sorted(remarks.counts.items())]
    born = remarks.births
    if as_of is not None and born and max(born) <= as_of.year - NOBODY_YOUNGER:
        asked = (
            f"numbers by which nobody is under {NOBODY_YOUNGER}: do they count from another day than 1970?"
        )
        rows.append(("age_band", asked, born.total(), born.total()))
    return pd.DataFrame(rows, columns=["function", "what", "values", "of"]).set_index("function")


def _unmatched(remarks: Remarks, country: str | None) -> pd.DataFrame:
    rows = []
    for function, words in remarks.unmatched.items():
        for word, times in words.most_common(_MOST_WORDS):
            near = near_names(country, word) if function == "cell_of_place" else ""
            rows.append((function, word, times, near))
    return pd.DataFrame(rows, columns=["function", "word", "times", "near"]).set_index("function")


def _employers(remarks: Remarks) -> pd.DataFrame:
    """Return the employers that several rows name: whoever has one of them meets none of its people."""
    several = [(name, n) for name, n in remarks.employers.most_common(_MOST_WORDS) if n >= _SEVERAL]
    return pd.DataFrame(several, columns=["employer", "times"]).set_index("employer")


def _columns(found: Frames[str, tuple[str, ...]]) -> pd.DataFrame:
    rows = [(table, ", ".join(columns)) for table, columns in found.items()]
    return pd.DataFrame(rows, columns=["table", "columns"]).set_index("table")


def _unread(names: Collection[str]) -> pd.DataFrame:
    """Return the tables and files that nothing reads, first those whose names say what they hold."""
    rows = sorted(((name, subject_of(name) or "") for name in names), key=lambda row: not row[1])
    return pd.DataFrame(rows, columns=["table", "by its name"]).set_index("table")
