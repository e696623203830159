"""Rows as of a moment: which version of a row was valid then, and what rows dated after it restrict."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.vocabulary import ENUMERATIONS, IN_PERSON_INTENTS
from recsys.data.id_spellings import are_told_apart


def latest(
    table: pd.DataFrame, keys: list[str], as_of: pd.Timestamp, time: str = C.VALID_FROM
) -> pd.DataFrame:
    """Return, for each key, the last row known at `as_of`; a row without a time holds from the start.

    >>> rows = pd.DataFrame({"user_id": ["a", "a"], "gender": ["man", "woman"],
    ...                      "valid_from": pd.to_datetime(["2026-01-01", "2026-02-01"], utc=True)})
    >>> latest(rows, ["user_id"], pd.Timestamp("2026-01-15", tz="UTC")).gender.tolist()
    ['man']
    """
    if time not in table or table.empty:
        return table
    known = np.flatnonzero(~(table[time] > as_of))
    times = pd.Series(table[time].array[known])
    by_time = known[times.sort_values(na_position="first", kind="stable").index]
    last = ~table[keys].iloc[by_time].duplicated(keep="last").to_numpy(bool)
    return table.iloc[by_time[last]]


def latest_time(tables: Mapping[str, pd.DataFrame]) -> pd.Timestamp | None:
    """Return the latest time in any row of accepted tables, None where no row has one.

    >>> latest_time({"blocks": pd.DataFrame({"ts": pd.to_datetime(["2026-01-02", None], utc=True)})})
    Timestamp('2026-01-02 00:00:00+0000', tz='UTC')
    """
    times = [frame[c].max() for frame in tables.values() for c in (C.TS, C.VALID_FROM) if c in frame]
    known = [time for time in times if pd.notna(time)]
    return max(known) if known else None


def latest_holds(holds: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return the last row known at `as_of` of each hold: of one person and owner."""
    named = [name for name in (C.USER, C.OWNER) if name in holds]
    return latest(holds, named, as_of, time=C.TS)


def present_rows(
    rows: pd.DataFrame, as_of: pd.Timestamp, later: pd.DataFrame | None, tokens: pd.Series | None = None
) -> pd.DataFrame:
    """Return the row of each person that holds, tightened by whatever may be a later word of theirs.

    tokens: person tokens by id; those of the rows' own column when None.
    """
    present = tightened(latest(rows, [C.USER], as_of), later)
    present = tightened(present, undated_beside_dated(rows))
    return tightened(present, in_other_capitals(present, tokens))


_OF_OTHERS: Final = (C.MANDATORY, C.ACCEPTED, C.VISIBILITY)
"""Columns of an answer that say what others have to have said, and what they are told."""
_HIDDEN: Final = "match_only"
_Strictest = Callable[[Any, Any], Any]
"""Takes a value of the present and one of a later time, either may be None for unknown."""


def _both(now: Any, then: Any) -> Any:
    """Return what two sets share; an unknown one closes."""
    if now is None or then is None:
        return None
    return tuple(word for word in now if word in set(then))


def _intents(now: Any, then: Any) -> Any:
    """Return what both want; unknown when only one of them is to meet in person, where distance matters."""
    shared = _both(now, then)
    in_person = [bool(set(IN_PERSON_INTENTS) & set(wants or ())) for wants in (now, then, shared)]
    return shared if len(set(in_person)) == 1 else None


def _wish(now: Any, then: Any) -> Any:
    """Return what two wishes share; who wishes nothing takes everybody."""
    if now is None or then is None:
        return now if then is None else then
    return tuple(word for word in now if word in set(then))


def _either(now: Any, then: Any) -> Any:
    return tuple(dict.fromkeys([*(now or ()), *(then or ())])) or None


def _least(now: Any, then: Any) -> Any:
    return None if now is None or then is None else min(now, then)


def _most(now: Any, then: Any) -> Any:
    return None if now is None or then is None else max(now, then)


def _latest_start(now: Any, then: Any) -> Any:
    """Return the higher of two lower ends; who gives none wishes none."""
    return max((one for one in (now, then) if one is not None), default=None)


def _earliest_end(now: Any, then: Any) -> Any:
    return min((one for one in (now, then) if one is not None), default=None)


def _same(now: Any, then: Any) -> Any:
    return now if now == then else None


def _state(now: Any, then: Any) -> Any:
    worst = {"banned": 3, "hold": 2, "erasing": 2, "paused": 1, "active": 0}
    return None if now is None or then is None else max(now, then, key=lambda word: worst[word])


def _proof(now: Any, then: Any) -> Any:
    order = ENUMERATIONS[C.VERIFICATION].words
    return None if now is None or then is None else min(now, then, key=order.index)


def _band(now: Any, then: Any) -> Any:
    """Return the age band of the present, unknown where a later time no longer proves one."""
    return None if then is None else now


