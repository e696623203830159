"""Events: what people did, sorted by time, each event once; as a table and as coded arrays."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.arguments import as_pandas, checked_arguments
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.vocabulary import ENUMERATIONS
from recsys.data.event_ids import with_distinct_ids
from recsys.data.ids import as_ids, repeated
from recsys.data.shared_values import first_seen, ordered
from recsys.data.times import EPOCH, as_utc, microseconds
from recsys.errors import InputError, did_you_mean, explained
from recsys.types import ArrowTable

REQUIRED = (C.ACTOR, C.TARGET, C.TYPE)
OPTIONAL = (C.SURFACE, C.POSITION, C.PROPENSITY, C.MODEL_VERSION, C.DETAIL, C.COUNT, C.REPLY_LAG_H)
WORDS = (C.TYPE, C.DETAIL, C.MODEL_VERSION)
KEPT = (*WORDS, C.TS, C.POSITION, C.PROPENSITY, C.COUNT, C.REPLY_LAG_H)
"""What is read of events beside the two people, once they are sorted."""
CODED = (C.ACTOR, C.TARGET, C.TYPE, C.TS, C.DETAIL, C.COUNT)
"""What `Events.coded` is made of."""
TYPES = ENUMERATIONS[C.TYPE]
LARGE_LOG: Final = 10_000_000
"""Events of which no second form is kept while everybody is put together."""


@dataclass(frozen=True, eq=False)
class CodedEvents:
    """Events as aligned arrays `(n_events,)`, people as positions in `people`, ascending ids.

    actor, target: int64, target -1 for nobody. type: int8 in the vocabulary's order.
    ts: int64 microseconds since 1970 UTC. detail: object, None without. count: float64 messages.
    """

    people: npt.NDArray[np.object_]
    actor: npt.NDArray[np.int64]
    target: npt.NDArray[np.int64]
    type: npt.NDArray[np.int8]
    ts: npt.NDArray[np.int64]
    detail: npt.NDArray[np.object_]
    count: npt.NDArray[np.float64]

    def until(self, as_of: str | pd.Timestamp | None) -> "CodedEvents":
        """Return the events at or before `as_of`, of the same people; None keeps all."""
        if as_of is None:
            return self
        return self.taken(
            slice(np.searchsorted(self.ts, microseconds(as_utc(as_of).floor("us")), side="right"))
        )

    def taken(self, rows: slice | npt.NDArray[np.integer]) -> "CodedEvents":
        """Return some of the events, of the same people."""
        columns = ("actor", "target", "type", "ts", "detail", "count")
        return CodedEvents(self.people, **{name: getattr(self, name)[rows] for name in columns})

    def are(self, *types: str) -> npt.NDArray[np.bool_]:
        """Say which events are of one of `types`."""
        return np.isin(self.type, [TYPES.code(name) for name in types])

    def detailed(self, kind: str, *details: str) -> npt.NDArray[np.bool_]:
        """Say which events are of type `kind` with one of `details`."""
        found = self.are(kind)
        at = np.flatnonzero(found)
        found[at] = np.isin(self.detail[at].astype(str), details)
        return found


@dataclass(frozen=True, eq=False)
class Events:
    """Events by time, then id; build it with `Events.of`, which checks and sorts.

    >>> events = Events.of(pd.DataFrame({"actor": ["a", "b"], "target": ["b", "a"], "type": "like"}))
    >>> len(events), events.frame.type.tolist()
    (2, ['like', 'like'])
    """

    frame: pd.DataFrame

    @classmethod
    def none(cls) -> "Events":
        """Nothing happened.

        >>> len(Events.none())
        0
        """
        return cls.of(pd.DataFrame({column: pd.Series(dtype=object) for column in REQUIRED}))

    @classmethod
    @checked_arguments
    def of(cls, frame: pd.DataFrame | ArrowTable) -> "Events":
        """Return the events of a table; `actor`, `target` and `type` are enough.

        A repeated `event_id` counts once: the earliest is kept. Events of other people, or of another type or
        detail, that have one id are told apart: see `event_ids.with_distinct_ids`. Without `event_id` every
        row is an event; without `ts` all happened at once, long ago. People are named by texts or whole
        numbers, all of one kind.
        Raises InputError for a missing column, an unknown type, a time without a zone, a missing
        time or a missing actor.
        """
        frame = as_pandas(frame, name="frame")
        _refuse_broken(frame)
        times = frame[C.TS] if C.TS in frame else pd.Series(EPOCH, index=frame.index)
        moments = pd.to_datetime(times, utc=True).astype("datetime64[us, UTC]").array
        ids = _event_ids(frame)
        order = _in_order(moments, ids if C.EVENT in frame else None)
        people = as_ids(pd.concat([_ids(frame[C.ACTOR]), _ids(frame[C.TARGET])], ignore_index=True))
        kinds, words = pd.factorize(frame[C.TYPE])
        texts = {
            C.ACTOR: people[: len(frame)],
            C.TARGET: people[len(frame) :],
            C.TYPE: np.asarray(words, dtype=object)[kinds],
        }
        del people, kinds  # large in a large log
        columns = {name: pd.Series(texts.pop(name)[order], dtype=object) for name in tuple(texts)}
        columns[C.EVENT] = ids.iloc[order].reset_index(drop=True)
        columns[C.TS] = pd.Series(moments[order])
        columns |= {c: ordered(frame[c], order) for c in OPTIONAL if c in frame}
        named = (*REQUIRED, C.TS, C.EVENT, *OPTIONAL)
        events = pd.DataFrame(
            {name: columns.get(name) for name in named}, index=pd.RangeIndex(len(frame)), copy=False
        )
        if C.EVENT in frame:
            events = with_distinct_ids(events)
        again = repeated(events[C.EVENT]) if C.EVENT in frame else np.zeros(0, bool)
        return cls(events[~again].reset_index(drop=True) if again.any() else events)

    @classmethod
    @checked_arguments
    def compact_of(cls, checked: pd.DataFrame) -> "Events":
        """Return `Events.of(checked).compact()` without a text for each event, for a large log.

        checked: a table as its contract accepts it, every event once, texts as categories.
        """
        moments = checked[C.TS].array
        order = _in_order(moments, checked[C.EVENT])
        columns: dict[str, pd.Series] = dict(_people_in_order(checked[C.ACTOR], checked[C.TARGET], order))
        for name in KEPT:
            if name in WORDS:
                columns[name] = _few_in_order(checked[name], order)
            else:
                columns[name] = pd.Series(moments[order]) if name == C.TS else ordered(checked[name], order)
        return cls(pd.DataFrame(columns, copy=False))

    def __len__(self) -> int:
        return len(self.frame)

    def __repr__(self) -> str:
        if not len(self):
            return "Events(none)"
        first, last = self.frame[C.TS].iloc[0], self.frame[C.TS].iloc[-1]
        return f"Events({len(self):,} from {first:%Y-%m-%d} to {last:%Y-%m-%d})"

    def _repr_html_(self) -> str:
        return f"<p>{self!r}</p>{self.summary().to_html()}"

    def summary(self) -> pd.DataFrame:
        """Return one row a type that occurs, most frequent first: events, actors, first and last time.

        >>> likes = Events.of(pd.DataFrame({"actor": ["a", "b"], "target": ["b", "a"], "type": "like"}))
        >>> likes.summary()[["events", "actors"]].to_dict("index")
        {'like': {'events': 2, 'actors': 2}}
        """
        by_type = self.frame.groupby(C.TYPE)
        table = pd.DataFrame(
            {
                "events": by_type.size(),
                "actors": by_type[C.ACTOR].nunique(),
                "first": by_type[C.TS].min(),
                "last": by_type[C.TS].max(),
            }
        )
        return table.sort_values("events", ascending=False, kind="stable")

    @property
    def last(self) -> pd.Timestamp | None:
        """The time of the latest event, None when there is none."""
        return self.frame[C.TS].iloc[-1] if len(self.frame) else None

    @property
    def now(self) -> int:
        """The time of the latest event in microseconds since 1970, 0 when there is none."""
        return 0 if self.last is None else microseconds(self.last)

    @checked_arguments
    def until(self, as_of: str | pd.Timestamp | None) -> "Events":
        """Return the events at or before `as_of`; None keeps all."""
        if as_of is None:
            return self
        known = int(self.frame[C.TS].searchsorted(as_utc(as_of).floor("us"), side="right"))
        return self if known == len(self) else Events(self.frame.iloc[:known])

    @checked_arguments
    def moment(self, share: float) -> pd.Timestamp:
        """Return the time by which this share of the events had happened, as a moment to split at.

        Raises InputError when there is no event, or the share is not between 0 and 1.

        >>> days = pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-05"], utc=True)
        >>> table = pd.DataFrame({"actor": "a", "target": "b", "type": "impression", "ts": days})
        >>> Events.of(table).moment(0.5).day
        2
        """
        if not len(self) or not 0.0 <= share <= 1.0:
            problem, got = "no moment in the log", f"a share of {share} of {len(self)} events"
            raise InputError(explained(problem, got=got, remedy="give a share from 0 to 1"))
        times = self.frame[C.TS]
        return pd.Timestamp(times.iloc[min(int(share * len(times)), len(times) - 1)])

    def compact(self) -> "Events":
        """Return the same events in a third of the memory, for a large log.

        Texts are categories, actor and target of the same ascending ones. Left out is what nobody reads
        of sorted events: `event_id` and `surface`.

        >>> likes = Events.of(pd.DataFrame({"actor": ["a", "b"], "target": ["b", "a"], "type": "like"}))
        >>> likes.compact().frame["actor"].cat.codes.tolist()
        [0, 1]
        """
        frame = self.frame
        columns = compact_people(*_coded_people(frame[C.ACTOR], frame[C.TARGET]))
        there = [name for name in KEPT if name in frame]
        kept = {name: _few(frame[name]) if name in WORDS else frame[name] for name in there}
        return Events(pd.DataFrame(columns | kept, copy=False))

    def without_erased(self) -> "Events":
        """Return the events without any row of people who were erased."""
        erased = self.frame.loc[self.frame[C.TYPE] == "erase", C.ACTOR].unique()
        if not len(erased):
            return self
        of_erased = self.frame[C.ACTOR].isin(erased) | self.frame[C.TARGET].isin(erased)
        return Events(self.frame[~of_erased].reset_index(drop=True))

    @checked_arguments
    def of_types(self, *types: str) -> "Events":
        """Return the events of some types.

        >>> likes = Events.of(pd.DataFrame({"actor": ["a", "b"], "target": ["b", "a"], "type": "like"}))
        >>> len(likes.of_types("like")), len(likes.of_types("block", "report"))
        (2, 0)
        """
        return Events(self.frame[self.frame[C.TYPE].isin(types)].reset_index(drop=True))

    @checked_arguments
    def of_pair(self, a: str, b: str) -> "Events":
        """Return what two people did to each other, and what each did alone."""
        actor, target = self.frame[C.ACTOR], self.frame[C.TARGET]
        inside = actor.isin([a, b]) & (target.isin([a, b]) | target.isna())
        return Events(self.frame[inside].reset_index(drop=True))

    @cached_property
    def coded(self) -> CodedEvents:
        """The same events as arrays, coded once."""
        frame = self.frame
        people, actor, target = _coded_people(frame[C.ACTOR], frame[C.TARGET])
        types = pd.Categorical(frame[C.TYPE], categories=list(TYPES.words))
        return CodedEvents(
            people=people,
            actor=actor,
            target=target,
            type=np.asarray(types.codes, dtype=np.int8),
            ts=frame[C.TS].astype("int64").to_numpy().astype(np.int64),
            detail=frame[C.DETAIL].to_numpy(object),
            count=pd.to_numeric(frame[C.COUNT]).fillna(1).to_numpy(np.float64),
        )

    def for_relations(self) -> "Events":
        """Return what relations are made of: all but whom somebody was shown, of a large log."""
        if len(self) <= LARGE_LOG:
            return self
        return self.of_types(*(word for word in TYPES.words if word != "impression"))

    def forget_coded(self) -> None:
        """Free the arrays of `coded`, as large as the events; they are made again when asked for."""
        self.__dict__.pop("coded", None)


def compact_people(
    people: npt.NDArray[np.object_], actor: npt.NDArray[np.integer], target: npt.NDArray[np.integer]
) -> dict[str, pd.Series]:
    """Return actor and target of `Events.compact`: positions in `people`, ascending, as categories."""
    kind = pd.CategoricalDtype(pd.Index(people, dtype=object))
    return {
        name: pd.Series(pd.Categorical.from_codes(codes.astype(np.int32, copy=False), dtype=kind))
        for name, codes in ((C.ACTOR, actor), (C.TARGET, target))
    }


def _coded_people(
    actor: pd.Series, target: pd.Series
) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the people of both columns, ascending, and the position of each row's; -1 for nobody."""
    if isinstance(actor.dtype, pd.CategoricalDtype) and actor.dtype == target.dtype:
        return _of_categories(actor, target)
    codes, people = pd.factorize(pd.concat([actor, target], ignore_index=True), sort=True)
    codes = codes.astype(np.int64, copy=False)
    return np.asarray(people, dtype=object), codes[: len(actor)], codes[len(actor) :]


