"""Objects of JSON that hold tables: rows under their ids, answers of an API, several tables in one file.

Such are an export of Firebase Realtime Database or Firestore, and what Airtable and Bubble answer. Whether
the keys of an object are ids or names of columns is told by their look, and by whether its neighbours have
them too.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from recsys.mapping.json_types import is_nothing

Rows = list[dict[str, Any]]

_WRAPPERS: Final = frozenset(
    (
        *("data", "records", "results", "items", "rows", "documents", "docs", "hits", "value", "list"),
        *("response", "result", "content", "entries", "objects", "export", "payload", "root"),
    )
)
"""Keys that name no table: the file does."""
_DESCRIBES: Final = re.compile(
    r"package(-lock)?|datapackage|tsconfig.*|composer|manifest|firebase|config|settings|metadata|(.*[.-])?schema"
)
_SURE_ID: Final = re.compile(
    r"\d+|-[\w-]{19}|(?=\D*\d)[\w-]{16,64}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|.*[@+,].*"
)
_SHARED: Final = 0.3
"""Of an object's neighbours so many have a key on average where keys are names of columns."""
_MOST: Final = 0.8
_MOST_TABLES: Final = 200
_DEEPEST: Final = 3
"""So many keys lead to a row at most: of a conversation, a message, and one who read it."""
_COLLECTIONS: Final = "__collections__"
_OF_A_MODEL: Final = frozenset(("model", "pk", "fields"))
_MODEL: Final = re.compile(r"\w+\.\w+")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def describes_tables(name: str) -> bool:
    """Say whether a file is one of settings or descriptions by its name.

    >>> [describes_tables(one) for one in ("package.json", "members.schema.json", "users.json")]
    [True, True, False]
    """
    return _DESCRIBES.fullmatch(name.lower().rpartition(".json")[0]) is not None


def tables_of_document(document: Mapping[str, Any], name: str) -> dict[str, Rows]:
    """Return the rows of each table that an object of JSON holds, nothing where it holds none.

    name: of a table that no key names. Ids above a row stand in the columns `key`, `key_2` and so on (with
    `_` in front where a row has such a column itself), single values in `value`; a list is a row for each
    item. Within a row, objects under ids are a list of objects with the id as `key`.

    >>> blocks = {"-Nxa7": {"-Nxb8": 17}, "-Nxb8": {"-Nxc9": 18}, "-Nxc9": {"-Nxb8": 19}}
    >>> users = {one: {"age": 40} for one in blocks}
    >>> found = tables_of_document({"users": users, "blocks": blocks}, "export")
    >>> found["users"][0], found["blocks"][0]
    ({'key': '-Nxa7', 'age': 40}, {'key': '-Nxa7', 'key_2': '-Nxb8', 'value': 17})
    >>> tables_of_document({"records": [{"id": "rec1", "fields": {"Age": 40}}]}, "members")
    {'members': [{'id': 'rec1', 'Age': 40}]}
    """
    found: dict[str, Rows] = {}
    if _COLLECTIONS in document:
        for collection, rows in document[_COLLECTIONS].items():
            _add_collection(collection, [((key,), one) for key, one in rows.items()], found)
        return found
    if _is_keyed(document):
        return {name: _rows(document, ())}
    _add_tables(document, name, _known_ids(document), found)
    return found if len(found) <= _MOST_TABLES else {}


def tables_of_models(objects: Sequence[Any]) -> dict[str, Rows]:
    """Return the rows of each model in a list of objects as Django's `dumpdata` writes it, else nothing.

    A table is called as Django calls it in the database, the model's key stands in the column `pk` and the
    fields in columns of their own.

    >>> tables_of_models([{"model": "app.user", "pk": 1, "fields": {"born": "1980-01-05"}}])
    {'app_user': [{'pk': 1, 'born': '1980-01-05'}]}
    >>> tables_of_models([{"model": "Corsa", "pk": 1}])
    {}
    """
    found: dict[str, Rows] = {}
    for one in objects:
        if not isinstance(one, dict) or not one.keys() <= _OF_A_MODEL:
            return {}
        model, fields = one.get("model"), one.get("fields")
        if not isinstance(model, str) or not _MODEL.fullmatch(model) or not isinstance(fields, dict):
            return {}
        key = {"pk": one["pk"]} if "pk" in one else {}
        found.setdefault(model.replace(".", "_"), []).append({**key, **fields})
    return found


