"""The people, events and rules of one night, read from its tables."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from recsys.config import TOWN, PolicySettings, Settings
from recsys.constraints.brought import brought_constraint
from recsys.constraints.policy import Policy
from recsys.publication.accepted import (
    accepted_id,
    count_accepted_events,
    is_accepted,
    read_accepted_coded,
    read_accepted_events,
    read_accepted_people,
)
from recsys.publication.work import WorkFolder
from recsys.schema.population import Population
from recsys.storage.load import (
    LoadedTables,
    events_of,
    load_tables,
    population_of,
    with_events_only_sorted,
)
from recsys.storage.snapshot import snapshot_source

if TYPE_CHECKING:
    from recsys.history.events import CodedEvents, Events


@dataclass(frozen=True, eq=False)
class Night:
    """What every step after the validation works on.

    kept: what the validation accepted, when it was kept; used when it is of these very tables, see
          `recsys.publication.accepted`.
    """

    settings: Settings
    source: str
    kept: Path | None = None

    @classmethod
    def under_way(cls, settings: Settings, work: WorkFolder) -> Self:
        """Return the night whose tables were copied to the work folder."""
        return cls(settings, snapshot_source(settings.source, work.tables), work.accepted)

    @cached_property
    def tables(self) -> LoadedTables:
        """All tables, checked; what happened is in `events`."""
        return with_events_only_sorted(load_tables(self.source, self.settings.as_of))

    @cached_property
    def people(self) -> Population:
        """Everybody, as of the time of the night."""
        return read_accepted_people(self._kept) if self._kept else population_of(self.tables)

    @cached_property
    def events(self) -> "Events":
        """Everything that happened up to then."""
        return read_accepted_events(self._kept) if self._kept else events_of(self.tables)

    def let_go(self) -> None:
        """Let go of everybody and everything that happened; asked for again, they are read again."""
        for name in ("people", "events"):
            self.__dict__.pop(name, None)

    @property
    def n_events(self) -> int:
        """How many events there are, without reading them when they were kept."""
        return count_accepted_events(self._kept) if self._kept else len(self.events)

    def coded_events(self) -> "CodedEvents":
        """Return the events as arrays; they are not kept here, so that they last as long as they are used."""
        return read_accepted_coded(self._kept) if self._kept else self.events.coded

    def happened(self, *types: str) -> "Events":
        """Return the events of some types; where all were kept, no other is read."""
        if self._kept:
            return read_accepted_events(self._kept, types)
        return self.events.of_types(*types)

    @cached_property
    def identity(self) -> str:
        """What decides whom and what the validation accepts."""
        return accepted_id(self.source, self.settings.as_of)

    @cached_property
    def _kept(self) -> Path | None:
        """Where the accepted people lie, None when they have to be read from the tables."""
        if self.kept is None or "tables" in self.__dict__ or not is_accepted(self.kept, self.identity):
            return None
        return self.kept

    @cached_property
    def policy(self) -> Policy:
        """The rules of the settings."""
        return chosen_policy(self.settings.policy)


def tables_of(settings: Settings, work: WorkFolder) -> str:
    """Return where tonight's tables come from, before they are copied."""
    return f"parquet:{work.town}" if settings.source == TOWN else settings.source


def chosen_policy(settings: PolicySettings) -> Policy:
    """Return the policy of the settings: every rule of the package, and those of plugins.

    Raises PluginError when a plugin cannot be used, SettingsError for settings it does not take.
    """
    policy = Policy.default(verification=settings.verification, same_employer=settings.same_employer)
    for name, options in settings.constraints.items():
        policy &= brought_constraint(name, options)
    return policy