def _of_categories(
    actor: pd.Series, target: pd.Series
) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the same for ascending categories, which may name people of no row."""
    words = actor.cat.categories.to_numpy(object)
    codes = [side.cat.codes.to_numpy() for side in (actor, target)]
    named = np.zeros(len(words) + 1, bool)  # the last, at -1, is nobody
    for side in codes:
        named[side] = True
    named[-1] = False
    place = np.where(named, np.cumsum(named) - 1, -1)
    return words[named[:-1]], place[codes[0]], place[codes[1]]


def _people_in_order(
    actor: pd.Series, target: pd.Series, order: npt.NDArray[np.intp]
) -> dict[str, pd.Series]:
    """Return both columns in another order, as categories of everybody in either, ascending."""
    sides = [(side.cat.codes.to_numpy(), side.cat.categories.to_numpy(object)) for side in (actor, target)]
    people = np.unique(np.concatenate([words[_used(codes, len(words))] for codes, words in sides]))
    known = pd.Index(people, dtype=object)
    places = (np.append(known.get_indexer(pd.Index(words, dtype=object)), -1) for _, words in sides)
    return compact_people(
        people, *(place[codes[order]] for place, (codes, _) in zip(places, sides, strict=True))
    )


def _used(codes: npt.NDArray[np.integer], n: int) -> npt.NDArray[np.bool_]:
    """Say which of `n` categories a row holds."""
    used = np.zeros(n + 1, bool)  # the last, at -1, is none
    used[codes] = True
    return used[:-1]


def _few_in_order(values: pd.Series, order: npt.NDArray[np.intp]) -> pd.Series:
    """Return categories in another order of rows; they are themselves in the order they first come."""
    words = values.cat.categories.to_numpy(object)
    codes, seen = first_seen(values.cat.codes.to_numpy()[order], len(words))
    return pd.Series(pd.Categorical.from_codes(codes, categories=pd.Index(words[seen], dtype=object)))


def _few(values: pd.Series) -> pd.Series:
    """Return texts as categories, each kept once."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values
    codes, words = pd.factorize(values)
    return pd.Series(pd.Categorical.from_codes(codes, categories=pd.Index(words, dtype=object)))


