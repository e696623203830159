"""Which table holds the members, which tables join to it, and which column could be which of ours."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final, cast

from recsys.catalogue.text_folding import plain, unaccented
from recsys.catalogue.vocabulary import ENUMERATIONS
from recsys.errors import SourceError, explained
from recsys.mapping.column_profile import MOST_CODES, ColumnProfile
from recsys.mapping.values import looks_personal, names_a_person
from recsys.strict_yaml import flat, parse_yaml

Profiles = Mapping[str, list[ColumnProfile]]

_OF_MEMBERS: Final = (
    r"^(user|member|membership|person|account|customer|profile)[ _.-]?(id|no|number|uuid|code)[.:?]?$",
    r"^(n[o°º]?\.?|num(ero|mer)?|id|code|ma)[ _.-]?(de |do |di |d'|del )?"
    r"(membre|adherent|soci[oae]|associado|membro|mitglied|tessera|thanh vien|hoi vien|utilisateur|usuario)",
    r"^(mitglieds?|medlems?|lid)[ _.-]?(nummer|nr|no)",
    r"^(nr|numer|id|cislo|no|nomor)[ _.-]?(cz[lł]onka|u[zż]ytkownika|osoby|clena|anggota|pengguna)",
    r"^(uye|kullanici|kullanıcı|anggota|jasen)[ _.-]?(id|no|nomor|numero)",
    r"(id|no|номер|код)[ _.-]*(пользовател|участник|член|анкет|клиент|користувача|учасник|карт[ыи])",
    r"(सदस्य|สมาชิก|العضو|عضو)",
    r"^id_?(user|member|socio|usuario|usuari|membre|utente|mitglied|utilisateur|lid)$",
    r"(회원|사용자|유저)_?(id|번호|uuid|아이디)|(用户|会员)_?(id|编号)",
    r"会員(番号|id)",
    r"^(\w+[ _.-])?uid$",
    r"^(\w+[ _.-])?(user|member|auth|local|contact|client|customer|subscriber|participant|respondent"
    r"|attendee|patron|donor|people|person|lead)s?[ _.-]*(id|uid|guid|key|pk|no|nr|number)[.:]?$",
)
_OF_ROWS: Final = (
    r"^(record|respondent|response|submission|entry|row|unique|object|document|doc|instance|external|internal)"
    r"[ _.-]*(id|uid|key|no|nr|number)[.:]?$",
    r"^(id|cod(igo|ice)?|n[o°º.]*|num(ero)?\.?|nr\.?)[ _.-]*((do|da|de|du|del|della|dell'|des|d')[ _.-]?)?"
    r"(la |l'|el )?(pessoa|persona|personne|participante?|contat[to]+|contacto?|cliente?|inscri\w+)",
    r"^(kunden?|kd|klant|asiakas|personen?|pers|teilnehmer|kontakt|relatie|deelnemer|lop|lfd|sicil|sira|katılımcı"
    r"|musteri)[ ._-]*(nummer|nr|no|id)[.:]?$",
    r"^[_$#]*(id|no|nr|num|number|n[°º]|pk|sub|rowid|__name__|le?id|euid)[.:?_]*$",
)
_OF_ANYTHING: Final = (
    r"^(#|№|key|_key|identi\w+|kennung|matric\w+|legajo|folio|lp|tunnus|tunniste|azonosito|sorszam|kp[_ ]?id"
    r"|primary[_ ]?key|номер|код|идентификатор|番号|編號|编号|序号|識別子|管理番号|번호|아이디|고객번호"
    r"|رقم|المعرف|आईडी|क्रमांक|α/α|κωδικος)[.:]?$",
    r"_?(uuid|guid)$",
    r"(_id|[ .#-]id|番号|编号|번호|[ _.]no|number|nummer|_?nr|num[eé]ro)[.:]?$",
    r"^id_(?!type|card|proof|check)\w+$|^id(?!ade|io|ent|ea)[a-z]\w+$",
)
"""Names that numbers of other things have too, such as of a telephone."""
_SHAPE_OF_IDS: Final = re.compile(r"(?=\S*\d)[\w.:#/@$-]{1,64}|[\w-]{16,64}")
_FEWEST_IDS: Final = 5
_REFERS: Final = re.compile(r"(id|pk|no|uuid|_by|from|to|actor|target|sender|receiver|author|owner|e[dr])$")
_NAMES_PEOPLE: Final = (
    "user|member|mitglied|person|people|account|customer|contact|client|subscriber|socio|usuario|utente|membre"
    "|会員|회원|用户|пользовател|uye|kullanici"
)
_PEOPLE: Final = ("user", "member", "person", "account", "customer")
_ZONE: Final = re.compile(r"[A-Z]\w+(/[\w+-]+)+|UTC|GMT")
_OTHER_GENDER: Final = re.compile(r"(?<=\w)\s?[/(·.]\s?(?:[aeorx]|as|os|es|in|ne|re|se)\)?(?!\w)")
_NEWER: Final = (
    r"updat|modif|chang|edited|version|更新|変更|修改|갱신|수정|변경|end_?date|a[ck]?tuali[zsc]|mis_?a_?jour|(^|_)maj($|_)"
    r"|geandert|bijgewerkt|gewijzigd|aggiornat|zmian|zmien|zmen|andra[dt]|endret|oppdater|opdater|guncel|degis"
    r"|обнов|измен|онов|змiн|cap[_ ]?nhat|diperbarui|diubah|แก้ไข|อัปเดต|अद्यतन|حدث|تعديل|paivitet"
)
_COVERED: Final = 0.8
"""Share of the members that a table must hold to be joined, and of ids that must be members'."""
_NEVER_BY_OWN_WORD: Final = frozenset(("profiles.verification", "profiles.account_state"))
"""What may bring somebody onto a list is never guessed because a word of another service is the same."""
_MOST_LOOKED_UP: Final = 64
_MANY_COLUMNS: Final = 10
"""So many columns describe people, whatever the language of their names."""