def is_a_row(document: Mapping[str, Any]) -> bool:
    """Say whether an object alone on its line is a row: by an id, or more single values than others.

    >>> is_a_row({"id": 7, "likes": [{"of": 8}]}), is_a_row({"exported": "2026", "users": [], "likes": []})
    (True, False)
    """
    if any(key.lower() in _WRAPPERS for key in document):
        return False
    single = [key for key, one in document.items() if not isinstance(one, dict | list)]
    return 2 * len(single) > len(document) or any(
        re.search(r"(?i)id$|^(key|pk|actor)$", key) for key in single
    )


def _add_tables(
    document: Mapping[str, Any], name: str, known: Collection[str], found: dict[str, Rows]
) -> None:
    for key, value in document.items():
        table = name if key.lower() in _WRAPPERS else key
        if isinstance(value, list) and value and all(isinstance(one, dict | None) for one in value):
            found.setdefault(table, []).extend(_unwrapped([one for one in value if one]))
        elif not isinstance(value, dict) or not value:
            continue
        elif key.lower() in _WRAPPERS and not _is_keyed(value):
            _add_tables(value, name, _known_ids(value), found)
        elif (_objects(value.values()) and len(value) > 1) or _are_ids([value], known):
            found.setdefault(table, []).extend(_rows(value, known))


def _add_collection(
    name: str, entries: Sequence[tuple[tuple[str, ...], Any]], found: dict[str, Rows]
) -> None:
    """Add the documents of a collection of Firestore, and of those within its documents."""
    below: dict[str, list[tuple[tuple[str, ...], Any]]] = {}
    for path, document in entries:
        for inner, rows in document.get(_COLLECTIONS, {}).items():
            below.setdefault(inner, []).extend(((*path, key), one) for key, one in rows.items())
    documents = [(path, {k: v for k, v in one.items() if k != _COLLECTIONS}) for path, one in entries]
    if documents:
        found.setdefault(name, []).extend(_with_keys(documents))
    for inner, rows in below.items():
        _add_collection(f"{name}_{inner}", rows, found)


def _is_keyed(document: Mapping[str, Any]) -> bool:
    """Say whether the keys of an object are ids of rows, and no names of tables or columns."""
    if not _objects(document.values()):
        return False
    if _are_ids(document.values(), ()):  # what is below are ids, so these are tables or one of two ids
        return _sure(document)
    has_values = any(not isinstance(one, dict | list) for row in document.values() for one in row.values())
    return _sure(document) or (len(document) > 2 and has_values)


def _known_ids(document: Mapping[str, Any]) -> frozenset[str]:
    """Return the keys of objects under the keys of a document."""
    tables = [one for one in document.values() if isinstance(one, dict) and _objects(one.values())]
    return frozenset(key for table in tables if len(table) > 1 for key in table)


def _objects(values: Iterable[Any]) -> bool:
    values = list(values)
    return bool(values) and all(isinstance(one, dict) for one in values)


def _sure(keys: Collection[str]) -> bool:
    return sum(_SURE_ID.fullmatch(key) is not None for key in keys) >= _MOST * max(1, len(keys))


def _are_ids(objects: Iterable[Mapping[str, Any]], known: Collection[str]) -> bool:
    """Say whether the keys of objects beside each other are ids rather than names of columns."""
    objects = [one for one in objects if one]
    times = Counter(key for one in objects for key in one)
    if not times:
        return False
    if _sure(times) or sum(key in known for key in times) >= _MOST * len(times):
        return True
    share = times.total() / len(times) / len(objects)
    return len(objects) > 2 and share < _SHARED and len(times) > 2 * max(map(len, objects))


def _rows(document: Mapping[str, Any], known: Collection[str]) -> Rows:
    """Return the rows under one key or several."""
    entries: list[tuple[tuple[str, ...], Any]] = [((key,), one) for key, one in document.items()]
    for _ in range(_DEEPEST - 1):
        entries = [(path, _by_place(one)) for path, one in entries] if _mixed(entries) else entries
        values = [one for _, one in entries]
        if not _objects(values) or not _are_ids(values, known):
            break
        entries = [((*path, key), one) for path, below in entries for key, one in below.items()]
    return _with_keys(entries)