def _refuse_broken(frame: pd.DataFrame) -> None:
    missing = [column for column in REQUIRED if column not in frame]
    if missing:
        raise InputError(explained("events need more columns", got=list(frame), remedy=f"add {missing}"))
    unknown = _unknown_types(frame[C.TYPE])
    if unknown:
        raise InputError(
            explained("unknown event type", got=unknown[0], remedy=did_you_mean(unknown[0], TYPES.words))
        )
    if frame[C.ACTOR].isna().any():
        row = int(frame[C.ACTOR].isna().to_numpy().argmax())
        raise InputError(explained("an event without an actor", where=f"row {row}", remedy="name who did it"))
    if C.TS not in frame:
        return
    if frame[C.TS].isna().any():
        row = int(frame[C.TS].isna().to_numpy().argmax())
        raise InputError(explained("an event without a time", where=f"row {row}", remedy="say when, in UTC"))
    if isinstance(frame[C.TS].dtype, pd.DatetimeTZDtype):
        return
    bare = pd.api.types.is_datetime64_dtype(frame[C.TS])
    if bare or any(pd.Timestamp(time).tzinfo is None for time in frame[C.TS]):
        raise InputError(explained("event times need a zone", got=str(frame[C.TS].dtype), remedy="use UTC"))


def _unknown_types(types: pd.Series) -> list[str]:
    known: Iterable[str] = TYPES.words
    return [str(word) for word in types.unique() if word not in set(known)]


