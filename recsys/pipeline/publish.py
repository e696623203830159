"""One night becomes what is served: written aside, judged, and only then pointed to."""

import errno
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.config import PublishSettings
from recsys.constraints.policy import Policy
from recsys.data.population import Population
from recsys.errors import (
    EXIT_PUBLISHED,
    EXIT_PUBLISHED_WITH_WARNINGS,
    EXIT_REFUSED,
    BusyError,
    PublicationError,
    explained,
)
from recsys.pipeline.erasure import remove_runs_naming_erased
from recsys.pipeline.fingerprint import made_from as fingerprints_of
from recsys.pipeline.fingerprint import package_versions
from recsys.pipeline.from_settings import directed_of, load_model
from recsys.pipeline.gates import run_gates
from recsys.pipeline.gates.base import Calibration, GateResult, Level, Proposal
from recsys.pipeline.gates.distribution import COLUMN_PROFILE, column_profile, column_profile_bytes
from recsys.pipeline.history import GATES_FILE, gates_bytes, read_history, write_history
from recsys.pipeline.list_files import copy_lists, write_lists
from recsys.pipeline.lock import writer_lock
from recsys.pipeline.night import Night, without_erased
from recsys.pipeline.paths import NightPaths
from recsys.pipeline.retention import new_run_id, remove_leftovers, remove_old, run_ids
from recsys.pipeline.stage_outputs import read_calibration, read_prices
from recsys.ranking.cold_start import write_newcomer_files
from recsys.ranking.snapshot_files import pair_stages_of, write_snapshot
from recsys.safety.erasure_list import ErasedPeople, ErasureList
from recsys.storage.atomic_write import move_atomically, sync_folder, write_atomically
from recsys.storage.manifest import MadeFrom, Manifest, file_entry, write_manifest
from recsys.storage.publication import (
    LISTS,
    NEWCOMERS,
    RUNS,
    SERVING,
    Publication,
    current_run,
    point_to,
    read_coded_lists,
    read_publication,
)

REFUSED: Final = "refused"
_EXIT: Final = {
    Level.PASS: EXIT_PUBLISHED,
    Level.WARN: EXIT_PUBLISHED_WITH_WARNINGS,
    Level.BLOCK: EXIT_REFUSED,
}


@dataclass(frozen=True)
class PublishResult:
    """How a night ended: its run, where it lies, what every gate said."""

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


@dataclass(frozen=True)
class PublicationInputs:
    """The files a publication is made of.

    evaluation: what `recsys evaluate` wrote, None when the model was not evaluated: then the gate of
    calibration has nothing to judge. allocation: the folder with the prices of attention, None when the
    lists were not allocated together: then live search ranks without prices.
    """

    lists: Path
    model: Path
    evaluation: Path | None
    allocation: Path | None

    @classmethod
    def of(cls, work: NightPaths) -> Self:
        """Return the files of the night in a work folder."""
        return cls(work.lists, work.model, work.evaluation, work.allocation)


