"""Runs the queries of a mapping over its source and returns the tables of the engine.

Personal values are read inside a query and leave it only as what they became: every result is searched for
columns, by name, and values, by look, that are a birth date, a coordinate, a phone number or an address.
"""

import re
from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pandas as pd

from recsys.arguments import checked_arguments
from recsys.catalogue.catalogue import Catalogue, load_catalogue
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.catalogue.files import open_catalogue
from recsys.catalogue.rows import IMPORTANCE, OPTIONS, QUESTIONS, WORDS
from recsys.config import TOKEN_SECRET, token_secret
from recsys.data.tables import CONTRACTS
from recsys.errors import RecsysError, SettingsError, explained, warn
from recsys.mapping.completeness import check_counts, check_twins, read_counts
from recsys.mapping.database_files import Tables
from recsys.mapping.draft_restrictions import restricts_by_name
from recsys.mapping.functions import Remarks, Surroundings, register, unregister
from recsys.mapping.linked_accounts import as_own_tokens, proofs_in, with_linked_accounts
from recsys.mapping.place_table import PlaceTable
from recsys.mapping.project import CATALOGUE_TABLES
from recsys.mapping.project import Mapping as MappingFolder
from recsys.mapping.results import (
    SET_ASIDE,
    as_frame,
    check_columns,
    named_by_restrictions,
    refuse_personal,
    refuse_twice,
    require_reasons,
    with_declared,
    with_other_accounts,
    without_missing_tokens,
)
from recsys.mapping.source_reader import SourceReader
from recsys.mapping.sources import parts_of, source_tables, unread_files
from recsys.mapping.unused_columns import empty_columns, unused_columns

_OPEN_WHERE_NULL: Final = [C.ACCEPTS_AGE_BANDS, C.MEETS_GENDERS]

_STAYS: Final = "stays"
"""Of profiles that a query set aside: whether the account stays, paused or stopped."""
_Result = tuple[pd.DataFrame, pd.DataFrame]
"""The rows of a query, and those that it set aside."""


@dataclass(frozen=True)
class MappedTables:
    """What the queries gave.

    tables: frames by table, as a source of the engine. catalogue: questions and options as rows, where the
    mapping gives them. rows_read: rows of each source table that was used. set_aside: rows by table and
    reason that a query set aside. unused: columns of the source that no query names. empty: columns that a
    query names and no row has a value in. unread: tables of the
    source that no query reads, and files in no form that is read. remarks: what the functions could not read.
    one_of: everybody was looked at (1), or one of so many people.
    aside_ids: of profiles that were set aside, the reason by id. stay: ids of those that stay in tables as
    accounts that are paused or stopped, since something restricts whoever has them.
    own: the service's own catalogue, None where it has none. filled: what stands in columns that a query left
    out and that are not about safety, by `table.column`.
    """

    tables: Mapping[str, pd.DataFrame]
    catalogue: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    rows_read: Mapping[str, int] = field(default_factory=dict)
    set_aside: Mapping[str, Counter[str]] = field(default_factory=dict)
    unused: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    empty: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    remarks: Remarks = field(default_factory=Remarks)
    aside_ids: Mapping[str, str] = field(default_factory=dict)
    stay: frozenset[str] = frozenset()
    one_of: int = 1
    own: Catalogue | None = None
    filled: Mapping[str, object] = field(default_factory=dict)


