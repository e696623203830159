"""Drafts of the queries beside profiles and boundaries: blocks, reports, likes and passes, interests."""

import re
from collections.abc import Mapping
from typing import Final

from recsys.data.id_spellings import id_forms
from recsys.mapping.column_profile import ColumnProfile, quoted
from recsys.mapping.draft_guess import MemberTable, Profiles, is_like
from recsys.mapping.draft_people import PeopleOfRows, people_of_rows
from recsys.mapping.project import GUESS, TODO
from recsys.mapping.signatures import SEPARATORS
from recsys.mapping.values import split_words

_PAIR_TABLES: Final = {
    "blocks": r"block|bloqu|bloca|blocc|sperr|geblok|차단|屏蔽|拉黑|ブロック"
    r"|black_?list|(^|[_ ])ng([_ ]|$)|ブラックリスト|お断り|拒否|黑名单|블랙리스트"
    r"|blok|engelle|блок|черн\w*[_ ]спис|^(da[_ ])?chan$|अवरोध|ब्लॉक|บล็อก|حظر",
    "reports": r"report|complain|signalement|denunc|meldung|segnalaz|beschwerde|tsuho|通報|신고|举报"
    r"|zg[lł]osz|nahlas|anmalning|rapport|sikayet|жалоб|скарг|bao_?cao|laporan|शिकायत|ร้องเรียน|بلاغ",
}
_HIDDEN: Final = (
    r"(^|[^a-z])z?(2)?hid(e|es|den|ing|er|ers)?($|[^a-z])|hidden|隠|非表示|隐藏|隱藏|숨김|숨기|ocult|escond|verberg|verborg|masqu"
    r"|nascond|nascost|ausgeblend|versteck|ukry|skry|скры|прихов|gizle|sembunyi|ซ่อน|अदृश्य|اخفاء"
)
_ENDED: Final = (
    r"un_?match|des_?match|match(es)?_?(end|ended|cancel|dissol|removed|over)|(매칭|매치)_?(해제|취소|종료)"
    r"|マッチ(ング)?_?(解除|終了)|(解除|取消)(匹配|配对|配對)|un_?friend|match_?aufl"
)
EVENT_TYPES: Final = {
    "like": r"like|star|messaged|iine|いいね|^me_gusta|좋아요|^喜欢|curti|gostei|favorit|j_?aime"
    r"|polub|lajk|gilla|be[gğ]en|лайк|вподоб|luot_?thich|suka|पसंद|ถูกใจ|إعجاب",
    "pass": r"pass|skip|見送",
    "hide": _HIDDEN,
    "end": _ENDED,
    "message": r"^mensaje|^mensag|^nachricht|^messaggi|^berichten|쪽지|메시지|^消息|^messages?$"
    r"|^wiadomos|^zprav|^meddeland|^besked|^mesaj|^сообщ|^повідом|^tin_?nhan|^pesan|^संदेश|^ข้อความ|^رسائل",
}
_SUBJECTS: Final = {**_PAIR_TABLES, **EVENT_TYPES}
_APART: Final = ("hide", "end")
"""Types of events that keep two people apart."""
_DECISIONS: Final = r"swipe|wisch|decision|reaction|rating_?event|interaction|vote|kaydir|przesun|スワイプ"
_DIRECTIONS: Final = {
    "like": ("like", "liked", "right", "super", "superlike", "yes", "up", "interested", "+1", "1", "いいね"),
    "pass": (
        "pass",
        "passed",
        "left",
        "no",
        "nope",
        "dislike",
        "disliked",
        "skip",
        "down",
        "-1",
        "0",
        "見送り",
    ),
}
_TAKEN_BACK: Final = (
    r"(^|[_ ])un|dis(?!like)|remov|delet|cancel|lift|revok|undo|解除|取消|해제|withdr|dismiss|resolv"
)
"""Parts of a word that take something back, or say how something ended."""
_SANCTIONS: Final = (
    r"sanction|moderat|(^|_)bann?(s|ed)?($|_)|suspen|sperr|strafe|punish|penalt"
    r"|制裁|処分|停止|凍結|違反|出禁|出入り?禁止|除名|退会|withdrawn|제재|封禁|출입금지"
)
_INTERESTS: Final = (
    r"hobby|hobbies|interest|tag|趣味|aficion|loisir|interess|취미|관심|爱好"
    r"|zaint|konick|intress|ilgi|hobi|интерес|хобби|увлеч|so_?thich|minat|शौक|रुचि|ความสนใจ|งานอดิเรก|اهتمام|هواي"
)
_OF_MEMBERS: Final = 0.8
_SHORT_NUMBER: Final = re.compile(r"0|[1-9]\d{0,4}(\.0)?")


