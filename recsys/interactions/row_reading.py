"""Reads rows of an interaction table: ids, event types, places, and the quarantine of unusable rows."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.data.ids import as_ids, canonical_spelling
from recsys.errors import InputError, UnknownIdError, did_you_mean, explained, need_columns, shown, warn
from recsys.interactions.binarize import IMPRESSION, LIKE, Like, event_types
from recsys.interactions.lone_times import times_alone
from recsys.interactions.time_formats import utc_times
from recsys.types import Float64Array, ObjectArray


@dataclass(frozen=True, slots=True)
class IdMap:
    """The map between external and internal ids of one side; internal ones may carry the side's name.

    Texts and whole numbers of one community are internal ids as they are, a UUID becomes its text. Where two
    columns name different kinds (users and films), an id gets its side in front, so that user 1 and film 1
    are two.

    >>> IdMap("film").to_internal([1, None]).tolist(), IdMap("film").to_external(["film:1"]).tolist()
    (['film:1', None], [1])
    >>> IdMap(uuid=True).to_external(["6f9619ff-8b86-4d11-b42d-00c04fc964ff"])[0]
    UUID('6f9619ff-8b86-4d11-b42d-00c04fc964ff')
    """

    side: str = ""
    whole: bool = True
    uuid: bool = False

    @classmethod
    def of(cls, side: str, ids: ObjectArray, *, uuid: bool = False) -> "IdMap":
        """Return the names of a side whose ids are `ids`, texts of UUIDs if `uuid`.

        Raises InputError when the side's own name would make ids ambiguous.
        """
        if ":" in side:
            raise InputError(explained("the name of a side holds a colon", got=side, remedy="leave it out"))
        known = ids[pd.notna(ids)]
        return cls(side, whole=len(known) > 0 and not isinstance(known[0], str), uuid=uuid)

    def to_internal(self, ids: npt.ArrayLike | pd.Series | list[object]) -> ObjectArray:
        """Return the internal ids, None where one is missing.

        Raises InputError when ids are neither texts nor whole numbers.
        """
        read = as_ids(texts_of_uuids(ids)[0])
        if not self.side:
            return read
        codes, distinct = pd.factorize(read)
        written = [f"{self.side}:{one}" for one in distinct]
        return np.array([*written, None], dtype=object)[codes]

    def to_external(self, ids: npt.ArrayLike | pd.Series | list[str]) -> ObjectArray:
        """Return the external ids of internal ids of this side.

        Raises UnknownIdError for an id of another side.
        """
        named = np.asarray(ids, dtype=object)
        if not self.side:
            return np.array([UUID(one) for one in named], dtype=object) if self.uuid else named
        start = f"{self.side}:"
        codes, distinct = pd.factorize(named)
        foreign = [one for one in distinct if not str(one).startswith(start)]
        if foreign:
            raise UnknownIdError(explained(f"not an id of the side '{self.side}'", got=foreign[0]))
        back = [one[len(start) :] for one in distinct]
        read = UUID if self.uuid else int if self.whole else str
        return np.array([read(one) for one in back], dtype=object)[codes]


def texts_of_uuids(ids: npt.ArrayLike | pd.Series | list[object]) -> tuple[Any, bool]:
    """Return ids in which UUIDs are texts, and whether there were any.

    >>> texts_of_uuids([1, 2])
    ([1, 2], False)
    """
    kind = ids.dtype.kind if isinstance(ids, pd.Series | np.ndarray) else "O"
    if kind != "O" or not isinstance(ids, list | pd.Series | np.ndarray):
        return ids, False
    values = pd.Series(ids, dtype=object)
    first = values.first_valid_index()
    if first is None or not isinstance(values.loc[first], UUID):
        return ids, False
    return values.map(lambda one: str(one) if isinstance(one, UUID) else one), True


ROW_NUMBER: Final = "row_number"
CODES: Final = "codes"
REASON: Final = "reason"

_REASONS: Final = {
    "viewer.missing": "nobody is named who acted",
    "candidate.missing": "nobody is named towards whom",
    "pair.self": "somebody acted towards themself",
    "outcome.missing": "no outcome, or one declared to mean nothing",
    "outcome.unreadable": "an outcome that like= does not name, or no number among numbers",
    "ts.missing": "no time",
    "ts.unreadable": "a time that is not written as the others are",
    "ts.alone": "a time further from all others than these lie apart, and than a year",
}


@dataclass(frozen=True, slots=True)
class TableColumns:
    """The columns of a foreign table, by name; None where the table has none.

    viewer: who acted. candidate: towards whom. outcome: the feedback; None: every row is a like.
    ts: when; None: rows stand in the order in which things happened. ts_format: how all times were read, see
    `recsys.interactions.time_formats`. position: place of an impression in its list, 1 first.
    """

    viewer: str
    candidate: str
    outcome: str | None
    ts: str | None
    ts_format: str | None = None
    position: str | None = None

    def checked(self, frame: pd.DataFrame) -> None:
        """Raise InputError when a column is not in a table."""
        known = [str(column) for column in frame.columns]
        for name in (self.viewer, self.candidate, self.outcome, self.ts, self.position):
            if name is not None and name not in frame.columns:
                remedy = did_you_mean(str(name), known)
                raise InputError(explained("no such column", where="interactions", got=name, remedy=remedy))
            if name is not None:
                need_columns([name], frame.columns, where="interactions")


def read_rows(
    frame: pd.DataFrame, read: TableColumns, like: Like, sides: tuple[str, str]
) -> tuple[pd.DataFrame, pd.DataFrame, tuple[IdMap, IdMap], TableColumns]:
    """Return usable rows (actor, target, type, ts) in order of time, refused rows, names, and the reading.

    sides: the names of the viewers' and the candidates' side, both "" for one community.
    """
    read.checked(frame)
    table = frame.reset_index(drop=True)
    (viewers, some), (candidates, others) = _ids(table, read)
    if not any(sides):
        _refuse_two_types(viewers, candidates, read)
    _warn_of_blanks(viewers, candidates, read)
    _warn_of_capitals(viewers, candidates, read)
    names = (IdMap.of(sides[0], viewers, uuid=some), IdMap.of(sides[1], candidates, uuid=others))
    actor, target = names[0].to_internal(viewers), names[1].to_internal(candidates)
    types = (
        np.full(len(table), LIKE, dtype=object)
        if read.outcome is None
        else event_types(table[read.outcome], like)
    )
    times, done = _in_row_order(len(table)), read
    if read.ts is not None:
        times, time_format = utc_times(table[read.ts], read.ts_format)
        done = replace(read, ts_format=time_format)
    there = pd.notna(actor) & (actor != ""), pd.notna(target) & (target != "")
    violations = {
        "viewer.missing": ~there[0],
        "candidate.missing": ~there[1],
        "pair.self": there[0] & there[1] & (actor == target),
        **_why_none("outcome", pd.isna(types), _says_nothing(table, read.outcome, like)),
        **_why_none("ts", times.isna().to_numpy(bool), _says_nothing(table, read.ts)),
        "ts.alone": np.zeros(len(table), bool) if read.ts is None else times_alone(times.rename(read.ts)),
    }
    refused = np.logical_or.reduce(list(violations.values()))
    order = np.argsort(times.astype("int64").to_numpy(np.int64), kind="stable")
    order = order[~refused[order]]
    kept = pd.DataFrame(
        {
            C.ACTOR: pd.Series(actor[order], dtype=object),
            C.TARGET: pd.Series(target[order], dtype=object),
            C.TYPE: pd.Series(types[order], dtype=object),
            C.TS: times.array[order],
        }
    )
    if read.ts is not None:
        kept = _in_row_order_at_one_time(kept)
    if read.position is not None:
        kept = _with_own_impressions(kept.assign(**{C.POSITION: _places(table[read.position])[order]}))
    return kept, _quarantine(table, read, violations, np.flatnonzero(refused)), names, done


def _why_none(
    kind: str, none: npt.NDArray[np.bool_], says_nothing: npt.NDArray[np.bool_]
) -> dict[str, npt.NDArray[np.bool_]]:
    """Return by code where nothing was given, and where what was given could not be read."""
    return {f"{kind}.missing": none & says_nothing, f"{kind}.unreadable": none & ~says_nothing}


def _says_nothing(table: pd.DataFrame, column: str | None, like: Like = None) -> npt.NDArray[np.bool_]:
    """Say in which rows a column has no value, or one that `like` declares to mean nothing."""
    if column is None:
        return np.ones(len(table), dtype=bool)
    given = table[column]
    blank = given.isna() | given.astype("string").str.strip().eq("").fillna(True)
    if isinstance(like, Mapping):
        blank |= given.isin([one for one, event in like.items() if event is None])
    return blank.to_numpy(bool)


def _ids(
    table: pd.DataFrame, read: TableColumns
) -> tuple[tuple[ObjectArray, bool], tuple[ObjectArray, bool]]:
    """Return the ids of both columns, each with whether they came as UUIDs."""
    found = []
    for name in (read.viewer, read.candidate):
        try:
            texts, uuids = texts_of_uuids(table[name].reset_index(drop=True))
            found.append((as_ids(texts), uuids))
        except InputError as error:
            raise InputError(f"column '{name}': {error}, for example with .astype(str)") from None
    return found[0], found[1]


def _with_own_impressions(kept: pd.DataFrame) -> pd.DataFrame:
    """Return rows in which what was answered at a place was shown there: an impression stands before it."""
    placed, shown = kept[C.POSITION].notna(), kept[C.TYPE].eq(IMPRESSION)
    where = [C.ACTOR, C.TARGET, C.POSITION]
    known = pd.MultiIndex.from_frame(kept.loc[placed & shown, where])
    answered = kept[placed & ~shown]
    own = answered[~pd.MultiIndex.from_frame(answered[where]).isin(known)].assign(**{C.TYPE: IMPRESSION})
    rest = kept.assign(**{C.POSITION: kept[C.POSITION].where(shown)})
    return pd.concat([own, rest]).sort_index(kind="stable").reset_index(drop=True)


def _refuse_two_types(viewers: ObjectArray, candidates: ObjectArray, read: TableColumns) -> None:
    """Raise InputError where one column holds texts and the other whole numbers, which no id equals."""
    texts = {
        name: isinstance(known.iloc[0], str)
        for name, ids in ((read.viewer, viewers), (read.candidate, candidates))
        if len(known := pd.Series(ids, dtype=object).dropna())
    }
    if len(set(texts.values())) > 1:
        got = " and ".join(
            f"{'texts' if text else 'whole numbers'} in '{name}'" for name, text in texts.items()
        )
        remedy = "make both texts, such as frame.astype({...: str}), or name two kinds with sides="
        raise InputError(explained("ids of two types", where="interactions", got=got, remedy=remedy))


def _warn_of_blanks(viewers: ObjectArray, candidates: ObjectArray, read: TableColumns) -> None:
    """Warn of ids that differ from another one by blanks around them alone: they are two people."""
    columns = {read.viewer: pd.unique(viewers), read.candidate: pd.unique(candidates)}
    texts = {name: [one for one in ids if isinstance(one, str)] for name, ids in columns.items()}
    bare = {one for known in texts.values() for one in known if one and one == one.strip()}
    for name, known in texts.items():
        doubled = [one for one in known if one != one.strip() and one.strip() in bare]
        if doubled:
            got = f"{len(doubled):,} ids, such as {doubled[0]!r}"
            remedy = f"drop the blanks: frame[{name!r}].str.strip()"
            warn(
                explained(
                    "ids that differ in blanks alone are two people", where=name, got=got, remedy=remedy
                )
            )


def _warn_of_capitals(viewers: ObjectArray, candidates: ObjectArray, read: TableColumns) -> None:
    """Warn of texts of UUIDs that differ in capitals alone, as two systems write them: they are two people.

    Of other ids capitals may tell people apart.
    """
    columns = {read.viewer: pd.unique(viewers), read.candidate: pd.unique(candidates)}
    every = {one for ids in columns.values() for one in ids if isinstance(one, str)}
    for name, ids in columns.items():
        low = ((one, one.lower()) for one in ids if isinstance(one, str) and len(one) == _LENGTH_OF_A_UUID)
        doubled = [
            one for one, small in low if small != one and small in every and canonical_spelling(one) == small
        ]
        if doubled:
            got = f"{len(doubled):,} ids, such as {doubled[0]!r}"
            what, remedy = (
                "UUIDs that differ in capitals alone are two people",
                f"frame[{name!r}].str.lower()",
            )
            warn(explained(what, where=name, got=got, remedy=f"write them in one way: {remedy}"))


_LENGTH_OF_A_UUID: Final = 36


def _places(column: pd.Series) -> Float64Array:
    """Return places in a list from 1, NaN where there is none; a column whose least is 0 counts from 0.

    Raises InputError for what is no place, and where 0 may say that a place is not known: every list has a
    first place, so there are about as many first as second ones.
    """
    places = pd.to_numeric(column, errors="coerce").to_numpy(np.float64)
    wrong = column.notna().to_numpy() & ~((places >= 0.0) & (places == np.floor(places)))
    if wrong.any():
        what, got = "no place in a list", column[wrong].iloc[0]
        remedy = "give whole numbers, 1 the first place, and nothing where there is none"
        raise InputError(explained(what, where=str(column.name), got=got, remedy=remedy))
    n_first, n_second = int((places == 0.0).sum()), int((places == 1.0).sum())
    few, many = sorted((n_first, n_second))
    if few and many > 3 * few + 10:
        got = f"{n_first:,} times 0, {n_second:,} times 1"
        remedy = "add 1 to places that count from 0, and leave those empty that are not known"
        what = "0 may be the first place, or none"
        raise InputError(explained(what, where=str(column.name), got=got, remedy=remedy))
    return places + (n_first > 0)


def _in_row_order(n_rows: int) -> pd.Series:
    """Return times that say no more than which row came first."""
    micros = np.arange(n_rows, dtype=np.int64)
    return pd.Series(pd.to_datetime(micros, unit="us", utc=True)).astype("datetime64[us, UTC]")


def _in_row_order_at_one_time(kept: pd.DataFrame) -> pd.DataFrame:
    """Move what one person said of another at the same time apart by microseconds: the last row stands.

    Times of whole days or seconds leave the order to the rows.
    """
    decided = kept[kept[C.TYPE].isin([LIKE, "pass", "hide"])]
    again = decided.duplicated([C.ACTOR, C.TARGET, C.TS], keep=False)
    if not again.any():
        return kept
    said = decided[again]
    later = said.groupby([C.ACTOR, C.TARGET, C.TS], sort=False).cumcount()
    times = kept[C.TS].copy()
    times.loc[said.index] += pd.to_timedelta(later, unit="us")
    return kept.assign(**{C.TS: times}).sort_values(C.TS, kind="stable", ignore_index=True)


def _quarantine(
    table: pd.DataFrame,
    read: TableColumns,
    violations: dict[str, npt.NDArray[np.bool_]],
    at: npt.NDArray[np.intp],
) -> pd.DataFrame:
    """Return the refused rows: their number, every code and reason, and what was given as short text."""
    found = [[code for code, wrong in violations.items() if wrong[row]] for row in at]
    given = [name for name in (read.viewer, read.candidate, read.outcome, read.ts) if name is not None]
    columns: dict[str, object] = {
        ROW_NUMBER: at.astype(np.int64),
        CODES: pd.Series(["|".join(codes) for codes in found], dtype=object),
        REASON: pd.Series(["; ".join(_REASONS[code] for code in codes) for codes in found], dtype=object),
    }
    columns |= {name: pd.Series([shown(v) for v in table[name].iloc[at]], dtype=object) for name in given}
    return pd.DataFrame(columns)


FEWEST_TO_TELL: Final = 10
"""Rows from which on it is remarkable that all are alike, or many are set aside."""
MOST_SET_ASIDE: Final = 0.1
"""Share of rows set aside above which a warning counts them."""
_REMEDIES: Final = {
    "outcome.unreadable": "say with like= what every answer is, such as {'yes': 'like', 'no': 'pass'}, and "
    "None for what means nothing",
    "ts.unreadable": "bring all times into one unit or format, and say which with ts_format=",
}


def warn_of_many_set_aside(
    refused: pd.DataFrame, table: pd.DataFrame, outcome: str | None, like: Like
) -> None:
    """Warn where there is no row, or more than a tenth cannot be used and is not declared to mean nothing."""
    if not len(table):
        warn(explained("no row", where="the table of interactions", remedy="check what it was read from"))
    if outcome is not None and isinstance(like, Mapping):
        nothing = [answer for answer, event in like.items() if event is None]
        declared = table[outcome].iloc[refused[ROW_NUMBER]].isin(nothing).to_numpy(bool)
        refused = refused[~declared | (refused[CODES] != "outcome.missing").to_numpy(bool)]
    if len(table) < FEWEST_TO_TELL or len(refused) <= MOST_SET_ASIDE * len(table):
        return
    counts = [f"{n:,} {reason}" for reason, n in refused[REASON].value_counts().items()]
    got = f"{len(refused):,} of {len(table):,}: {'; '.join(counts)}"
    codes = set("|".join(refused[CODES]).split("|"))
    remedies = [remedy for code, remedy in _REMEDIES.items() if code in codes]
    warn(explained("many rows are set aside", got=got, remedy="; ".join([*remedies, "see log.quarantine"])))
