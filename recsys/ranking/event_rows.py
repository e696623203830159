"""Rows of events in whatever a caller hands over: what is refused, or is of a page, restricts as well."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Final

import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.vocabulary import EVENT_DETAILS
from recsys.data.events import Events
from recsys.data.given_rows import opened, rows_given
from recsys.data.proofs import AGE, standing_proof, tier_of
from recsys.safety.canonical import CLOCKS_APART, spelled_canonically
from recsys.safety.day_log import NO_PROOF, SEPARATING, DayEvent, is_event_id
from recsys.safety.refused_rows import is_detail, is_type

_FEWEST: Final = 3
"""Values of a row without names: two ids and a type."""


def is_table(given: object) -> bool:
    """Say whether something is one table, of pandas, polars or Arrow or as columns by name, or one text.

    >>> import pandas as pd
    >>> is_table(pd.DataFrame()), is_table({"type": ["hide"]}), is_table("[]"), is_table([])
    (True, True, True, False)
    """
    return isinstance(given, Mapping | str | bytes | bytearray | memoryview) or rows_given(given) is not None


def rows_within(given: Any) -> Iterator[DayEvent | Mapping[str, Any]]:
    """Yield the events, and the rows that may be some, of anything that holds them; of anything else none.

    >>> import pandas as pd
    >>> rows = [{"actor": "a", "type": "hide"}, pd.DataFrame({"actor": ["b"], "target": [None]})]
    >>> [row["actor"] for row in rows_within([rows, '{"actor": "c"}', 7])]
    ['a', 'b', 'c']
    >>> next(rows_within(("e1", "a", "b", "end", "unsafe")))["type"]
    'end'
    """
    return _rows(opened(given))


def _rows(given: Any) -> Iterator[DayEvent | Mapping[str, Any]]:
    if isinstance(given, DayEvent):
        yield given
    elif isinstance(given, Mapping):
        yield given
        for value in given.values():
            yield from _rows(value) if isinstance(value, list | Mapping) else ()
    elif isinstance(given, list):
        for one in given:
            yield from _rows(one)
        yield from _rows_without_names(given)
    elif hasattr(given, "__dict__"):
        yield vars(given)


def _rows_without_names(values: list[Any]) -> Iterator[Mapping[str, Any]]:
    """Yield what a list of values may say as an event, by its words; whose they are stands under no name."""
    if len(values) < _FEWEST or any(isinstance(one, list | Mapping) for one in values):
        return
    for kind in filter(is_type, values):
        detail = next((one for one in values if one != kind and is_detail(one)), None)
        others = {str(place): one for place, one in enumerate(values) if one not in {kind, detail}}
        yield {**others, "type": kind, "detail": detail}


def stops_within(
    events: Events, own: Callable[[object], str | None], asked: int
) -> tuple[list[DayEvent], list[DayEvent]]:
    """Return what the events of a page say that stops its own member, and the proofs that end it.

    A proof that was taken back counts where no later one of the tier `asked` stands in the same events; a
    proof that is dated ahead of the clock waits. Nothing ends an erasure.

    own: the account of the member's person that an id means, None for anybody else's. asked: a tier, as a
    position among those of proofs.

    >>> told = {"actor": "a", "target": None, "type": "verified", "detail": ["id", "none"]}
    >>> stops, proofs = stops_within(Events.of(pd.DataFrame(told)), {"a": "a"}.get, 1)
    >>> [(event.actor, event.detail) for event in stops], proofs
    ([('a', 'none')], [])
    """
    frame = events.frame
    chosen = frame[frame[C.TYPE].isin(["verified", "erase"])]
    stopping, verified, latest = (
        list[DayEvent](),
        dict[str, list[DayEvent]](),
        datetime.now(UTC) + CLOCKS_APART,
    )
    for row in chosen.to_dict("records"):
        actor, other = own(row[C.ACTOR]), row.get(C.TARGET)
        if actor is None or not (pd.isna(other) or own(other) is not None):
            continue
        event = _of_page(row, actor)
        if event.type != "verified":
            stopping.append(event)
        elif event.detail == NO_PROOF or event.at <= latest:
            verified.setdefault(actor, []).append(event)
    ends = list[DayEvent]()
    for proofs in verified.values():
        found = standing_proof((one.at, one.detail) for one in proofs)
        if found.are_taken_back[0]:
            tier = found.tier[0] if found.tier[0] >= asked else 0
            last = max((one for one in proofs if tier_of(one.detail) == tier), key=lambda one: one.at)
            (ends if tier else stopping).append(last)
    return stopping, ends


def calls_within(events: Events, own: Callable[[object], str | None]) -> list[DayEvent]:
    """Return the events of a page, by or about its own member, that ask for somebody to look.

    own: as for `stops_within`.

    >>> told = {"actor": "a", "target": ["b", "c"], "type": ["report", "like"], "detail": "minor"}
    >>> [event.target for event in calls_within(Events.of(pd.DataFrame(told)), {"a": "a"}.get)]
    ['b']
    """
    frame, found = events.frame, list[DayEvent]()
    for row in frame[frame[C.TYPE].isin(SEPARATING | {"meet_feedback", "feeling_check"})].to_dict("records"):
        actor, target = (spelled_canonically(row.get(column)) for column in (C.ACTOR, C.TARGET))
        if actor is None or target is None or (own(actor) is None) == (own(target) is None):
            continue
        event, name = replace(_of_page(row, actor), target=target), row.get(C.EVENT)
        if event.type == "report" and event.detail not in EVENT_DETAILS["report"]:
            event = replace(event, detail="other")
        event = replace(event, event_id=name) if isinstance(name, str) and is_event_id(name) else event
        found += [event] if event.calls_for_review else []
    return found


def _of_page(row: Mapping[Any, Any], actor: str) -> DayEvent:
    """Return a row as an event of the day, by a name of its own: those of a page may be mere numbers."""
    kind, detail = str(row[C.TYPE]), row.get(C.DETAIL)
    at = datetime.now(UTC) if pd.isna(row[C.TS]) else row[C.TS].to_pydatetime()
    if kind == "verified" and tier_of(detail) < AGE:
        detail = NO_PROOF
    said = (
        actor,
        kind,
        detail,
        at.isoformat(),
        *([other] if isinstance(other := row.get(C.TARGET), str) else []),
    )
    name = repr(said).encode("utf-8", "surrogatepass")
    word = detail if isinstance(detail, str) else None
    return DayEvent(f"page:{blake2b(name, digest_size=16).hexdigest()}", at, actor, None, kind, word)