@checked_arguments
def map_tables(
    mapping: MappingFolder,
    *,
    secret: bytes | None = None,
    most: int | None = None,
    skip_unusable: bool = False,
) -> MappedTables:
    """Run every query of a mapping.

    secret: keys contact tokens; from the environment when None and a query makes tokens. most: about how many
    people to look at, the same in every table; everybody when None. skip_unusable: leave out queries that
    cannot run, of which one gives no table.

    Raises SettingsError for a query that cannot run or gives another schema, InputError for one that would
    let personal data through, SourceError for a source that cannot be read. No message repeats a value.
    """
    settings = mapping.settings
    sources = source_tables(
        settings.source, folder=mapping.folder, encoding=settings.encoding, options=settings.tables
    )
    remarks, own = Remarks(), _named_catalogue(mapping)
    around = _surroundings(mapping, own, secret)
    connection = _connected(settings.zone)
    try:
        register(connection, around, remarks)
        skipped = set[str]() if skip_unusable else None
        reader = SourceReader(connection, mapping, sources, remarks, is_whole=most is None, skipped=skipped)
        loaded = reader.read()
        rows_read = {name: table.num_rows for name, table in loaded.items()}
        if not skip_unusable:
            check_twins(loaded, sources)
            _check_counts(mapping, rows_read, sources)
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        one_of = _one_of(mapping, loaded, most)
        results, own = _results(reader, (around, remarks), own, one_of)
    finally:
        unregister(connection)
        connection.close()
    frames, filled = _declared(mapping, results, own or around.catalogue)
    return MappedTables(
        tables={name: frame for name, frame in frames.items() if name in CONTRACTS},
        catalogue={name: frame for name, frame in frames.items() if name in CATALOGUE_TABLES},
        rows_read=rows_read,
        set_aside={name: Counter(aside[SET_ASIDE]) for name, (_, aside) in results.items() if len(aside)},
        unused=(unused := unused_columns(mapping, loaded)),
        empty=empty_columns(loaded, unused),
        unread=(
            *(one for one in sources if one not in loaded),
            *unread_files(settings.source, mapping.folder),
        ),
        remarks=remarks,
        own=own or _own_catalogue(results),
        one_of=one_of,
        filled=filled,
        aside_ids=_aside_ids(results),
        stay=_that_stay(results),
    )


def _results(
    reader: SourceReader, known: tuple[Surroundings, Remarks], own: Catalogue | None, one_of: int
) -> tuple[dict[str, _Result], Catalogue | None]:
    """Return what each query gives, and the service's own catalogue where queries say it.

    Queries that the reader skipped are left out, as is then whatever else cannot run; without such a list
    each has to. known: what functions know, and where they say what they could not read.
    """
    (around, remarks), skipped = known, reader.skipped
    results = dict[str, _Result]()
    queries = reader.mapping.queries
    for name in sorted(queries, key=T.PROFILES.__eq__):  # which profiles stay hangs on whom others name
        if skipped and name in skipped:
            continue
        if name in CONTRACTS and own is None and (own := _own_catalogue(results)) and own.own_words:
            unregister(reader.connection)  # ages count in the bands of the service from here on
            register(reader.connection, replace(around, catalogue=own), remarks)
        with suppress(*([] if skipped is None else [RecsysError])):
            results[name] = _result(reader, name, remarks, results, one_of=one_of)
    if T.TOKENS in results:
        frame, aside = results[T.TOKENS]
        results[T.TOKENS] = as_own_tokens(frame), aside
    return {name: results[name] for name in queries if name in results}, own


def _check_counts(mapping: MappingFolder, rows_read: Mapping[str, int], sources: Tables) -> None:
    """Raise what `check_counts` does where the mapping names a file of row counts."""
    settings = mapping.settings
    if settings.counts is not None:
        counts = read_counts(mapping.folder / settings.counts, encoding=settings.encoding)
        check_counts(counts, rows_read, sources)


def _declared(
    mapping: MappingFolder, results: Mapping[str, _Result], catalogue: Catalogue
) -> tuple[dict[str, pd.DataFrame], dict[str, object]]:
    """Return the frames with what holds for everybody, and what was filled in by `table.column`."""
    frames, filled = dict[str, pd.DataFrame](), dict[str, object]()
    for name, (frame, _) in results.items():
        frames[name], added = with_declared(name, frame, mapping.settings.declared, catalogue)
        filled |= {f"{name}.{column}": value for column, value in added.items()}
    return frames, filled


def _surroundings(mapping: MappingFolder, own: Catalogue | None, secret: bytes | None) -> Surroundings:
    """Return what the functions of queries know beside their arguments."""
    settings = mapping.settings
    return Surroundings(
        settings.as_of,
        own or load_catalogue(),
        settings.zone,
        settings.country,
        secret or _secret_if_needed(mapping),
        _own_places(mapping),
        settings.placeholders,
    )


