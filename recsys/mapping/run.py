"""Runs the queries of a mapping over its source and returns the tables of the engine.

Personal values are read inside a query and leave it only as what they became: every result is searched for
columns, by name, and values, by look, that are a birth date, a coordinate, a phone number or an address.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pandas as pd

from recsys.catalogue.catalogue import Catalogue, load_catalogue
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.catalogue.files import open_catalogue
from recsys.catalogue.rows import IMPORTANCE, OPTIONS, QUESTIONS
from recsys.config import TOKEN_SECRET, token_secret
from recsys.data.contract import forbidden_column
from recsys.data.tables import CONTRACTS
from recsys.errors import InputError, SettingsError, did_you_mean, explained
from recsys.mapping.functions import Remarks, Surroundings, function_names, register, unregister
from recsys.mapping.personal import PERSONAL, names_a_person
from recsys.mapping.project import CATALOGUE_TABLES
from recsys.mapping.project import Mapping as MappingFolder
from recsys.mapping.sources import Tables, source_tables

SET_ASIDE: Final = "set_aside"
"""A column that a query may give: why a row is not used, NULL where it is."""

_FREE_COLUMNS: Final = (
    "tag",
    "surface",
    "community_id",
    "model_version",
    "consent_id",
    "question_id",
    "answer",
    "detail",
)
_ID_COLUMNS: Final = (C.USER, C.ACTOR, C.TARGET)
_OPEN_WHERE_NULL: Final = [C.ACCEPTS_AGE_BANDS, C.MEETS_GENDERS]
_MAIL: Final = "a mail address"
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")


@dataclass(frozen=True)
class MappedTables:
    """What the queries gave.

    tables: frames by table, as a source of the engine. catalogue: questions and options as rows, where the
    mapping gives them. rows_read: rows of each source table that was used. set_aside: rows by table and
    reason that a query set aside. unused: columns of the source that no query names. remarks: what the
    functions could not read. one_of: everybody was looked at (1), or one of so many people.
    own: the service's own catalogue, None where it has none.
    """

    tables: Mapping[str, pd.DataFrame]
    catalogue: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    rows_read: Mapping[str, int] = field(default_factory=dict)
    set_aside: Mapping[str, Counter[str]] = field(default_factory=dict)
    unused: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    remarks: Remarks = field(default_factory=Remarks)
    one_of: int = 1
    own: Catalogue | None = None


def map_tables(
    mapping: MappingFolder, *, secret: bytes | None = None, most: int | None = None
) -> MappedTables:
    """Run every query of a mapping.

    secret: keys contact tokens; from the environment when None and a query makes tokens. most: about how many
    people to look at, the same in every table; everybody when None.

    Raises SettingsError for a query that cannot run or gives another schema, InputError for one that would
    let personal data through, SourceError for a source that cannot be read. No message repeats a value.
    """
    import duckdb

    settings = mapping.settings
    sources = source_tables(
        settings.source, folder=mapping.folder, encoding=settings.encoding, options=settings.tables
    )
    remarks = Remarks()
    own = _named_catalogue(mapping)
    around = Surroundings(
        settings.as_of,
        own or load_catalogue(),
        settings.zone,
        settings.country,
        secret or _secret_if_needed(mapping),
    )
    connection = duckdb.connect(config={"threads": 1})
    try:
        connection.execute("SET enable_progress_bar = false")
        connection.execute(f"SET TimeZone = '{settings.zone or 'UTC'}'")
        register(connection, around, remarks)
        loaded = _load(connection, mapping, sources)
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        one_of = _one_of(mapping, loaded, most)
        results = {
            name: _result(connection, name, sql, remarks, one_of) for name, sql in mapping.queries.items()
        }
    finally:
        unregister(connection)
        connection.close()
    set_aside = {name: aside for name, (_, aside) in results.items() if aside}
    frames = {name: _declared(name, frame, mapping) for name, (frame, _) in results.items()}
    text = " ".join(mapping.queries.values())
    unused = {
        name: tuple(
            column
            for column in table.column_names
            if not re.search(rf"(?<!\w){re.escape(column)}(?!\w)", text)
        )
        for name, table in loaded.items()
    }
    return MappedTables(
        tables={name: frame for name, frame in frames.items() if name in CONTRACTS},
        catalogue={name: frame for name, frame in frames.items() if name in CATALOGUE_TABLES},
        rows_read={name: table.num_rows for name, table in loaded.items()},
        set_aside=set_aside,
        unused={name: columns for name, columns in unused.items() if columns},
        remarks=remarks,
        own=_own_catalogue(frames) or own,
        one_of=one_of,
    )


def _one_of(mapping: MappingFolder, loaded: Mapping[str, Any], most: int | None) -> int:
    """Return of how many people one is looked at: 1 where the tables that people come from are small.

    Tables are found by name: DuckDB tells the tables of a query only until they are registered.
    """
    sql = mapping.queries.get(T.PROFILES, "")
    rows = [
        table.num_rows for name, table in loaded.items() if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", sql)
    ]
    return 1 if most is None else max(1, max(rows, default=0) // most)


def _of_some(connection: Any, sql: str, one_of: int) -> Any:
    """Return the rows of a query for every `one_of`-th person, chosen by id: the same in every table."""
    found = connection.sql(sql)
    if one_of == 1 or found is None:
        return found
    person = next((name for name in (C.USER, "actor") if name in found.columns), None)
    return found if person is None else found.filter(f"hash(CAST({person} AS VARCHAR)) % {one_of} = 0")


class MappingStore:
    """The store `mapping`: what `source: mapping:DIR` reads, tables and catalogue."""

    def __call__(self, folder: str) -> Mapping[str, pd.DataFrame]:
        """Return the tables that the mapping in `folder` gives."""
        return map_tables(MappingFolder.read(folder)).tables

    def catalogue(self, folder: str) -> Catalogue | None:
        """Return the catalogue that the mapping in `folder` gives; only the queries about it are run."""
        mapping = MappingFolder.read(folder)
        about = {name: sql for name, sql in mapping.queries.items() if name in CATALOGUE_TABLES}
        return map_tables(replace(mapping, queries=about)).own if about else _named_catalogue(mapping)


read_mapping: Final = MappingStore()


def _named_catalogue(mapping: MappingFolder) -> Catalogue | None:
    """Return the catalogue in the folder that `mapping.yaml` names."""
    named = mapping.settings.catalogue
    if named is None:
        return None
    if CATALOGUE_TABLES.keys() & mapping.queries.keys():
        remedy = "keep the folder or the queries"
        raise SettingsError(explained("a catalogue given twice", where=str(mapping.folder), remedy=remedy))
    return open_catalogue(mapping.folder / named)


def _own_catalogue(frames: Mapping[str, pd.DataFrame]) -> Catalogue | None:
    """Return the catalogue of the queries about it, None where there are none."""
    if not CATALOGUE_TABLES.keys() & frames.keys():
        return None
    return Catalogue.of(
        questions=frames.get(QUESTIONS), options=frames.get(OPTIONS), importance=frames.get(IMPORTANCE)
    )


def _secret_if_needed(mapping: MappingFolder) -> bytes | None:
    if not any(re.search(r"\btoken\s*\(", sql) for sql in mapping.queries.values()):
        return None
    try:
        return token_secret()
    except SettingsError as error:
        remedy = f"set {TOKEN_SECRET} to at least 16 random bytes, kept outside the data"
        raise SettingsError(
            explained("token() needs a secret", where=str(mapping.folder), remedy=remedy)
        ) from error


def _load(connection: Any, mapping: MappingFolder, sources: Tables) -> dict[str, Any]:
    """Make every source table that some query names known to the connection, and return them."""
    loaded: dict[str, Any] = {}
    for target, sql in mapping.queries.items():
        for name in sorted(_named(connection, sql, target)):
            if name in loaded:
                continue
            if name not in sources:
                remedy = did_you_mean(name, sources)
                where = f"{target}.sql"
                raise SettingsError(
                    explained("no such table in the source", where=where, got=name, remedy=remedy)
                )
            loaded[name] = sources[name]()
            connection.register(name, loaded[name])
    return loaded


def _named(connection: Any, sql: str, target: str) -> set[str]:
    """Return the tables a query reads."""
    import duckdb

    try:
        return set(connection.get_table_names(sql))
    except duckdb.Error as error:
        raise _query_error(target, error) from error


def _query_error(target: str, error: Exception) -> SettingsError:
    """Return what is wrong with a query; texts in quotes may be values, so only names of functions stay."""
    text = str(error)
    line = text.partition("\n")[0]
    kind, _, said = line.partition(": ")
    at = re.search(r"^LINE (\d+):", text, re.MULTILINE)
    where = f"{target}.sql" + (f", line {at.group(1)}" if at else "")
    missing = re.search(r"(?:Function with name|Referenced column|Table with name) \"?(\w+)\"?", line)
    if missing:
        name = missing.group(1)
        columns = re.findall(r"\"(\w+)\"", text.partition("Candidate bindings:")[2].partition("\n")[0])
        near = did_you_mean(name, function_names() if "Function" in line else columns)
        return SettingsError(explained(f"{kind.lower()}: unknown name", where=where, got=name, remedy=near))
    said = said or line
    redacted = said if kind == "Parser Error" else _QUOTED.sub("'...'", said)  # a parser has read no data
    return SettingsError(
        explained("the query cannot run", where=where, got=redacted, remedy="mend the query")
    )


def _result(
    connection: Any, name: str, sql: str, remarks: Remarks, one_of: int = 1
) -> tuple[pd.DataFrame, Counter[str]]:
    """Return the rows of one query as a frame, and how many it set aside by reason."""
    import duckdb

    try:
        found = _of_some(connection, sql, one_of)
        if found is None:
            raise SettingsError(
                explained("the query gives no rows", where=f"{name}.sql", remedy="write one SELECT")
            )
        table = found.to_arrow_table()
    except duckdb.Error as error:
        if remarks.error is not None:
            raise remarks.error from None
        raise _query_error(name, error) from None
    _check_columns(name, table.column_names)
    aside: Counter[str] = Counter()
    if SET_ASIDE in table.column_names:
        import pyarrow.compute as pc

        reasons = table.column(SET_ASIDE)
        aside = Counter(reason for reason in reasons.to_pylist() if reason is not None)
        table = table.filter(pc.is_null(reasons)).drop_columns([SET_ASIDE])
    frame = table.to_pandas(types_mapper=_types().get)
    for column in frame.columns.intersection(_OPEN_WHERE_NULL):
        remarks.times = int(frame[column].map(lambda wish: wish is not None and len(wish) == 0).sum())
        remarks.calls[column] = len(frame)
        if remarks.times:
            remarks.add(column, "an empty list meets nobody; NULL is everybody")
    _refuse_personal(name, frame)
    return frame, aside


def _types() -> dict[Any, Any]:
    import pyarrow as pa

    return {pa.int64(): pd.Int64Dtype(), pa.int32(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}


def _check_columns(name: str, columns: list[str]) -> None:
    wanted = (
        [field.name for field in CONTRACTS[name].fields] if name in CONTRACTS else [*CATALOGUE_TABLES[name]]
    )
    for column in columns:
        if column in (*wanted, SET_ASIDE):
            continue
        if reason := forbidden_column(column) or _personal_name(column):
            raise InputError(
                explained(f"a mapping may not let this through: {reason}", where=f"{name}.sql", got=column)
            )
        remedy = did_you_mean(column, wanted)
        raise SettingsError(
            explained("no column of the table", where=f"{name}.sql", got=column, remedy=remedy)
        )


def _personal_name(column: str) -> str | None:
    """Return what a column's name says it holds, where that may not leave a query."""
    return "a personal value" if names_a_person(column) else None


