"""Columns and tables of a source that may restrict somebody by their names and that no drafted query reads.

What a query leaves out restricts nobody, so a draft names these: bans, deletions and pauses, hides, and whom
somebody does not want to meet.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from recsys.catalogue.text_folding import unaccented
from recsys.data.restricting_words import UNREAD, letters
from recsys.data.unknown_words import may_separate, may_stop
from recsys.mapping.column_profile import ColumnProfile, quoted
from recsys.mapping.draft_guess import Profiles, is_like
from recsys.mapping.draft_tables import subject_of

_RESTRICTS: Final = (
    r"exclu|avoid|(do_?n.?t|do_? ?not|never)_? ?(meet|show|match)|hid(e|den|ing)|co_?workers?"
    r"|black_? ?list|ausschl|(nicht|kein)[_ ](treff|zeig|anzeig)|kolleg|ne_? ?pas|masqu|collegue"
    r"|no_? ?(mostrar|quier|ver)|ocult|companer|nao_? ?(quer|mostr|ver)|esconder|colega"
    r"|non_? ?(mostr|voglio|inco)|nascond|collegh|nie_? ?(chc|pokaz|spot)|ukry|wspolprac|nezobraz|skry"
    r"|не_? ?(встреч|показ|хоч|видет)|скры|удал|черн\w*_? ?спис|коллег|khong_? ?(muon|hien|gap)"
    r"|(^|[_ ])(da_? ?)?(chan|an)$|dong_? ?nghiep|tidak_? ?(ingin|mau|tampil)|sembunyi|rekan"
    r"|gosterme|gizl|engel|ไม่(ต้องการ|อยาก|แสดง)|ซ่อน|ระงับ|เพื่อนร่วมงาน|לא (רוצה|להציג)|إخفاء|لا (اريد|تعرض)"
    r"|会いたくない|見せない|非表示|同僚|職場|不想见|隐藏|同事|만나고_? ?싶지|숨김|동료"
)
_ASKS: Final = "may restrict somebody by their names, and no query here reads them"
_MOST_TOLD: Final = 40


def restricts_by_name(name: str) -> bool:
    """Say whether a column or table may hold by its name what keeps people apart or takes somebody out.

    >>> [restricts_by_name(one) for one in ("deleted_at", "hide_from_coworkers", "Đã chặn", "Не встречать")]
    [True, True, True, True]
    >>> [restricts_by_name(one) for one in ("created_at", "hobbies", "Họ tên", "ชื่อ", "gender")]
    [False, False, False, False, False]
    """
    last = name.rpartition(".")[2]
    if is_like(_RESTRICTS, last) or subject_of(last) in {"blocks", "reports", "bans"}:
        return True
    is_read = re.search(UNREAD, letters(unaccented(last))) is None
    return is_read and (may_separate(last) or may_stop(last) is not None)


def unread_restrictions(profiles: Profiles, queries: Mapping[str, str]) -> list[str]:
    """Return the columns, and whole tables, that restrict by their names and that no drafted query reads.

    queries: drafted SQL by file. An empty column says nothing.
    """
    found = []
    for table, columns in profiles.items():
        known = [one for one in columns if one.distinct]
        text = "\n".join(sql for sql in queries.values() if quoted(table) in sql)
        if known and not text and restricts_by_name(table):
            found.append(table)
            continue
        found += [
            f"{table}.{one.name}" for one in known if restricts_by_name(one.name) and not _is_used(one, text)
        ]
    return found


def _is_used(column: ColumnProfile, text: str) -> bool:
    return column.sql in text or quoted(column.name) in text


def asked_of(names: Sequence[str]) -> str:
    """Return what a draft asks of the columns and tables that `unread_restrictions` finds, empty for none."""
    if not names:
        return ""
    more = f" and {len(names) - _MOST_TOLD} more" if len(names) > _MOST_TOLD else ""
    return f"{', '.join(names[:_MOST_TOLD])}{more} {_ASKS}"
