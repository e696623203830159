"""Drafts of the queries beside profiles and boundaries: blocks, reports, likes and passes, interests."""

import re
from collections.abc import Mapping
from typing import Final

from recsys.catalogue.text_folding import unaccented
from recsys.data.id_spellings import id_forms
from recsys.mapping.column_profile import MOST_CODES, ColumnProfile, quoted
from recsys.mapping.draft_guess import MemberTable, Profiles, is_like, shared_ids
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
EVENT_TYPES: Final = {
    "like": r"like|star|messaged|iine|いいね|^me_gusta|좋아요|^喜欢"
    r"|polub|lajk|gilla|be[gğ]en|лайк|вподоб|luot_?thich|suka|पसंद|ถูกใจ|إعجاب",
    "pass": r"pass|skip|hid|見送",
    "message": r"^mensaje|^mensag|^nachricht|^messaggi|^berichten|쪽지|메시지|^消息|^messages?$"
    r"|^wiadomos|^zprav|^meddeland|^besked|^mesaj|^сообщ|^повідом|^tin_?nhan|^pesan|^संदेश|^ข้อความ|^رسائل",
}
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
_NO_PAIR: Final = {"id", "question_id", "option_id", "channel_id", "content_id"}


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
        people = _without_own_key(_people(members, columns, named=said in _PAIR_TABLES), name, members.key)
        if said in _PAIR_TABLES:
            query = _pairs(said, name, people, columns) if len(people) >= 2 else _no_pair(said, name)
            found.setdefault(said, []).append(query)
        kind = said if said in EVENT_TYPES else None
        if len(people) >= 2 and kind:
            asked = f"does every row say {kind}?"
            found.setdefault("events", []).append(_events(name, people, columns, f"'{kind}'", asked))
        if said is None and (decisions := _decisions(name, people, columns)) is not None:
            found.setdefault("events", []).append(decisions)
        elif said is None and len(people) >= 2 and (typed := _typed(columns)) is not None:
            column, types = typed
            found.setdefault("events", []).append(_typed_events(name, people, columns, column, types))
        tags = [
            one for one in columns if one.kind == "text" and is_like("tag|name|タグ|" + _INTERESTS, one.name)
        ]
        if people and tags and is_like(_INTERESTS, name):
            found.setdefault("interests", []).append(_interests(name, people[0], tags[0]))
    return {f"{target}.sql": "\nUNION ALL\n".join(parts) + "\n" for target, parts in found.items()}


def subject_of(table: str) -> str | None:
    """Return what a table holds by its name: blocks, reports, bans, a type of events, or None.

    >>> subject_of("차단"), subject_of("wischer_likes"), subject_of("ban_register"), subject_of("orders")
    ('blocks', 'like', 'bans', None)
    """
    names = {**_PAIR_TABLES, "bans": _SANCTIONS, **EVENT_TYPES}
    return next((subject for subject, pattern in names.items() if is_like(pattern, table)), None)


def _people(
    members: MemberTable, columns: list[ColumnProfile], *, named: bool = False
) -> list[ColumnProfile]:
    """Return the columns whose values are members'.

    named: the name of the table says that two people stand in a row, so a few ids say enough.
    """
    found = [
        one
        for one in columns
        if one.ids and one.name not in _NO_PAIR and one.kind in {"text", "number"}
        and not one.is_time and shared_ids(one, members.key) >= _OF_MEMBERS * len(one.ids)
    ]  # fmt: skip
    sure = [
        one
        for one in found
        if one.distinct > 1
        and (len(one.ids) > MOST_CODES or re.search("id|no|番号|者|blo|signal|denunc", one.name))
    ]
    return found if named and len(sure) < 2 else sure


def _without_own_key(people: list[ColumnProfile], table: str, key: ColumnProfile) -> list[ColumnProfile]:
    """Return the columns of members without the running number of the table's own rows, where two are left.

    Numbers of rows from 1 on are numbers of members too, so their values say nothing. key: of the members.
    """
    stem = unaccented(table).rpartition(".")[2].partition("_")[0].rstrip("s")
    own = next(
        (
            one.name
            for one in people
            if one.unique
            and one.name != key.name
            and (_is_running(one.ids) or stem in re.split("[_ ]", unaccented(one.name)))
        ),
        None,
    )
    return [one for one in people if one.name != own] if len(people) > 2 else people


def _is_running(ids: frozenset[str]) -> bool:
    """Say whether ids are whole numbers without a gap to speak of."""
    if not all(one.isdecimal() for one in ids):
        return False
    numbers = [int(one) for one in ids]
    return max(numbers) - min(numbers) < 2 * len(numbers)