def publish_night(night: Night, inputs: PublicationInputs, *, published: Path) -> PublishResult:
    """Publish the lists of a night without the people erased since they were made; see `publish`.

    The nightly batch and `recsys publish` both come through here.
    Raises SourceError when a file of `inputs` cannot be read or is of other people or models.
    """
    settings, model = night.settings, inputs.model
    erased = ErasureList.of(published).now()
    rows, people, gone = without_erased(night.people, erased)
    prices = None if inputs.allocation is None else read_prices(inputs.allocation, night.people.ids)
    return publish(
        lambda path: copy_lists(inputs.lists, path, without=gone),
        people,
        night.policy,
        published=published,
        settings=settings.publish,
        source=settings.source,
        made_from=fingerprints_of(settings, night.policy, source=night.source, model=model),
        serving=serving_writer(night, model, rows=rows, prices=prices),
        calibration=(
            None if inputs.evaluation is None else read_calibration(inputs.evaluation, settings.model.name)
        ),
        events=night.n_events,
    )


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
) -> PublishResult:
    """Write `lists` as a run of its own, put it to the gates, and serve it if none of them blocks.

    lists: a table of lists, or what writes one to the file it is given, for lists that are many.

    serving: writes what a backend maps into the folder it is given, from the lists as they were
    written, see `read_coded_lists`; called when no gate blocks. Without it there is nothing for a
    `Ranker` to open.

    calibration: how far the model's chances were from what happened, for the gate that asks.

    events: how many events were known; the next night counts by it what came late.

    A refused run is kept beside the others for the operator to read, and what is served stays.
    A crash at any point leaves what was served before; the next call clears up.

    Raises
    ------
    BusyError
        When another writer is at work or the disk is full.
    PublicationError
        When the folder cannot be written to.
    InputError
        When `lists` lacks a column.
    """
    published = Path(published)
    with _explained_disk(published), writer_lock(published):
        remove_leftovers(published)
        for kind in (RUNS, REFUSED):
            (published / kind).mkdir(exist_ok=True)
        sync_folder(published)
        known = run_ids(published)
        moment = now or datetime.now(UTC)
        run_id = new_run_id(moment, secrets.token_hex(4), after=known[-1] if known else None)
        aside = published / RUNS / f".{run_id}"
        aside.mkdir()
        if callable(lists):
            lists(aside / LISTS)
        else:
            write_lists(aside / LISTS, lists)
        previous, problem = _previous(published)
        erased = ErasureList.of(published).now()
        proposal = Proposal(
            lists=read_coded_lists(aside / LISTS),
            people=people,
            policy=policy,
            limits=settings.gates,
            undeclared=settings.platform.missing(source),
            previous=previous,
            previous_problem=problem,
            erased=erased,
            past=[night.numbers for night in read_history(published) if night.published],
            calibration=calibration,
        )
        gates = tuple(run_gates(proposal))
        write_atomically(aside / GATES_FILE, gates_bytes(gates))
        profile = column_profile(people, proposal.listed, proposal.lists)
        write_atomically(aside / COLUMN_PROFILE, column_profile_bytes(profile))
        refused = any(result.level is Level.BLOCK for result in gates)
        if serving is not None and not refused:
            serving(aside / SERVING, proposal.lists)
            sync_folder(aside)
        write_manifest(
            aside,
            Manifest(
                run_id=run_id,
                created_at=moment.astimezone(UTC).isoformat(),
                data_as_of=people.as_of.isoformat(),
                events=events,
                erasure_watermark=_watermark(erased, moment),
                made_from=made_from,
                packages=package_versions(),
                files={
                    LISTS: file_entry(aside / LISTS, rows=len(proposal.lists)),
                    GATES_FILE: file_entry(aside / GATES_FILE),
                    COLUMN_PROFILE: file_entry(aside / COLUMN_PROFILE),
                    **{name: file_entry(aside / name) for name in _serving_files(aside)},
                },
            ),
        )
        folder = published / (REFUSED if refused else RUNS) / run_id
        move_atomically(aside, folder)
        if not refused:
            point_to(published, run_id)
        write_history(published)
        remove_runs_naming_erased(published, erased)
        remove_old(published, settings.keep)
        return PublishResult(run_id, folder, gates)


def _watermark(erased: ErasedPeople, moment: datetime) -> str | None:
    """Return up to when erasures are applied; never later than the run, also when the clock went back."""
    if erased.watermark is None:
        return None
    return min(erased.watermark, moment.astimezone(UTC).isoformat(timespec="microseconds"))


def _serving_files(run: Path) -> list[str]:
    paths = sorted([*(run / SERVING).rglob("*"), *(run / NEWCOMERS).rglob("*")])
    return [path.relative_to(run).as_posix() for path in paths if path.is_file()]


def _previous(published: Path) -> tuple[Publication | None, str]:
    """Return the publication served now, or why it cannot be read."""
    try:
        if current_run(published) is None:
            return None, ""
        return read_publication(published), ""
    except PublicationError as error:
        return None, str(error)


@contextmanager
def _explained_disk(published: Path) -> Iterator[None]:
    """Turn errors of the file system into ones that say what to do."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        what = "the disk is full" if full else "cannot write the publication"
        remedy = "free some space and run again" if full else "check the folder and its permissions"
        message = explained(what, where=str(published), got=str(error), remedy=remedy)
        raise (BusyError if full else PublicationError)(message) from error


def serving_writer(
    night: Night,
    model: Path,
    *,
    rows: npt.NDArray[np.integer] | None = None,
    prices: npt.NDArray[np.float32] | None = None,
) -> Callable[[Path, pd.DataFrame], None]:
    """Return what `publish` calls to write the files a `Ranker` opens.

    model: the folder of the fitted model. rows: who of the night is still here, everybody when None.
    prices: `(n_people,)`, what the attention of each person of the night costs.
    """

    def write(folder: Path, lists: pd.DataFrame) -> None:
        everybody = rows is None or len(rows) == len(night.people)
        kept = np.arange(len(night.people)) if rows is None else rows
        people = night.people if everybody else night.people.take(kept)
        stages = pair_stages_of(night.coded_events(), people, night.policy)
        fitted = load_model(night.settings.model, model)
        write_newcomer_files(folder.parent / NEWCOMERS, people, night.policy, fitted)
        directed = directed_of(fitted, night.people)
        write_snapshot(
            folder,
            lists,
            people,
            night.policy,
            directed if everybody else directed.take(kept),
            stages=stages,
            combiner=night.settings.recommend.combiner,
            prices=None if prices is None else prices[kept],
        )

    return write
