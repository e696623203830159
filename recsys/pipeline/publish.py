"""Publishing: a run is staged, checked by the gates, moved into place, and only then pointed to."""

import errno
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.constraints.policy import Policy
from recsys.data.population import Population
from recsys.errors import (
    EXIT_PUBLISHED,
    EXIT_PUBLISHED_WITH_WARNINGS,
    EXIT_REFUSED,
    BusyError,
    PublicationError,
    RecsysError,
    explained,
)
from recsys.pipeline.backdated_stops import note_backdated_stops
from recsys.pipeline.erasure import rewrite_runs_naming_erased
from recsys.pipeline.fingerprint import package_versions
from recsys.pipeline.gates import run_gates
from recsys.pipeline.gates.distribution import COLUMN_PROFILE, column_profile, column_profile_bytes
from recsys.pipeline.gates.list_checks import judged_as_left
from recsys.pipeline.gates.pages import pages
from recsys.pipeline.gates.proposal import Calibration, GateResult, Level, Proposal
from recsys.pipeline.history import FOUR_WEEKS, GATES_FILE, gates_bytes, read_history, write_history
from recsys.pipeline.list_files import copy_lists, write_lists
from recsys.pipeline.lock import writer_lock
from recsys.pipeline.night_outcome import outcome_noted
from recsys.pipeline.night_safety import HoldStates, note_night, require_ledger
from recsys.pipeline.publication_cards import DATA_SHEET, MODEL_CARD, data_sheet, model_card
from recsys.pipeline.refused_night import FOR_NOW, end_for_now
from recsys.pipeline.retention import REFUSED, remove_old, start_run
from recsys.pipeline.token_changes import TokenChanges, pending_ledger
from recsys.ranking.publication_filter import ListFilter
from recsys.ranking.snapshot import Snapshot
from recsys.ranking.snapshot_files import served_snapshot
from recsys.safety.erasure_list import ErasedPeople, ErasureList
from recsys.safety.ledger import SafetyLedger
from recsys.safety.pending_ledger import PendingLedger
from recsys.settings import PublishSettings
from recsys.storage.atomic_write import move_atomically, sync_folder, write_atomically
from recsys.storage.manifest import FileEntry, MadeFrom, Manifest, file_entry, write_manifest
from recsys.storage.publication import (
    LISTS,
    NEWCOMERS,
    RUNS,
    SERVING,
    Publication,
    current_run,
    read_coded_lists,
    read_publication,
    set_current_run,
)

_EXIT: Final = {
    Level.PASS: EXIT_PUBLISHED,
    Level.WARN: EXIT_PUBLISHED_WITH_WARNINGS,
    Level.BLOCK: EXIT_REFUSED,
}


@dataclass(frozen=True)
class PublishResult:
    """The result of publishing: the run, its folder, the result of every gate."""

    run_id: str
    folder: Path
    gates: tuple[GateResult, ...]

    @property
    def level(self) -> Level:
        """The highest level of all gates."""
        return max((result.level for result in self.gates), default=Level.PASS)

    @property
    def published(self) -> bool:
        """Whether the pointer moved."""
        return self.level is not Level.BLOCK

    @property
    def exit_code(self) -> int:
        """0 published, 10 published with warnings, 20 refused."""
        return _EXIT[self.level]


def publish(
    lists: pd.DataFrame | Callable[[Path], object],
    people: Population,
    policy: Policy,
    *,
    published: str | Path,
    settings: PublishSettings,
    source: str,
    made_from: MadeFrom,
    now: datetime | None = None,
    serving: Callable[[Path, pd.DataFrame], object] | None = None,
    calibration: Calibration | None = None,
    events: int | None = None,
    holds: HoldStates | None = None,
    row_counts: Mapping[str, Mapping[str, int]] | None = None,
    pages_asked: int = 0,
) -> PublishResult:
    """Write `lists` as a run of its own, run the gates, and serve it if none of them blocks.

    lists: a table of lists, or what writes one to the file it is given, for lists that are many.
    serving: writes what a backend maps into the folder it is given, from the lists as `read_coded_lists`
    reads them; called when no gate blocks. Without it there is nothing for a `Ranker` to open.
    calibration: of the model, for its gate. events: how many were known; the next night counts late ones.
    holds: what the holds table says, see `note_night`. row_counts: what the validation counted by table.
    pages_asked: how many viewers' pages a ranker is asked for before the run is served; 0 asks for none.

    Whoever the safety ledger stops or separates stands in no list of the run. A refused run is kept beside
    the others for the operator to read, and what is served stays. A crash at any point leaves what was
    served before; the next call clears up.

    Raises BusyError when another writer is at work or the disk is full, PublicationError when the folder
    cannot be written to, SafetyUnavailable when the safety ledger or the list of erasures cannot be trusted,
    InputError when `lists` lacks a column.
    """
    published = Path(published)
    with _explained_disk(published), writer_lock(published):
        run_id, moment, staging = start_run(published, now or datetime.now(UTC))
        (lists if callable(lists) else partial(write_lists, lists=lists))(staging / LISTS)
        served = _served(published)
        require_ledger(published, ledger := SafetyLedger.of(published))
        pending, changes, n_backdated = _with_restrictions(published, people, holds, served.shown)
        proposal = _proposal(staging, people, policy, published, served, settings=settings, source=source)
        proposal = replace(proposal, calibration=calibration, row_counts=row_counts, events=events)
        gates = _judged(staging, proposal, changes, n_backdated)
        listed = proposal.lists[C.VIEWER].unique().tolist()
        proposal, gates = _asked_of_ledger(staging, proposal, gates, ledger, pending)
        refused = _blocks(gates)
        _write_cards(staging, proposal, gates, made_from, source)
        if serving is not None and not refused:
            serving(staging / SERVING, proposal.lists)
            sync_folder(staging)
        manifest = _written_manifest(staging, proposal, moment, made_from=made_from, ledger=ledger)
        if pages_asked and serving is not None and not refused:
            judge = _judge_of_pages(pending, proposal, listed, pages_asked)
            gates = _with_pages(gates, proposal, staging, published, manifest, judge)
            refused = gates[-1].level is Level.BLOCK
        folder = published / (REFUSED if refused else RUNS) / run_id
        with outcome_noted(pending, changes, people, policy, folder, served.shown, served.snapshot()):
            _finish(staging, folder, proposal.erased, keep=settings.keep)
        return PublishResult(run_id, folder, gates)


