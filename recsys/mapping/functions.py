"""The functions a mapping's SQL may use beside DuckDB's own, each over whole columns.

What could not be read becomes NULL and is counted by function and reason in `Remarks`, never with the value.
"""

from collections import Counter
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.text_folding import plain, unaccented
from recsys.data.contact_tokens import NAMESPACES, make_token
from recsys.data.date_reading import (
    DATE_ORDERS,
    EPOCH_UNITS,
    activity_of,
    full_years,
    read_birth_date,
    read_date,
    read_moment,
)
from recsys.data.employers import company_name
from recsys.data.no_answer_codes import is_unknown
from recsys.errors import InputError, RecsysError, SettingsError, did_you_mean, explained
from recsys.mapping.age_limits import greatest_age, least_age, wanted_bands
from recsys.mapping.contact_windows import read_windows
from recsys.mapping.coordinates import point_part, read_degrees, read_point
from recsys.mapping.distances import DISTANCE_UNITS, read_distance
from recsys.mapping.place_table import PlaceTable
from recsys.mapping.placeholders import Placeholders, is_nobodys
from recsys.mapping.places import Place, cell_of, country_code, find_place, zone_of
from recsys.mapping.signatures import MACROS
from recsys.mapping.values import (
    band_of_age,
    canonical_id,
    known_labels,
    looks_personal,
    read_age,
    read_likert,
    split_words,
)
from recsys.redaction import slip_of


@dataclass
class Remarks:
    """How often each function met what it could not read, or read with a remark.

    counts: by function and reason. calls: values given to each function, unknown ones included.
    unmatched: words that a table of names does not hold, by function, with how often; these are names of
    places and labels of interests, never anything personal.
    employers: one spelling of each employer, with how often; a word for none that is not known shows here.
    births: of birth dates that were numbers since 1970 the years, with how often.
    error: a deliberate error raised inside a query, which DuckDB would wrap. times: how often the value that
    is read now stands in its column; each distinct one is read once.
    """

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    unmatched: dict[str, Counter[str]] = field(default_factory=dict)
    employers: Counter[str] = field(default_factory=Counter)
    births: Counter[int] = field(default_factory=Counter)
    error: RecsysError | None = None
    times: int = 1

    def add(self, function: str, reason: str | None) -> None:
        """Count a remark as often as its value stands there; None is no remark."""
        if reason is not None:
            self.counts[function, reason] += self.times

    def miss(self, function: str, word: str) -> None:
        """Count a word that was looked up in vain."""
        self.unmatched.setdefault(function, Counter())[word] += self.times


@dataclass(frozen=True)
class Surroundings:
    """What the functions know beside their arguments.

    as_of: the moment of the export. zone: of times without one. country: of places without one. secret: keys
    contact tokens, None where the mapping makes none. catalogue: whose interests tags are folded to. places:
    the service's own, asked first. placeholders: numbers and mailboxes that are nobody's.
    """

    as_of: datetime
    catalogue: Catalogue
    zone: str | None = None
    country: str | None = None
    secret: bytes | None = None
    places: PlaceTable | None = None
    placeholders: tuple[str, ...] = ()


_LONGEST_PHRASE: Final = 40

Scalar = Callable[..., tuple[object, str | None]]


@dataclass(frozen=True)
class SqlFunction:
    """One function of SQL: its name, the types of its arguments and its answer, and how one value is read."""

    name: str
    takes: tuple[str, ...]
    gives: str
    read: Scalar


def sql_functions(around: Surroundings, remarks: Remarks) -> tuple[SqlFunction, ...]:
    """Return every function, bound to its surroundings."""
    return (
        *_functions_of_ages(around, remarks),
        *_functions_of_places(around, remarks),
        *_functions_of_phrases(around, remarks),
        *_functions_of_values(around, remarks),
    )


_BUDDHIST: Final = frozenset(("TH", "LA", "KH", "Asia/Bangkok", "Asia/Vientiane", "Asia/Phnom_Penh"))
"""Countries and zones in which forms write years of the Buddhist era."""


_LONG_AGO: Final = 2000


