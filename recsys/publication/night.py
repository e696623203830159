"""The people, events and rules of the night under way, read from its files."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from recsys.config import TOWN, Settings
from recsys.constraints.policy import Policy
from recsys.publication.choices import chosen_policy
from recsys.publication.work import WorkFolder
from recsys.schema.population import Population
from recsys.storage.load import LoadedTables, events_of, load_tables, population_of
from recsys.storage.snapshot import snapshot_source

if TYPE_CHECKING:
    from recsys.history.events import Events


@dataclass(frozen=True, eq=False)
class Night:
    """What every step after the validation works on.

    Tables are checked again each time they are read: what was refused decides who is kept apart, and
    no step may do without that.
    """

    settings: Settings
    work: WorkFolder

    @property
    def source(self) -> str:
        """The tables of tonight, as a source."""
        return snapshot_source(self.settings.source, self.work.tables)

    @cached_property
    def tables(self) -> LoadedTables:
        """All tables, checked."""
        return load_tables(self.source, self.settings.as_of)

    @cached_property
    def people(self) -> Population:
        """Everybody, as of the time of the night."""
        return population_of(self.tables)

    @cached_property
    def events(self) -> "Events":
        """Everything that happened up to then."""
        return events_of(self.tables)

    @cached_property
    def policy(self) -> Policy:
        """The rules of the settings."""
        return chosen_policy(self.settings.policy)


def tables_of(settings: Settings, work: WorkFolder) -> str:
    """Return where tonight's tables come from, before they are copied."""
    return f"parquet:{work.town}" if settings.source == TOWN else settings.source
