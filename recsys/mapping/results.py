"""What a query gave, as a table of the engine: types, columns that stand for everybody, nothing personal."""

from collections.abc import Collection, Mapping
from typing import Any, Final

import pandas as pd

from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.catalogue.rows import LABEL_COLUMN
from recsys.catalogue.vocabulary import ENUMERATIONS
from recsys.data.contract import WORDS_OF_VALUES
from recsys.data.fail_closed import stop_meant
from recsys.data.fields.enumeration import WordSet
from recsys.data.fields.text import TextField
from recsys.data.forbidden_columns import forbidden_column, is_forbidden_name
from recsys.data.id_spellings import is_canonical_id
from recsys.data.tables import CONTRACTS
from recsys.errors import InputError, SettingsError, did_you_mean, explained
from recsys.mapping.project import CATALOGUE_TABLES, EVERY_WORD, Declaration
from recsys.mapping.values import PERSONAL, SENTENCE, names_a_person
from recsys.redaction import column_labels, may_be_a_value

SET_ASIDE: Final = "set_aside"
"""A column that a query may give: why a row is not used, NULL where it is."""

USUAL_VALUES: Final[Mapping[str, Mapping[str, object]]] = {
    T.INTERESTS: {C.LEVEL: 3, C.SHARE_MODE: "both"},
    T.TALK_TOPICS: {C.WEIGHT: 2},
    T.ANSWERS: {C.IMPORTANCE: 1, C.MANDATORY: False, C.VISIBILITY: "match_only"},
}
"""What stands in a column that a service does not ask: neither safety nor a boundary hangs on it, and an
answer is shown to nobody."""

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
_TOKEN_COLUMNS: Final = (C.PERSON_TOKEN, C.HMAC)
_ID_COLUMNS: Final = (C.USER, C.ACTOR, C.TARGET)
_MAIL: Final = "a mail address"
_MOST_REASONS: Final = 20
"""Different reasons for which one query sets rows aside, beyond which they are values."""
_MOST_SENTENCES: Final = 3
"""Interests that people typed themselves hold a sentence now and then."""


