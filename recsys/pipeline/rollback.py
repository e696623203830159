"""Rollback: an earlier publication is served again."""

from pathlib import Path

from recsys.errors import PublicationError, did_you_mean, explained
from recsys.pipeline.erasure import run_names_erased
from recsys.pipeline.lock import writer_lock
from recsys.pipeline.night_safety import require_ledger
from recsys.pipeline.retention import run_ids
from recsys.pipeline.rewrite_run import rewrite_run
from recsys.safety.erasure_list import ErasureList
from recsys.safety.ledger import SafetyLedger
from recsys.storage.publication import Publication, current_run, read_publication, set_current_run


def rollback(published: str | Path, run_id: str | None = None) -> Publication:
    """Point to `run_id`, or to the run before the one that is served, and return it.

    Its files are checked first; when they do not match its manifest, the pointer stays. Nobody comes back by
    it: a run that names somebody erased is rewritten without them first, and whoever was held or separated
    since stands in the safety ledger, which a ranker asks in every call.

    Raises
    ------
    PublicationError
        When there is no such run, nothing earlier, its files are damaged, or somebody erased cannot be
        taken out of it.
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
        require_ledger(published, SafetyLedger.of(published))
        found = read_publication(published, run_id=_chosen(published, run_id))
        erased = ErasureList.of(published).now()
        if run_names_erased(found.folder, erased) and not rewrite_run(found.folder, erased):
            remedy = "choose a later run, or run the night"
            raise PublicationError(
                explained("this run names somebody who asked to be erased", got=found.run_id, remedy=remedy)
            )
        set_current_run(published, found.run_id)
        return read_publication(published)


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
        remedy = "name a run with --run, or publish again"
        raise PublicationError(
            explained("nothing earlier to go back to", where=str(published), got=current, remedy=remedy)
        )
    return earlier[-1]