def _with_restrictions(
    published: Path, people: Population, holds: HoldStates | None, shown: Collection[str]
) -> tuple[PendingLedger, TokenChanges, int]:
    """Return the ledger as it will be once the night is served, and what changed since what is served.

    That is whose person tokens did, and how many rows of bans and holds came after the night of their date.

    Whom the tables of the night stop and keep apart is told to the ledger itself; what they lift waits for
    every gate.
    """
    changes = TokenChanges.of_published(published, people)
    pending = pending_ledger(published, people, changes)
    note_night(pending, people, holds, shown)
    n_backdated = 0 if holds is None else note_backdated_stops(pending, people, holds.stop_rows(), published)
    return pending, changes, n_backdated


def _judge_of_pages(
    pending: PendingLedger, proposal: Proposal, listed: Collection[str], viewers: int
) -> Callable[[Proposal, Path, Path, str], GateResult]:
    """Return the gate of pages, which asks under the ledger as it will be once the night is served."""
    as_served = partial(_as_served, pending, proposal)
    return partial(pages, viewers=viewers, listed=listed, as_served=as_served)


def _as_served(pending: PendingLedger, proposal: Proposal, folder: Path) -> None:
    """Make of the copy of a ledger in a folder what it will be once the night is served."""
    copy = SafetyLedger(folder, pending.keys)
    pending.write_to_copy(copy)
    end_for_now(copy, proposal.people, proposal.policy)


def _asked_of_ledger(
    staging: Path,
    proposal: Proposal,
    gates: tuple[GateResult, ...],
    ledger: SafetyLedger,
    pending: PendingLedger,
) -> tuple[Proposal, tuple[GateResult, ...]]:
    """Take out of the lists whom an earlier night or a store stopped or separated; return what is left.

    The gates have judged the lists as the night made them, so that a fault of its own is not hidden here;
    those of numbers judge again what is left, as the publication that they compare with was counted.
    """
    only = ListFilter.of_people(proposal.people, ledger if _blocks(gates) else pending, ended=FOR_NOW)
    if not only.leaves_out:
        return proposal, gates
    n_before = len(proposal.lists)
    copy_lists(staging / LISTS, staging / LISTS, keeps=only.keeps)
    proposal = replace(proposal, lists=read_coded_lists(staging / LISTS))
    if not _blocks(gates):
        gates = judged_as_left(proposal, gates, n_before)
        write_atomically(staging / GATES_FILE, gates_bytes(gates))
    return proposal, gates


def _blocks(gates: tuple[GateResult, ...]) -> bool:
    return any(result.level is Level.BLOCK for result in gates)


def _judged(
    staging: Path, proposal: Proposal, changes: TokenChanges, n_backdated: int
) -> tuple[GateResult, ...]:
    """Run the gates, and write what they say and the profile of the people that the next night compares."""
    told = replace(proposal, changed_tokens=changes.counts, backdated_stops=n_backdated)
    gates = tuple(run_gates(told))
    write_atomically(staging / GATES_FILE, gates_bytes(gates))
    profile = column_profile(proposal.people, proposal.listed, proposal.lists)
    write_atomically(staging / COLUMN_PROFILE, column_profile_bytes(profile))
    return gates


def _with_pages(  # noqa: PLR0917
    gates: tuple[GateResult, ...],
    proposal: Proposal,
    staging: Path,
    published: Path,
    manifest: Manifest,
    judge: Callable[[Proposal, Path, Path, str], GateResult],
) -> tuple[GateResult, ...]:
    """Return the gates with that of pages, which needs the whole run, and write what it says beside them."""
    found = (*gates, judge(proposal, staging, published, manifest.run_id))
    write_atomically(staging / GATES_FILE, gates_bytes(found))
    entries = _file_entries(staging, rows=len(proposal.lists))
    write_manifest(staging, manifest.model_copy(update={"files": entries}))
    return found