def _discretion(now: Any, then: Any) -> Any:
    return None if now is None or then is None else max(now, then, key=("open", "liked_only").index)


_STRICTEST: Final[Mapping[str, _Strictest]] = MappingProxyType(
    {
        C.ACCOUNT_STATE: _state,
        C.VERIFICATION: _proof,
        C.AGE_BAND: _band,
        C.DISCRETION: _discretion,
        C.ACCEPTS_AGE_BANDS: _wish,
        C.MEETS_GENDERS: _wish,
        C.ACCEPTS_HOUSEHOLD_STATUS: _both,
        C.MIN_AGE_YEARS: _latest_start,
        C.MAX_AGE_YEARS: _earliest_end,
        C.HOUSEHOLD_STATUS: _same,
        C.INTENTS: _intents,
        C.LANGUAGES: _both,
        C.MAX_DISTANCE_KM: _least,
        C.MIN_DISTANCE_KM: _most,
        C.MAX_COMPANIONS: _least,
        C.CONTACT_FREQUENCY: _same,
        C.CHANNELS: _both,
        C.CONTACT_WINDOWS: _both,
        C.MEETING_SETTINGS: _both,
        C.ROMANCE_LINE: _same,
        C.PHYSICAL_LINE: _same,
        C.FINANCIAL_LINE: _same,
        C.TOPICS_AVOID: _either,
    }
)


def tightened(present: pd.DataFrame, later: pd.DataFrame | None) -> pd.DataFrame:
    """Return the present rows, one a person, tightened by every row of theirs of a later time.

    Both are canonical tables of profiles or of boundaries. People with later rows alone are not there yet.

    >>> now = pd.DataFrame({"user_id": ["a", "b"], "account_state": ["active", "active"]})
    >>> then = pd.DataFrame({"user_id": ["a", "c"], "account_state": ["banned", "active"]})
    >>> tightened(now, then).account_state.tolist()
    ['banned', 'active']
    """
    if later is None or later.empty or present.empty:
        return present
    rows = {user: at for at, user in enumerate(present[C.USER])}
    known = [(rows[user], at) for at, user in enumerate(later[C.USER]) if user in rows]
    if not known:
        return present
    found = present.reset_index(drop=True).copy()
    for column, strictest in _STRICTEST.items():
        if column not in found or column not in later:
            continue
        values, new = found[column].astype(object).to_numpy(object, copy=True), later[column].to_numpy(object)
        for row, at in known:
            values[row] = strictest(_known(values[row]), _known(new[at]))
        found[column] = pd.Series(values, dtype=object).astype(found[column].dtype)
    for column in {C.ACCEPTS_AGE_BANDS, C.MEETS_GENDERS} & set(found):  # an empty wish would be everybody
        nobody = found[column].map(lambda wish: isinstance(wish, tuple) and not wish).to_numpy(bool)
        touched = np.isin(np.arange(len(found)), [row for row, _ in known])
        found.loc[nobody & touched, C.ACCOUNT_STATE] = None
    return found


def present_answers(rows: pd.DataFrame, as_of: pd.Timestamp, later: pd.DataFrame | None) -> pd.DataFrame:
    """Return the answer of each person to each question that holds, with what later words require and hide.

    A mandatory answer of a later time, or an undated one beside a dated one, is mandatory from now on: of the
    present one and it, what both accept is accepted. One that is not public hides the present one. What it
    says of its person waits until it is due.

    >>> now = pd.DataFrame({"user_id": ["a"], "question_id": ["pets"], "answer": ["no"], "mandatory": [False],
    ...                     "accepted": [None], "importance": [0], "visibility": ["public"]})
    >>> then = now.assign(answer="yes", mandatory=True, accepted=[("no",)])
    >>> found = present_answers(now, pd.Timestamp(0, tz="UTC"), then)
    >>> found[["answer", "mandatory", "accepted"]].values.tolist()
    [['no', True, ('no',)]]
    """
    keys = [C.USER, C.QUESTION]
    present = latest(rows, keys, as_of)
    for more in (later, undated_beside_dated(rows, keys)):
        present = _narrowed(present, more)
    return present


