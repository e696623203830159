"""Accounts that are not among the people of a time, and what restricts their persons all the same.

A profile that is refused, yet to come, or of somebody erased gives no row of a population. What was said of
such an account is said of its person: it reaches the person's other accounts, those of newcomers too.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Self

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.data.contract import CheckedTable
from recsys.data.events import Events
from recsys.data.exclusions import EXCLUSION_REASONS, Relations, relations
from recsys.data.fail_closed import STOPPED, Restrictions
from recsys.data.ids import IdIndex
from recsys.data.quarantine import CODES, REASON, REDACTED, ROW_NUMBER
from recsys.errors import explained
from recsys.types import BoolArray, Int32Array, ObjectArray

REOPENED: Final = "reopened"
"""Of a pair between whom every block was taken back."""
UNREAD: Final = "unread"
"""Why an account is stopped whose row cannot be read, or is yet to come."""
LASTING: Final = ("block", "report", "unsafe", "end")
"""Reasons of a separation that no night forgets by itself; passes and hides end."""
ENDING: Final = ("hide", "pass")
"""Reasons of a separation that end."""


@dataclass(frozen=True, eq=False)
class AbsentAccounts:
    """What is known of accounts without a row, for the safety ledger.

    account, token: `(n,)` texts; the token of each account's person, None when it has none.
    stop:    `(n,)` why its person is shown to nobody: a state of `STOPPED`, else `UNREAD`; "" when it is not.
    pairs:   `(m, 2)` ids, one of them absent; reason: `(m,)` one of `EXCLUSION_REASONS`, or `REOPENED`. Those
        of `ENDING` name accounts that are not among `account`, and may both be absent.
    circles: `(k, 2)` ids and circles of members whose rows are refused, as those of absent accounts are.
    """

    account: ObjectArray
    token: ObjectArray
    stop: ObjectArray
    pairs: ObjectArray
    reason: ObjectArray
    circles: ObjectArray

    @classmethod
    def none(cls) -> Self:
        """Nobody.

        >>> len(AbsentAccounts.none().account)
        0
        """
        empty = np.empty(0, object)
        return cls(empty, empty, empty, np.empty((0, 2), object), empty, np.empty((0, 2), object))

    def with_pairs(self, pairs: ObjectArray, reason: ObjectArray) -> Self:
        """Return the same with more pairs, `(n, 2)` ids, each with its reason, `(n,)`."""
        return replace(
            self,
            pairs=np.concatenate([self.pairs, np.asarray(pairs, object).reshape(-1, 2)]),
            reason=np.r_[self.reason, reason],
        )

    def with_accounts(self, account: ObjectArray, token: ObjectArray, stop: ObjectArray) -> Self:
        """Return the same with more accounts, `(n,)` each; see `account`, `token` and `stop`."""
        return replace(
            self,
            account=np.r_[self.account, account],
            token=np.r_[self.token, token],
            stop=np.r_[self.stop, stop],
        )

    @property
    def token_of(self) -> Mapping[str, str | None]:
        """The token of each account's person."""
        return dict(zip(self.account.tolist(), self.token.tolist(), strict=True))


