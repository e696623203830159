"""Whom a published night leaves out: so do the earlier publications, where a worker serves one still."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Self

import numpy as np

from recsys.constraints.policy import Policy
from recsys.data.csr import SparseRows
from recsys.data.population import Population
from recsys.pipeline.closed_pairs import closed_pairs, closed_since, listed_ids, separated_since
from recsys.ranking.ranker import LONGEST_STALENESS
from recsys.ranking.snapshot import Snapshot
from recsys.safety.fingerprints import PERSON
from recsys.safety.ledger import SafetyLedger, told_under
from recsys.safety.ledger_file import Record, pair_record, stop_record
from recsys.safety.ledger_state import NEWER, LedgerTag, spelling_link
from recsys.types import Int32Array, Int64Array, UInt64Array

NO_PAIRS: Final = np.zeros((0, 2), np.int32)
_FEW: Final = 20
_KEPT: Final = LONGEST_STALENESS + timedelta(days=1)
"""After which nobody serves what was published before a run."""


@dataclass(frozen=True, eq=False)
class SeparatedSince:
    """Whom a later publication separates and an earlier one does not, as rows of the later one.

    rows: of each person the row in the earlier one, `(n_people,)`, -1 for none. pairs: `(n_pairs, 2)`.
    ids_of: of rows. persons_of: the fingerprints of the person tokens of rows, 0 where there is none.
    """

    rows: Int64Array
    pairs: Int32Array
    ids_of: Callable[[Int64Array], Sequence[str]]
    persons_of: Callable[[Int64Array], UInt64Array]

    @classmethod
    def of_night(cls, ledger: SafetyLedger, before: Snapshot, people: Population, told: SparseRows) -> Self:
        """Compare a night with what is served before it; told: whom its rules separate."""
        rows = np.array(before.ids.find(people.ids.ids(np.arange(len(people))).tolist()), np.int64)
        naming = ledger.begin().namings[-1]

        def persons_of(of: Int64Array) -> UInt64Array:
            return naming.of_all(PERSON, people.person_tokens[of])

        return cls(
            rows, separated_since(before, told, rows), lambda of: people.ids.ids(of).tolist(), persons_of
        )

    @classmethod
    def of_publication(cls, before: Snapshot, newest: Snapshot) -> Self:
        """Compare two publications."""
        everybody = newest.ids.at(range(len(newest.ids)))
        rows = np.array(before.ids.find(everybody), np.int64)
        pairs = separated_since(before, newest.data.separated, rows)
        persons = newest.data.persons.of_row[-1]
        return cls(rows, pairs, lambda of: newest.ids.at(of.tolist()), lambda of: persons[of])

    def are_many(self, most: int) -> bool:
        """Say whether more than `most` people are so apart from more than half of the others."""
        each = np.bincount(self.pairs.ravel(), minlength=len(self.rows))
        return int((each > max(_FEW, len(self.rows) / 2)).sum()) > most

    def records(self, ledger: SafetyLedger, run_id: str, closed: Int32Array = NO_PAIRS) -> list[Record]:
        """Return what keeps these pairs apart wherever an earlier publication than a run is served.

        Somebody whom the earlier one does not know is named by the person token as well: who came with the
        night may come by day under another account. closed: other pairs, of people it knows.
        """
        pairs = np.concatenate([self.pairs, closed])
        who, place = np.unique(pairs.ravel(), return_inverse=True)
        account = np.array(ledger.begin().namings[-1].of_ids(self.ids_of(who)), np.uint64)
        person, is_new = np.zeros(len(who), np.uint64), self.rows[who] < 0
        person[is_new] = self.persons_of(who[is_new])
        a, b = place.reshape(-1, 2).T
        ends = [
            np.stack([one[a], other[b]], axis=1) for one in (account, person) for other in (account, person)
        ]
        told = np.concatenate(ends)
        told = told[(told > 0).all(axis=1) & (told[:, 0] != told[:, 1])]
        apart = np.unique(np.sort(told, axis=1), axis=0).tolist()
        tag = LedgerTag(NEWER, run_id)
        return [pair_record("separate", tag, [(one, other, 0) for one, other in apart])] if apart else []


def note_left_out(
    ledger: SafetyLedger, run_id: str, snapshot: Snapshot, people: Population, policy: Policy
) -> None:
    """Tell the ledger, before a night is served, whom it leaves out of those an earlier publication shows.

    Whoever is not listed any more, or is apart by a boundary, an answer or a token from more than a few, is
    out; others are kept from those they are apart from, as all are whom it separates, by a hide or a pass. It
    holds where an earlier publication is served: until a worker has loaded the night, and where it cannot.

    run_id: of the night. snapshot: what is served before it.
    """
    shown, compiled = [one for one in listed_ids(snapshot) if one], policy.compile(people)
    listed = np.append(compiled.listed, False)  # the last for those without a row, whose is -1
    out = np.array(shown, object)[~listed[people.ids.find(shown)]].tolist()
    since = SeparatedSince.of_night(ledger, snapshot, people, compiled.separated)
    closed = closed_pairs(snapshot, people, policy, len(people))
    if closed is None:
        out = shown
    else:
        out += people.ids.ids(closed.people).tolist()
    ledger.append(_stops(ledger, run_id, out))
    ledger.append(since.records(ledger, run_id, NO_PAIRS if closed is None else closed.pairs))


def left_out_since(ledger: SafetyLedger, served: Snapshot, newest: Snapshot) -> tuple[list[Record], bool]:
    """Return the records of whom a newer publication leaves out of one served in its place, and if of all.

    Whoever is not listed in it is out, and whom it keeps apart are, whatever they send by day: tables of
    today would show them without the proof and the terms of today that it asks for itself. Where more than
    half of the people would be out, it was at fault: then its hides and passes alone count, and these where
    they do not part most people from most.
    """
    shown = [one for one in listed_ids(served) if one]
    rows = np.array(newest.ids.find(shown), np.int64)
    gone = (rows < 0) | (newest.live.layout.position[np.maximum(rows, 0)] < 0)
    most = max(_FEW, len(shown) // 2)
    closed = closed_since(served, newest, most)
    since = SeparatedSince.of_publication(served, newest)
    if since.are_many(len(since.rows) // 2):
        since = replace(since, pairs=NO_PAIRS)
    if closed is None or gone.sum() > most:
        return since.records(ledger, newest.run_id), False
    out = [*np.array(shown, object)[gone], *newest.ids.at(closed.people.tolist())]
    apart = since.records(ledger, newest.run_id, closed.pairs)
    return [*_stops(ledger, newest.run_id, out), *apart], True


def _stops(ledger: SafetyLedger, run_id: str, out: Sequence[str]) -> list[Record]:
    """Return what keeps people out wherever an earlier publication is served; spellings are linked first."""
    naming = ledger.begin().namings[-1]
    ledger.link([spelling_link(naming, one) for one in out], spelled=True)
    stopped = {(one, 0) for one in naming.of_ids(out)}
    return [stop_record("stop", LedgerTag(NEWER, run_id), sorted(stopped))] if stopped else []


def end_old_runs(ledger: SafetyLedger, moment: datetime) -> None:
    """End what runs of more than eight days ago said: what was published before them is too old to serve."""
    oldest = f"{moment - _KEPT:%Y%m%dT%H%M%SZ}"
    end_runs(ledger, [run for run in ledger.now().newer if run < oldest])


def end_runs_after(ledger: SafetyLedger, run_id: str, instead: Iterable[Record] = ()) -> None:
    """End what later runs than one said: it is served again on purpose. instead: as in `end_runs`."""
    end_runs(ledger, [run for run in ledger.now().newer if run > run_id], instead)


def end_runs(ledger: SafetyLedger, runs: Iterable[str], instead: Iterable[Record] = ()) -> None:
    """End what some runs said of those whom earlier publications show; instead: what is told in its place."""
    records = list[Record]()
    for run in runs:
        tag = LedgerTag(NEWER, run)
        stopped, apart = told_under(ledger.now().newer[run], tag)
        records += [stop_record("lift", tag, stopped)] if stopped else []
        records += [pair_record("lift", tag, apart)] if apart else []
    ledger.append([*records, *instead])