def _which_two(people: list[ColumnProfile]) -> str:
    """Return a line that asks which columns are meant, where there are more than two."""
    names = ", ".join(one.name for one in people)
    return f"{TODO} which two of {names} are the people, and who did it?\n" if len(people) > 2 else ""


def _named_members(members: MemberTable, column: ColumnProfile) -> str:
    """Return the SQL of the members that a column lists in one field, empty where it lists none."""
    lists = column.kind == "list"
    ids = column.ids if lists else {part for one in column.ids for part in split_words(one, SEPARATORS)}
    known = members.key.plainest_ids
    if not ids or sum(id_forms(one)[2] in known for one in ids) < _OF_MEMBERS * len(ids):
        return ""
    return column.named() if lists else f"words(known({column.named()}))"


def _listed_pairs(target: str, key: ColumnProfile, column: ColumnProfile, ids: str) -> str:
    extra = ", 'other' AS category" if target == "reports" else ""
    return (
        f"{GUESS} {column.table}.{column.name} -> target of {target}: nearly all that it lists are members\n"
        f"{TODO} when was it? Every row keeps two people apart\n"
        f"SELECT canonical_id({key.sql}) AS actor, canonical_id(unnest({ids})) AS target,\n"
        f"  as_of() AS ts{extra}\nFROM {quoted(column.table)}"
    )


def _moment(columns: list[ColumnProfile]) -> str:
    times = [one for one in columns if one.dates >= 0.9]
    order = f", NULL, '{times[0].order}'" if times and times[0].order != "ymd" else ""
    return f"utc({times[0].sql}{order})" if times else "as_of()"


def _pairs(target: str, name: str, people: list[ColumnProfile], columns: list[ColumnProfile]) -> str:
    actor, other = people[:2]
    extra = ", 'other' AS category" if target == "reports" else ""
    return (
        f"{GUESS} {name}.{actor.name}, {other.name} -> actor, target of {target}: nearly all are members\n"
        f"{_which_two(people)}"
        f"{TODO} which rows were lifted or are about something else? Every row keeps two people apart\n"
        f"SELECT canonical_id({actor.sql}) AS actor, canonical_id({other.sql}) AS target,\n"
        f"  {_moment(columns)} AS ts{extra}\nFROM {quoted(name)}"
    )


def _no_pair(target: str, name: str) -> str:
    """Return a query without a row that asks for the people of a table whose name says what it holds."""
    extra = ", 'other' AS category" if target == "reports" else ""
    return (
        f"{TODO} {name} holds {target} by its name: which two columns are the people, and who did it?\n"
        f"SELECT CAST(NULL AS VARCHAR) AS actor, CAST(NULL AS VARCHAR) AS target, as_of() AS ts{extra}\n"
        f"FROM {quoted(name)} WHERE false"
    )


def _events(
    name: str, people: list[ColumnProfile], columns: list[ColumnProfile], type_sql: str, question: str
) -> str:
    """Return the query of a table of events; rows whose type is unknown are set aside."""
    actor, other = people[:2]
    a, b, ts = f"canonical_id({actor.sql})", f"canonical_id({other.sql})", _moment(columns)
    return (
        f"{GUESS} {name} -> events, by the name of the table\n"
        f"{_which_two(people)}"
        f"{TODO} {question}\n"
        f"SELECT DISTINCT concat_ws('-', '{name}', {a}, {b}, epoch_ms({ts})) AS event_id, {ts} AS ts,\n"
        f"  {a} AS actor, {b} AS target, {type_sql} AS type,\n"
        f"  CASE WHEN {a} = {b} THEN 'to oneself' WHEN {ts} > as_of() THEN 'after the export'\n"
        f"    WHEN {type_sql} IS NULL THEN 'unknown direction' END AS set_aside\n"
        f"FROM {quoted(name)}"
    )


def _decisions(name: str, people: list[ColumnProfile], columns: list[ColumnProfile]) -> str | None:
    """Return the query of a table of likes and passes, None where no column says which."""
    if len(people) < 2 or not is_like(_DECISIONS, name):
        return None
    for column in columns:
        codes = [code.lower() for code, _ in column.codes]
        types = {code: kind for kind, known in _DIRECTIONS.items() for code in codes if code in known}
        if {"like", "pass"} <= set(types.values()):
            return _typed_events(name, people, columns, column, types)
    return None


def _typed(columns: list[ColumnProfile]) -> tuple[ColumnProfile, dict[str, str]] | None:
    """Return a column that says what a row is about, of two types at least, and our type by its codes.

    Such as the states of a relationship, or the names of a stream of events: `Profile Liked`, `user_blocked`.
    """
    kinds = {  # what restricts first: `blocked_after_like`, `dislike`
        "block": _PAIR_TABLES["blocks"],
        "report": _PAIR_TABLES["reports"],
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
    people: list[ColumnProfile],
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
