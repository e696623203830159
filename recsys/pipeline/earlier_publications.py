"""Whom a published night leaves out: so do the earlier publications, where a worker serves one still."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from recsys.constraints.policy import Policy
from recsys.data.population import Population
from recsys.pipeline.closed_pairs import closed_pairs, hidden_pairs, listed_ids
from recsys.ranking.ranker import LONGEST_STALENESS
from recsys.ranking.snapshot import Snapshot
from recsys.safety.ledger import SafetyLedger, told_under
from recsys.safety.ledger_file import pair_record, stop_record
from recsys.safety.ledger_state import NEWER, LedgerTag

_KEPT: Final = LONGEST_STALENESS + timedelta(days=1)
"""After which nobody serves what was published before a run."""


def note_left_out(
    ledger: SafetyLedger, run_id: str, snapshot: Snapshot, people: Population, policy: Policy
) -> None:
    """Tell the ledger, before a night is served, whom it leaves out of those an earlier publication shows.

    Whoever is not listed any more, or is apart by a boundary, an answer or a token from more than a few, is
    out; others are kept from those they are apart from, as two of whom one hid or passed the other are. It
    holds where an earlier publication is served: until a worker has loaded the night, and where it cannot.

    run_id: of the night. snapshot: what is served before it.
    """
    shown = [one for one in listed_ids(snapshot) if one]
    listed = np.append(policy.compile(people).listed, False)  # the last for those without a row, whose is -1
    out = np.array(shown, object)[~listed[people.ids.find(shown)]].tolist()
    pairs = hidden_pairs(snapshot, people)
    closed = closed_pairs(snapshot, people, policy, len(people))
    if closed is None:
        out = shown
    else:
        out += people.ids.ids(closed.people).tolist()
        pairs = np.concatenate([pairs, closed.pairs])
    naming, tag = ledger.begin().namings[-1], LedgerTag(NEWER, run_id)
    ends = [naming.of_ids(people.ids.ids(side).tolist()) for side in pairs.T]
    apart = {(min(a, b), max(a, b), 0) for a, b in zip(*ends, strict=True)}
    stopped = {(one, 0) for one in naming.of_ids(out)}
    ledger.append([stop_record("stop", tag, sorted(stopped))] if stopped else [])
    ledger.append([pair_record("separate", tag, sorted(apart))] if apart else [])


def end_old_runs(ledger: SafetyLedger, moment: datetime) -> None:
    """End what runs of more than eight days ago said: what was published before them is too old to serve."""
    oldest = f"{moment - _KEPT:%Y%m%dT%H%M%SZ}"
    end_runs(ledger, [run for run in ledger.now().newer if run < oldest])


def end_runs_after(ledger: SafetyLedger, run_id: str) -> None:
    """End what later runs than one said: it is served again on purpose."""
    end_runs(ledger, [run for run in ledger.now().newer if run > run_id])


def end_runs(ledger: SafetyLedger, runs: Iterable[str]) -> None:
    """End what some runs said of those whom earlier publications show."""
    for run in runs:
        tag = LedgerTag(NEWER, run)
        stopped, apart = told_under(ledger.now().newer[run], tag)
        ledger.append([stop_record("lift", tag, stopped)] if stopped else [])
        ledger.append([pair_record("lift", tag, apart)] if apart else [])