def other_queries(members: MemberTable, profiles: Profiles) -> dict[str, str]:
    """Return drafted queries by file name, for tables whose names say what they hold."""
    found: dict[str, list[str]] = {}
    for table in (members.table, *members.joined):
        for column in profiles[table]:
            for target, pattern in _PAIR_TABLES.items():
                if is_like(pattern, column.name) and (ids := _named_members(members, column)):
                    key = members.key if table == members.table else members.joined[table]
                    found.setdefault(target, []).append(_listed_pairs(target, key, column, ids))
    for name, columns in profiles.items():
        if name == members.table or name in members.joined:
            continue
        said = subject_of(name)
        people = people_of_rows(name, profiles, members.key, subject=_SUBJECTS.get(said or ""))
        if said in _PAIR_TABLES:
            found.setdefault(said, []).append(_pairs(said, name, people, columns))
        several = len(people.columns) >= 2
        if (several and said in EVENT_TYPES) or said in _APART:
            asked = f"does every row say {said}?"
            found.setdefault("events", []).append(_events(name, people, columns, f"'{said}'", asked))
        if said is None and several and (typed := _decisions(name, columns) or _typed(columns)) is not None:
            column, types = typed
            found.setdefault("events", []).append(_typed_events(name, people, columns, column, types))
        tags = [
            one for one in columns if one.kind == "text" and is_like("tag|name|タグ|" + _INTERESTS, one.name)
        ]
        if people.columns and tags and is_like(_INTERESTS, name):
            found.setdefault("interests", []).append(_interests(name, people.columns[0], tags[0]))
    return {f"{target}.sql": "\nUNION ALL\n".join(parts) + "\n" for target, parts in found.items()}


def subject_of(table: str) -> str | None:
    """Return what a table holds by its name: blocks, reports, bans, a type of events, or None.

    >>> subject_of("차단"), subject_of("wischer_likes"), subject_of("ban_register"), subject_of("orders")
    ('blocks', 'like', 'bans', None)
    """
    names = {**_PAIR_TABLES, "bans": _SANCTIONS, **EVENT_TYPES}
    return next((subject for subject, pattern in names.items() if is_like(pattern, table)), None)


def _named_members(members: MemberTable, column: ColumnProfile) -> str:
    """Return the SQL of the members that a column lists in one field, empty where it lists none.

    Short numbers of which no field holds two may count something.
    """
    lists = column.kind == "list"
    parts = [split_words(one, SEPARATORS) for one in column.ids] if not lists else []
    ids = column.ids if lists else {part for one in parts for part in one}
    known = members.key.plainest_ids
    if not lists and max(map(len, parts), default=0) < 2 and all(map(_SHORT_NUMBER.fullmatch, ids)):
        return ""
    if not ids or sum(id_forms(one)[2] in known for one in ids) < _OF_MEMBERS * len(ids):
        return ""
    return column.named() if lists else f"words(known({column.named()}))"


def _listed_pairs(target: str, key: ColumnProfile, column: ColumnProfile, ids: str) -> str:
    return (
        f"{GUESS} {column.table}.{column.name} -> target of {target}: nearly all that it lists are members\n"
        f"{TODO} when was it? Every row keeps two people apart\n"
        f"SELECT canonical_id({key.sql}) AS actor, canonical_id(unnest({ids})) AS target,\n"
        f"  as_of() AS ts{_category(target)}\nFROM {quoted(column.table)}"
    )


def _moment(columns: list[ColumnProfile]) -> str:
    times = [one for one in columns if one.dates >= 0.9]
    order = f", NULL, '{times[0].order}'" if times and times[0].order != "ymd" else ""
    return f"utc({times[0].sql}{order})" if times else "as_of()"


def _pairs(target: str, name: str, people: PeopleOfRows, columns: list[ColumnProfile]) -> str:
    """Return the query of a table of blocks or reports; where no pair is sure it asks, and cannot run."""
    asked, actor, other = _actor_and_target(name, people, f"{name} holds {target} by its name")
    guess = f"{GUESS} {name}.{people.names} -> actor, target of {target}: nearly all are members\n"
    return (
        f"{asked or guess}"
        f"{TODO} which rows were lifted or are about something else? Every row keeps two people apart\n"
        f"SELECT {actor} AS actor, {other} AS target,\n"
        f"  {_moment(columns)} AS ts{_category(target)}\nFROM {quoted(name)}"
    )


def _category(target: str) -> str:
    return ", 'other' AS category" if target == "reports" else ""


def _actor_and_target(name: str, people: PeopleOfRows, about: str) -> tuple[str, str, str]:
    """Return the SQL of who did it and to whom.

    Where no pair is sure, a line that asks before it and SQL that ends with the question, so that nobody runs
    it unread.
    """
    if people.pair is not None:
        actor, other = (f"canonical_id({one.sql})" for one in (people.pair.actor, people.pair.target))
        return "", actor, other
    of = f" of {people.names}" if people.columns else ""
    text = f"TODO {name}: who did it, to whom?".replace("'", "''")
    question = f"{TODO} {about}: which two columns{of} are the people, and who did it?\n"
    return question, f"CAST(error('{text}') AS VARCHAR)", "CAST(NULL AS VARCHAR)"