def _ids(column: pd.Series) -> pd.Series:
    """Return a column of ids, nothing at all as a column of no kind."""
    return pd.Series([None] * len(column), dtype=object) if column.isna().all() else column


def _event_ids(frame: pd.DataFrame) -> pd.Series:
    """Return the id of each event: its own, or its row; texts packed when they are given so."""
    if C.EVENT not in frame:
        return pd.Series([f"e{row:012d}" for row in range(len(frame))], dtype=object)
    given = frame[C.EVENT].reset_index(drop=True)
    return given if isinstance(given.dtype, pd.StringDtype) else given.astype(object)


def _in_order(moments: Any, ids: pd.Series | None) -> npt.NDArray[np.intp]:
    """Return the order by time, then id; ids are compared only where times tie, and not if None."""
    ts = np.asarray(moments.view("int64"), np.int64)
    order = np.argsort(ts, kind="stable")
    if ids is None:
        return order
    tied = np.zeros(len(ts), bool)
    same = ts[order][1:] == ts[order][:-1]
    tied[1:] |= same
    tied[:-1] |= same
    among = order[tied]
    known = ids.iloc[among].array
    if bool(np.asarray((known[:-1] <= known[1:])[ts[among][1:] == ts[among][:-1]]).all()):
        return order
    order[tied] = among[np.lexsort((ids.iloc[among].to_numpy(object).astype(str), ts[among]))]
    return order
