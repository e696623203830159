"""What single columns of a source look like: how much is known, what reads as a date, which codes they hold.

Values stand in a profile only where they are codes: few, short, repeated, and nothing that looks personal.
"""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cached_property
from itertools import chain, combinations
from typing import Any, Final

from recsys.catalogue.text_folding import plain
from recsys.data.date_reading import (
    DATE_ORDERS,
    EPOCH_UNITS,
    NOBODY_YOUNGER,
    ORDER_NOT_SAID,
    epoch_unit,
    is_epoch,
    read_date,
)
from recsys.data.id_spellings import id_forms
from recsys.data.no_answer_codes import is_unknown
from recsys.mapping.placeholders import made_up_values
from recsys.mapping.values import looks_personal, names_a_person

MOST_CODES: Final = 24
_FEWEST_PEOPLE: Final = 5  # a code held by fewer rows could name somebody
_LONGEST_CODE: Final = 40
_MOST_VALUES: Final = 4000
_SEPARATORS: Final = ",;|/、،"
_WHOLE: Final = re.compile(r"-?\d{1,18}")
_EPOCH_TEXT: Final = re.compile(r"\d{13}|\d{16}|\d{19}")
_GENDER_ENDING: Final = re.compile(r"\w{3}/(?:[aeorx]|as|os|es|in|ne|re|se)(?!\w)")  # `soltera/o` is one word


@dataclass(frozen=True)
class ColumnProfile:
    """One column of a source table, or one path of its JSON.

    sql: how a query names it, behind the table's name. known: share of rows with a value. distinct: number of
    values. dates: share of the known ones that read as dates in `order`; years: first and last of them.
    moments: share with a time of day. kind: list, flag, number or text. codes: value and rows, most first.
    parted: what joins several codes in one value, empty where nothing does. ids: the values, as text, to
    compare with other columns; they are never written. rare: rows whose values are no codes, beside codes.
    made_up: telephone numbers and mailboxes of several rows that look as if typed for want of one. repeated:
    rows of the table that say again what another says in every column.
    """

    table: str
    name: str
    sql: str
    kind: str
    rows: int
    known: float
    distinct: int
    dates: float
    moments: float
    order: str
    years: tuple[int, int] | None
    numbers: float
    codes: tuple[tuple[str, int], ...]
    parted: str
    ids: frozenset[str]
    rare: int = 0
    made_up: tuple[str, ...] = ()
    repeated: int = 0

    @property
    def unique(self) -> bool:
        """Whether no known value stands twice."""
        return self.distinct >= round(self.known * self.rows) > 0

    @property
    def may_be_births(self) -> bool:
        """Whether somebody is young, where these are numbers since 1970.

        Numbers that count from a later day, such as from 2001, would make all of them older than they are.
        """
        latest = (self.years or (0, 0))[1]
        return self.order not in EPOCH_UNITS or latest > datetime.now(UTC).year - NOBODY_YOUNGER

    @cached_property
    def plainest_ids(self) -> frozenset[str]:
        """The values in the plainest spelling of an id: no capitals, hyphens of UUIDs or leading zeros."""
        return frozenset(id_forms(one)[2] for one in self.ids)

    def named(self, alias: str = "") -> str:
        """Return how a query names the column behind the alias of its table; a list in JSON as a list."""
        whole = f"{alias}.{self.sql}" if alias else self.sql
        if "->>" not in self.sql:
            return whole
        return f"({whole.replace('->>', '->')})::VARCHAR[]" if self.kind == "list" else f"({whole})"

    @property
    def is_time(self) -> bool:
        """Whether most values are dates or moments; whole numbers may as well be ids."""
        return self.dates >= 0.5 and self.kind != "number"


def quoted(name: str) -> str:
    """Return a name as SQL writes it, whatever it holds.

    >>> quoted("last login")
    '"last login"'
    """
    return '"' + name.replace('"', '""') + '"'


