"""Rollback: an earlier publication is served again."""

from pathlib import Path

from recsys.errors import (
    PublicationError,
    RecsysError,
    UnknownFormatError,
    did_you_mean,
    explained,
    warn,
)
from recsys.pipeline.earlier_publications import end_runs_after, left_out_since
from recsys.pipeline.erasure import run_names_erased
from recsys.pipeline.history import read_history
from recsys.pipeline.lock import writer_lock
from recsys.pipeline.night_safety import require_ledger
from recsys.pipeline.retention import run_ids
from recsys.pipeline.rewrite_run import rewrite_run
from recsys.ranking.publication_filter import published_ids
from recsys.ranking.snapshot_files import served_snapshot
from recsys.safety.erasure_list import ErasureList
from recsys.safety.ledger import SafetyLedger
from recsys.safety.ledger_file import Record
from recsys.storage.manifest import read_manifest, verify_files
from recsys.storage.publication import RUNS, Publication, current_run, read_publication, set_current_run


def rollback(
    published: str | Path, run_id: str | None = None, *, without_newest: bool = False
) -> Publication:
    """Point to `run_id`, or to the run before the one that is served, and return it.

    Its files are checked first; when they do not match its manifest, the pointer stays. Nobody comes back by
    it: a run that names somebody erased is rewritten without them first, and whoever was held or separated
    since stands in the safety ledger, which a ranker asks in every call. Whom the newest publication lists no
    more, or keeps apart, is noted there as well, until a night is published, whatever comes by day; a warning
    says so when that would be of more than half of the people, and nobody is noted. A newest publication that
    is damaged or gone says nothing of them, and nothing is rolled back.

    without_newest: go back all the same; whom the newest publication left out is shown again.

    Raises
    ------
    PublicationError
        When there is no such run, nothing earlier, its files or those of the newest are damaged, or somebody
        erased cannot be taken out of it.
    BusyError
        When another writer is at work.
    SafetyUnavailable
        When the safety ledger or the list of erasures is missing, replaced or older than a publication.
    """
    published = Path(published)
    if not published.is_dir():
        remedy = "publish first: make nightly"
        raise PublicationError(explained("nothing is published", where=str(published), remedy=remedy))
    with writer_lock(published):
        ledger = SafetyLedger.of(published)
        require_ledger(published, ledger)
        found = read_publication(published, run_id=_chosen(published, run_id))
        erased = ErasureList.of(published).now()
        if run_names_erased(found.folder, erased) and not rewrite_run(found.folder, erased):
            remedy = "choose a later run, or run the night"
            raise PublicationError(
                explained("this run names somebody who asked to be erased", got=found.run_id, remedy=remedy)
            )
        left_out = [] if without_newest else _left_out_of_newest(published, found, ledger)
        end_runs_after(ledger, found.run_id, left_out)
        ledger.note_spellings(told_apart=published_ids(found.folder).are_told_apart)
        set_current_run(published, found.run_id)
        return read_publication(published)


def _left_out_of_newest(published: Path, found: Publication, ledger: SafetyLedger) -> list[Record]:
    """Return the ledger's records of whom the newest later publication leaves out, or keeps apart.

    One that this version cannot open, whole as it is, is served by nobody, whatever it holds: it is passed
    over. Raises PublicationError for one that is damaged or gone.
    """
    for run_id in reversed(_later_than(found.run_id, published)):
        try:
            newest = served_snapshot(read_publication(published, run_id=run_id))
            served = None if newest is None else served_snapshot(found)
        except RecsysError as error:
            if _is_whole(published / RUNS / run_id):
                continue
            remedy = "run the night again; --without-newest goes back all the same, and shows them"
            told = "it cannot be read whom the newest publication leaves out"
            raise PublicationError(explained(told, where=run_id, got=str(error), remedy=remedy)) from error
        if newest is None:
            continue
        if served is None:
            return []
        left_out, are_all = left_out_since(ledger, served, newest)
        if not are_all:
            remedy = "run the night once its tables are right"
            what = "more than half of the people are not, or not together, in the later publication"
            warn(explained(f"{what}: they are shown again", got=run_id, remedy=remedy))
        return left_out
    return []


def _later_than(run_id: str, published: Path) -> list[str]:
    """Return the published runs after one in order, also those whose folder is gone."""
    current = current_run(published)
    known = {*run_ids(published), *(() if current is None else (current,))}
    known.update(night.run_id for night in read_history(published) if night.published)
    return sorted(one for one in known if one > run_id)


def unreadable_later_runs(published: Path) -> list[str]:
    """Return the runs that were published after the one served and are damaged or gone, in order."""
    current = current_run(published)
    later = [] if current is None else _later_than(current, published)
    return [run for run in later if not _is_whole(published / RUNS / run)]


def _is_whole(folder: Path) -> bool:
    """Say whether a run is as it was written, of whatever version."""
    try:
        verify_files(folder, read_manifest(folder))
    except UnknownFormatError:
        return True
    except PublicationError:
        return False
    return True


def _chosen(published: Path, run_id: str | None) -> str:
    known = run_ids(published)
    if run_id is not None:
        if run_id not in known:
            remedy = did_you_mean(run_id, known) if known else "publish first: make nightly"
            raise PublicationError(
                explained("no such publication", where=str(published), got=run_id, remedy=remedy)
            )
        return run_id
    current = current_run(published)
    earlier = [name for name in known if current is not None and name < current]
    if not earlier:
        remedy = "name a run, as in `recsys rollback RUN`, or publish again"
        raise PublicationError(
            explained("nothing earlier to go back to", where=str(published), got=current, remedy=remedy)
        )
    return earlier[-1]
