"""Tables with a row for each setting of a member, turned into one row a member by a drafted view."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from recsys.catalogue.text_folding import unaccented
from recsys.mapping.column_profile import ColumnProfile, quoted
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
class KeyValueView:
    """A view with one row a member and one column a key of a table of settings.

    name: of the view. sql: the query. table: its rows (Arrow), as the query gives them, to be profiled.
    """

    name: str
    sql: str
    table: Any

    @property
    def file(self) -> str:
        """Return the file of the view in a mapping's folder."""
        return f"{VIEWS}/{self.name}.sql"


def key_value_views(
    profiles: Mapping[str, list[ColumnProfile]], tables: Mapping[str, Any]
) -> list[KeyValueView]:
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
) -> KeyValueView | None:
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
        (
            f"  string_agg(DISTINCT {text}, '{_JOINED}' ORDER BY {text})"
            if one in several
            else f"  max({text})"
        )
        + f" FILTER (WHERE {quoted(key.name)} = '{one.replace(chr(39), 2 * chr(39))}') AS {quoted(one)}"
        for one in keys
    ]
    question = f"{TODO} members have several values of {asked}: which counts?\n" if several else ""
    sql = (
        f"{GUESS} {name}: a row a member and {key.name}; here a row a member and a column a {key.name}\n"
        f"{question}SELECT {quoted(person.name)},\n" + ",\n".join(column) + "\n"
        f"FROM {quoted(name)} GROUP BY {quoted(person.name)}\n"
    )
    shown = wide.reset_index().rename(columns={"person": person.name})
    return KeyValueView(f"{name}_by_member", sql, pa.Table.from_pandas(shown, preserve_index=False))
