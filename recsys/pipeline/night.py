"""One night: its people, events and policy, read from its tables."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.columns import Columns as C
from recsys.constraints.plugin import plugin_constraint
from recsys.constraints.policy import Policy
from recsys.data.absent_accounts import ENDING, LASTING
from recsys.data.events import Events
from recsys.data.exclusions import EXCLUSION_REASONS
from recsys.data.fail_closed import STOPPED
from recsys.data.population import LongTables, Population
from recsys.data.safety_rows import row_counts
from recsys.errors import PublicationError
from recsys.pipeline.fingerprint import validation_fingerprint
from recsys.pipeline.from_settings import catalogue_from_settings
from recsys.pipeline.paths import NightPaths
from recsys.pipeline.stage_outputs import (
    count_accepted_events,
    is_accepted,
    read_accepted_coded,
    read_accepted_events,
    read_accepted_people,
    read_row_counts,
)
from recsys.safety.erasure_list import ErasedPeople
from recsys.settings import TOWN, PolicySettings, Settings
from recsys.storage.load import LoadedTables, events_of, load_sorted, population_of
from recsys.storage.manifest import read_manifest
from recsys.storage.publication import RUNS, current_run
from recsys.storage.source_snapshot import snapshot_source
from recsys.types import Int32Array

if TYPE_CHECKING:
    from recsys.data.events import CodedEvents


@dataclass(frozen=True, eq=False)
class Night:
    """What every step after the validation works on.

    kept: what the validation accepted, when it was kept; used when it is of these very tables, see
          `recsys.pipeline.stage_outputs`.
    """

    settings: Settings
    source: str
    kept: Path | None = None

    @classmethod
    def current(cls, settings: Settings, paths: NightPaths) -> Self:
        """Return the night whose tables were copied to the work folder."""
        return cls(settings, snapshot_source(settings.source, paths.tables), paths.accepted)

    @cached_property
    def tables(self) -> LoadedTables:
        """All tables, checked; what happened is in `events`."""
        tolerance = timedelta(hours=self.settings.publish.gates.clock_tolerance_hours)
        return load_sorted(self.source, self.settings.as_of, catalogue=self.catalogue, tolerance=tolerance)

    @cached_property
    def catalogue(self) -> Catalogue | None:
        """The catalogue of the settings; None where the tables bring theirs, as a copied source does."""
        if self.kept is not None:
            return None
        return catalogue_from_settings(self.settings)

    @cached_property
    def people(self) -> Population:
        """Everybody, as of the time of the night."""
        return read_accepted_people(self._kept) if self._kept else population_of(self.tables)

    def people_without_tables(self) -> Population:
        """Return everybody without the tables of several rows a person, which take most of the memory."""
        if self._kept:
            return read_accepted_people(self._kept, tables=False)
        return replace(self.people, long=LongTables.empty())

    @cached_property
    def events(self) -> "Events":
        """Everything that happened up to then."""
        return read_accepted_events(self._kept) if self._kept else events_of(self.tables)

    def release(self) -> None:
        """Free the people and events; they are read again when they are used again."""
        for name in ("people", "events"):
            self.__dict__.pop(name, None)

    @property
    def n_events(self) -> int:
        """How many events there are, without reading them when they were kept."""
        return count_accepted_events(self._kept) if self._kept else len(self.events)

    @property
    def row_counts(self) -> dict[str, dict[str, int]]:
        """How many rows of each table came and were refused, and how many about safety name nobody."""
        if self._kept:
            return read_row_counts(self._kept)
        return row_counts(
            self.tables.counts,
            self.tables.nobody,
            accepted=self.tables.accepted,
            quarantine=self.tables.quarantine,
            events=self.events.coded,
            options=self.tables.catalogue.options_of_questions,
            ahead=self.tables.ahead,
        )

    def coded_events(self) -> "CodedEvents":
        """Return the events as arrays for stages of pairs, which count no messages.

        They are not kept here, so that they last as long as they are used.
        """
        return read_accepted_coded(self._kept, counts=False) if self._kept else self.events.coded

    def events_of_types(self, *types: str, columns: Collection[str] | None = None) -> "Events":
        """Return the events of some types; where all were kept, no other is read, nor other columns.

        columns: those that are needed, such as `recsys.data.events.CODED`; all when None.
        """
        if self._kept:
            return read_accepted_events(self._kept, types, columns)
        return self.events.of_types(*types)

    @cached_property
    def fingerprint(self) -> str:
        """The fingerprint of what decides whom and what the validation accepts."""
        return validation_fingerprint(self.source, self.settings.as_of, self.catalogue)

    @cached_property
    def _kept(self) -> Path | None:
        """Where the accepted people lie, None when they have to be read from the tables."""
        if self.kept is None or "tables" in self.__dict__ or not is_accepted(self.kept, self.fingerprint):
            return None
        return self.kept

    @cached_property
    def policy(self) -> Policy:
        """The rules of the settings."""
        return policy_from_settings(self.settings.policy)


def night_source(settings: Settings, paths: NightPaths) -> str:
    """Return where tonight's tables come from, before they are copied."""
    return f"parquet:{paths.town}" if settings.source == TOWN else settings.source


def policy_from_settings(settings: PolicySettings) -> Policy:
    """Return the policy of the settings: every rule of the package, and those of plugins.

    Raises PluginError when a plugin cannot be used, SettingsError for settings it does not take.
    """
    policy = Policy.default(verification=settings.verification, same_employer=settings.same_employer)
    for name, options in settings.constraints.items():
        policy &= plugin_constraint(name, options)
    return policy


def without_erased(
    people: Population, erased: ErasedPeople
) -> tuple[Int32Array, Population, npt.NDArray[np.object_]]:
    """Return the rows of everybody not erased, them as a population, and the ids of the erased.

    What the population knows of absent accounts has whom tables stop of the erased, whom they are kept apart
    from, and the hides and passes that name them.
    """
    is_erased = erased.among(people.ids.values)
    rows = np.flatnonzero(~is_erased).astype(np.int32)
    gone = people.ids.values[is_erased]
    if not len(gone):
        return rows, people, gone
    relations, ids = people.relations, people.ids.values
    lasts, ends = (
        np.isin(relations.reason, [EXCLUSION_REASONS.index(why) for why in chosen])
        for chosen in (LASTING, ENDING)
    )
    lost = is_erased[relations.excluded].any(axis=1) & (lasts | ends)
    reasons = np.array(EXCLUSION_REASONS, object)[relations.reason[lost]]
    stop = np.full(len(people), "", object)
    for state in STOPPED:
        stop[people.is_word(C.ACCOUNT_STATE, state)] = state
    kept = people.held | (stop != "")
    kept[relations.excluded[lost & lasts]] = True
    kept &= is_erased
    absent = people.absent.with_pairs(ids[relations.excluded[lost]], reasons)
    absent = absent.with_accounts(ids[kept], people.person_tokens[kept], stop[kept])
    remaining = people.take(rows)
    return rows, replace(remaining, absent=absent), gone


def count_late_events(events: Events, published: Path) -> int | None:
    """Return how many events of the time before the last publication it did not know; None without one.

    They count tonight like any other: a night reads the whole log. Events of people who were erased
    since, or that the source removed, are missing from the count.
    """
    try:
        run_id = current_run(published)
        if run_id is None:
            return None
        manifest = read_manifest(published / RUNS / run_id)
    except PublicationError:
        return None
    if manifest.events is None:
        return None
    return max(len(events.until(manifest.data_as_of)) - manifest.events, 0)