@dataclass(frozen=True)
class MemberTable:
    """The table with one row, or several, a member.

    key: the column that names the member. newer: the column that says which of several rows is the newest.
    joined: the key column of each table with at most one row a member. many: of those with several. others:
    tables of other people that hold as much that could describe a member, such as a sheet for each town.
    """

    table: str
    key: ColumnProfile
    newer: ColumnProfile | None
    joined: Mapping[str, ColumnProfile]
    many: Mapping[str, ColumnProfile]
    others: tuple[str, ...] = ()


@lru_cache(maxsize=1)
def draft_words() -> Mapping[str, Any]:
    """Return the names, looks and words by target column."""
    text = (files("recsys.mapping") / "draft_words.yaml").read_text(encoding="utf-8")
    found: Any = parse_yaml(text, where="draft_words.yaml")
    for target, rule in found.items():
        rule["names"] = [unaccented(one) for one in flat(rule["names"])]
        words = rule.get("words", {})
        rule["words"] = {ours: word_keys(flat(theirs)) for ours, theirs in words.items()}
        ours = ENUMERATIONS.get(target.partition(".")[2])
        rule["own_words"] = frozenset(ours.words if ours and target not in _NEVER_BY_OWN_WORD else ())
        rule["anyone_words"] = word_keys(flat(rule.get("anyone", {"words": []})["words"]))
    return cast("Mapping[str, Any]", found)


def word_keys(words: Iterable[str]) -> frozenset[str]:
    """Return the keys of several words."""
    return frozenset(map(word_key, words))


def word_key(label: str) -> str:
    """Return the form in which labels are compared: no accents, no dashes, one gender.

    >>> word_key("Soltera/o"), word_key("Marié(e)"), word_key("in_a-relationship")
    ('soltera', 'marie', 'in a relationship')
    """
    text = re.sub(r"[-_]", " ", unaccented(plain(label)))
    return _OTHER_GENDER.sub("", text.replace("@", "o")).strip()


