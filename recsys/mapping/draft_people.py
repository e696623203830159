"""Which two columns of a table are the people of a row, who did it and to whom; or that nothing says it.

Running numbers of rows are numbers of members, too, so values alone say little where ids are small numbers. A
draft of what keeps people apart guesses no pair: it asks, and does not run until somebody answers.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from recsys.catalogue.text_folding import unaccented
from recsys.mapping.column_profile import MOST_CODES, ColumnProfile
from recsys.mapping.draft_guess import Profiles, is_like, names_a_member, shared_ids, singular

_OF_MEMBERS: Final = 0.8
"""Share of the ids of a column that must be members'."""
_FEWEST_ROWS: Final = 5
_SMALL: Final = re.compile(r"-?\d{1,2}")
_SHAPE_OF_IDS: Final = re.compile(r"(?=\S*\d)[\w.:#/@{}-]{1,64}")
_OTHER_THINGS: Final = re.compile(
    r"^(question|option|channel|content|conversation|thread|room|topic|post|photo|group|event|chat|message|order"
    r"|ticket|reason|category|status|type)_?id$|^id$"
)
"""Names of references to what is nobody."""
_OF_ROWS: Final = re.compile(r"(?i)(id|pk|no|nr|key|uuid|number|番号|번호|编号)$")
_OF_ACTOR: Final = (
    r"(^|[_. ])(by|from|actor|author|sender|source|start|creator|owner|requester|de|por|von|van|par|da|od)"
    r"($|[_. ])"
    r"|(block|report|complain|send|lik|swip|view|request|hid|flag|follow|mut|own|avoid|initiat|unmatch|writ|sperr|meld"
    r"|blokk\w*)+(er|or)s?(_?id)?$|bloqueur|signaleur|者(_?id)?$|신고자|신청자|보낸|누가"
    r"|(^|[_. ])(автор|кто|от)|autor|absender|remetente|remitente|expediteur|mittente|denunciante|bloqueador"
)
_OF_TARGET: Final = (
    r"(ed|ee)([_. ]?(id|uid|user|member|person|account|profile))*$"
    r"|(^|[_. ])(to|target|receiver|recipient|subject|end|against|about|whom|para|sobre|contra|an|gegen|pour)"
    r"($|[_. ])|(^|[_. ])(na|com)($|[_. ])|被|対象|相手|受信|受取|受け手|宛|接收|收件|对方|대상|상대"
    r"|받는|받은|수신|누구를"
    r"|на[_ ]?кого|кого|кому|empfanger|destinat|denunciad|bloquead"
)


@dataclass(frozen=True)
class Pair:
    """The columns of the two people of a row: who did it, and to whom."""

    actor: ColumnProfile
    target: ColumnProfile


@dataclass(frozen=True)
class PeopleOfRows:
    """The columns of a table that could name members, and the pair where they say one for sure."""

    columns: tuple[ColumnProfile, ...]
    pair: Pair | None

    @property
    def names(self) -> str:
        """The names of the pair, else of all columns, for a question."""
        columns = (self.pair.actor, self.pair.target) if self.pair else self.columns
        return ", ".join(one.name for one in columns)


def people_of_rows(
    table: str, profiles: Profiles, key: ColumnProfile, *, subject: str | None = None
) -> PeopleOfRows:
    """Return which columns of a table name members.

    key: of the members. subject: a pattern of what the table holds by its name, such as blocks; a few ids say
    enough there.
    """
    columns = profiles[table]
    found = _that_name_members(columns, key, few=subject is not None)
    found = [one for one in found if not _refers_to_another(one, table, profiles, key)]
    found = _without_own_key(found, table, key)
    if len(found) > 2:
        found = [one for one in found if one.distinct > 1 or one.rows < _FEWEST_ROWS]
    pair = _pair(found, subject)
    if pair is not None and any(_could_be_a_person(one, subject) for one in columns if one not in found):
        pair = None
    return PeopleOfRows(tuple(found), pair)


def _pair(found: Sequence[ColumnProfile], subject: str | None) -> Pair | None:
    """Return the two people where the names or the lack of a third column say them; who did it first."""
    roles = {one.name: role_of(one.name) for one in found}
    by_role = {role: [one for one in found if roles[one.name] == role] for role in ("actor", "target", None)}
    two = list(found)
    if len(two) > 2:
        named = [one for one in found if subject is not None and is_like(subject, one.name)]
        two = named if len(named) == 2 else [*by_role["actor"], *by_role["target"]]
    if len(two) != 2 or (two[0].name != two[1].name and _same_role(roles, two)):
        return None
    if any(_may_number_rows(one, subject) for one in two):
        return None
    first, second = two
    turned = roles[second.name] == "actor" or roles[first.name] == "target"
    return Pair(second, first) if turned else Pair(first, second)


