"""Interactions: events, people and policy from an interaction table of any origin."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from numbers import Real
from typing import Final, Self, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.arguments import as_generator, as_pandas, checked_arguments
from recsys.catalogue.columns import Columns as C
from recsys.constraints.exclusions_and_tokens import Exclusions
from recsys.constraints.policy import Policy
from recsys.data.decisions import labels_of_looks
from recsys.data.events import Events
from recsys.data.exclusions import Relations, latest_decisions
from recsys.data.ids import check_match
from recsys.data.labels import (
    LABEL,
    ONE_SIDED,
    OUTCOME,
    safety_events,
    warn_of_looks_without_places,
)
from recsys.data.pair_keys import unordered_pair_keys
from recsys.data.population import Population
from recsys.data.times import as_utc
from recsys.data.unseen_pairs import UnseenPairs
from recsys.errors import InputError, UnknownIdError, explained, warn
from recsys.interactions.binarize import LIKE, PASS, Like, warn_of_one_answer, with_looks_as_passes
from recsys.interactions.row_reading import (
    CODES,
    FEWEST_TO_TELL,
    IdMap,
    TableColumns,
    read_rows,
    warn_of_many_set_aside,
)
from recsys.interactions.sides import Kinds, Sides, read_kinds, warn_of_two_kinds
from recsys.interactions.split_warnings import warn_of_met_passes, warn_of_new_candidates, warn_of_new_viewers
from recsys.types import ArrowTable, BoolArray, RNGLike

_FEWER: Final = 0.95
"""Share of the drawn passes below which fewer than asked for are worth a warning."""


PAIR: Final = [C.VIEWER, C.CANDIDATE]
Further = npt.ArrayLike | pd.Series | Mapping[str, npt.ArrayLike] | None


@dataclass(frozen=True, eq=False)
class Interactions:
    """Who did what to whom, from a table of any origin, ready for every model. Make it with `of`.

    events:     what happened, by time. people: everybody named, of whom nothing else is known.
    policy:     who may be shown to whom: no one to themself or their own side, and nobody who was
                blocked or reported, in either direction.
    quarantine: the rows that could not be used: row_number, codes, reason, and what they held.
    drawn:      how many passes `with_sampled_negatives` drew into the log these events are of.

    >>> table = pd.DataFrame({"who": [1, 2, 2], "whom": [2, 1, 2], "stars": [5, 2, 4]})
    >>> log = Interactions.of(table, viewer="who", candidate="whom", outcome="stars", like=4)
    >>> log, log.quarantine["codes"].tolist()
    (Interactions(2 events of 2 people, 1 like, 1 row set aside), ['pair.self'])
    """

    events: Events
    people: Population
    policy: Policy
    quarantine: pd.DataFrame
    read: TableColumns
    names: tuple[IdMap, ...] = field(repr=False)
    drawn: int = 0

    @classmethod
    @checked_arguments
    def of(
        cls,
        frame: pd.DataFrame | ArrowTable,
        *,
        viewer: str = C.VIEWER,
        candidate: str = C.CANDIDATE,
        outcome: str | None = None,
        like: Like = None,
        ts: str | None = None,
        ts_format: str | None = None,
        position: str | None = None,
        sides: Kinds = None,
        people: Further = None,
        as_of: str | pd.Timestamp | None = None,
    ) -> Self:
        """Read a table with one row an interaction.

        viewer, candidate: columns of who acted and towards whom; ids are any texts, whole numbers or UUIDs.
        outcome: column of the feedback. None: every row is a like.
        like: what is a like: 4 (and above), {"yes", "maybe"}, a mapping to event types
            ({"apply": "like", "skip": "pass", "seen": "impression"}, None for what means nothing), or a
            function from the whole column to whether it is a like, or to event types. Not needed for flags,
            0 and 1, or event types.
        ts: column of times: with a zone, without one (taken as UTC), text, or a number since 1970.
            None: rows stand in the order in which things happened.
        ts_format: how the times are written: `dmy`, `mdy`, `s`, `ms`, `us`, `ns`, `d` (days since 1970),
            `yyyymmdd`, `excel`, or directives such as `%d.%m.%Y`. None: what fits all rows; `read` has it.
        position: column of the place in its list where a row was shown, 1 (or 0) first: was it looked at?
        sides: None: one community. Two names, such as ("user", "film"): the two columns name different
            kinds, whose ids may be equal. Or the kind of each id, as a mapping or a Series indexed by
            id: only people of different kinds meet.
        people: further ids that are in no row; by name of their side if there are two.
        as_of: the time the data is as of; the latest row by default.

        Raises InputError when a column is missing, ids are neither texts nor whole numbers, no time
        can be read, or it is not clear what an outcome means. Single broken rows are set aside, and
        counted in a warning where they are more than a tenth.
        """
        sides = read_kinds(sides)
        _require_clear_columns(sides, outcome, like)
        both = sides if isinstance(sides, tuple) else ("", "")
        read = TableColumns(viewer, candidate, outcome, ts, ts_format, position)
        table = as_pandas(frame, name="frame")
        kept, refused, names, read = read_rows(table, read, like, both)
        kept = kept if position is not None else with_looks_as_passes(kept)
        _warn_of_reading(kept, refused, table, outcome, like, of_two_kinds=sides is not None)
        events = Events.of(kept)
        ids = np.concatenate([kept[C.ACTOR], kept[C.TARGET], *_further(people, names)])
        time = as_of or events.last or pd.Timestamp(0, tz="UTC")
        everybody = Population.of_ids(pd.unique(ids), as_utc(time))
        if as_of is not None:
            _warn_of_rows_after(events, everybody.as_of)
        return cls(
            events=events,
            people=everybody.with_relations(_relations(events, everybody)),
            policy=_policy(everybody, sides, names),
            quarantine=refused,
            read=read,
            names=names,
        )

    def __len__(self) -> int:
        return len(self.events)

    def __repr__(self) -> str:
        likes = int((self.events.frame[C.TYPE] == LIKE).sum())
        parts = [
            f"{len(self):,} events of {len(self.people):,} people",
            f"{likes:,} {'like' if likes == 1 else 'likes'}",
            f"{len(self.quarantine):,} {'row' if len(self.quarantine) == 1 else 'rows'} set aside",
        ]
        return f"Interactions({', '.join(parts)})"

    def _repr_html_(self) -> str:
        """Show the events by type, and refused rows by reason."""
        table = self.events.summary().to_html()
        if self.quarantine.empty:
            return f"<p>{self!r}</p>{table}"
        reasons = self.quarantine.groupby("reason").size().rename("rows").to_frame().to_html()
        return f"<p>{self!r}</p>{table}{reasons}"

    @cached_property
    def seen(self) -> pd.DataFrame:
        """Whom each viewer was shown or decided about: viewer_id, candidate_id, each pair once."""
        pairs = self.events.frame[[C.ACTOR, C.TARGET]].set_axis(PAIR, axis=1)
        return pairs.drop_duplicates(ignore_index=True)

    @cached_property
    def decided(self) -> pd.DataFrame:
        """Whom each viewer said something about: those of `seen` less who was only shown."""
        said = self.events.frame[self.events.frame[C.TYPE] != "impression"]
        return said[[C.ACTOR, C.TARGET]].set_axis(PAIR, axis=1).drop_duplicates(ignore_index=True)

    @property
    def viewers(self) -> npt.NDArray[np.object_]:
        """Everybody who acted, ascending."""
        return self.people.ids.ids(np.unique(self.people.ids.find(self.events.frame[C.ACTOR])))

    @checked_arguments
    def truth(self, *, new_to: "Interactions | None" = None, rng: RNGLike = 0) -> pd.DataFrame:
        """Return the labels of all pairs: viewer_id, candidate_id, label 1 (the viewer liked) or 0.

        A look without an answer, `{"seen": "impression"}`, is 0, as it is in P(like | look). Where places of
        impressions are known, a pair without an answer stays with the chance that it was looked at: all of
        them would be more noes than there were looks, and the level of P(like | look) would seem too high.

        `attrs["outcome"]` is "like", by which `compare_models` judges P(like | look).
        Where two kinds meet only viewers decide and candidates alone are listed: `evaluate` warns of a
        judgement by p_mutual and takes coverage and Gini over candidates.

        new_to: leave out the pairs dealt with there, so that only what could not be known is judged.
        rng: draws which pairs without an answer stay.
        """
        warn_of_looks_without_places(self.events.frame, where="Interactions.truth")
        labels = labels_of_looks(self.events, rng=as_generator(rng))[[*PAIR, LABEL]]
        labels = labels.astype({LABEL: "int64"})
        if new_to is not None:
            joined = labels.merge(new_to.seen, on=PAIR, how="left", indicator=True)
            known = (joined["_merge"] == "both").to_numpy(bool)
            if self.drawn:
                warn_of_met_passes(labels[LABEL].to_numpy() == 0, known, _FEWER)
            labels = labels[~known].reset_index(drop=True)
        sides = [names.side for names in self.names]
        labels.attrs[OUTCOME] = "like"
        labels.attrs[ONE_SIDED] = sides[-1] if sides[0] != sides[-1] else ""
        return labels

    @checked_arguments
    def split(self, at: str | pd.Timestamp | float) -> tuple[Self, Self]:
        """Return what happened before a time and what happened from then on, among the same people.

        at: a time, or the share of the events that lies before it, such as 0.8.

        Warns where most later events are about candidates of whom nothing was known before, as votes and
        advertisements are: no model tells those apart without features of them. Without times the order of
        rows is that of events; a warning says where most later ones are of viewers who did nothing before,
        as in a table that is sorted by viewer.
        Raises InputError when a side is empty.
        """
        times = self.events.frame[C.TS]
        if isinstance(at, Real) and not 0 < at < 1:
            remedy = "give a share between 0 and 1, such as 0.8, or a time, such as '2026-01-05'"
            raise InputError(explained("at is no share of the events", where="split", got=at, remedy=remedy))
        moment = (
            times.iloc[int(at * len(times))]
            if isinstance(at, Real)
            else as_utc(cast("str | pd.Timestamp", at))
        )
        before = (times < moment).to_numpy(bool)
        if before.all() or not before.any():
            got = f"{int(before.sum())} of {len(before)} events before {moment}"
            remedy = "split inside the time they cover, or use split_pairs"
            raise InputError(explained("one side of the split is empty", got=got, remedy=remedy))
        warn_of_new_candidates(self.events.frame, before)
        if self.read.ts is None:
            warn_of_new_viewers(self.events.frame, before)
        return self._where(before), self._where(~before)

    @checked_arguments
    def split_pairs(self, share: float, rng: RNGLike) -> tuple[Self, Self]:
        """Return the events of a random share of the pairs, and of the others; for data without times.

        Both directions of a pair stay together, so that no answer is given away by its counterpart.
        """
        i, j = (self.people.ids.find(self.events.frame[c]) for c in (C.ACTOR, C.TARGET))
        code, distinct = pd.factorize(unordered_pair_keys(i, j, len(self.people)))
        n_first = round(share * len(distinct))
        if not 0 < n_first < len(distinct):
            got = f"a share of {share} of {len(distinct)} pairs"
            raise InputError(explained("one side of the split is empty", got=got))
        first = (as_generator(rng).permutation(len(distinct)) < n_first)[code]
        return self._where(first), self._where(~first)

    @checked_arguments
    def with_sampled_negatives(
        self, per_like: float, rng: RNGLike, *, new_to: "Interactions | None" = None
    ) -> Self:
        """Return the log with passes drawn at random among pairs that never met, for logs of likes alone.

        A log that holds likes only says nothing about whom people do not want, and any probability
        fits it. A drawn pass joins somebody who liked and somebody whom others of their kind like, evenly,
        as models draw them where a log has no pass (`recsys.models.negative_sampling`). What is then learned
        is the chance of a like relative to such a pair, not to a real impression. `seen`
        is kept free of them only in the log they were drawn for.

        per_like: passes a liked pair; too few pairs that never met make fewer, and a warning says how many.
        new_to: the past of a later part: who dealt with each other there has met, and likes of theirs do not
            count, as in `truth(new_to=past)`.
        """
        draw = as_generator(rng)
        likes = self.events.frame[self.events.frame[C.TYPE] == LIKE]
        n_people, seen = len(self.people), self._pairs(self.seen[C.VIEWER], self.seen[C.CANDIDATE])
        past = seen[:0] if new_to is None else self._pairs(*(new_to.seen[c] for c in PAIR))
        liked = np.setdiff1d(self._pairs(likes[C.ACTOR], likes[C.TARGET]), past)
        who = liked // n_people
        n_drawn = round(per_like * len(liked))
        if not n_drawn:
            return self
        known = np.union1d(seen, past)

        def may(a: npt.NDArray[np.int64], b: npt.NDArray[np.int64]) -> BoolArray:
            return self.policy.may_meet(self.people, a, b) & ~np.isin(a * n_people + b, known)

        # whom chains of common candidates join is known from the past too: a small part falls into islands
        unseen = UnseenPairs.of(*np.divmod(np.union1d(liked, past), n_people))
        rows = unseen.sampled(n_drawn, who, draw, may=may)
        if len(rows[0]) < _FEWER * n_drawn:
            got = f"{len(rows[0]):,} of {n_drawn:,}, {len(rows[0]) / len(liked):.2g} a like"
            remedy = "ask for fewer a like; chances learned or judged are those beside so many"
            warn(explained("too few pairs never met to draw as many passes", got=got, remedy=remedy))
        drawn = {c: self.people.ids.ids(row) for c, row in zip((C.ACTOR, C.TARGET), rows, strict=True)}
        fresh = pd.DataFrame(drawn, dtype=object)
        fresh[C.TYPE] = PASS
        fresh[C.TS] = likes[C.TS].array[draw.integers(0, len(likes), len(fresh))]
        own = self.events.frame[[C.ACTOR, C.TARGET, C.TYPE, C.TS]]
        return replace(self, events=Events.of(pd.concat([own, fresh], ignore_index=True)), drawn=len(fresh))

    def _pairs(self, viewers: pd.Series, candidates: pd.Series) -> npt.NDArray[np.int64]:
        """Return `viewer * n_people + candidate` of the pairs among these people, each once, ascending."""
        i, j = (self.people.ids.find(ids).astype(np.int64) for ids in (viewers, candidates))
        return np.unique((i * len(self.people) + j)[(i >= 0) & (j >= 0)])

    @checked_arguments
    def to_internal(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return foreign pairs with viewer_id and candidate_id, as `score_pairs` and `evaluate` take them.

        frame: the columns named in `of`, or viewer_id and candidate_id as `to_external` gives them; others
        are kept. Raises UnknownIdError for an id not known here.
        """
        read = self.read
        if not {read.viewer, read.candidate} <= set(frame) and set(PAIR) <= set(frame):
            read = replace(read, viewer=C.VIEWER, candidate=C.CANDIDATE)
        replace(read, outcome=None, ts=None, position=None).checked(frame)
        named = {
            C.VIEWER: self.names[0].to_internal(frame[read.viewer]),
            C.CANDIDATE: self.names[1].to_internal(frame[read.candidate]),
        }
        for ids in named.values():
            self.people.ids.rows(ids)
        others = frame.drop(columns=[read.viewer, read.candidate])
        columns = {name: pd.Series(ids, index=frame.index).infer_objects() for name, ids in named.items()}
        return pd.concat([pd.DataFrame(columns), others], axis=1)

    @checked_arguments
    def to_external(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return lists or scored pairs with viewer_id and candidate_id as they came in the table.

        >>> table = pd.DataFrame({"user": [1, 1], "film": [1, 2]})
        >>> log = Interactions.of(table, viewer="user", candidate="film", sides=("user", "film"))
        >>> log.seen["candidate_id"].tolist(), log.to_external(log.seen)["candidate_id"].tolist()
        (['film:1', 'film:2'], [1, 2])
        """
        back = {
            c: pd.Series(self._given(frame[c]), index=frame.index).infer_objects() for c in PAIR if c in frame
        }
        return frame.assign(**back)

    def _given(self, ids: pd.Series) -> npt.NDArray[np.object_]:
        for names in self.names:
            try:
                return names.to_external(ids)
            except UnknownIdError:
                continue
        remedy = "give one side a column; where one side alone has lists, recommend(..., viewers=log.viewers)"
        raise UnknownIdError(explained("ids of no one side", got=ids.iloc[0], remedy=remedy))

    def _where(self, kept: npt.NDArray[np.bool_]) -> Self:
        events = Events(self.events.frame[kept].reset_index(drop=True))
        # an earlier moment that was asked for holds for the parts too
        as_of = min(events.last or self.people.as_of, self.people.as_of)
        people = replace(self.people, as_of=as_of)
        return replace(self, events=events, people=people.with_relations(_relations(events, people)))


def _warn_of_reading(
    kept: pd.DataFrame,
    refused: pd.DataFrame,
    table: pd.DataFrame,
    outcome: str | None,
    like: Like,
    *,
    of_two_kinds: bool,
) -> None:
    """Warn of two kinds of ids, of a like that fits nearly all rows or none, and of rows set aside."""
    if not of_two_kinds:
        warn_of_two_kinds(kept, int(refused[CODES].str.contains("pair.self").sum()))
    if like is not None and len(kept) >= FEWEST_TO_TELL:
        warn_of_one_answer(table[outcome], like, likes=(kept[C.TYPE] == LIKE).to_numpy(bool))
    warn_of_many_set_aside(refused, table, outcome, like)


def _warn_of_rows_after(events: Events, as_of: pd.Timestamp) -> None:
    """Warn of rows after the time that the data is as of: nothing is learned from them."""
    late = int((events.frame[C.TS] > as_of).sum())
    if late:
        remedy = "leave as_of out to use all rows; to hold rows back use log.split"
        what = "rows after as_of are not learned from"
        warn(explained(what, where="Interactions.of", got=f"{late:,} of {len(events):,}", remedy=remedy))


def _further(people: Further, names: tuple[IdMap, IdMap]) -> list[npt.NDArray[np.object_]]:
    if people is None:
        return []
    if not isinstance(people, Mapping):
        if names[0].side:
            sides = " and ".join(f"'{one.side}'" for one in names)
            raise InputError(explained("of which side are the people", remedy=f"give them by {sides}"))
        return [names[0].to_internal(people)]
    known = {one.side: one for one in names}
    unknown = [side for side in people if side not in known]
    if unknown:
        raise InputError(explained("unknown side", got=unknown[0], remedy=f"use {' or '.join(known)}"))
    return [known[side].to_internal(ids) for side, ids in people.items()]


def _require_clear_columns(sides: Kinds, outcome: str | None, like: Like) -> None:
    """Raise InputError for other than two sides, and for a `like` without its column."""
    if isinstance(sides, tuple) and len(sides) != 2:
        got = f"{len(sides)} names"
        remedy = "name the kind of viewers and the kind of candidates, or give the kind of each id"
        raise InputError(explained("two columns have two sides", got=got, remedy=remedy))
    if like is not None and outcome is None:
        remedy = "name the column of outcomes with outcome=, or leave like out: then every row is a like"
        raise InputError(explained("like says what an outcome means", where="Interactions.of", remedy=remedy))


def _policy(people: Population, sides: Kinds, names: tuple[IdMap, IdMap]) -> Policy:
    if sides is None:
        return Policy((Exclusions(),))
    if isinstance(sides, tuple):
        if sides[0] == sides[1]:
            return Policy((Exclusions(),))
        ids = people.ids.ids(np.arange(len(people)))
        return Policy((Sides.of(ids, [str(one).partition(":")[0] for one in ids]), Exclusions()))
    kinds = sides if isinstance(sides, pd.Series) else pd.Series(dict(sides))
    known = kinds[kinds.notna()]
    ids = names[0].to_internal(known.index.to_series())
    rows = people.ids.find(ids)
    n_without = len(people) - len(np.unique(rows[rows >= 0]))
    check_match(people.ids, ids, what="sides", where="Interactions.of", required=True)
    kinds_here = pd.unique(known[people.ids.find(ids) >= 0])
    if len(kinds_here) == 1 and len(people) >= FEWEST_TO_TELL:
        remedy = "give the kind of each id from another column, or leave sides out where anybody may meet"
        warn(explained("all people are of one side: nobody meets anybody", got=kinds_here[0], remedy=remedy))
    if n_without:
        remedy = f"give the side of each id, such as {people.ids.ids([0])[0]!r}; who has none has no list"
        warn(explained("people without a side", got=f"{n_without:,} of {len(people):,}", remedy=remedy))
    return Policy((Sides.of(ids, known.to_numpy(object)), Exclusions()))


def _relations(events: Events, people: Population) -> Relations:
    """Return the pairs excluded by a block, a report or another safety event, and who likes whom."""
    coded = events.coded
    rows = np.flatnonzero(safety_events(coded) & (coded.target >= 0) & (coded.actor != coded.target))
    row_of = people.ids.find(coded.people) if len(coded.people) else np.empty(0, np.int32)
    pairs = np.column_stack([row_of[coded.actor[rows]], row_of[coded.target[rows]]])
    decisions = latest_decisions(coded)
    likes = decisions.likes
    liked = np.column_stack([row_of[decisions.actor[likes]], row_of[decisions.target[likes]]])
    return Relations.of(len(people), excluded=pairs, liked=liked)