def _write_cards(
    staging: Path, proposal: Proposal, gates: tuple[GateResult, ...], made_from: MadeFrom, source: str
) -> None:
    """Write what the publication is for, what it is made of and what it is not, for people to read."""
    card = model_card(proposal.people, proposal.policy, gates, made_from, len(proposal.lists))
    write_atomically(staging / MODEL_CARD, card)
    write_atomically(staging / DATA_SHEET, data_sheet(proposal.people, source))


def _written_manifest(
    staging: Path,
    proposal: Proposal,
    moment: datetime,
    *,
    made_from: MadeFrom,
    ledger: SafetyLedger,
) -> Manifest:
    manifest = Manifest(
        run_id=staging.name.removeprefix("."),
        created_at=moment.astimezone(UTC).isoformat(),
        data_as_of=proposal.people.as_of.isoformat(),
        events=proposal.events,
        erasure_watermark=_watermark(proposal.erased, moment),
        safety_watermark=None if ledger.watermark is None else ledger.watermark.text(),
        made_from=made_from,
        packages=dict(package_versions()),
        files=_file_entries(staging, rows=len(proposal.lists)),
    )
    write_manifest(staging, manifest)
    return manifest


def _finish(staging: Path, folder: Path, erased: ErasedPeople, *, keep: int) -> None:
    """Move a run into place, point to it unless it was refused, and clear what is old or names the erased."""
    published = folder.parent.parent
    move_atomically(staging, folder)
    if folder.parent.name == RUNS:
        set_current_run(published, folder.name)
    write_history(published)
    rewrite_runs_naming_erased(published, erased)
    remove_old(published, keep)


def _proposal(
    staging: Path,
    people: Population,
    policy: Policy,
    published: Path,
    served: "_Served",
    *,
    settings: PublishSettings,
    source: str,
) -> Proposal:
    """Return the lists of a run with everything the gates compare them with."""
    nights, now = [night for night in read_history(published) if night.published], datetime.now(UTC)
    return Proposal(
        lists=read_coded_lists(staging / LISTS),
        people=people,
        policy=policy,
        limits=settings.gates,
        undeclared=settings.platform.missing(source),
        previous=served.publication,
        previous_problem=served.problem,
        erased=ErasureList.of(published).now(),
        clock=now,
        past=[night.numbers for night in nights],
        n_lately=sum(night.is_since(now - FOUR_WEEKS) for night in nights),
    )


_PAGES: Final = (GATES_FILE, COLUMN_PROFILE, MODEL_CARD, DATA_SHEET)


def _file_entries(run: Path, *, rows: int) -> dict[str, FileEntry]:
    """Return the entry of every file of a run, as its manifest lists them."""
    entries = {name: file_entry(run / name) for name in (*_PAGES, *_serving_files(run))}
    return {LISTS: file_entry(run / LISTS, rows=rows)} | entries


def _watermark(erased: ErasedPeople, moment: datetime) -> str | None:
    """Return up to when erasures are applied; never later than the run, also when the clock went back."""
    if erased.watermark is None:
        return None
    return min(erased.watermark, moment.astimezone(UTC).isoformat(timespec="microseconds"))


def _serving_files(run: Path) -> list[str]:
    paths = sorted([*(run / SERVING).rglob("*"), *(run / NEWCOMERS).rglob("*")])
    return [path.relative_to(run).as_posix() for path in paths if path.is_file()]


@dataclass(frozen=True, eq=False)
class _Served:
    """The publication served now, or why it cannot be read; `shown` is who stands in its lists."""

    publication: Publication | None = None
    problem: str = ""
    shown: frozenset[str] = frozenset()

    def snapshot(self) -> Snapshot | None:
        """Return what a ranker serves of it; None where that cannot be read."""
        try:
            return None if self.publication is None else served_snapshot(self.publication)
        except RecsysError:
            return None


def _served(published: Path) -> _Served:
    try:
        if current_run(published) is None:
            return _Served()
        found = read_publication(published)
    except PublicationError as error:
        return _Served(problem=str(error))
    lists = read_coded_lists(found.folder / LISTS, [C.VIEWER, C.CANDIDATE])
    ids = (lists[column].cat.categories for column in (C.VIEWER, C.CANDIDATE))
    return _Served(found, shown=frozenset(one for column in ids for one in column))


@contextmanager
def _explained_disk(published: Path) -> Iterator[None]:
    """Turn errors of the file system into ones that say what to do."""
    try:
        yield
    except OSError as error:
        # numpy tells of a part that was written, and of no number
        part = error.errno is None and "requested and" in str(error)
        full = part or error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        what = "the disk is full" if full else "cannot write the publication"
        remedy = "free some space and run again" if full else "check the folder and its permissions"
        message = explained(what, where=str(published), got=str(error), remedy=remedy)
        raise (BusyError if full else PublicationError)(message) from error