def _same_role(roles: Mapping[str, str | None], two: Sequence[ColumnProfile]) -> bool:
    first, second = (roles[one.name] for one in two)
    return first == second is not None


def role_of(name: str) -> str | None:
    """Return whether a column is of who did something (`actor`) or to whom (`target`), by its name.

    >>> role_of("blocked_by"), role_of("BlockedUserId"), role_of("ZREPORTER"), role_of("user_id")
    ('actor', 'target', 'actor', None)
    """
    last = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.rpartition(".")[2])
    if re.search(r"(^|[_ ])by([_ ](user|member))?([_ ]id)?$", last.lower()):
        return "actor"
    if is_like(_OF_TARGET, last):
        return "target"
    return "actor" if is_like(_OF_ACTOR, last) else None


def may_number_rows(values: Sequence[str], *, one_of: int = 1) -> bool:
    """Say whether values are whole numbers from 1 on, each once, with hardly a gap, as numbers of rows are.

    one_of: of so many values one is here.

    >>> may_number_rows([str(n) for n in range(1, 21)]), may_number_rows(["7", "7", "3", "12", "1"])
    (True, False)
    """
    if len(values) < _FEWEST_ROWS or not all(one.isdecimal() for one in values):
        return False
    numbers = set(map(int, values))
    is_first = min(numbers) <= 1 or one_of > 1
    return is_first and len(numbers) == len(values) and max(numbers) <= 1.1 * one_of * len(numbers)


def _may_number_rows(column: ColumnProfile, subject: str | None = None) -> bool:
    """Say whether a column, called as no reference to a member is, may number the rows of its table."""
    is_named = role_of(column.name) is not None or names_a_member(column)
    is_named |= subject is not None and is_like(subject, column.name) and not _OF_ROWS.search(column.name)
    return not is_named and column.unique and column.known == 1 and may_number_rows(sorted(column.ids))


def _that_name_members(
    columns: Sequence[ColumnProfile], key: ColumnProfile, *, few: bool
) -> list[ColumnProfile]:
    """Return the columns whose values are members'. few: a few ids say enough."""
    found = [
        one
        for one in columns
        if one.ids and not _OTHER_THINGS.search(unaccented(one.name)) and one.kind in {"text", "number"}
        and not one.is_time and shared_ids(one, key) >= _OF_MEMBERS * len(one.plainest_ids)
    ]  # fmt: skip
    sure = [
        one
        for one in found
        if one.distinct > 1
        and (len(one.ids) > MOST_CODES or re.search("id|no|番号|者|blo|signal|denunc", one.name))
    ]
    return [one for one in found if not _are_codes(one)] if few and len(sure) < 2 else sure


def _are_codes(column: ColumnProfile) -> bool:
    """Say whether a column holds a few small numbers again and again, such as how grave something is."""
    return bool(column.codes) and column.distinct > 1 and all(map(_SMALL.fullmatch, column.ids))


def _refers_to_another(column: ColumnProfile, table: str, profiles: Profiles, key: ColumnProfile) -> bool:
    """Say whether a column is called as a row of another table that is nobody: `topic_id` beside `topics`."""
    stem = re.sub(r"_?id$", "", column.name.lower())
    tables = profiles.keys() - {table, key.table}
    others = {name for one in tables for name in (singular(one), one.lower().rstrip("s"))}
    return stem != column.name.lower() and stem in others and not names_a_member(column)


def _could_be_a_person(column: ColumnProfile, subject: str | None) -> bool:
    """Say whether a column that names no members is called as one of two people and holds ids."""
    is_named = role_of(column.name) is not None or (subject is not None and is_like(subject, column.name))
    holds = column.kind in {"text", "number"} and not column.codes and column.dates < _OF_MEMBERS
    is_own = column.unique and may_number_rows(sorted(column.ids))
    shaped = len(column.ids) > _FEWEST_ROWS and all(map(_SHAPE_OF_IDS.fullmatch, column.ids))
    return is_named and holds and shaped and not is_own


def _without_own_key(people: list[ColumnProfile], table: str, key: ColumnProfile) -> list[ColumnProfile]:
    """Return the columns of members without the running number of the table's own rows, where two are left.

    Numbers of rows from 1 on are numbers of members too, so their values say nothing. key: of the members.
    """
    words = unaccented(table).rpartition(".")[2]
    stems = {words.partition("_")[0].rstrip("s"), singular(words)}
    own = next(
        (
            one.name
            for one in people
            if one.unique
            and role_of(one.name) is None
            and (one.name != key.name or _may_number_rows(one))
            and (_is_running(one.ids) or stems & set(re.split("[_ ]", unaccented(one.name))))
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