def member_table(profiles: Profiles, of_pairs: Callable[[str], object] = lambda _: None) -> MemberTable:
    """Return the table that most of our columns could come from, with what joins to it.

    of_pairs: says which tables are of blocks, likes, messages and their like by their names, or made of
    another table; what in them could come from members counts half.

    Raises SourceError when no table has a column that could name a member.
    """

    def targets(columns: Iterable[ColumnProfile]) -> int:
        columns = list(columns)
        return sum(any(name_score(target, one) for one in columns) for target in draft_words())

    keyed = {
        name: key
        for name, columns in profiles.items()
        if (key := key_of(columns, _columns_but_of(name, profiles))) is not None
    }
    if not keyed:
        got = ", ".join(f"{name} with {len(columns)} columns" for name, columns in profiles.items())
        remedy = (
            "call the column that holds each member's id `user_id` (known in each row, no value twice), or "
            "write profiles.sql by hand; see the reference of mappings"
        )
        raise SourceError(explained("no table has a column that could name a member", got=got, remedy=remedy))
    keyed = {name: _reference(keyed, name, profiles[name]) or key for name, key in keyed.items()}
    told = {name: targets(profiles[name]) for name in keyed}
    table = max(keyed, key=lambda name: (told[name] / (2 if of_pairs(name) else 1), keyed[name].distinct))
    if of_pairs(table) is True:
        table = _plain_table(table, keyed, told, profiles, of_pairs) or table
    key = keyed[table]
    newer = None
    if not key.unique:
        times = [one for one in profiles[table] if one.dates >= 0.8]
        newer = next((one for one in times if is_like(_NEWER, one.name)), None)
    joined, many = {}, {}
    for name, columns in profiles.items():
        other = None
        if name != table:
            other = _joining(columns, key, table) if of_pairs(name) is not True else _naming(columns, key)
        if other is None or (isinstance(of_pairs(name), str) and _of_two(columns, other, key)):
            continue
        if other.unique:
            joined[name] = other
        elif len(columns) <= 4 and re.search("pref|search|want", name):
            many[name] = other
    others = tuple(
        name
        for name in keyed
        if name not in {table, *joined, *many}
        and not of_pairs(name)
        and (2 * told[name] > told[table] or len(profiles[name]) >= _MANY_COLUMNS)
    )
    return MemberTable(table, key, newer, joined, many, others)


def _columns_but_of(table: str, profiles: Profiles) -> list[ColumnProfile]:
    return [one for name, columns in profiles.items() if name != table for one in columns]


def key_of(columns: list[ColumnProfile], elsewhere: Iterable[ColumnProfile] = ()) -> ColumnProfile | None:
    """Return what names the member: of two good names the one that is (nearly) unique in the table.

    Where no name says it, the first column that looks like ids does: all known and different, without blanks,
    and other tables repeat its values, or each has a digit or is long. elsewhere: columns of other tables.
    """
    for pattern in (*_OF_MEMBERS, *_OF_ROWS, *_OF_ANYTHING):
        general = pattern in _OF_ANYTHING
        for one in columns:
            nearly = one.distinct >= 0.9 * one.known * one.rows and one.distinct > 1
            if (
                nearly
                and is_like(pattern, one.name)
                and not one.is_time
                and not (general and _is_personal(one))
            ):
                return one
    others = [one for one in elsewhere if len(one.ids) > 1 and not one.codes]
    unnamed = [one for one in columns if _could_be_ids(one)]
    repeated = (
        one for one in unnamed if any(len(ids.ids & one.ids) >= _COVERED * len(ids.ids) for ids in others)
    )
    shaped = (one for one in unnamed if all(map(_SHAPE_OF_IDS.fullmatch, one.ids)) and one.dates < _COVERED)
    return next(repeated, None) or next(shaped, None)


def _could_be_ids(column: ColumnProfile) -> bool:
    """Say whether every row has a value of its own, which is a text without blanks or a whole number."""
    whole = column.kind == "text" or all(one.lstrip("-").isdecimal() for one in column.ids)
    is_unique = column.distinct + column.repeated >= column.rows
    different = is_unique and column.known > 1 - 1e-9 and column.distinct >= _FEWEST_IDS
    return (
        different
        and column.kind in {"text", "number"}
        and whole
        and not column.is_time
        and not any(re.search(r"\s", one) for one in column.ids)
        and not _is_personal(column)
        and not any(name_score(target, column) for target in draft_words())
    )


def _is_personal(column: ColumnProfile) -> bool:
    """Say whether a column holds, by its name or the look of some values, something personal."""
    return names_a_person(column.name) or 5 * sum(map(looks_personal, column.ids)) > len(column.ids)