def _functions_of_ages(around: Surroundings, remarks: Remarks) -> tuple[SqlFunction, ...]:
    """Return what reads dates and moments; ages count on the day of the export in its zone."""
    zone = UTC if around.zone is None else ZoneInfo(around.zone)
    buddhist = around.country in _BUDDHIST or around.zone in _BUDDHIST
    day, bands = around.as_of.astimezone(zone).date(), around.catalogue.vocabulary(C.AGE_BAND)

    def birth_date(text: str | None, order: str) -> tuple[date | None, str | None]:
        born, reason = read_birth_date(text, _format(order), zone, buddhist=buddhist)
        if born is not None and order in EPOCH_UNITS:
            remarks.births[born.year] += remarks.times
        return born, reason

    def age_band(text: str | None, order: str) -> tuple[object, str | None]:
        born, reason = birth_date(text, order)
        return (None, reason) if born is None else band_of_age(full_years(born, day), bands)

    def age_years(text: str | None, order: str) -> tuple[object, str | None]:
        born, reason = birth_date(text, order)
        if born is None:
            return None, reason
        age = full_years(born, day)
        band, reason = band_of_age(age, bands)
        return (None, reason) if band is None else (age, None)

    def age_band_between(low: str | None, high: str | None) -> tuple[object, str | None]:
        (youngest, reason), (oldest, other) = read_age(low), read_age(high)
        if youngest is None or oldest is None:
            return None, reason or other
        (first, reason), (last, other) = (band_of_age(age, bands) for age in (youngest, oldest))
        if reason or other:
            return None, reason or other
        return (first, None) if first == last else (None, "one of two age bands")

    def moment(text: str | None, zone: str | None, order: str) -> tuple[object, str | None]:
        found, reason = read_moment(text, zone or around.zone, _format(order), buddhist=buddhist)
        if found is not None and found.year < _LONG_AGO and plain(text).partition(".")[0].isdecimal():
            reason = "a number that is before 2000 as one since 1970: from which day does it count?"
        return found, reason

    def activity(last: datetime | None, at: datetime | None) -> tuple[object, str | None]:
        return activity_of(_utc(last), _utc(at) or around.as_of)

    def date_of(text: str | None, order: str) -> tuple[object, str | None]:
        return read_date(text, _format(order), buddhist=buddhist)

    return (
        SqlFunction("age_band", ("VARCHAR", "VARCHAR"), "VARCHAR", age_band),
        SqlFunction("age_years", ("VARCHAR", "VARCHAR"), "BIGINT", age_years),
        SqlFunction("age_band_between", ("VARCHAR", "VARCHAR"), "VARCHAR", age_band_between),
        SqlFunction("age_bands", ("VARCHAR", "VARCHAR"), "VARCHAR[]", partial(wanted_bands, bands=bands)),
        SqlFunction("min_age", ("VARCHAR",), "BIGINT", least_age),
        SqlFunction("max_age", ("VARCHAR",), "BIGINT", greatest_age),
        SqlFunction("date_of", ("VARCHAR", "VARCHAR"), "DATE", date_of),
        SqlFunction("utc", ("VARCHAR", "VARCHAR", "VARCHAR"), "TIMESTAMPTZ", moment),
        SqlFunction("activity", ("TIMESTAMPTZ", "TIMESTAMPTZ"), "VARCHAR", activity),
    )


def _format(given: str | None) -> str:
    """Return the format of a date or number. Raises SettingsError for one that is not known."""
    if given is None:
        return DATE_ORDERS[0]
    known = (*DATE_ORDERS, *EPOCH_UNITS)
    if given not in known:
        raise _unknown("format of a date", "format", given, known)
    return given


def _unknown(what: str, where: str, word: str, known: Collection[str]) -> SettingsError:
    """Return the error of an argument that is no known word; one that may be a value is not repeated."""
    got, remedy = slip_of(word, known), did_you_mean(word, known)
    return SettingsError(explained(f"unknown {what}", where=where, got=got, remedy=remedy))