class AbsentRows:
    """Finds the row of an account, or of another account of its person where it has none of its own."""

    def __init__(self, ids: IdIndex, person_tokens: ObjectArray, tokens: Mapping[str, str]) -> None:
        known = np.flatnonzero(pd.notna(person_tokens))[::-1]
        row_of = dict(zip(person_tokens[known].tolist(), known.tolist(), strict=True))
        self.ids, self._person_tokens = ids, person_tokens
        self.tokens = {one: token for one, token in tokens.items() if one not in ids}
        self._rows = {one: row_of.get(token, -1) for one, token in self.tokens.items()}

    def find(self, given: Iterable[str]) -> Int32Array:
        """Return the row of each account, -1 where no account of the person has one."""
        listed = list(given)
        rows = self.ids.find(listed)
        for at in np.flatnonzero(rows < 0) if self._rows else ():
            rows[at] = self._rows.get(listed[at], -1)
        return rows

    def pairs(self, given: Collection[tuple[str, str]]) -> Int32Array:
        """Return the rows of pairs of accounts, `(n_pairs, 2)`, but those of one row or none."""
        rows = np.column_stack([self.find(a for a, _ in given), self.find(b for _, b in given)])
        return rows[(rows >= 0).all(axis=1) & (rows[:, 0] != rows[:, 1])]

    def relations(
        self,
        events: Events,
        blocks: pd.DataFrame | None,
        reports: pd.DataFrame | None,
        as_of: pd.Timestamp,
        taken_back: frozenset[tuple[str, pd.Timestamp]] = frozenset(),
    ) -> tuple[Relations, list[tuple[str, str, str]]]:
        """Return the relations of everybody with a row, and the pairs of absent accounts with their reason.

        What excludes an absent account excludes its person; what opens, such as a like, is its own. Of those
        who are no accounts of anybody here, the pairs that last are told: they may join later, or come back.
        So are hides and passes. taken_back: see `proofs_of`.
        """
        between = partial(
            relations,
            *(events, blocks, reports),
            as_of=as_of,
            taken_back=taken_back,
            person_of=self._person_of(events),
        )
        named = [frame[c] for frame in (blocks, reports) if frame is not None for c in (C.ACTOR, C.TARGET)]
        people = {*self.tokens, *events.coded.people, *(one for column in named for one in column.dropna())}
        known_or_not = np.fromiter(people, object, len(people))
        others = {str(one) for one in known_or_not[self.ids.find(known_or_not) < 0]}
        if not others:
            return between(self.ids), []
        both = IdIndex([*self.ids.ids(np.arange(len(self.ids))).tolist(), *others])
        found = between(both)
        everybody = both.ids(np.arange(len(both))).tolist()
        own, row = self.ids.find(everybody), self.find(everybody)
        excluded, back = row[found.excluded], found.reopened
        inside = (excluded >= 0).all(axis=1) & (excluded[:, 0] != excluded[:, 1])
        liked, reopened = own[found.liked], own[back]
        kept = Relations.of(
            len(self.ids),
            excluded=excluded[inside],
            reason=found.reason[inside],
            liked=liked[(liked >= 0).all(axis=1)],
            suggestible=found.suggestible[own >= 0],
            accepted=found.accepted[own >= 0],
            proved=found.proved[own >= 0],
            reopened=reopened[(reopened >= 0).all(axis=1)],
        )
        lasting = np.isin(found.reason, [EXCLUSION_REASONS.index(why) for why in LASTING])

        def told(pairs: Int32Array, chosen: BoolArray, why: Sequence[str]) -> list[tuple[str, str, str]]:
            far = chosen & (own[pairs] < 0).any(axis=1)
            ends = zip(pairs[far], np.asarray(why, object)[far], strict=True)
            return [(everybody[a], everybody[b], word) for (a, b), word in ends]

        always, reasons = np.ones(len(back), bool), [EXCLUSION_REASONS[code] for code in found.reason]
        ending = ~inside & np.isin(found.reason, [EXCLUSION_REASONS.index(why) for why in ENDING])
        ends = zip(found.excluded[ending].tolist(), np.asarray(reasons, object)[ending], strict=True)
        left = [(everybody[a], everybody[b], why) for (a, b), why in ends]
        left += told(back, always, [REOPENED] * len(back))
        return kept, told(found.excluded, lasting, reasons) + left

    def _person_of(self, events: Events) -> dict[str, str]:
        """Return the person tokens of accounts that events name, where any of these takes something back."""
        if not len(events.of_types("undo")):
            return {}
        names = events.coded.people
        rows = self.ids.find(names)
        own = zip(
            names, np.append(self._person_tokens, [None])[rows], strict=True
        )  # the last of who has no row
        return {str(one): token for one, token in own if pd.notna(token)} | self.tokens

    def accounts(
        self,
        stopped: Mapping[str, str],
        pairs: Collection[tuple[str, str, str]],
        tokens: Collection[str] = (),
        circles: Collection[tuple[str, str]] = (),
    ) -> AbsentAccounts:
        """Return what the ledger needs: of the accounts that are stopped, and why, or in a pair.

        Somebody with a row is among them where a state of `STOPPED` was said of them in another one, such as
        a refused one: it outlives that row. So is whoever has one of `tokens`, of persons who are out.
        With a member of a circle another account of the person that has a row is a member as well.
        """
        out = {
            one: why
            for one, why in stopped.items()
            if one not in self.ids or why in STOPPED or self._token(one) in tokens
        }
        ends = {one for a, b, why in pairs if why not in ENDING for one in (a, b) if one not in self.ids}
        names = sorted(out.keys() | ends)
        told = sorted(pairs)
        return AbsentAccounts(
            account=np.array(names, object),
            token=np.array([self._token(one) for one in names], object),
            stop=np.array([out.get(one, "") for one in names], object),
            pairs=np.array([pair[:2] for pair in told], object).reshape(-1, 2),
            reason=np.array([why for *_, why in told], object),
            circles=np.array(self._members(sorted(circles)), object).reshape(-1, 2),
        )

    def _members(self, circles: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        rows = self.find(one for one, _ in circles)
        others = self.ids.ids(rows[rows >= 0]).tolist()
        within = [circle for (_, circle), row in zip(circles, rows, strict=True) if row >= 0]
        return sorted({*circles, *zip(others, within, strict=True)})

    def _token(self, account: str) -> str | None:
        (row,) = self.ids.find([account])
        return self._person_tokens[row] if row >= 0 else self.tokens.get(account)


def restrictions_of_erased(
    profiles: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame],
    erased: frozenset[str],
    as_of: pd.Timestamp,
) -> Restrictions:
    """Return what restricted people who asked to be erased: it is kept for their persons' other accounts.

    An erased account is named by the token of its person, never by its id.
    tables: the accepted `blocks`, `reports`, `events` and `holds`, as far as there are any.
    """
    if C.PERSON_TOKEN not in profiles:
        return Restrictions()
    rows = profiles[profiles[C.USER].isin(erased)]
    if C.VALID_FROM in rows:
        rows = rows.sort_values(C.VALID_FROM, na_position="first", kind="stable")
    known = rows[rows[C.PERSON_TOKEN].notna()]
    name = known.drop_duplicates(C.USER, keep="last").set_index(C.USER)[C.PERSON_TOKEN].to_dict()
    if not name:
        return Restrictions()
    last = rows.drop_duplicates(C.USER, keep="last")
    out = set(last[C.USER][last[C.ACCOUNT_STATE].isin(STOPPED)]) if C.ACCOUNT_STATE in rows else set()
    banned = set(last[C.USER][last[C.ACCOUNT_STATE].eq("banned")]) if out else set()
    if (holds := tables.get("holds")) is not None:
        known_then = holds[~(holds[C.TS] > as_of)] if C.TS in holds else holds
        owned = [C.USER, C.OWNER] if C.OWNER in holds else [C.USER]
        ends = known_then.sort_values(C.TS, na_position="first", kind="stable").drop_duplicates(
            owned, keep="last"
        )
        out |= set(ends[C.USER][ends[C.STATE].eq("active")])
    named = {key: _naming(tables.get(key), erased) for key in ("blocks", "reports", "events")}
    events = named["events"]
    told = Events.none() if events is None else Events.of(events[~events[C.TYPE].eq("erase")])
    frames = [frame for frame in named.values() if frame is not None]
    people = {str(one) for frame in frames for c in (C.ACTOR, C.TARGET) for one in frame[c].dropna()}
    ids = IdIndex(people)
    found = relations(told, named["blocks"], named["reports"], ids, as_of)
    lasting = found.excluded[[EXCLUSION_REASONS[why] not in {"pass", "matched"} for why in found.reason]]
    pairs = {
        tuple(sorted(name.get(str(one), str(one)) for one in ids.ids(pair)))
        for pair in lasting
        if all(str(one) not in erased or str(one) in name for one in ids.ids(pair))
    }
    links = zip(known[C.USER].map(name), known[C.PERSON_TOKEN], strict=True)
    return Restrictions(
        pairs=frozenset((a, b) for a, b in pairs if a != b),
        tokens=frozenset(links),
        stopped=frozenset(name[one] for one in out if one in name),
        states=frozenset((name[one], "banned") for one in banned if one in name),
    )