def _narrowed(present: pd.DataFrame, later: pd.DataFrame | None) -> pd.DataFrame:
    """Return the present answers, one a person and question, with what later rows require and hide."""
    if later is None or later.empty or not {*_OF_OTHERS} <= set(present) & set(later):
        return present
    requires = later[C.MANDATORY].eq(True).fillna(False).to_numpy(bool)
    hides = later[C.VISIBILITY].ne("public").fillna(True).to_numpy(bool)
    telling = requires | hides
    words = later[telling]
    if words.empty:
        return present
    found = present.reset_index(drop=True)
    own = np.flatnonzero(found[C.USER].isin(words[C.USER]))
    place = dict(zip(_keys(found.iloc[own]), own, strict=True))
    mandatory, accepted, visible = (
        found[one].astype(object).to_numpy(object, copy=True) for one in _OF_OTHERS
    )
    new: dict[tuple[str, str], Any] = {}
    for key, then, is_required, is_hidden in zip(
        _keys(words), words[C.ACCEPTED], requires[telling], hides[telling], strict=True
    ):
        row = place.get(key)
        if row is not None and is_hidden:
            visible[row] = _HIDDEN
        if row is not None and is_required:
            now = _known(accepted[row]) if mandatory[row] is True else _known(then)
            mandatory[row], accepted[row] = True, _both(now, _known(then)) or ()
        elif is_required:
            new[key] = _both(new.get(key, _known(then)), _known(then)) or ()
    for column, values in zip(_OF_OTHERS, (mandatory, accepted, visible), strict=True):
        found[column] = pd.Series(values, dtype=object).astype(found[column].dtype)
    return found if not new else pd.concat([found, _requirements(new, found)], ignore_index=True)


def _requirements(new: Mapping[tuple[str, str], Any], like: pd.DataFrame) -> pd.DataFrame:
    """Return rows of people and questions that require something and answer nothing, typed as others."""
    added = pd.DataFrame([*new], columns=[C.USER, C.QUESTION])
    added[C.MANDATORY], added[C.IMPORTANCE], added[C.VISIBILITY] = True, 0, _HIDDEN
    added[C.ACCEPTED] = pd.Series([*new.values()], dtype=object)
    return added.reindex(columns=like.columns).astype(like.dtypes.to_dict())


def _keys(answers: pd.DataFrame) -> list[tuple[str, str]]:
    return [*zip(answers[C.USER], answers[C.QUESTION], strict=True)]


def undated_beside_dated(rows: pd.DataFrame, keys: Sequence[str] = (C.USER,)) -> pd.DataFrame:
    """Return the undated rows of keys that have a dated one: nobody knows which is the later word.

    rows: accepted profiles, boundaries or answers. keys: of what a row is the word.

    >>> rows = pd.DataFrame({"user_id": ["a", "a", "b"], "valid_from": [pd.NaT, pd.Timestamp(0), pd.NaT]})
    >>> undated_beside_dated(rows).user_id.tolist()
    ['a']
    """
    if C.VALID_FROM not in rows:
        return rows[:0]
    undated = rows[C.VALID_FROM].isna().to_numpy(bool)
    if not undated.any() or undated.all():
        return rows[:0]
    found, dated = rows[undated], rows.loc[~undated, [*keys]]
    dated = dated[dated[C.USER].isin(found[C.USER])]
    known = pd.MultiIndex.from_frame(dated)
    return found[pd.MultiIndex.from_frame(found[[*keys]]).isin(known)]


def in_other_capitals(rows: pd.DataFrame, tokens: pd.Series | None = None) -> pd.DataFrame:
    """Return, under the id of each person, the rows of the same id in other capitals.

    rows: one a person. tokens: person tokens by id; those of the rows' own column when None. Rows with two
    different person tokens are of two people: nothing of each other. Nor is anything where so many ids have
    such a twin that capitals tell people apart, as in a service whose ids are in base 62.

    >>> rows = pd.DataFrame({"user_id": ["ab", "AB", "c"], "max_distance_km": [9, 3, 5]})
    >>> in_other_capitals(rows).values.tolist()
    [['ab', 3], ['AB', 9]]
    """
    folded = rows[C.USER].astype("str").str.casefold()  # accepted ids differ in nothing else
    twins = rows[folded.duplicated(keep=False)]
    if twins.empty or are_told_apart(len(twins), len(rows)):
        return rows[:0]
    links = pd.DataFrame({"id": twins[C.USER], "folded": folded[twins.index], "at": np.arange(len(twins))})
    pairs = links.merge(links, on="folded", suffixes=("", "_other"))
    pairs = pairs[pairs["at"] != pairs["at_other"]]
    found = twins.iloc[pairs["at_other"].to_numpy()]
    if tokens is not None or C.PERSON_TOKEN in rows:
        of_twins = twins[C.PERSON_TOKEN] if tokens is None else tokens.reindex(twins[C.USER])
        own, other = (of_twins.iloc[pairs[at].to_numpy()] for at in ("at", "at_other"))
        same = own.isna().to_numpy() | other.isna().to_numpy() | (own.to_numpy() == other.to_numpy())
        pairs, found = pairs[same], found[same]
    return found.assign(**{C.USER: pairs["id"].to_numpy(object)})


def _known(value: Any) -> Any:
    """Return a value, None for every kind of null."""
    if isinstance(value, tuple):
        return value
    return (
        None if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)) else value
    )