def _functions_of_places(around: Surroundings, remarks: Remarks) -> tuple[SqlFunction, ...]:
    """Return what turns places into cells and zones."""

    def place_cell(country: str | None, region: str | None, name: str | None) -> tuple[object, str | None]:
        place, reason = place_of(country, region, name)
        if place is None:
            return None, reason
        cell, other = cell_of(place.latitude, place.longitude)
        return cell, reason or other

    def place_zone(country: str | None, region: str | None, name: str | None) -> tuple[object, str | None]:
        place, reason = place_of(country, region, name)
        return (None, reason) if place is None else (place.zone, None)

    def place_of(
        country: str | None, region: str | None, name: str | None
    ) -> tuple[Place | None, str | None]:
        own = around.places and around.places.find(country or around.country, region, name)
        if own:
            return own, None
        place, reason = find_place(country or around.country, region, name)
        private = looks_personal(plain(name)) or read_degrees(name)[1] != "not degrees"
        if reason not in {None, "unknown"} and not private:
            kind = "cell_of_place, largest of several" if place else "cell_of_place"
            remarks.miss(kind, plain(name))
        return place, reason

    return (
        SqlFunction("cell", ("VARCHAR",) * 3, "VARCHAR", partial(_at, around.country, cell_of)),
        SqlFunction("zone_of", ("VARCHAR",) * 3, "VARCHAR", partial(_at, around.country, zone_of)),
        SqlFunction("cell_of_place", ("VARCHAR", "VARCHAR", "VARCHAR"), "VARCHAR", place_cell),
        SqlFunction("zone_of_place", ("VARCHAR", "VARCHAR", "VARCHAR"), "VARCHAR", place_zone),
        SqlFunction("point_latitude", ("VARCHAR",), "DOUBLE", lambda text: point_part(text, 1)),
        SqlFunction("point_longitude", ("VARCHAR",), "DOUBLE", lambda text: point_part(text, 0)),
    )


def _functions_of_phrases(around: Surroundings, remarks: Remarks) -> tuple[SqlFunction, ...]:
    """Return what reads wishes in words: distances and hours."""

    def distance(value: str | None, unit: str | None) -> tuple[object, str | None]:
        if unit is None:
            return None, "unknown unit of distance"
        if unaccented(unit).rstrip(".") not in DISTANCE_UNITS:
            raise _unknown("unit of distance", "distance()", unit, DISTANCE_UNITS)
        found, reason = read_distance(value, unit)
        if found is None and reason != "unknown" and not looks_personal(plain(value)):
            remarks.miss("distance", plain(value)[:_LONGEST_PHRASE])
        return found, reason

    def windows(text: str | None, of: str | None) -> tuple[object, str | None]:
        country = country_code(of or around.country)
        if country is None and not is_unknown(of) and not is_unknown(text):
            return None, "unknown country"
        found, reason = read_windows(text, country)
        if found is None and reason != "unknown" and not looks_personal(plain(text)):
            remarks.miss("windows", plain(text)[:_LONGEST_PHRASE])
        return found, reason

    return (
        SqlFunction("distance", ("VARCHAR", "VARCHAR"), "BIGINT", distance),
        SqlFunction("windows", ("VARCHAR", "VARCHAR"), "VARCHAR[]", windows),
    )


def _functions_of_values(around: Surroundings, remarks: Remarks) -> tuple[SqlFunction, ...]:
    """Return what reads words, numbers, ids and addresses."""
    nobodys = Placeholders(around.placeholders, around.secret)

    def token(kind: str | None, value: str | None, of: str | None) -> tuple[object, str | None]:
        if kind not in NAMESPACES:
            raise _unknown("kind of token", "token()", str(kind), NAMESPACES)
        if is_unknown(value):
            return None, "unknown"
        if around.secret is None:
            remedy = "set the secret that keys contact tokens in the environment before the night runs"
            raise SettingsError(explained("token() needs a secret", where="mapping", remedy=remedy))
        try:
            country = country_code(of or around.country) if kind == "phone" else None
            found = make_token(kind, str(value), around.secret, country=country)
            if kind == "employer" and found is not None:
                remarks.employers[company_name(str(value))] += remarks.times
        except InputError as error:
            return None, str(error).partition(":")[0].partition(";")[0]
        if found in nobodys.tokens(kind, country) or is_nobodys(kind, str(value), country):
            return None, "a placeholder"
        return found, None

    def tag(text: str | None) -> tuple[object, str | None]:
        if is_unknown(text):
            return None, "unknown"
        folded = around.catalogue.fold_tag(plain(text))
        if folded.startswith("free:") and not looks_personal(plain(text)):
            remarks.miss("tag", folded.removeprefix("free:"))
        return folded, None

    return (
        SqlFunction("token", ("VARCHAR", "VARCHAR", "VARCHAR"), "VARCHAR", token),
        SqlFunction("likert", ("VARCHAR", "BIGINT"), "BIGINT", read_likert),
        SqlFunction("words", ("VARCHAR", "VARCHAR"), "VARCHAR[]", lambda t, s: (split_words(t, s), None)),
        SqlFunction("labels", ("VARCHAR", "VARCHAR[]"), "VARCHAR[]", known_labels),
        SqlFunction("tag", ("VARCHAR",), "VARCHAR", tag),
        SqlFunction("canonical_id", ("VARCHAR",), "VARCHAR", canonical_id),
        SqlFunction("known", ("VARCHAR",), "VARCHAR", _known),
    )