def _refuse_personal(name: str, frame: pd.DataFrame) -> None:
    """Raise InputError where a free column holds values that look personal; the values are not repeated."""
    for column in frame.columns.intersection([*_FREE_COLUMNS, *_ID_COLUMNS]):
        texts = pd.Series(frame[column].dropna().astype(str).unique())
        for what, pattern in PERSONAL.items():
            if column in _ID_COLUMNS and what != _MAIL:  # numbers of members may look like many things
                continue
            times = int(texts.str.contains(pattern).sum())
            if times:
                where = f"{name}.sql, column {column}"
                remedy = "turn it into what it stands for: age_band(), cell(), token(); texts stay outside"
                raise InputError(explained(f"{times} values look like {what}", where=where, remedy=remedy))


def _declared(name: str, frame: pd.DataFrame, mapping: MappingFolder) -> pd.DataFrame:
    """Return a table with the columns its query leaves out: what was declared for everybody, else unknown."""
    added = {}
    for key, declared in mapping.settings.declared.items():
        table, _, column = key.partition(".")
        if table != name:
            continue
        if column in frame.columns:
            remedy = "leave it out of the query, or out of `declared`"
            raise SettingsError(explained("said twice", where=f"{name}.sql", got=column, remedy=remedy))
        added[column] = [declared.value] * len(frame)
    fields = CONTRACTS[name].fields if name in CONTRACTS else ()
    absent = [one.name for one in fields if one.needed and one.nullable and one.name not in frame.columns]
    for column in absent:
        added.setdefault(column, [None] * len(frame))
    return frame.assign(
        **{column: pd.Series(value, index=frame.index, dtype=object) for column, value in added.items()}
    )
