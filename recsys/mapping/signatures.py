"""How SQL calls the functions of a mapping: macros with their arguments, each over one function."""

from typing import Final

SEPARATORS: Final = ",;/|、，；・،؛।\n\v\x1d"


def _text(name: str) -> str:
    return f"CAST({name} AS VARCHAR)"


def _number(name: str) -> str:
    """Return a value as text; what the source types as a fraction has a point and six decimals."""
    fraction = f"regexp_matches(typeof({name}), '^(DOUBLE|FLOAT|DECIMAL)')"
    return f"CASE WHEN {fraction} THEN printf('%.6f', TRY_CAST({name} AS DOUBLE)) ELSE {_text(name)} END"


def _moment(name: str) -> str:
    """Return a moment of any type; a text that DuckDB does not read is read, or counted, as `utc` does."""
    read = f"CAST(_utc({_text(name)}, NULL, 'ymd') AS TIMESTAMPTZ)"
    return f"coalesce(TRY_CAST({name} AS TIMESTAMPTZ), {read})"


def _at_a_point(name: str) -> tuple[str, str]:
    degrees = f"{_text('latitude')}, {_text('longitude')}"
    return (
        f"(latitude, longitude) AS _{name}({degrees}, NULL)",
        f"(latitude, longitude, country) AS _{name}({degrees}, country)",
    )


MACROS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("as_of", ("() AS TIMESTAMPTZ '{as_of}'",)),
    (
        "age_band",
        (
            f"(birth) AS _age_band({_text('birth')}, 'ymd')",
            f"(birth, format) AS _age_band({_text('birth')}, format)",
        ),
    ),
    (
        "age_years",
        (
            f"(birth) AS _age_years({_text('birth')}, 'ymd')",
            f"(birth, format) AS _age_years({_text('birth')}, format)",
        ),
    ),
    ("age_band_between", (f"(low, high) AS _age_band_between({_text('low')}, {_text('high')})",)),
    ("age_bands", (f"(low, high) AS _age_bands({_text('low')}, {_text('high')})",)),
    ("min_age", (f"(text) AS _min_age({_text('text')})",)),
    ("max_age", (f"(text) AS _max_age({_text('text')})",)),
    (
        "date_of",
        (
            f"(text) AS _date_of({_text('text')}, 'ymd')",
            f"(text, format) AS _date_of({_text('text')}, format)",
        ),
    ),
    (
        "utc",
        (
            f"(moment) AS _utc({_text('moment')}, NULL, 'ymd')",
            f"(moment, zone) AS _utc({_text('moment')}, zone, 'ymd')",
            f"(moment, zone, format) AS _utc({_text('moment')}, zone, format)",
        ),
    ),
    (
        "activity",
        (
            f"(last) AS _activity({_moment('last')}, NULL)",
            f"(last, until) AS _activity({_moment('last')}, {_moment('until')})",
        ),
    ),
    ("cell", _at_a_point("cell")),
    ("zone_of", _at_a_point("zone_of")),
    (
        "cell_of_place",
        (f"(country, region, place) AS _cell_of_place(country, {_text('region')}, {_text('place')})",),
    ),
    (
        "zone_of_place",
        (f"(country, region, place) AS _zone_of_place(country, {_text('region')}, {_text('place')})",),
    ),
    ("point_latitude", (f"(wkb) AS _point_latitude({_text('wkb')})",)),
    ("point_longitude", (f"(wkb) AS _point_longitude({_text('wkb')})",)),
    (
        "token",
        (
            f"(kind, value) AS _token(kind, {_text('value')}, NULL)",
            f"(kind, value, country) AS _token(kind, {_text('value')}, {_text('country')})",
        ),
    ),
    ("likert", (f"(value, points) AS _likert({_text('value')}, CAST(points AS BIGINT))",)),
    (
        "words",
        (
            f"(text) AS _words({_text('text')}, '{SEPARATORS}')",
            f"(text, separators) AS _words({_text('text')}, separators)",
        ),
    ),
    ("labels", (f"(text, known) AS _labels({_text('text')}, known)",)),
    ("tag", (f"(text) AS _tag({_text('text')})",)),
    (
        "distance",
        (
            f"(value) AS _distance({_number('value')}, 'km')",
            f"(value, unit) AS _distance({_number('value')}, unit)",
        ),
    ),
    ("canonical_id", (f"(value) AS _canonical_id({_text('value')})",)),
    (
        "windows",
        (
            f"(text) AS _windows({_text('text')}, NULL)",
            f"(text, country) AS _windows({_text('text')}, {_text('country')})",
        ),
    ),
    ("known", (f"(text) AS _known({_text('text')})",)),
)
"""What SQL calls: each casts its arguments and calls the function of the same name behind an underscore."""
