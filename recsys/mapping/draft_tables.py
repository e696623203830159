"""Drafts of the queries beside profiles and boundaries: blocks, reports, likes and passes, interests."""

import re
from typing import Final

from recsys.mapping.column_profile import ColumnProfile, quoted
from recsys.mapping.draft_guess import MemberTable, Profiles
from recsys.mapping.project import GUESS, TODO

_PAIR_TABLES: Final = {
    "blocks": r"block|bloqu|bloca|blocc|sperr|geblok|차단|屏蔽|ブロック",
    "reports": r"report|signalement|denunc|denúnc|meldung|segnalaz|tsuho|通報",
}
_EVENT_TYPES: Final = {"like": r"like|star|messaged|iine|いいね", "pass": r"pass|skip|hid|見送"}
_INTERESTS: Final = r"hobby|hobbies|interest|tag|趣味"
_OF_MEMBERS: Final = 0.8
_NO_PAIR: Final = {"id", "question_id", "option_id", "channel_id", "content_id"}


def other_queries(members: MemberTable, profiles: Profiles) -> dict[str, str]:
    """Return drafted queries by file name, for tables whose names say what they hold."""
    found: dict[str, list[str]] = {}
    for name, columns in profiles.items():
        if name == members.table or name in members.joined:
            continue
        people = _people(members, columns)
        for target, pattern in _PAIR_TABLES.items():
            if len(people) >= 2 and re.search(pattern, name):
                found.setdefault(target, []).append(_pairs(target, name, people, columns))
        kind = next((kind for kind, pattern in _EVENT_TYPES.items() if re.search(pattern, name)), None)
        if len(people) >= 2 and kind:
            found.setdefault("events", []).append(_events(kind, name, people, columns))
        tags = [
            one
            for one in columns
            if one.kind == "text" and re.search("tag|name|タグ|" + _INTERESTS, one.name)
        ]
        if people and tags and re.search(_INTERESTS, name):
            found.setdefault("interests", []).append(_interests(name, people[0], tags[0]))
    return {f"{target}.sql": "\nUNION ALL\n".join(parts) + "\n" for target, parts in found.items()}


def _people(members: MemberTable, columns: list[ColumnProfile]) -> list[ColumnProfile]:
    return [
        one
        for one in columns
        if one.ids and one.name not in _NO_PAIR and one.kind in {"text", "number"} and one.distinct > 1
        and not one.dates and len(one.ids & members.key.ids) >= _OF_MEMBERS * len(one.ids)
        and (len(one.ids) > 24 or re.search("id|no|番号|者|blo|signal|denunc", one.name))
    ]  # fmt: skip


def _moment(columns: list[ColumnProfile]) -> str:
    times = [one for one in columns if one.dates >= 0.9]
    order = f", NULL, '{times[0].order}'" if times and times[0].order != "ymd" else ""
    return f"utc({times[0].sql}{order})" if times else "as_of()"


def _pairs(target: str, name: str, people: list[ColumnProfile], columns: list[ColumnProfile]) -> str:
    actor, other = people[:2]
    extra = ", 'other' AS category" if target == "reports" else ""
    return (
        f"{GUESS} {name}.{actor.name}, {other.name} -> actor, target of {target}: nearly all are members\n"
        f"{TODO} which rows were lifted or are about something else? Every row keeps two people apart\n"
        f"SELECT canonical_id({actor.sql}) AS actor, canonical_id({other.sql}) AS target,\n"
        f"  {_moment(columns)} AS ts{extra}\nFROM {quoted(name)}"
    )


def _events(kind: str, name: str, people: list[ColumnProfile], columns: list[ColumnProfile]) -> str:
    actor, other = people[:2]
    a, b, ts = f"canonical_id({actor.sql})", f"canonical_id({other.sql})", _moment(columns)
    return (
        f"{GUESS} {name} -> events of type {kind}, by the name of the table\n"
        f"{TODO} does every row say {kind}?\n"
        f"SELECT DISTINCT concat_ws('-', '{name}', {a}, {b}, epoch_ms({ts})) AS event_id, {ts} AS ts,\n"
        f"  {a} AS actor, {b} AS target, '{kind}' AS type,\n"
        f"  CASE WHEN {a} = {b} THEN 'to oneself' WHEN {ts} > as_of() THEN 'after the export'\n"
        f"  END AS set_aside\n"
        f"FROM {quoted(name)}"
    )


def _interests(name: str, person: ColumnProfile, tag: ColumnProfile) -> str:
    return (
        f"{GUESS} {name}.{tag.name} -> tag of interests\n"
        f"SELECT DISTINCT canonical_id({person.sql}) AS user_id, tag({tag.sql}) AS tag, 3 AS level,\n"
        f"  'both' AS share_mode\n"
        f"FROM {quoted(name)} WHERE known({tag.sql}) IS NOT NULL"
    )