def _connected(zone: str | None) -> Any:
    """Return an empty database in memory, of one thread, without a bar, in the zone of the service."""
    import duckdb

    connection = duckdb.connect(config={"threads": 1})
    with suppress(duckdb.InvalidInputException):  # a notebook without ipywidgets has no bar to switch off
        connection.execute("SET enable_progress_bar = false")
    connection.execute(f"SET TimeZone = '{zone or 'UTC'}'")
    return connection


def _aside_ids(results: Mapping[str, _Result]) -> dict[str, str]:
    """Return why each profile that was set aside was, by id."""
    _, aside = results.get(T.PROFILES, (None, pd.DataFrame()))
    if C.USER not in aside:
        return {}
    return dict(aside.dropna(subset=[C.USER])[[C.USER, SET_ASIDE]].astype(str).itertuples(index=False))


def _that_stay(results: Mapping[str, _Result]) -> frozenset[str]:
    """Return the ids of profiles that were set aside and stay all the same."""
    _, aside = results.get(T.PROFILES, (None, pd.DataFrame()))
    if _STAYS not in aside:
        return frozenset()
    return frozenset(aside.loc[aside[_STAYS], C.USER].dropna().astype(str))


def _one_of(mapping: MappingFolder, loaded: Mapping[str, Any], most: int | None) -> int:
    """Return of how many people one is looked at: 1 where the tables that people come from are small.

    Tables are found by name: DuckDB tells the tables of a query only until they are registered.
    """
    sql = " ".join((mapping.queries.get(T.PROFILES, ""), *mapping.views.values()))
    rows = [
        table.num_rows for name, table in loaded.items() if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", sql)
    ]
    return 1 if most is None else max(1, max(rows, default=0) // most)


def _of_some(connection: Any, name: str, sql: str, one_of: int) -> Any:
    """Return the rows of a query for every `one_of`-th person, chosen by id: the same in every table.

    Raises SettingsError where it names a column twice.
    """
    found = connection.sql(sql)
    if found is not None:
        refuse_twice(name, found.columns)
    if one_of == 1 or found is None:
        return found
    person = next((name for name in (C.USER, "actor") if name in found.columns), None)
    return found if person is None else found.filter(f"hash(CAST({person} AS VARCHAR)) % {one_of} = 0")


class MappingStore:
    """The store `mapping`: what `source: mapping:DIR` reads, tables and catalogue."""

    def __call__(self, folder: str) -> Mapping[str, pd.DataFrame]:
        """Return the tables that the mapping in `folder` gives; warn of what may restrict and is not read."""
        mapping = MappingFolder.read(folder)
        found = map_tables(mapping)
        if names := unread_by_name(mapping, found.unread):
            what = "tables that may restrict somebody by their names, and that no query reads"
            remedy = "read them in a query, or move them out of the source"
            warn(explained(what, where=f"mapping:{mapping.folder.name}", got=", ".join(names), remedy=remedy))
        return found.tables

    def usable(self, folder: str) -> Mapping[str, pd.DataFrame]:
        """Return the tables of the queries that can run, where some cannot."""
        return map_tables(MappingFolder.read(folder), skip_unusable=True).tables

    def catalogue(self, folder: str) -> Catalogue | None:
        """Return the catalogue that the mapping in `folder` gives; only the queries about it are run."""
        mapping = MappingFolder.read(folder)
        about = {name: sql for name, sql in mapping.queries.items() if name in CATALOGUE_TABLES}
        return map_tables(replace(mapping, queries=about)).own if about else _named_catalogue(mapping)


read_mapping: Final = MappingStore()


def unread_by_name(mapping: MappingFolder, unread: Collection[str]) -> list[str]:
    """Return the tables and files that nothing reads and that may restrict somebody by their names.

    A folder counts by the names of the files in it: `sub/blocks.csv` is a part of the table `sub`.
    """
    path = (mapping.folder / mapping.settings.source).resolve()
    inner = {
        name: [part.stem for part in parts_of(path / name)] if (path / name).is_dir() else []
        for name in unread
    }
    return [name for name in unread if any(map(restricts_by_name, (_stem(name), *inner[name])))]


def _stem(name: str) -> str:
    return name.partition(".")[0] or name


def _named_catalogue(mapping: MappingFolder) -> Catalogue | None:
    """Return the catalogue in the folder that `mapping.yaml` names."""
    named = mapping.settings.catalogue
    if named is None:
        return None
    if CATALOGUE_TABLES.keys() & mapping.queries.keys():
        remedy = "keep the folder or the queries"
        raise SettingsError(explained("a catalogue given twice", where=str(mapping.folder), remedy=remedy))
    return open_catalogue(mapping.folder / named)


def _own_places(mapping: MappingFolder) -> PlaceTable | None:
    """Return the service's own table of places."""
    settings = mapping.settings
    if settings.places is None:
        return None
    file = mapping.folder / settings.places
    return PlaceTable.read(file, country=settings.country, encoding=settings.encoding)


def _own_catalogue(results: Mapping[str, _Result]) -> Catalogue | None:
    """Return the catalogue of the queries about it, None where there are none."""
    frames = {name: frame for name, (frame, _) in results.items() if name in CATALOGUE_TABLES}
    if not frames:
        return None
    return Catalogue.of(
        questions=frames.get(QUESTIONS),
        options=frames.get(OPTIONS),
        importance=frames.get(IMPORTANCE),
        words=frames.get(WORDS),
    )


def _secret_if_needed(mapping: MappingFolder) -> bytes | None:
    if not any(re.search(r"\btoken\s*\(", sql) for sql in mapping.texts):
        return None
    try:
        return token_secret()
    except SettingsError:
        remedy = f"set {TOKEN_SECRET} to at least 16 random bytes, kept outside the data"
        raise SettingsError(
            explained("token() needs a secret", where=str(mapping.folder), remedy=remedy)
        ) from None


def _result(
    reader: SourceReader, name: str, remarks: Remarks, others: Mapping[str, _Result], *, one_of: int
) -> _Result:
    """Return the rows of one query as a frame, and the rows it set aside; others: what other queries gave."""
    import duckdb

    sql = reader.mapping.queries[name]
    try:
        found = _of_some(reader.connection, name, sql, one_of)
        if found is None:
            raise SettingsError(
                explained("the query gives no rows", where=f"{name}.sql", remedy="write one SELECT")
            )
        table = found.to_arrow_table()
    except duckdb.Error as error:
        table = reader.columns_that_run(name)
        if table is None and remarks.error is not None:
            raise remarks.error from None
        if table is None:
            raise reader.query_error(name, sql, error) from None
    if reader.takes_part(name):
        known = {*CONTRACTS[name].columns, SET_ASIDE}
        table = table.select([column for column in table.column_names if column in known])
    check_columns(name, table.column_names)
    if name == T.PROFILES and T.TOKENS in others:
        table = with_linked_accounts(table, proofs_in(others[T.TOKENS][0]))
    aside = pd.DataFrame()
    if SET_ASIDE in table.column_names:
        import pyarrow.compute as pc

        kept = pc.is_null(table.column(SET_ASIDE))
        columns = [column for column in (C.USER, SET_ASIDE) if column in table.column_names]
        left, table = table.filter(pc.invert(kept)), table.filter(kept)
        n_kept = table.num_rows
        if name == T.PROFILES:
            named = named_by_restrictions({other: frame for other, (frame, _) in others.items()})
            table = with_other_accounts(table, left, named)
        aside, table = left.select(columns).to_pandas(), table.drop_columns([SET_ASIDE])
        if table.num_rows > n_kept:
            stay = set(as_frame(name, table.slice(n_kept).select([C.USER]))[C.USER])
            aside[_STAYS] = as_frame(name, left.select([C.USER]))[C.USER].isin(stay).to_numpy(bool)
    frame = as_frame(name, table)
    if name == T.TOKENS:
        frame, aside = without_missing_tokens(frame, aside)
    for column in frame.columns.intersection(_OPEN_WHERE_NULL):
        remarks.times = int(frame[column].map(lambda wish: wish is not None and len(wish) == 0).sum())
        remarks.calls[column] = len(frame)
        if remarks.times:
            remarks.add(column, "an empty list meets nobody; NULL is everybody")
    refuse_personal(name, frame)
    require_reasons(name, aside)
    return frame, aside
