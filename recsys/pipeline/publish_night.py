"""The publication of a night, for the nightly batch and for `recsys publish` alike.

`publish_night` gathers the files of a night and what its stages left for the gates; `recsys.pipeline.publish`
writes, checks and serves them.
"""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from os.path import lexists
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.data.id_spellings import Spellings
from recsys.data.population import Population
from recsys.errors import RecsysError
from recsys.pipeline.erasure import drop_applied_erasures, erase_listed
from recsys.pipeline.fingerprint import made_from as fingerprints_of
from recsys.pipeline.list_files import copy_lists
from recsys.pipeline.night import Night, without_erased
from recsys.pipeline.night_safety import HoldStates, require_ledger
from recsys.pipeline.paths import HOME_STORE, NightPaths
from recsys.pipeline.postgres_served_lists import Served, load_publication, served
from recsys.pipeline.publish import PublishResult, publish
from recsys.pipeline.serving_parts import ServingParts
from recsys.pipeline.stage_outputs import read_calibration, read_prices
from recsys.ranking.publication_filter import ListFilter
from recsys.ranking.snapshot_files import served_snapshot
from recsys.safety.erasure_list import ErasureList
from recsys.safety.ledger import SafetyLedger
from recsys.safety.sqlite_store import SqliteSafety
from recsys.safety.store_binding import StoreBinding
from recsys.storage.publication import read_publication


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
    def of(cls, paths: NightPaths) -> Self:
        """Return the files of the night in a work folder."""
        return cls(paths.lists, paths.model, paths.evaluation, paths.allocation)


def publish_night(
    night: Night, inputs: PublicationInputs, *, published: Path, ahead: ServingParts | None = None
) -> PublishResult:
    """Publish the lists of a night without the people erased since they were made; see `publish`.

    ahead: what a backend maps, made before the lists were there, of the same tables and model; it is made
    again where somebody was erased since.

    The nightly batch and `recsys publish` both come through here.
    Raises SourceError when a file of `inputs` cannot be read or is of other people or models.
    """
    settings, model = night.settings, inputs.model
    if night.kept is None:  # of copied tables the night has listed them before
        _list_erasures(night, ErasureList.of(published))
    if lexists(HOME_STORE):
        with suppress(RecsysError):  # one that is locked just now is told by the next night
            erase_listed(SqliteSafety(HOME_STORE), published)
    erased = ErasureList.of(published).now()
    rows, people, gone = without_erased(night.people, erased)
    prices = None if inputs.allocation is None else read_prices(inputs.allocation, night.people.ids)
    kept = None if prices is None else prices[rows]
    with ThreadPoolExecutor(1) as pool:
        known = ahead if ahead is not None and np.array_equal(ahead.rows, rows) else None
        made = pool.submit(lambda: known or ServingParts.of(night, model, people, rows))
        return publish(
            lambda path: copy_lists(inputs.lists, path, without=gone),
            people,
            night.policy,
            published=published,
            settings=settings.publish,
            source=settings.source,
            made_from=fingerprints_of(settings, night.policy, source=night.source, model=model),
            serving=lambda folder, lists: made.result().write(
                folder, lists, night, kept, SafetyLedger.of(published)
            ),
            calibration=(
                None
                if inputs.evaluation is None
                else read_calibration(inputs.evaluation, settings.model.name)
            ),
            events=night.n_events,
            holds=HoldStates.of_source(night.source, night.people.as_of),
            row_counts=night.row_counts,
            pages_asked=settings.publish.gates.pages_asked,
        )


def lists_of_now(lists: pd.DataFrame, people: Population, published: Path) -> pd.DataFrame:
    """Return lists of people without whom the safety ledger stops or separates now, and without the erased.

    A list closes up where somebody is left out. published: the folder of publications, whose ledger it is.

    Raises SafetyUnavailable when the ledger or the list of erasures cannot be trusted.
    """
    if not published.is_dir():
        return lists
    require_ledger(published, ledger := SafetyLedger.of(published))
    only, (_, _, gone) = (
        ListFilter.of_people(people, ledger),
        without_erased(people, ErasureList.of(published).now()),
    )
    viewers, candidates = (lists[name].to_numpy(object) for name in (C.VIEWER, C.CANDIDATE))
    kept = only.keeps(viewers, candidates) & ~lists[[C.VIEWER, C.CANDIDATE]].isin(gone).any(axis=1).to_numpy()
    left = lists[kept].reset_index(drop=True)
    ranks = left.groupby(C.VIEWER, sort=False, observed=True).cumcount() + 1
    return left.assign(**{C.RANK: ranks.astype(lists[C.RANK].dtype)})


def _list_erasures(night: Night, erasures: ErasureList) -> None:
    """Put whoever the tables of a night erase on the list, so that they stay out when the row is gone."""
    asked = sorted(night.tables.restrictions.erased)
    if asked:
        ids = night.people.ids.ids(np.arange(len(night.people))).tolist()
        spellings, known = Spellings(ids), frozenset(ids)
        meant = (spellings.only(one) for one in asked if one not in known)
        erasures.add([*asked, *(one for one in meant if one is not None)])


def _erase_in_database(published: Path, address: str) -> None:
    """Tell a safety store in a database who is on the list of erasures, where there is one."""
    from recsys.safety.postgres_store import PostgresSafety  # needs the extra `pg`

    # no safety store there is no failure of an export
    with suppress(RecsysError), closing(PostgresSafety(address)) as store:
        erase_listed(store, published)


def _require_store_in_database(published: Path, address: str) -> None:
    """Raise SafetyUnavailable where a worker would not serve beside the safety store of a database."""
    from recsys.safety.postgres_store import PostgresSafety  # needs the extra `pg`

    with closing(PostgresSafety(address)) as store:
        if store.is_there():
            StoreBinding(store, SafetyLedger.of(published)).compare()


def export_publication(published: Path, address: str) -> Served:
    """Serve what is published from a PostgreSQL database as well, without whoever left since it was made.

    A safety store in the same database drops the ids of those whom the publication exported before this one
    was made without: by then every worker serves it, or a later one.

    Raises PublicationError when nothing is published, SafetyUnavailable when that store and the safety ledger
    do not belong together or one is older than the other knows it, and what `load_publication` raises.
    """
    before = served(address)
    _require_store_in_database(published, address)
    _erase_in_database(published, address)
    publication, erased = read_publication(published), ErasureList.of(published).now()
    only = ListFilter.of_publication(publication, published)
    snapshot = served_snapshot(publication)
    found = load_publication(publication, address, erased=erased, only=only, snapshot=snapshot)
    if before is not None:
        from recsys.safety.postgres_store import PostgresSafety  # needs the extra `pg`

        # no safety store here, or a run that was removed since, is no failure of an export
        with suppress(RecsysError), closing(PostgresSafety(address)) as store:
            drop_applied_erasures(store, published, before.run_id)
    return found
