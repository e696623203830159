"""The SQL of one guessed column, with its evidence as comments above it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.vocabulary import ENUMERATIONS
from recsys.data.fields.enumeration import primary_language
from recsys.mapping.column_profile import ColumnProfile, quoted
from recsys.mapping.coordinates import point_of_geometry
from recsys.mapping.draft_guess import MemberTable, draft_words, is_like, names_the_member, word_key
from recsys.mapping.places import country_code
from recsys.mapping.project import ASK, GUESS, TODO
from recsys.mapping.regions import countries_with_regions, region_code

PHONES: Final = (
    r"phone|tele?f|mobil|handy|celular|portable|cellulare|電話|携帯|전화|휴대폰|电话|手机"
    r"|kom[oó]rk|^(nr|numer)_?tel|тел|dien_?thoai|^sdt$|no_?hp|ponsel|फ़?ोन|मोबाइल|โทรศัพท์|เบอร์|هاتف|جوال|puhelin"
)

_COUNTRY: Final = (
    r"^(country|nation|pays|land|pais|paese|kraj|zeme|ulke|maa|negara|quoc_? ?gia|wohnland|landet)"
    r"(_?(name|code))?$|^国$|国籍|国家|국가|^страна|^країна|^देश|^ประเทศ|^الدولة|^البلد"
)
_REGION: Final = (
    r"^(home|residence|address|addr)?_?(state|province|provinces?|region|prefecture|county|uf|estado|provincia|regione"
    r"|regiao|bundesland|wojewodztwo|voivodeship|kraj|oblast|kanton|canton|departement|departamento|fylke|lan|lan_?|il"
    r"|provinsi|propinsi|tinh|concelho|distrito|provincie)(_?(name|code|id))?$"
    r"|^(область|регион|край|область|україн|省|省份|都道府県|県|府県|시도|시/도|지역|จังหวัด|محافظة|राज्य|प्रदेश)$"
)
_OF_REGIONS: Final = 0.8
"""Share of the values of a column that must be regions of a country."""
_MOST_REGIONS: Final = 60
_DEGREES: Final = (
    r"latit|(^|[_. ])lat$|위도|纬度|緯度|широт|szerok.*geo|zem.*sirka|enlem|vi_? ?do|lintang"
    r"|ละติจูด|अक्षांश|خط_? ?العرض",
    r"longi|(^|[_. ])l(on|ng)$|경도|经度|経度|долгот|dlug.*geo|zem.*delka|boylam|kinh_? ?do|bujur"
    r"|ลองจิจูด|देशांतर|خط_? ?الطول",
)
"""Names of latitude and of longitude."""
_TWO_ACCOUNTS: Final = (
    "two accounts of one address or number are one person; needs the secret that keys tokens"
)

Labels = Mapping[str, Mapping[str, str]]
"""By `table.column`: the name of each code, of a table that names them."""


@dataclass(frozen=True)
class DraftedColumn:
    """One target column of a draft: what it is read from, in SQL, and why.

    columns: `table.column` that it is read from; none where nothing was found. sql: None where unknown.
    """

    target: str
    columns: tuple[str, ...]
    sql: str | None
    evidence: tuple[str, ...]

    def lines(self) -> str:
        """Return the comments and the item of the SELECT."""
        name = self.target.partition(".")[2]
        if self.sql is None:
            how = "write it" if name in ASK else "write it, or declare it in mapping.yaml"
            bands = "; bands that members chose are named in words.sql" if name == C.AGE_BAND else ""
            return f"  {TODO} {name}: no column looks like it; {how}{bands}"
        notes = [f"  {GUESS} {', '.join(self.columns)} -> {name}: {self.evidence[0]}"]
        notes += [f"  --   {one}" for one in self.evidence[1:]]
        return "\n".join([*notes, f"  {self.sql} AS {name}"])


def reference(column: ColumnProfile, members: MemberTable) -> str:
    """Return how a query names a column behind the alias of its table."""
    return column.named("m" if column.table == members.table else quoted(column.table))


def drafted(
    target: str,
    found: list[ColumnProfile],
    members: MemberTable,
    labels: Labels,
    country: ColumnProfile | None = None,
    *,
    region: ColumnProfile | None = None,
) -> DraftedColumn:
    """Return the SQL of a target from its candidates, the best first.

    country: the column that says where each member lives; degrees and telephone numbers are read by it.
    region: the one of the country's first divisions, which tells places of one name apart.
    """
    look = draft_words()[target]["looks"]
    if not found:
        return DraftedColumn(target, (), None, ())
    if look == "pair":
        return _pair(target, found, members)
    if look == "place":
        return _place(target, found, members, region)
    column = found[0]
    ref = reference(column, members)
    evidence = [_known(column)]
    if look in {"codes", "several", "several_or_codes"}:
        sql = _codes(target, column, members, labels)
        return DraftedColumn(target, (_name(column),), sql, tuple(evidence))
    if look == "mail" and country is not None and is_like(PHONES, column.name):
        accounts = (_TWO_ACCOUNTS, "numbers without a country's code are of the member's country")
        sql = f"token('phone', {ref}, {reference(country, members)})"
        return DraftedColumn(target, (_name(column), _name(country)), sql, (evidence[0], *accounts))
    sql, more = _plain(look, column, ref)
    return DraftedColumn(target, (_name(column),), sql, (evidence[0] + more[0], *more[1:]))


def _plain(  # noqa: PLR0911 one function a look
    look: str, column: ColumnProfile, ref: str
) -> tuple[str, tuple[str, ...]]:
    """Return the SQL of a column that one function reads, what to add to its evidence, and more evidence."""
    order = "" if column.order == "ymd" else f", '{column.order}'"
    if look == "birth" and column.dates >= 0.6:
        return f"age_band({ref}{order})", (f", {column.dates:.0%} of them read as dates{_years(column)}",)
    if look == "birth":
        year = f"TRY_CAST(regexp_extract(CAST({ref} AS VARCHAR), '(\\d{{4}})', 1) AS BIGINT)"
        more = ("", "only the year is known, so somebody is one of two ages; of two bands, unknown")
        return f"age_band_between(year(as_of()) - {year} - 1, year(as_of()) - {year})", more
    if look == "moment":
        sql = f"activity(utc({ref}{', NULL' + order if order else ''}))"
        return sql, (f", {column.dates:.0%} of them read as moments{_years(column)}",)
    if look == "distance":
        unit = "mile" if "mile" in column.name.casefold() else "km"
        said = unit == "mile" or "km" in column.name.casefold()
        more = ("", "nothing says the unit: km is the smaller one. Empty is unknown; is it no limit?")
        return f"distance({ref}, '{unit}')", more[: 1 if said else 2]
    if look == "windows":
        return f"flatten([windows(word) FOR word IN words({ref}, '{column.parted or ','}')])", ("",)
    if look == "mail":
        more = ("", _TWO_ACCOUNTS)
        if is_like(PHONES, column.name):
            return f"token('phone', {ref})", more
        return f"token('email', {ref})", more
    return ref, ("",)


def _name(column: ColumnProfile) -> str:
    return f"{column.table}.{column.name}"


def _known(column: ColumnProfile) -> str:
    return f"{column.known:.0%} known"


def _years(column: ColumnProfile) -> str:
    return f", {column.years[0]} to {column.years[1]}" if column.years else ""


def _pair(target: str, found: list[ColumnProfile], members: MemberTable) -> DraftedColumn:
    def first(pattern: str) -> ColumnProfile | None:
        return next((one for one in found if re.search(pattern, one.name.casefold())), None)

    low, high = (
        first("min|from|下限|desde|von|van|최소|이상|_de$|_da$"),
        first("max|_to|上限|hasta|bis|tot|최대|이하|ate$|_a$"),
    )
    if low is None or high is None:
        return DraftedColumn(target, (), None, ())
    sql = f"age_bands({reference(low, members)}, {reference(high, members)})"
    evidence = f"{_known(low)}, {_known(high)}; an empty one is open"
    return DraftedColumn(target, (_name(low), _name(high)), sql, (evidence,))


def _place(
    target: str, found: list[ColumnProfile], members: MemberTable, region: ColumnProfile | None
) -> DraftedColumn:
    """Return a cell or zone by coordinates, a point, or the name of a place."""
    function = "zone_of" if target.endswith(".tz") else "cell"
    used, parts = [], []
    latitude, longitude = (next((one for one in found if is_like(name, one.name)), None) for name in _DEGREES)
    point = next((one for one in found if _is_point(one)), None)
    country = country_column(found)
    within = f", {reference(country, members)}" if country else ""
    if latitude and longitude:
        used += [latitude, longitude]
        degrees = f"{reference(latitude, members)}, {reference(longitude, members)}"
        parts.append(f"{function}({degrees}{within})")
    elif point:
        used.append(point)
        ref = reference(point, members)
        parts.append(f"{function}(point_latitude({ref}), point_longitude({ref}){within})")
    named = [
        one
        for one in found
        if one.kind == "text" and one is not point and not _is_country(one) and one.numbers < 0.5
    ]
    named = [one for one in named if one is not region] or named
    if named:
        used.append(named[0])
        region = region if region is not named[0] else None
        of_place = "zone_of_place" if target.endswith(".tz") else "cell_of_place"
        where = reference(country, members) if country else "NULL"
        within = reference(region, members) if region else "NULL"
        parts.append(f"{of_place}({where}, {within}, {reference(named[0], members)})")
        used += [region] if region else []
    if not parts:
        return DraftedColumn(target, (), None, ())
    used += [country] if country else []
    sql = parts[0] if len(parts) == 1 else f"coalesce({', '.join(parts)})"
    evidence = [", ".join(_known(one) for one in used)]
    if named and not country:
        evidence.append("names are looked up in `country` of mapping.yaml; put a column of countries first")
    if country and (unread := [word for word, _ in country.codes if country_code(word) is None]):
        evidence.append(f"TODO countries are codes or English names: which are {', '.join(unread)}?")
    return DraftedColumn(target, tuple(map(_name, used)), sql, tuple(evidence))


def country_column(found: list[ColumnProfile]) -> ColumnProfile | None:
    """Return the column of countries among candidates of a place; None where there is none."""
    return next((one for one in found if _is_country(one)), None)


def region_column(columns: Iterable[ColumnProfile], country: ColumnProfile | None) -> ColumnProfile | None:
    """Return the column called as regions are, nearly all of whose values are regions of one country.

    country: the column of countries; its values are those that are asked, each country where there is none.
    """
    told = [country_code(word) for word, _ in country.codes] if country else []
    named = [one for one in columns if one.ids and is_like(_REGION, one.name.rpartition(".")[2])]
    for column in named:
        values = sorted(column.ids)[:_MOST_REGIONS]
        asked = [[code for code in told if code]] if told else [[code] for code in countries_with_regions()]
        for codes in asked:
            known = sum(any(region_code(code, one) for code in codes) for one in values)
            if known >= _OF_REGIONS * len(values):
                return column
    return None


def _is_country(column: ColumnProfile) -> bool:
    if is_like(_COUNTRY, column.name.rpartition(".")[2]):
        return True
    return bool(column.codes) and all(country_code(word) is not None for word, _ in column.codes)


def _is_point(column: ColumnProfile) -> bool:
    sample = sorted(column.ids)[:20]
    return bool(sample) and all(point_of_geometry(one) is not None for one in sample)


def _codes(target: str, column: ColumnProfile, members: MemberTable, labels: Labels) -> str:
    """Return a translation of codes: what a word or label says for sure; the rest stays unknown."""
    rule = draft_words()[target]
    several = rule["looks"] == "several"
    named = labels.get(_name(column), {})
    cases = []
    for code, times in _all_codes(column, named).items():
        if word_key(code) in rule["anyone_words"]:
            continue
        word = (
            _flag(target, rule, column, code) if column.kind == "flag" else _word(rule, named.get(code, code))
        )
        then = f"'{word}'" if word else "NULL"
        label = f" {named[code]}:" if code in named else ""
        note = f"--{_one_line(label)} {times or 'few'} rows{'' if word else ', TODO'}"
        cases.append(f"    WHEN '{_quoted(code)}' THEN {then}  {note}")
    if cases and column.rare:
        cases.append(f"    -- {column.rare} rows hold rarer words: look at them and write a WHEN each, TODO")
    ref = reference(column, members)
    if column.table in members.many:
        own = members.many[column.table]
        item = _case("CAST(o." + column.sql + " AS VARCHAR)", cases)
        match = names_the_member(f"o.{own.sql}", own, members.key)
        rows = f"FROM {quoted(column.table)} AS o WHERE {match})"
        return f"(SELECT list({item}) {rows}"
    text = f"lower(trim(known({ref})))"
    if column.kind == "list" or column.parted or several:
        words = ref if column.kind == "list" else f"words(known({ref}), '{column.parted or chr(10)}')"
        items = f"[{_case('lower(trim(CAST(w AS VARCHAR)))', cases)} FOR w IN {words}]"
        told = f"list_filter({items}, lambda w: w IS NOT NULL)"
        if several:
            return _unless_anyone(told, words, rule, column)
        return f"CASE WHEN len(list_distinct({told})) = 1 THEN {told}[1] END"
    return _case(text, cases)


def _unless_anyone(told: str, words: str, rule: Mapping[str, Any], column: ColumnProfile) -> str:
    """Return the words, and what everybody is where a code says that everybody is meant."""
    anyone = [code for code, _ in column.codes if word_key(code) in rule["anyone_words"]]
    if not anyone:
        return told
    codes = ", ".join(f"'{_quoted(code.lower())}'" for code in anyone)
    said = f"list_has_any([lower(trim(CAST(w AS VARCHAR))) FOR w IN {words}], [{codes}])"
    return f"CASE WHEN {said} THEN {rule['anyone']['gives']} ELSE {told} END"


def _all_codes(column: ColumnProfile, named: Mapping[str, str]) -> dict[str, int]:
    """Return how often each code stands, in lower case; a code that a table names also when rare."""
    found: dict[str, int] = {}
    for code, times in column.codes:
        found[code.lower()] = found.get(code.lower(), 0) + times
    return found | {code: 0 for code in named if code not in found}


def _case(text: str, cases: list[str]) -> str:
    if not cases:
        return "CAST(NULL AS VARCHAR)"
    return "\n".join([f"CAST(CASE {text}", *cases, "    END AS VARCHAR)"])


def _word(rule: Mapping[str, Any], label: str) -> str | None:
    """Return our word for a label; None where no word says it."""
    key = word_key(label)
    known = next((ours for ours, theirs in rule["words"].items() if key in theirs), None)
    if known is None and rule.get("tags") and primary_language(label) in ENUMERATIONS[C.LANGUAGES].words:
        return primary_language(label)
    return label.strip().lower() if known is None and label.strip().lower() in rule["own_words"] else known


def _flag(target: str, rule: Mapping[str, Any], column: ColumnProfile, code: str) -> str | None:
    """Return what yes or no says; that an account is active no flag says alone: bans may stand elsewhere."""
    if target == "profiles.verification":
        return {"true": "age", "false": "none"}[code]
    wanted = rule.get(f"if_{code}", {})
    return next((word for part, word in wanted.items() if part in column.name.casefold()), None)


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def _one_line(text: str) -> str:
    return " ".join(("", *text.split())) if text else ""
