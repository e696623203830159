"""What a night that was judged tells the safety ledger: before the pointer moves, and once it is served."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from recsys.constraints.policy import Policy
from recsys.data.population import Population
from recsys.pipeline.earlier_publications import end_old_runs, note_left_out
from recsys.pipeline.night_safety import note_numbers_taken_back
from recsys.pipeline.refused_night import end_for_now, note_unread
from recsys.pipeline.retention import REFUSED
from recsys.pipeline.token_changes import TokenChanges, note_refused, write_names_for_now
from recsys.ranking.snapshot import Snapshot
from recsys.safety.ledger import SafetyLedger
from recsys.safety.pending_ledger import PendingLedger


@contextmanager
def outcome_noted(  # noqa: PLR0917
    pending: PendingLedger,
    changes: TokenChanges,
    people: Population,
    policy: Policy,
    folder: Path,
    shown: Collection[str],
    before: Snapshot | None,
) -> Iterator[None]:
    """Tell the ledger, before the pointer moves, what this night says of people who are out for now.

    What it lifts, and what an earlier night that was refused told of people, ends once this one is served: a
    refused night may have read an older or a damaged export.

    folder: where the run will be. shown: who stands in what is served before it. before: that, where
    it can be read.
    """
    published, refused = folder.parent.parent, folder.parent.name == REFUSED
    if refused:
        write_names_for_now(pending, changes)
        note_refused(published, people, policy, before, shown=shown, changes=changes)
    else:
        note_unread(pending, people)
        pending.write_names()
        if before is not None:
            note_left_out(SafetyLedger.of(published), folder.name, before, people, policy)
    yield
    if not refused:
        note_numbers_taken_back(pending, people)
        pending.write_lifts()
        end_for_now(pending, people, policy)
        end_old_runs(pending, datetime.now(UTC))