_OPENING: Final = ("'like'", "'impression'", "'message'")
"""Types of events, as a query says them, that keep nobody apart."""


def _events(
    name: str, people: PeopleOfRows, columns: list[ColumnProfile], type_sql: str, question: str
) -> str:
    """Return the query of a table of events; rows whose type is unknown are set aside."""
    asked, a, b = _actor_and_target(name, people, name)
    is_open = people.pair is None and type_sql in _OPENING  # who likes whom is left out until it is told
    a, rows = ("CAST(NULL AS VARCHAR)", "\nWHERE false") if is_open else (a, "")
    ts, two = _moment(columns), f"{a}, {b}" if people.pair else "NULL"
    oneself = f"WHEN {a} = {b} THEN 'to oneself' " if people.pair else ""
    return (
        f"{GUESS} {name} -> events, by the name of the table\n{asked}"
        f"{TODO} {question}\n"
        f"SELECT DISTINCT concat_ws('-', '{name}', {two}, epoch_ms({ts})) AS event_id, {ts} AS ts,\n"
        f"  {a} AS actor, {b} AS target, {type_sql} AS type,\n"
        f"  CASE {oneself}WHEN {ts} > as_of() THEN 'after the export'\n"
        f"    WHEN {type_sql} IS NULL THEN 'unknown direction' END AS set_aside\n"
        f"FROM {quoted(name)}{rows}"
    )


def _decisions(name: str, columns: list[ColumnProfile]) -> tuple[ColumnProfile, dict[str, str]] | None:
    """Return the column of a table of likes and passes that says which, and our type by its codes."""
    if not is_like(_DECISIONS, name):
        return None
    for column in columns:
        codes = [code.lower() for code, _ in column.codes]
        types = {code: kind for kind, known in _DIRECTIONS.items() for code in codes if code in known}
        if {"like", "pass"} <= set(types.values()):
            return column, types
    return None


def _typed(columns: list[ColumnProfile]) -> tuple[ColumnProfile, dict[str, str]] | None:
    """Return a column that says what a row is about, of two types at least, and our type by its codes.

    Such as the states of a relationship, or the names of a stream of events: `Profile Liked`, `user_blocked`.
    """
    kinds = {  # what restricts first: `blocked_after_like`, `dislike`
        "block": _PAIR_TABLES["blocks"],
        "report": _PAIR_TABLES["reports"],
        "end": _ENDED,
        "hide": _HIDDEN,
        "pass": f"dislike|nope|reject|{EVENT_TYPES['pass']}",
        "like": EVENT_TYPES["like"],
        "message": f"message|nachricht|mensaje|mensag|{EVENT_TYPES['message']}",
    }
    for column in columns:
        types: dict[str, str] = {}
        for code, _ in column.codes:
            kind = next((kind for kind, pattern in kinds.items() if is_like(pattern, code)), None)
            if kind is not None and not is_like(_TAKEN_BACK, code):
                types[code.lower()] = kind
        if len(set(types.values())) >= 2:
            return column, types
    return None


def _typed_events(
    name: str,
    people: PeopleOfRows,
    columns: list[ColumnProfile],
    column: ColumnProfile,
    types: Mapping[str, str],
) -> str:
    """Return the query of a table of events of several types; what its other codes say is asked."""
    rest = ", ".join(code.lower() for code, _ in column.codes if code.lower() not in types)
    cases = " ".join(
        f"WHEN '{code.replace(chr(39), 2 * chr(39))}' THEN '{kind}'" for code, kind in sorted(types.items())
    )
    case = f"CASE lower(trim(CAST({column.sql} AS VARCHAR))) {cases} END"
    asked = f"is {column.name} what happened" + (f", and what does {rest} say?" if rest else "?")
    return _events(name, people, columns, case, asked)


def tables_of_sanctions(profiles: Profiles) -> list[str]:
    """Return the tables that hold bans or suspensions by their names.

    >>> tables_of_sanctions({"sanctions": [], "ban_register": [], "urban_walks": []})
    ['sanctions', 'ban_register']
    """
    return [name for name in profiles if subject_of(name) == "bans"]


def _interests(name: str, person: ColumnProfile, tag: ColumnProfile) -> str:
    return (
        f"{GUESS} {name}.{tag.name} -> tag of interests\n"
        f"SELECT DISTINCT canonical_id({person.sql}) AS user_id, tag({tag.sql}) AS tag, 3 AS level,\n"
        f"  'both' AS share_mode\n"
        f"FROM {quoted(name)} WHERE known({tag.sql}) IS NOT NULL"
    )