def _naming(frame: pd.DataFrame | None, people: frozenset[str]) -> pd.DataFrame | None:
    """Return the rows of a table that name any of these people."""
    if frame is None:
        return None
    return frame[frame[C.ACTOR].isin(people) | frame[C.TARGET].isin(people)]


def under_every_account(tokens: pd.DataFrame, person_tokens: ObjectArray) -> pd.DataFrame:
    """Return the contact tokens of people under every account of their person.

    tokens: with the row of each in `C.ROW`.

    >>> rows = pd.DataFrame({"row": [0], "namespace": ["phone"], "kind": ["self"], "hmac": ["x"]})
    >>> under_every_account(rows, np.array(["t", "t", None], object)).row.tolist()
    [0, 1]
    """
    group, _ = pd.factorize(person_tokens)
    several = np.flatnonzero((group >= 0) & pd.Series(group).duplicated(keep=False).to_numpy(bool))
    mine = tokens[tokens[C.ROW].isin(several)]
    if mine.empty:
        return tokens
    accounts = pd.DataFrame({"person": group[several], C.ROW: several.astype(tokens[C.ROW].to_numpy().dtype)})
    others = (
        mine.assign(person=group[mine[C.ROW].to_numpy()]).drop(columns=C.ROW).merge(accounts, on="person")
    )
    every = pd.concat([tokens, others[tokens.columns]], ignore_index=True).drop_duplicates()
    return every.sort_values(C.ROW, kind="stable").reset_index(drop=True)


