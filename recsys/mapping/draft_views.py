"""Views that a draft adds: settings in rows as one row a member, objects in lists as one row each."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from recsys.catalogue.text_folding import unaccented
from recsys.mapping.column_profile import ColumnProfile, quoted
from recsys.mapping.draft_guess import Profiles, key_of
from recsys.mapping.draft_tables import EVENT_TYPES, subject_of
from recsys.mapping.project import GUESS, TODO, VIEWS

_KEY: Final = (
    r"(meta|key|setting|option|field|attribute|attr|property|prop|parameter|param|pref|preference|trait)"
)
_KEYS: Final = re.compile(
    rf"(^|_){_KEY}(_?(name|key|code|label|slug|title))?$"
    r"|^(name|項目|設定|clave|campo|cle|champ|schlussel|feld|klucz|anahtar|ключ|kunci)$"
)
_NUMBERED_KEYS: Final = re.compile(rf"(^|_){_KEY}(_?(type|definition|def))?_?id$")
"""Columns of numbers that another table names."""
_LABELS: Final = re.compile(r"(^|_)(name|label|shortname|slug|code|title|key|identifier|attribute_code)$")
_VALUES: Final = re.compile(
    r"(^|_)(value|val|content|answer|data)$"
    r"|^(value|val)_(text|string|str|varchar|int|integer|number|num|decimal|float|bool|boolean|date|datetime)$"
    r"|^(text|string|str|int|integer|number|num|decimal|float|bool|boolean|date|datetime)_(value|val)$"
    r"|^(値|valor|valeur|wert|valore|wartosc|deger|значение|nilai)$"
)
_OF_PERSON: Final = re.compile(
    r"_?(id|no|uuid)$|^(user|member|person|account|customer|contact|owner|entity|client)$"
)
_MOST_KEYS: Final = 100
_JOINED: Final = ";"
_ONE_A_MEMBER: Final = 0.9
"""Share of the rows that must be the only one of their member and key."""


@dataclass(frozen=True)
class DraftedView:
    """A view over one table of the source.

    name: of the view. sql: the query. table: its rows (Arrow), as the query gives them, to be profiled.
    """

    name: str
    sql: str
    table: Any

    @property
    def file(self) -> str:
        """Return the file of the view in a mapping's folder."""
        return f"{VIEWS}/{self.name}.sql"


def key_value_views(profiles: Profiles, tables: Mapping[str, Any]) -> list[DraftedView]:
    """Return a view for each table whose rows are a member's id, the key of a setting and its value.

    The key is a word, or a number that another table names. Of several columns of values, one a type, each
    row has one.
    """
    found = []
    for name, columns in profiles.items():
        named = ((one, _labels_of_keys(one, name, profiles, tables)) for one in columns)
        key, labels = next(((one, labels) for one, labels in named if labels is not None), (None, {}))
        values = [one for one in columns if one is not key and _VALUES.search(_snake(one.name))]
        ids = [
            one
            for one in columns
            if one is not key and one not in values and _OF_PERSON.search(_snake(one.name)) and not one.unique
        ]
        if key is not None and values and len(ids) == 1 and name in tables:
            view = _view(name, (ids[0], key, values), labels, tables[name])
            found += [view] if view is not None else []
    return found


def _snake(name: str) -> str:
    """Return a name in small letters without accents, its words parted by `_`.

    >>> _snake("FieldName"), _snake("StringValue__c"), _snake("meta key")
    ('field_name', 'string_value', 'meta_key')
    """
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.removesuffix("__c"))
    return re.sub(r"[\s-]+", "_", unaccented(parted))