def _plain_table(
    view: str,
    keyed: Mapping[str, ColumnProfile],
    told: Mapping[str, int],
    profiles: Profiles,
    of_pairs: Callable[[str], object],
) -> str | None:
    """Return the table whose keys are the members of a view that is made of rows of keys and values.

    It has a row for each member, also for those without a setting. A table whose rows name a member is about
    something else; its own running numbers are those of members, too.
    """
    found = [
        (is_like(_NAMES_PEOPLE, name), told[name], key.distinct, name)
        for name, key in keyed.items()
        if not of_pairs(name)
        and (told[name] or is_like(_NAMES_PEOPLE, name))
        and not any(one != key and names_a_member(one) and shared_ids(one, key) for one in profiles[name])
        and shared_ids(keyed[view], key) >= _COVERED * len(keyed[view].plainest_ids)
    ]
    return max(found)[-1] if found else None


def _naming(columns: Sequence[ColumnProfile], key: ColumnProfile) -> ColumnProfile | None:
    """Return the first column of a view, which names somebody, where nearly all whom it names are members."""
    return columns[0] if _are_members(columns[0], key) else None


def _joining(columns: Iterable[ColumnProfile], key: ColumnProfile, table: str) -> ColumnProfile | None:
    """Return the column by which a table with nearly every member joins to that of the members.

    Where a column says by its name that it holds members, no other does: the running numbers of the table's
    own rows are numbers of other members. Those join only where no other column refers to members.
    """
    columns = [one for one in columns if shared_ids(one, key)]
    word = singular(table)
    of_members = {key.name.lower(), *(f"{one}_id" for one in (table.lower(), word, *_PEOPLE)), word, *_PEOPLE}
    own = {"id", "pk"}
    named = [one for one in columns if one.name.lower() in of_members - own or names_a_member(one)]
    others = [one for one in columns if one.name.lower() not in own and _REFERS.search(one.name.lower())]
    if not named and not any(len(one.ids) > MOST_CODES and _are_members(one, key) for one in others):
        named = [one for one in columns if one.name.lower() in own and _are_members(one, key)]
    return next((one for one in named if shared_ids(one, key) >= _COVERED * len(key.plainest_ids)), None)


def _are_members(column: ColumnProfile, key: ColumnProfile) -> bool:
    return shared_ids(column, key) >= _COVERED * max(1, len(column.plainest_ids))


def names_a_member(column: ColumnProfile) -> bool:
    """Say whether a column is called as references to members are."""
    return any(is_like(one, column.name) for one in _OF_MEMBERS)


def singular(table: str) -> str:
    """Return what one row of a table is, by the last word of its name: `user` of `auth_users`."""
    return re.split(r"[\W_]", table.lower())[-1].rstrip("s")


def _reference(
    keys: Mapping[str, ColumnProfile], name: str, columns: Iterable[ColumnProfile]
) -> ColumnProfile | None:
    """Return a column that is called as a row of another table and holds its keys, each once."""
    tables = {singular(other): key for other, key in keys.items() if other != name}
    for one in columns:
        key = tables.get(re.sub(r"_?id$", "", one.name.lower()))
        if key is None or not one.unique or 2 * len(one.ids) <= len(keys[name].ids):
            continue
        if _are_members(one, key):
            return one
    return None


def _of_two(columns: Iterable[ColumnProfile], one: ColumnProfile, key: ColumnProfile) -> bool:
    """Say whether a column beside the one that joins names members, too, as in a table of blocks."""
    return any(
        other.distinct > 1
        and not other.is_time
        and shared_ids(other, key) >= _COVERED * len(other.plainest_ids)
        for other in columns
        if other is not one
    )


def shared_ids(column: ColumnProfile, key: ColumnProfile) -> int:
    """Return how many values of a column name members, in whatever spelling of their ids."""
    return len(column.plainest_ids & key.plainest_ids)


def is_like(pattern: str, name: str) -> bool:
    """Say whether a name fits a pattern, both without accents, capitals and variants of characters."""
    return re.search(unaccented(pattern), unaccented(name)) is not None


