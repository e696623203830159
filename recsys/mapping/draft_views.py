"""Views that a draft adds: settings in rows as one row a member, objects in lists as one row each."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from recsys.catalogue.text_folding import unaccented
from recsys.mapping.column_profile import ColumnProfile, quoted
from recsys.mapping.draft_guess import Profiles, key_of
from recsys.mapping.draft_tables import EVENT_TYPES, subject_of
from recsys.mapping.project import GUESS, TODO, VIEWS

_KEYS: Final = re.compile(
    r"(^|_)(key|setting|option|field|attribute|attr|property|param|pref|preference)(_?(name|key))?$"
    r"|^(name|項目|設定|clave|campo|cle|champ|schlussel|feld|klucz|anahtar|ключ|kunci)$"
)
_VALUES: Final = re.compile(
    r"(^|_)(value|val|content|answer)$|^(値|valor|valeur|wert|valore|wartosc|deger|значение|nilai)$"
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
    """Return a view for each table whose rows are a member's id, the key of a setting and its value."""
    found = []
    for name, columns in profiles.items():
        key = next((one for one in columns if _names_keys(one)), None)
        value = next((one for one in columns if _VALUES.search(unaccented(one.name))), None)
        ids = [one for one in columns if re.search(r"_?(id|no|uuid)$", one.name.lower()) and not one.unique]
        if key is not None and value is not None and len(ids) == 1 and name in tables:
            view = _view(name, ids[0], key, value, tables[name])
            found += [view] if view is not None else []
    return found


def _names_keys(column: ColumnProfile) -> bool:
    few = 1 < column.distinct <= min(_MOST_KEYS, column.rows // 2)
    return column.kind == "text" and few and bool(_KEYS.search(unaccented(column.name)))


def _view(
    name: str, person: ColumnProfile, key: ColumnProfile, value: ColumnProfile, table: Any
) -> DraftedView | None:
    import pyarrow as pa

    rows = table.select([person.name, key.name, value.name]).to_pandas().astype(object)
    rows.columns = ["person", "key", "value"]
    rows = rows.dropna(subset=["person", "key"]).astype({"person": str, "key": str})
    twice = rows.duplicated(["person", "key"])
    if twice.mean() > 1 - _ONE_A_MEMBER:
        return None
    texts = rows.dropna(subset=["value"]).astype({"value": str}).sort_values("value").drop_duplicates()
    wide = texts.groupby(["person", "key"], sort=True)["value"].agg(_JOINED.join).unstack("key")
    keys, several = sorted(wide.columns), sorted(set(rows["key"][twice]))
    text, asked = f"CAST({quoted(value.name)} AS VARCHAR)", ", ".join(several)
    column = [
        f"  string_agg(DISTINCT {text}, '{_JOINED}' ORDER BY {text})"
        f" FILTER (WHERE {quoted(key.name)} = '{one.replace(chr(39), 2 * chr(39))}') AS {quoted(one)}"
        for one in keys
    ]
    question = f"{TODO} members have several values of {asked}: which counts?\n" if several else ""
    sql = (
        f"{GUESS} {name}: a row a member and {key.name}; here a row a member and a column a {key.name}\n"
        f"{question}SELECT {quoted(person.name)},\n" + ",\n".join(column) + "\n"
        f"FROM {quoted(name)} GROUP BY {quoted(person.name)}\n"
    )
    shown = wide.reset_index().rename(columns={"person": person.name})
    return DraftedView(f"{name}_by_member", sql, pa.Table.from_pandas(shown, preserve_index=False))


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