def profile_table(name: str, table: Any) -> list[ColumnProfile]:
    """Return the profile of every column of an Arrow table, JSON and structs opened into their paths."""
    import pyarrow as pa

    found = []
    for column in table.column_names:
        values = table.column(column).to_pylist()
        opened = _opened(values)
        if (listed := _json_lists(values)) is not None:
            found.append(profile_column(name, column, f"{quoted(column)}::JSON::VARCHAR[]", listed))
        elif opened is None:
            found.append(profile_column(name, column, quoted(column), values))
        is_struct = pa.types.is_struct(table.schema.field(column).type)
        for path, inner in (opened or {}).items():
            inside = ".".join(map(quoted, path.split(".")))
            sql = f"{quoted(column)}.{inside}" if is_struct else f"{quoted(column)}->>'$.{path}'"
            found.append(profile_column(name, f"{column}.{path}", sql, inner))
    repeated = _repeated_rows(table)
    return [replace(one, repeated=repeated) for one in found] if repeated else found


def _repeated_rows(table: Any) -> int:
    """Return how many rows of an Arrow table say the same as another; 0 where it holds lists or objects."""
    import pyarrow as pa

    with suppress(pa.ArrowException):
        return int(table.num_rows - table.group_by(table.column_names).aggregate([]).num_rows)
    return 0