def function_names() -> tuple[str, ...]:
    """Return the names of all functions, for messages and the reference.

    >>> "age_band" in function_names()
    True
    """
    return tuple(name for name, _ in MACROS)


def register(connection: Any, around: Surroundings, remarks: Remarks) -> None:
    """Make every function known to a DuckDB connection."""
    for function in sql_functions(around, remarks):
        connection.create_function(
            f"_{function.name}",
            _over_columns(function, remarks),
            list(function.takes),
            function.gives,
            type="arrow",
            null_handling="special",
        )
    moment = around.as_of.astimezone(UTC).isoformat()
    for name, forms in MACROS:
        connection.execute(f"CREATE OR REPLACE MACRO {name}{', '.join(forms)}".replace("{as_of}", moment))


def unregister(connection: Any) -> None:
    """Take the functions off a connection before it is closed."""
    import duckdb

    for name in function_names()[1:]:
        connection.execute(f"DROP MACRO IF EXISTS {name}")
        with suppress(duckdb.Error):
            connection.remove_function(f"_{name}")


def _over_columns(function: SqlFunction, remarks: Remarks) -> Callable[..., Any]:
    """Return the function over Arrow columns: each distinct row of arguments is read once."""
    import pyarrow as pa

    gives = _ARROW[function.gives]()

    def over(*columns: Any) -> Any:
        rows = list(zip(*(column.to_pylist() for column in columns), strict=True))
        keys = [tuple(tuple(one) if isinstance(one, list) else one for one in row) for row in rows]
        known: dict[Any, object] = {}
        first = dict(zip(reversed(keys), reversed(rows), strict=True))
        try:
            for key, times in Counter(keys).items():
                remarks.times = times
                known[key], reason = function.read(*first[key])
                remarks.add(function.name, reason)
        except RecsysError as error:
            remarks.error = error
            raise
        remarks.calls[function.name] += len(rows)
        return pa.array([known[key] for key in keys], gives)

    by_arity: dict[int, Callable[..., Any]] = {  # DuckDB counts the parameters it sees
        1: lambda a: over(a),  # noqa: PLW0108
        2: lambda a, b: over(a, b),  # noqa: PLW0108
        3: lambda a, b, c: over(a, b, c),  # noqa: PLW0108
    }
    return by_arity[len(function.takes)]


def _arrow_types() -> dict[str, Callable[[], Any]]:
    import pyarrow as pa

    return {
        "VARCHAR": pa.string,
        "VARCHAR[]": lambda: pa.list_(pa.string()),
        "BIGINT": pa.int64,
        "DOUBLE": pa.float64,
        "DATE": pa.date32,
        "TIMESTAMPTZ": lambda: pa.timestamp("us", tz="UTC"),
    }


_ARROW: Final = _arrow_types()


def _at(
    usual: str | None, read: Scalar, latitude: str | None, longitude: str | None, country: str | None
) -> tuple[object, str | None]:
    """Return what `read` says of a point whose degrees are texts.

    usual: the country where a row names none.
    """
    point, reason = read_point(latitude, longitude, country_code(country) or usual)
    if point is None:
        return None, reason
    found, other = read(*point)
    return found, other or reason


def _utc(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _known(text: str | None) -> tuple[object, str | None]:
    """Return a text without blanks at its ends, NULL where it says that nothing is known."""
    return (None, None) if is_unknown(text) else (plain(text), None)