_PERSON_COLUMNS: Final = (C.USER, C.ACTOR, C.TARGET)
_ERASED_REASON: Final = explained(
    "a person of this row asked to be erased", remedy="nothing; the row is not used"
)


def quarantine_erased(checked: CheckedTable, erased: frozenset[str]) -> CheckedTable:
    """Move every row that names an erased person to the quarantine, and empty those records.

    The erasures themselves stay: what comes later must know of them.
    """
    if not erased:
        return checked
    rows, refused = checked.accepted, checked.quarantined
    gone = _names_anybody(rows, erased)
    if C.TYPE in rows:
        gone &= ~rows[C.TYPE].eq("erase").to_numpy(bool)
    position = np.delete(np.arange(len(rows) + len(refused)), refused[ROW_NUMBER].to_numpy())
    known = refused.copy()
    named = _names_anybody(refused, erased)
    values = [name for name in refused.columns if name not in {ROW_NUMBER, C.USER, CODES, REASON}]
    known.loc[named, values] = REDACTED
    known.loc[named, C.USER] = None
    emptied = {name: pd.Series([REDACTED] * int(gone.sum()), dtype=object) for name in values}
    moved = pd.DataFrame(
        {
            ROW_NUMBER: position[gone],
            C.USER: pd.Series([None] * int(gone.sum()), dtype=object),
            CODES: "person.erased",
            REASON: _ERASED_REASON,
        }
        | emptied
    )
    quarantined = pd.concat([known, moved], ignore_index=True) if len(known) else moved
    quarantined = quarantined.sort_values(ROW_NUMBER, kind="stable").reset_index(drop=True)
    return CheckedTable(rows[~gone].reset_index(drop=True), quarantined, checked.restrictions, checked.later)


def _names_anybody(rows: pd.DataFrame, erased: frozenset[str]) -> BoolArray:
    named = np.zeros(len(rows), bool)
    for column in _PERSON_COLUMNS:
        if column in rows:
            named |= rows[column].isin(erased).to_numpy(bool)
    return named