def profile_column(table: str, name: str, sql: str, values: list[Any]) -> ColumnProfile:
    """Return the profile of one column.

    >>> found = profile_column("p", "born", "born", ["03/04/1990", "25/12/1971", None])
    >>> found.order, found.dates, found.years
    ('dmy', 1.0, (1971, 1990))
    """
    known = [value for value in values if value is not None and not _empty(value)]
    kind = _kind(known)
    flat = [one for value in known for one in (value if isinstance(value, list) else [value])]
    step = max(1, len(flat) // _MOST_VALUES)
    sample = [] if kind == "list" else flat[::step]
    order, dates, years = _dates(sample)
    moments = sum(isinstance(one, datetime) or ":" in str(one) for one in sample)
    if sample and all(_is_epoch(one) for one in sample):
        dates = moments = len(sample)
    elif sample and (unit := _unit(sample)) is not None:
        order, dates, moments = unit, len(sample), len(sample)
        years = _years([day for one in sample if (day := read_date(one, unit)[0])])
    parted = "" if kind != "text" else _parted(sample)
    words = (
        Counter(plain(one) for value in flat for one in _parts(str(value), parted))
        if kind in {"text", "list"}
        else Counter(plain(one).lower() for one in flat)
    )
    codes = _codes(name, words)
    return ColumnProfile(
        table, name, sql, kind, len(values), len(known) / max(1, len(values)),
        len({str(one) for one in flat}), dates / max(1, len(sample)), moments / max(1, len(sample)),
        order, years, sum(_is_number(one) for one in sample) / max(1, len(sample)),
        codes, parted, frozenset(map(str, flat)), words.total() - sum(n for _, n in codes) if codes else 0,
        (*made_up_values("phone", map(str, flat)), *made_up_values("email", map(str, flat))),
    )  # fmt: skip


def _empty(value: Any) -> bool:
    return (not value) if isinstance(value, list) else is_unknown(value)


def _kind(known: list[Any]) -> str:
    kinds = {type(value) for value in known}
    if kinds <= {bool}:
        return "flag"
    if kinds == {list}:
        return "list"
    return "text" if str in kinds else "number"


def _dates(sample: list[Any]) -> tuple[str, int, tuple[int, int] | None]:
    """Return the order that reads most values as dates, how many, and their first and last year."""
    texts = Counter(one for one in sample if isinstance(one, str | date))
    found = {one: read_date(one) for one in texts}
    sure = {one: day for one, (day, _) in found.items() if day}
    open_ones = [one for one, (_, why) in found.items() if why == ORDER_NOT_SAID]  # no other depends on it
    best: tuple[str, dict[str | date, date], int] = ("ymd", {}, 0)
    for order in DATE_ORDERS:
        read = sure | {one: day for one in open_ones if (day := read_date(one, order)[0])}
        if (n := sum(texts[one] for one in read)) > best[2]:
            best = (order, read, n)
    return best[0], best[2], _years(best[1].values())


def _years(days: Collection[date]) -> tuple[int, int] | None:
    years = [day.year for day in days]
    return (min(years), max(years)) if years else None


def _is_epoch(value: Any) -> bool:
    """Say whether a number, or a text of milliseconds or finer, is a moment since 1970."""
    text = isinstance(value, str) and _EPOCH_TEXT.fullmatch(value.strip())
    return is_epoch(int(value)) if text or isinstance(value, int) else False


def _unit(sample: list[Any]) -> str | None:
    """Return the unit of whole numbers since 1970, of which some are of before it: no id is negative."""
    texts = [str(one).strip().partition(".")[0] for one in sample if not isinstance(one, bool)]
    if len(texts) < len(sample) or not all(map(_WHOLE.fullmatch, texts)):
        return None
    numbers = [int(one) for one in texts]
    return epoch_unit(numbers) if min(numbers) < 0 else None


def _is_number(value: Any) -> bool:
    try:
        float(plain(value).replace(",", "."))
    except ValueError:
        return False
    return True


def _parts(text: str, separators: str) -> Iterable[str]:
    if not separators:
        return [text]
    return [part for one in re.split(f"[{re.escape(separators)}]", text) if (part := one.strip())]


def _parted(sample: list[Any]) -> str:
    """Return the marks that make the fewest words out of the values, empty where none makes few."""
    texts = Counter(str(one) for one in sample)
    often = [
        mark
        for mark in _SEPARATORS
        if sum(n for text, n in texts.items() if mark in text) >= max(2, 0.02 * len(sample))
    ]
    least, best = MOST_CODES + 1, ""
    for marks in chain.from_iterable(combinations(often, n) for n in range(1, len(often) + 1)):
        words = {one for text in texts for one in _parts(text, "".join(marks))}
        if len(words) < least and not ("/" in marks and any(map(_GENDER_ENDING.search, texts))):
            least, best = len(words), "".join(marks)
    return best


def _codes(name: str, words: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    """Return values and how often, where they are codes; a rare one could be a person's own."""
    often = [(word, n) for word, n in words.items() if n >= _FEWEST_PEOPLE and len(word) <= _LONGEST_CODE]
    few = (
        len(words) > 0 and len(often) <= MOST_CODES and sum(n for _, n in often) >= 0.7 * sum(words.values())
    )
    if not few or names_a_person(name) or any(looks_personal(word) for word, _ in often):
        return ()
    return tuple(sorted(often, key=lambda one: (-one[1], one[0])))


def _opened(values: list[Any]) -> dict[str, list[Any]] | None:
    """Return the values by path where a column holds objects or JSON of them, None where it does not."""
    known = [value for value in values if value is not None]
    if known and all(isinstance(value, dict) for value in known):
        return _by_path(values)
    if not known or not all(isinstance(value, str) and value.startswith("{") for value in known[:50]):
        return None
    try:
        objects = [json.loads(value) if value else {} for value in values]
    except ValueError:
        return None
    return _by_path(objects)


def _json_lists(values: list[Any]) -> list[Any] | None:
    """Return the lists of a column that holds JSON lists of texts and numbers, None where it does not."""
    known = [value for value in values if value]
    if not known or not all(isinstance(value, str) and value.lstrip().startswith("[") for value in known):
        return None
    try:
        lists = [json.loads(value) if value else None for value in values]
    except ValueError:
        return None
    flat = all(isinstance(one, str | int) for listed in lists for one in listed or ())
    return [listed and [str(one) for one in listed] for listed in lists] if flat else None


def _by_path(objects: list[Any]) -> dict[str, list[Any]]:
    paths: dict[str, list[Any]] = {}
    for at, one in enumerate(objects):
        for path, value in _leaves(one if isinstance(one, dict) else {}):
            paths.setdefault(path, [None] * len(objects))[at] = value
    return paths


def _leaves(content: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for key, value in content.items():
        if not key.isidentifier():
            continue
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        elif not isinstance(value, list) or all(isinstance(one, str) for one in value):
            yield f"{prefix}{key}", value