def _mixed(entries: Iterable[tuple[tuple[str, ...], Any]]) -> bool:
    """Say whether lists stand beside objects: Firebase writes keys from 0 on as a list."""
    return {type(one) for _, one in entries} == {dict, list}


def _by_place(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    return {str(at): one for at, one in enumerate(value) if one is not None}


def _with_keys(entries: Sequence[tuple[tuple[str, ...], Any]]) -> Rows:
    items = [
        (path, one)
        for path, value in entries
        for one in (value if isinstance(value, list) else [value])
        if one is not None
    ]
    rows = [dict(_plain(one)) if isinstance(one, dict) else {"value": one} for _, one in items]
    _list_objects_under_ids(rows, {path[0] for path, _ in items if path})
    taken = {key.casefold() for row in rows for key in row}
    front = "_" if any(re.fullmatch(r"key(_\d)?", one) for one in taken) else ""
    names = [f"{front}key", *(f"{front}key_{n}" for n in range(2, 10))]
    return [
        {**dict(zip(names, path, strict=False)), **row} for (path, _), row in zip(items, rows, strict=True)
    ]


def _list_objects_under_ids(rows: Rows, known: Collection[str]) -> None:
    """Make a list of what stands in rows under ids, such as `blocked: {id: true}`.

    known: keys of the rows.
    """
    for name in dict.fromkeys(key for row in rows for key in row):
        values = [row[name] for row in rows if row.get(name) is not None and not is_nothing(row[name])]
        if {type(one) for one in values} == {dict, list}:  # of Firebase: a list with gaps is an object
            if not _say_all([one for one in values if isinstance(one, dict)], known):
                for row in rows:
                    if isinstance(row.get(name), dict):
                        row[name] = [*row[name].values()]
                continue
            values = [_by_place(one) for one in values]
        if _objects(values) and _are_ids(values, known):
            for row in rows:
                if row.get(name) is not None:
                    held = {} if is_nothing(row[name]) else _by_place(row[name])
                    row[name] = _with_keys([((key,), one) for key, one in held.items()])


def _say_all(objects: Iterable[Mapping[str, Any]], known: Collection[str]) -> bool:
    """Say whether the keys of objects say what there is, as in `{id: true}`, and no places in a list."""
    entries = [entry for one in objects for entry in one.items()]
    ids = sum(key in known for key, _ in entries)
    return ids >= _MOST * len(entries) or all(value is True for _, value in entries)


def _unwrapped(rows: Rows) -> Rows:
    """Return rows in which `fields` beside an id and single values, as Airtable answers, are columns."""
    plain: Rows = [_plain(row) for row in rows]
    single = all(
        isinstance(row.get("fields"), dict)
        and not any(isinstance(one, dict | list) for key, one in row.items() if key != "fields")
        for row in plain
    )
    if not single:
        return plain
    inner = {key.casefold() for row in plain for key in row["fields"]}
    named = {key: f"record_{key}" if key.casefold() in inner else key for row in plain for key in row}
    return [
        {**{named[key]: one for key, one in row.items() if key != "fields"}, **row["fields"]} for row in plain
    ]


def _plain(value: Any) -> Any:
    """Return a value in which what Firestore writes as an object of its own is the value that it names."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"__datatype__", "value"}:
        inner, kind = value["value"], value["__datatype__"]
        if kind == "documentReference" and isinstance(inner, str):
            return inner.rpartition("/")[2]
        names = {"_latitude": "latitude", "_longitude": "longitude"} if kind == "geopoint" else {}
        return _plain({names.get(k, k): v for k, v in inner.items()} if isinstance(inner, dict) else inner)
    if value.keys() in ({"_seconds", "_nanoseconds"}, {"seconds", "nanoseconds"}):
        seconds = next(iter(value.values()))
        if isinstance(seconds, int):
            return (_EPOCH + timedelta(seconds=seconds)).isoformat().removesuffix("+00:00") + "Z"
    return {key: _plain(one) for key, one in value.items()}