def names_the_member(reference: str, column: ColumnProfile, key: ColumnProfile) -> str:
    """Return the condition that a column names the member whose id a draft calls `m.draft_id`.

    Hyphens and leading zeros count unless one table writes its ids with them and the other without.
    """
    if 2 * len({one.lower() for one in column.ids} & {one.lower() for one in key.ids}) >= len(column.ids):
        return f"canonical_id({reference}) = m.draft_id"
    plain, member = (
        f"lower(ltrim(replace({one}, '-', ''), '0'))" for one in (f"canonical_id({reference})", "m.draft_id")
    )
    return f"{plain} = {member}"


def name_score(target: str, column: ColumnProfile) -> int:
    """Return how well a column's name fits a target, 0 where it does not.

    JSON paths and names of preference tables count with their table, fields of structs by themselves.
    """
    return max(_name_score(target, column, joint) for joint in (" ", "_"))


def _name_score(target: str, column: ColumnProfile, joint: str) -> int:
    """Return the same of a name whose words a joint parts; headers of forms are whole questions."""
    rule = draft_words()[target]
    own = re.sub(r"[\s-]+", joint, unaccented(column.name))
    whole = f"{unaccented(column.table)}.{own}"
    inner = own.rpartition(".")[2] if "->>" not in column.sql else ""
    if (other := rule.get("not")) and re.search(other, whole):
        return 0
    return max(
        (
            100 - at
            for at, pattern in enumerate(rule["names"])
            if re.search(pattern, own)
            or re.search(pattern, inner)
            or ("^" not in pattern and "pref" in column.table and re.search(pattern, whole))
        ),
        default=0,
    )


def looks_right(look: str, column: ColumnProfile) -> bool:
    """Say whether a column's values could be what a target asks for.

    An empty column looks like nothing; a name alone is no evidence.
    """
    if not column.distinct:
        return False
    first = (column.years or (0, 0))[0]
    checks = {
        "birth": (column.dates >= 0.6 and first >= 1850 and column.may_be_births) or _is_years(column),
        "moment": column.dates >= 0.8 and column.moments >= 0.5,
        "pair": column.kind == "number" or column.numbers >= 0.8,
        "codes": bool(column.codes) or column.kind == "flag",
        "several": bool(column.codes) or column.kind == "list",
        "several_or_codes": bool(column.codes) or column.kind == "list",
        "mail": column.kind == "text" and column.distinct > 0.3 * column.known * column.rows,
        "distance": column.kind == "number" or column.numbers >= 0.5 or bool(column.codes),
        "windows": bool(column.codes),
        "zone": bool(column.ids) and all(_ZONE.fullmatch(one) for one in column.ids),
    }
    return checks.get(look, True)


def _is_years(column: ColumnProfile) -> bool:
    return "year" in column.name.casefold() and (
        column.numbers >= 0.5
        or sum(bool(re.search(r"\d{4}", one)) for one in column.ids) >= 0.5 * len(column.ids)
    )


def candidates(target: str, members: MemberTable, profiles: Profiles) -> list[ColumnProfile]:
    """Return the columns that could be a target, the best first, of the members' table before others."""
    look = draft_words()[target]["looks"]
    several = look.startswith("several")
    tables = (members.table, *members.joined, *(members.many if several else ()))
    taken = {members.key.sql, *(key.sql for key in (*members.joined.values(), *members.many.values()))}
    found = [
        (-score, at, column)
        for at, table in enumerate(tables)
        for column in profiles[table]
        if column.sql not in taken and (score := name_score(target, column)) and looks_right(look, column)
    ]
    return [column for *_, column in sorted(found, key=lambda one: one[:2])]


def labels_of(column: ColumnProfile, profiles: Profiles) -> tuple[str, Mapping[str, str]]:
    """Return the table that names a column's codes, and the name by code; nothing where no table does."""
    stem = re.sub(r"_(id|code)$", "", column.name)
    if stem == column.name:
        return "", {}
    for name, columns in profiles.items():
        if name.rstrip("s") != stem.rstrip("s") or not columns or columns[0].rows > _MOST_LOOKED_UP:
            continue
        by_name = {one.name: one for one in columns}
        if "id" in by_name and {code for code, _ in column.codes} <= by_name["id"].ids:
            return name, {}
    return "", {}
