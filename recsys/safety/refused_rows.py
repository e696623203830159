"""What refused events and tables of the day restrict: it counts, whatever is wrong beside it."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.catalogue.text_folding import fold, plain
from recsys.catalogue.vocabulary import ENUMERATIONS, EVENT_DETAILS
from recsys.data.given_rows import opened
from recsys.data.unknown_words import LEAVE, PAUSE, STOP, may_restrict, may_separate, may_stop
from recsys.errors import InputError, as_text
from recsys.safety.canonical import utc_moment
from recsys.safety.day_log import NO_PROOF, REFUSED, TYPES, DayEvent, is_event_id
from recsys.safety.day_tables import is_away_by, is_stopped_by
from recsys.safety.store import BLOCK, LEAVER, MEMBER, REFUSED_BAN, REPORT

Whom = Callable[[object], str | None]
"""Whom an id means, in whatever spelling; None for nobody."""
_LONGEST_WORD: Final = 64
_TYPES: Final = {fold(kind): kind for kind in (*ENUMERATIONS[C.TYPE].words, *TYPES)}
_DETAILS: Final = {fold(word): word for words in EVENT_DETAILS.values() for word in words}
_ANSWERS: Final = ("meet_feedback", "feeling_check", "report", "end")
"""Events of a pair whose detail, where it is no known word, may be the one that separates."""


_MAY_REPORT: Final = re.compile(
    r"report|complain|abus|harass|threat|stalk|scam|fraud|unsafe|通報|報告|苦情|嫌がらせ|脅|詐欺|つきまとい|迷惑|"
    r"举报|舉報|投诉|投訴|신고"
)
"""Parts of words that are no type of events and may be one that calls for somebody to look."""
HELD: Final = "held"
"""Why a row of the table of holds takes somebody out of sight."""


class MeantHold(NamedTuple):
    """Somebody whom a refused event of an unknown type takes out of sight; why: see `may_stop`, or `HELD`."""

    user_id: str
    why: str

    @property
    def owner(self) -> str:
        """Whose hold it is; see `recsys.safety.store`."""
        return {STOP: REFUSED_BAN, LEAVE: LEAVER}.get(self.why, MEMBER)

    @property
    def reason(self) -> str:
        """Its reason: of a pause that it is one."""
        return PAUSE if self.why == PAUSE else ""


Meant = DayEvent | MeantHold | tuple[str, str]
"""What something refused restricts: an event the log can hold, one person, or two to keep apart."""


def restriction_meant(event: DayEvent, whom: Whom) -> Meant | None:
    """Return what a refused event restricts, None for nothing.

    An event that restricts and is whole comes back as it is. Of another, ids and words count in any spelling;
    an id of an event that is none is made anew, a time that is none is now; an unknown word is what it may be
    at worst. What may be a report is one, whatever its category: see `REFUSED`.

    >>> found = restriction_meant(DayEvent("", datetime.now(UTC), "a", "B", "HIDE"), str.lower)
    >>> found.type, found.target, len(found.event_id) > 0
    ('hide', 'b', True)
    >>> restriction_meant(DayEvent("e", datetime.now(UTC), "a", "b", "unmatched"), str), restriction_meant(
    ...     DayEvent("e", datetime.now(UTC), "a", "b", "lke"), str
    ... )
    (('a', 'b'), None)
    >>> restriction_meant(DayEvent("e", datetime.now(UTC), "a", "b", "REPORTED"), str).detail
    'other'
    >>> restriction_meant(DayEvent("e", datetime.now(UTC), "a", None, "pause"), {"a": "a"}.get)
    MeantHold(user_id='a', why='pause')
    >>> restriction_meant(DayEvent("e", datetime.now(UTC), None, "a", "ban"), {"a": "a"}.get)
    MeantHold(user_id='a', why='stop')
    """
    word = "" if event.type is None else as_text(event.type)
    kind = _TYPES.get(_folded(event.type))
    actor, target = whom(event.actor), whom(event.target)
    if event.actor is None:  # whoever stands alone in it is meant
        actor, target = target, None
    if actor is None:
        return None
    if kind == "verified":
        return _kept(event, actor, None, kind, _detail(event, kind) or NO_PROOF)
    if target is None or target == actor:
        why = None if kind in TYPES else may_stop(word)
        return None if why is None else MeantHold(actor, why)
    return _pair_meant(event, actor, target, kind)


def _pair_meant(event: DayEvent, actor: str, target: str, kind: str | None) -> Meant | None:
    """Return what a refused event of two people restricts; kind: its type, None where it is another word."""
    if kind in TYPES:
        detail = _detail(event, kind)
        if kind == REPORT and detail is None:
            return _report(event, actor, target)
        if kind not in _ANSWERS or detail is not None:
            return _kept(event, actor, target, kind, detail)
        return actor, target
    word = "" if event.type is None else as_text(event.type)
    separates = kind == "block" or (kind is None and may_separate(word))
    if separates and kind is None and _MAY_REPORT.search(_folded(word)):
        return _report(event, actor, target)
    return (actor, target) if separates else None


def is_type(word: object) -> bool:
    """Say whether a value is a type of events in any spelling, or another word that may restrict."""
    return isinstance(word, str) and (_folded(word) in _TYPES or may_restrict(word))


def is_detail(word: object) -> bool:
    """Say whether a value is a detail of events in any spelling."""
    return isinstance(word, str) and _folded(word) in _DETAILS


def _detail(event: DayEvent, kind: str) -> str | None:
    word = _DETAILS.get(_folded(event.detail))
    return word if word in EVENT_DETAILS.get(kind, ()) else None


def _report(event: DayEvent, actor: str, target: str) -> DayEvent | None:
    """Return a report whose category, or whose type, was no word: of no category that is known."""
    return _kept(replace(event, event_id=""), actor, target, REPORT, "other")


def _kept(event: DayEvent, actor: str, target: str | None, kind: str, detail: str | None) -> DayEvent | None:
    at = datetime.now(UTC)
    with suppress(InputError, AttributeError):
        at = utc_moment(event.at)
    event_id = event.event_id
    if not is_event_id(event_id):
        said = repr((event_id, actor, target, kind, detail))
        event_id = f"{REFUSED}{blake2b(said.encode('utf-8', 'surrogatepass'), digest_size=16).hexdigest()}"
    made = replace(
        event, event_id=event_id, at=at, actor=actor, target=target, type=kind, detail=detail, count=None
    )
    if made.restricts and event.count is not None:
        with suppress(InputError):
            made = replace(made, count=event.count).checked()
    return made if made.restricts else None


def restrictions_in(user_id: object, tables: object, whom: Whom) -> list[Meant]:
    """Return what refused tables of a member restrict, as `restriction_meant` does.

    Whoever is out comes back as a change of tables: by any state but active, an age under 18 or a proof that
    is none, the member and whomever the row names, in whatever table and spelling of a column it stands. So
    does whoever a row of holds means, as `MeantHold`. Two people are kept apart by a block or a report, and
    by what events restrict.

    >>> rows = {"profile": {"User_ID": "a", "Account_State": "banned"}}
    >>> [event.actor for event in restrictions_in("a", rows, str)]
    ['a']
    >>> of_another = {"holds": [{"user_id": "b", "state": "active"}]}
    >>> [held.user_id for held in restrictions_in("a", of_another, str)]
    ['b', 'a']
    """
    me, found = whom(user_id), list[Meant]()
    for table, row in _rows(opened(tables)):
        if row.keys() & {C.ACTOR, C.TARGET}:
            kind = row.get(C.TYPE) if table == T.EVENTS else table.removesuffix("s")
            actor = row.get(C.ACTOR, me)
            detail = row.get(C.CATEGORY if table == T.REPORTS else C.DETAIL)
            told = (row.get(C.EVENT), None, actor, row.get(C.TARGET), kind, detail)
            if kind == BLOCK:
                a, b = whom(actor), whom(row.get(C.TARGET))
                found += [(a, b)] if a and b and a != b else []
            elif (meant := restriction_meant(DayEvent(*told), whom)) is not None:  # type: ignore[arg-type]
                found.append(meant)
            continue
        named = whom(row[C.USER]) if row.get(C.USER) is not None else me
        held = table == T.HOLDS and _folded(row.get(C.STATE)) != "lifted"
        for person in dict.fromkeys(one for one in (named, me) if one is not None):
            profile = row | {C.USER: person}
            event = DayEvent.of_tables("refused", person, {T.PROFILES: [profile]})
            found += [MeantHold(person, HELD)] if held else []
            found += [event] if is_stopped_by(event) or is_away_by(event) else []
    return found


_COLUMNS: Final = (
    *(C.USER, C.ACCOUNT_STATE, C.VERIFICATION, C.AGE_BAND, C.AGE_YEARS, C.PERSON_TOKEN, C.STATE),
    *(C.ACTOR, C.TARGET, C.TYPE, C.DETAIL, C.CATEGORY, C.EVENT),
)
_COLUMN_MEANT: Final = {fold(column): column for column in _COLUMNS}
_TABLE_MEANT: Final = {fold(name): name for name in (T.BLOCKS, T.REPORTS, T.EVENTS, T.HOLDS)}
_TELLING: Final = frozenset({C.ACCOUNT_STATE, C.VERIFICATION, C.AGE_BAND, C.AGE_YEARS, C.STATE, C.TARGET})


def _rows(tables: object, table: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every row of whatever was given as tables, with the name of the table it stands in, if known."""
    for one in tables if isinstance(tables, list) else ():
        yield from _rows(one, table)
    if not isinstance(tables, Mapping):
        return
    row = {
        known: value if isinstance(value, str | int | float | None) else as_text(value)
        for column, value in tables.items()
        if (known := _COLUMN_MEANT.get(_folded(column)))
    }
    if row and (table or not _TELLING.isdisjoint(row)):
        yield table, row
    for name, value in tables.items():
        yield from _rows(value, _TABLE_MEANT.get(_folded(name), ""))


def _folded(word: object) -> str:
    return "" if word is None else fold(plain(as_text(word))[:_LONGEST_WORD])
