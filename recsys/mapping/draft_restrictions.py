"""Columns and tables of a source that may restrict somebody by their names and that no drafted query reads.

What a query leaves out restricts nobody, so a draft names these: bans, deletions and pauses, hides, and whom
somebody does not want to meet.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from recsys.catalogue.text_folding import plain, unaccented
from recsys.data.restricting_words import UNREAD, letters
from recsys.data.unknown_words import may_separate, may_stop
from recsys.mapping.column_profile import MOST_CODES, ColumnProfile, quoted
from recsys.mapping.draft_guess import Profiles, is_like, shared_ids
from recsys.mapping.draft_people import people_of_rows
from recsys.mapping.draft_tables import subject_of
from recsys.mapping.values import names_a_person

_RESTRICTS: Final = (
    r"exclu|avoid|evit(?!a?cion)|(do_?n.?t|do_? ?not|never)_? ?(meet|show|match)|hid(e|den|ing)|co_?workers?"
    r"|black_? ?list|ausschl|(nicht|kein)[_ ](treff|zeig|anzeig)|kolleg|ne_? ?pas|masqu|collegue"
    r"|no_? ?(mostrar|quier|ver)|ocult|companer|nao_? ?(quer|mostr|ver)|esconder|colega"
    r"|non_? ?(mostr|voglio|inco)|nascond|collegh|nie_? ?(chc|pokaz|spot)|ukry|wspolprac|nezobraz|skry"
    r"|не_? ?(встреч|показ|хоч|видет)|скры|удал|черн\w*_? ?спис|коллег|khong_? ?(muon|hien|gap)"
    r"|(^|[_ ])(da_? ?)?(chan|an)$|dong_? ?nghiep|tidak_? ?(ingin|mau|tampil)|sembunyi|rekan"
    r"|gosterme|gizl|engel|ไม่(ต้องการ|อยาก|แสดง)|ซ่อน|ระงับ|เพื่อนร่วมงาน|לא (רוצה|להציג)|إخفاء|لا (اريد|تعرض)"
    r"|会いたくない|見せない|避け|非表示|同僚|職場|不想见|避开|隐藏|同事|만나고_? ?싶지|피하|피할|숨김|동료"
    r"|(ver)?meid|(ver)?mijd|undvik|undga"
    r"|unika|vyhyb|избег|уник|hindari|tranh|kacin"
)
_RESTRICTING_SUBJECTS: Final = {"blocks", "reports", "bans", "hide", "end"}
_ASKS: Final = "may restrict somebody by their names, and no query here reads them"
_MOST_TOLD: Final = 40
_MOST_WORDS: Final = 3
_FEWEST_IDS: Final = 5
_OF_MEMBERS: Final = 0.8
_SHORT_NUMBER: Final = re.compile(r"-?\d{1,5}(\.0)?")
_LETTERS: Final = re.compile(r"[^\W\d_][^.(]{0,39}$")
"""A word, and not the name of a company (`(주)`, `Ltd.`)."""
_KEEP_APART: Final = ("blocks.sql", "reports.sql")


def restricts_by_name(name: str) -> bool:
    """Say whether a column or table may hold by its name what keeps people apart or takes somebody out.

    >>> [restricts_by_name(one) for one in ("deleted_at", "hide_from_coworkers", "Đã chặn", "Не встречать")]
    [True, True, True, True]
    >>> [restricts_by_name(one) for one in ("created_at", "hobbies", "Họ tên", "ชื่อ", "gender")]
    [False, False, False, False, False]
    """
    return _restricts(name.rpartition(".")[2])


def _restricts(last: str) -> bool:
    if is_like(_RESTRICTS, last) or subject_of(last) in _RESTRICTING_SUBJECTS:
        return True
    is_read = re.search(UNREAD, letters(unaccented(last))) is None
    return is_read and (may_separate(last) or may_stop(last) is not None)


def unread_restrictions(profiles: Profiles, queries: Mapping[str, str]) -> list[str]:
    """Return the columns, and whole tables, that restrict by their names and that no drafted query reads.

    queries: drafted SQL by file. An empty column says nothing. Words that restrict in a column of a few, such
    as the relation in a row of two people, count where no query reads the rows for what they hold.
    """
    found = []
    for table, columns in profiles.items():
        known = [one for one in columns if one.distinct]
        text = "\n".join(sql for sql in queries.values() if quoted(table) in sql)
        if known and not text and restricts_by_name(table):
            found.append(table)
            continue
        apart = "\n".join(
            sql for file, sql in queries.items() if file in _KEEP_APART and quoted(table) in sql
        )
        for one in known:
            if restricts_by_name(one.name) and not _is_used(one, text):
                found.append(f"{table}.{one.name}")
            elif not apart and not _is_used(one, text) and (words := _restricting_words(one)):
                found.append(f"{table}.{one.name} ({', '.join(words[:_MOST_WORDS])})")
    return found


def _restricting_words(column: ColumnProfile) -> list[str]:
    """Return the words of a column of a few that may restrict, such as the relation in a row of two people.

    Rarer ones could be somebody's own and are not repeated.
    """
    codes = {word for word, _ in column.codes}
    found = [word for word, _ in column.codes if _is_restricting_word(word, column)]
    if column.kind != "text" or column.distinct > MOST_CODES or names_a_person(column.name):
        return found
    rarer = any(_is_restricting_word(word, column) for word in column.ids if plain(word) not in codes)
    return [*found, "a rarer word"] if rarer else found


def _is_restricting_word(word: str, column: ColumnProfile) -> bool:
    return bool(_LETTERS.match(word)) and word != column.table and _restricts(word)


def _is_used(column: ColumnProfile, text: str) -> bool:
    return column.sql in text or quoted(column.name) in text


def unread_members(profiles: Profiles, queries: Mapping[str, str], key: ColumnProfile) -> list[str]:
    """Return the columns, and tables of two people, that name members by their values and that nothing reads.

    Such as whom somebody keeps away from, under a name of any language. key: of the members. Short numbers
    of one column may count something; of two in a table that is no list of members they are asked.
    """
    found = []
    for table, columns in profiles.items():
        text = "\n".join(sql for sql in queries.values() if quoted(table) in sql)
        if not text and len(people_of_rows(table, profiles, key).columns) > 1:
            found.append(table)
            continue
        found += [
            f"{table}.{one.name}"
            for one in columns
            if text and len(one.ids) >= _FEWEST_IDS and not one.is_time and not _is_used(one, text)
            and not all(map(_SHORT_NUMBER.fullmatch, one.ids))
            and shared_ids(one, key) >= _OF_MEMBERS * len(one.plainest_ids)
        ]  # fmt: skip
    return found


def asked_of_members(names: Sequence[str]) -> str:
    """Return what a draft asks of what `unread_members` finds, empty for nothing."""
    more = f" and {len(names) - _MOST_TOLD} more" if len(names) > _MOST_TOLD else ""
    ask = "name members, and no query here reads them: does one keep people apart?"
    return f"{', '.join(names[:_MOST_TOLD])}{more} {ask}" if names else ""


def asked_of(names: Sequence[str]) -> str:
    """Return what a draft asks of the columns and tables that `unread_restrictions` finds, empty for none."""
    if not names:
        return ""
    more = f" and {len(names) - _MOST_TOLD} more" if len(names) > _MOST_TOLD else ""
    return f"{', '.join(names[:_MOST_TOLD])}{more} {_ASKS}"