def as_frame(name: str, table: Any) -> pd.DataFrame:
    """Return an Arrow table as a frame; whole numbers in a column of texts are texts: 7 is the id `7`."""
    import pyarrow as pa

    fields = {one.name: one for one in CONTRACTS[name].fields} if name in CONTRACTS else {}
    for at, column in enumerate(table.column_names):
        given = table.schema.field(column).type
        known = fields.get(column)
        if isinstance(known, WordSet) and pa.types.is_list(given) and pa.types.is_integer(given.value_type):
            table = table.set_column(at, column, table.column(column).cast(pa.list_(pa.string())))
        elif isinstance(known, TextField) and pa.types.is_integer(given):
            table = table.set_column(at, column, table.column(column).cast(pa.string()))
    types = {pa.int64(): pd.Int64Dtype(), pa.int32(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
    frame: pd.DataFrame = table.to_pandas(types_mapper=types.get)
    return frame


def check_columns(name: str, columns: list[str]) -> None:
    """Raise SettingsError for a column that the table does not have, InputError for a personal one."""
    *wanted, _ = known = _known_columns(name)
    refused = {
        one for one in columns if is_forbidden_name(one) or (one.isidentifier() and _personal_name(one))
    }
    labels = column_labels(columns, known={*known, *refused}, values=WORDS_OF_VALUES, has_no_others=True)
    for column, label in zip(columns, labels, strict=True):
        if column in known or (name in CATALOGUE_TABLES and LABEL_COLUMN.fullmatch(column)):
            continue
        if reason := forbidden_column(column) or _personal_name(column):
            what = "a mapping may not let this through"
            what += f": {reason}" if label == column else ""
            raise InputError(explained(what, where=f"{name}.sql", got=label))
        remedy = did_you_mean(column, wanted)
        raise SettingsError(
            explained("no column of the table", where=f"{name}.sql", got=label, remedy=remedy)
        )


def refuse_twice(name: str, columns: list[str]) -> None:
    """Raise SettingsError where a query names a column of its table twice; capitals do not count."""
    named = [column.casefold() for column in columns]
    twice = next((column for column in columns if named.count(column.casefold()) > 1), None)
    if twice is not None:
        known = _known_columns(name)
        (got,) = column_labels([twice], known=known, values=WORDS_OF_VALUES, has_no_others=True)
        remedy = "keep one of them, or give one another name"
        raise SettingsError(explained("two columns of one name", where=f"{name}.sql", got=got, remedy=remedy))


def _known_columns(name: str) -> tuple[str, ...]:
    fields = [field.name for field in CONTRACTS[name].fields] if name in CONTRACTS else CATALOGUE_TABLES[name]
    return (*fields, SET_ASIDE)


def _personal_name(column: str) -> str | None:
    """Return what a column's name says it holds, where that may not leave a query."""
    return "a personal value" if names_a_person(column) else None


def refuse_personal(name: str, frame: pd.DataFrame) -> None:
    """Raise InputError where a free column holds values that look personal; the values are not repeated."""
    for column in frame.columns.intersection([*_FREE_COLUMNS, *_ID_COLUMNS, *_TOKEN_COLUMNS]):
        texts = pd.Series(frame[column].dropna().astype(str).unique())
        for what, pattern in PERSONAL.items():
            if column in _ID_COLUMNS and what != _MAIL:  # numbers of members may look like many things
                continue
            times = int(texts.str.contains(pattern).sum())
            if times:
                where = f"{name}.sql, column {column}"
                remedy = "turn it into what it stands for: age_band(), cell(), token(); texts stay outside"
                raise InputError(explained(f"{times} values look like {what}", where=where, remedy=remedy))
        if column == C.TAG and (times := int(texts.str.contains(SENTENCE).sum())) > _MOST_SENTENCES:
            remedy = (
                "name interests one by one: words() parts a list, and texts that people wrote stay outside"
            )
            raise InputError(
                explained(f"{times} interests look like sentences", where=f"{name}.sql", remedy=remedy)
            )


def require_reasons(name: str, aside: pd.DataFrame) -> None:
    """Raise SettingsError where rows are set aside by what may be values of people, and not by reasons."""
    reasons = aside[SET_ASIDE].astype(str).unique() if SET_ASIDE in aside else ()
    if len(reasons) > _MOST_REASONS or any(map(may_be_a_value, reasons)):
        where, got = f"{name}.sql, column {SET_ASIDE}", f"{len(reasons)} different texts"
        remedy = "give a reason in a few words without numbers, such as 'older_row'"
        raise SettingsError(explained("not a reason", where=where, got=got, remedy=remedy))


def with_declared(
    name: str, frame: pd.DataFrame, declared: Mapping[str, Declaration], catalogue: Catalogue
) -> tuple[pd.DataFrame, Mapping[str, object]]:
    """Return a table with the columns its query leaves out, and which of them have a usual value.

    Columns hold what was declared for everybody, else a usual value where nothing of safety hangs on it, else
    nothing known. catalogue: whose words `all` stands for.

    Raises SettingsError for what is declared and asked at once.
    """
    added: dict[str, object] = {}
    for key, one in declared.items():
        table, _, column = key.partition(".")
        if table != name:
            continue
        if column in frame.columns:
            remedy = "leave it out of the query, or out of `declared`"
            raise SettingsError(explained("said twice", where=f"{name}.sql", got=column, remedy=remedy))
        every = one.value == EVERY_WORD and column in ENUMERATIONS
        added[column] = list(catalogue.vocabulary(column)) if every else one.value
    usual = {key: value for key, value in USUAL_VALUES.get(name, {}).items() if key not in frame.columns}
    fields = CONTRACTS[name].fields if name in CONTRACTS else ()
    absent = [one.name for one in fields if one.needed and one.nullable and one.name not in frame.columns]
    columns = dict.fromkeys(absent) | usual | added
    filled = {
        column: pd.Series([value] * len(frame), index=frame.index, dtype=object)
        for column, value in columns.items()
    }
    return frame.assign(**filled), usual


_RESTRICT_NOBODY: Final = (
    *("impression", "like", "message", "terms_accepted", "verified"),
    *("optin", "rules_agreed", "meet_planned", "unblock", "undo", "erase"),
)
"""Types of events that keep nobody else from an account; of any other, known or not, it is said to."""


def named_by_restrictions(frames: Mapping[str, pd.DataFrame]) -> frozenset[str]:
    """Return every id in tables about safety, in events that may restrict, and of whose number is excluded.

    Whoever excludes one is among them.

    frames: tables that queries gave, by name.
    """
    told = [frames[name] for name in (T.BLOCKS, T.REPORTS, T.HOLDS) if name in frames]
    if (events := frames.get(T.EVENTS)) is not None and C.TYPE in events:
        told.append(events[~events[C.TYPE].isin(_RESTRICT_NOBODY)])
    if (tokens := frames.get(T.TOKENS)) is not None and {C.KIND, C.HMAC} <= {*tokens}:
        excluded = tokens.loc[tokens[C.KIND].eq("exclude"), C.HMAC].dropna()
        told.append(tokens[tokens[C.HMAC].isin(excluded)])
    columns = [frame[one] for frame in told for one in _ID_COLUMNS if one in frame]
    return frozenset(str(one) for column in columns for one in column.dropna().unique())


def with_other_accounts(kept: Any, aside: Any, named: Collection[str] = ()) -> Any:
    """Return profiles with those set aside that say whose account it was, paused.

    Who deleted an account and came back under another is one person, and the blocks of the first account
    hold; so does its ban. They are those whose person token somebody kept has under another id, those with a
    token that are among `named`, see `named_by_restrictions`, and those that were banned or held: somebody
    may come back later. kept, aside: Arrow tables of one schema. Each such account gets one row, in which all
    but its id, token and state is unknown.
    """
    import pyarrow as pa

    columns = [C.USER, C.PERSON_TOKEN, C.ACCOUNT_STATE]
    if not aside.num_rows or not {*columns} <= {*kept.column_names}:
        return kept
    here, left = (table.select(columns).to_pandas().astype(object) for table in (kept, aside))
    stop, is_proved = stop_meant(left[C.ACCOUNT_STATE]), left[C.PERSON_TOKEN].notna()
    says = left[C.PERSON_TOKEN].isin(here[C.PERSON_TOKEN].dropna()) | stop.notna()
    says |= is_proved & as_frame(T.PROFILES, aside.select([C.USER]))[C.USER].isin(list(named))
    says &= left[C.USER].notna() & ~left[C.USER].isin(here[C.USER])
    left, stop = left[says], stop[says]
    # a header repeated among the rows is nobody's account; a ban without an id is of the token's person
    is_account = left[C.USER].map(is_canonical_id).astype(bool) | stop.notna()
    left, stop = left[is_account], stop[is_account]
    left[C.ACCOUNT_STATE] = stop.where(stop.notna(), "paused")
    left = left.sort_values(C.ACCOUNT_STATE, key=lambda states: states.eq("paused"), kind="stable")
    left = left.drop_duplicates(C.USER)
    added = [
        pa.array(left[field.name].tolist(), from_pandas=True).cast(field.type)
        if field.name in columns and len(left)
        else pa.nulls(len(left), field.type)
        for field in kept.schema
    ]
    return pa.concat_tables([kept, pa.table(added, schema=kept.schema)])


def without_missing_tokens(frame: pd.DataFrame, aside: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Set rows of people's own tokens aside that hold none: who gave no phone has no token, and no row."""
    if not {C.HMAC, C.KIND, C.USER} <= {*frame.columns}:
        return frame, aside
    none = frame[C.HMAC].isna() & frame[C.KIND].isin(["self", "person"]).fillna(False).astype(bool)
    more = frame.loc[none, [C.USER]].assign(**{SET_ASIDE: "no token"})
    return frame[~none].reset_index(drop=True), pd.concat([aside, more]) if len(more) else aside