def _labels_of_keys(
    column: ColumnProfile, table: str, profiles: Profiles, tables: Mapping[str, Any]
) -> dict[str, str] | None:
    """Return the name of each key where a column holds keys that are named elsewhere, else none for words.

    None for a column that holds no keys.
    """
    name, few = _snake(column.name), 1 < column.distinct <= min(_MOST_KEYS, column.rows // 2)
    if few and column.kind == "text" and _KEYS.search(name):
        return {}
    if not few or not (_NUMBERED_KEYS.search(name) or _KEYS.search(name)):
        return None
    for other, columns in profiles.items():
        ids = next((one for one in columns if one.unique and column.ids <= one.ids), None)
        texts = [one for one in columns if one.kind == "text" and _LABELS.search(_snake(one.name))]
        if other != table and other in tables and ids is not None and texts:
            label = next((one for one in texts if one.unique), texts[0])
            codes, names = (map(str, tables[other].column(one.name).to_pylist()) for one in (ids, label))
            return {code: name for code, name in zip(codes, names, strict=True) if code in column.ids}
    return None


def _view(
    name: str,
    columns: tuple[ColumnProfile, ColumnProfile, list[ColumnProfile]],
    labels: Mapping[str, str],
    table: Any,
) -> DraftedView | None:
    """Return the view of a table by its columns of members, keys and values."""
    import duckdb

    person, key, values = columns
    code = quoted(key.name) if key.kind == "text" else f"CAST({quoted(key.name)} AS VARCHAR)"
    texts = [f"CAST({quoted(one.name)} AS VARCHAR)" for one in values]
    text = texts[0] if len(texts) == 1 else f"coalesce({', '.join(texts)})"
    with duckdb.connect(config={"enable_external_access": "false"}) as database:
        database.register(name, table)
        counted = database.execute(
            f"SELECT {code}, count(*), count(DISTINCT {quoted(person.name)}), count({text})"  # noqa: S608
            f" FROM {quoted(name)} WHERE {quoted(person.name)} IS NOT NULL AND {code} IS NOT NULL"
            " GROUP BY 1 ORDER BY 1"
        ).fetchall()
        rows, members = (sum(one[at] for one in counted) for at in (1, 2))
        if rows - members > (1 - _ONE_A_MEMBER) * rows:
            return None
        names = _unlike_each_other([one[0] for one in counted if one[3]], labels)
        item = [
            f"  string_agg(DISTINCT {text}, '{_JOINED}' ORDER BY {text})"
            f" FILTER (WHERE {code} = '{one.replace(chr(39), 2 * chr(39))}') AS {quoted(label)}"
            for one, label in names.items()
        ]
        several = ", ".join(names.get(one[0], one[0]) for one in counted if one[1] > one[2])
        question = f"{TODO} members have several values of {several}: which counts?\n" if several else ""
        sql = (
            f"{GUESS} {name}: a row a member and {key.name}; here a row a member and a column a {key.name}\n"
            f"{question}SELECT {quoted(person.name)},\n" + ",\n".join(item) + "\n"
            f"FROM {quoted(name)} GROUP BY {quoted(person.name)}\n"
        )
        shown = database.sql(sql).to_arrow_table() if names else None
    return None if shown is None else DraftedView(f"{name}_by_member", sql, shown)


def _unlike_each_other(codes: list[str], labels: Mapping[str, str]) -> dict[str, str]:
    """Return the name of a column by code; one that two codes share, in any capitals, gets its code behind.

    >>> _unlike_each_other(["1", "2", "3"], {"1": "Town", "2": "town", "3": "Sex"})
    {'1': 'Town_1', '2': 'town_2', '3': 'Sex'}
    """
    times = Counter(labels.get(code, code).lower() for code in codes)
    return {
        code: label if times[label.lower()] == 1 else f"{label}_{code}"
        for code in codes
        for label in [labels.get(code, code)]
    }


def nested_row_views(profiles: Profiles, tables: Mapping[str, Any]) -> list[DraftedView]:
    """Return a view for each list in a table of members that holds objects: a row an object, with the id.

    Documents hold blocks, likes or reports so. Lists in structs and in texts of JSON count too, and lists of
    ids under a name that says an event.
    """
    found = []
    for name, table in tables.items():
        key = key_of(profiles[name])
        if key is None or key.name not in table.column_names:
            continue
        for path, sql, lists, item in _lists_of_objects(table):
            rows = _rows_of(table.column(key.name), f"{name}_id", lists, item)
            query = (
                f"{GUESS} {name}.{path}: a list a member; here a row for each of its items\n"
                f"SELECT {quoted(key.name)} AS {quoted(name + '_id')}, unnest({sql}) AS {item}\n"
                f"FROM {quoted(name)}\n"
            )
            view = f"{name}_{path.replace('.', '_')}"
            if rows.num_rows and view not in tables:
                found.append(DraftedView(view, query, rows))
    return found


def _lists_of_objects(table: Any) -> Iterator[tuple[str, str, Any, str]]:
    """Yield the path, SQL and values (Arrow) of each column, or field of structs, that lists objects or ids.

    Last what an item of it is called.
    """
    import pyarrow as pa

    for column in table.column_names:
        values = table.column(column).combine_chunks()
        if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
            if _are_json_objects(values):
                texts = [
                    None if not text else [json.dumps(one) for one in json.loads(text)]
                    for text in values.to_pylist()
                ]
                sql = f"CAST(from_json({quoted(column)}, '[\"JSON\"]') AS VARCHAR[])"
                yield column, sql, pa.array(texts, pa.list_(pa.string())), "item"
        else:
            yield from _in_structs(column, quoted(column), values)


def _in_structs(path: str, sql: str, values: Any) -> Iterator[tuple[str, str, Any, str]]:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = values.type
    if pa.types.is_struct(kind):
        for field in kind:
            yield from _in_structs(
                f"{path}.{field.name}", f"{sql}.{quoted(field.name)}", pc.struct_field(values, field.name)
            )
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
        if pa.types.is_struct(kind.value_type):
            yield path, sql, values, "item"
        elif subject_of(path.rpartition(".")[2]) in EVENT_TYPES:
            yield path, sql, values, "item_id"


def _are_json_objects(values: Any) -> bool:
    known = [one for one in values.to_pylist() if one]
    if not known or not all(one.lstrip().startswith("[") for one in known):
        return False
    try:
        return all(isinstance(one, dict) for text in known for one in json.loads(text))
    except ValueError:
        return False


def _rows_of(ids: Any, name: str, lists: Any, item: str) -> Any:
    """Return the id of the row and one item of its list, a row an item."""
    import pyarrow as pa
    import pyarrow.compute as pc

    owners = ids.combine_chunks().take(pc.list_parent_indices(lists))
    return pa.table({name: owners, item: pc.list_flatten(lists)})
