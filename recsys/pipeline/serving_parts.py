"""What a backend maps of a night, but for its lists: it needs people, rules, events and the model alone."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.data.population import Population
from recsys.experiments.night_arms import NightArms
from recsys.memory import return_freed_memory
from recsys.pipeline.from_settings import directed_of, load_model
from recsys.pipeline.night import Night
from recsys.ranking.cold_start import NewcomerParts, vocabulary_for
from recsys.ranking.snapshot_files import SnapshotParts, StagedPeople, pair_stages_of, write_snapshot
from recsys.ranking.snapshot_rows import NO_ARMS, ArmRows
from recsys.safety.ledger import SafetyLedger
from recsys.storage.publication import NEWCOMERS


@dataclass(frozen=True, eq=False)
class ServingParts:
    """What a backend maps, but for the lists: made before they are there, or while the gates judge them.

    people: who of the night is still here, at `rows`. newcomers: None for a model that cannot fold them in.
    """

    people: Population
    rows: npt.NDArray[np.integer]
    parts: SnapshotParts
    newcomers: NewcomerParts | None

    @classmethod
    def of(cls, night: Night, model: Path, people: Population, rows: npt.NDArray[np.integer]) -> Self:
        """Make it; raises SourceError when the model cannot be read or is of other people."""
        stages = StagedPeople.of(pair_stages_of(night.coded_events(), people, night.policy), people.ids)
        return_freed_memory()  # what the stages of all pairs took
        vocabulary = vocabulary_for(night.settings.model.name, people, night.policy)
        fitted = load_model(night.settings.model, model)
        directed = directed_of(fitted, night.people)
        directed = directed if len(rows) == len(night.people) else directed.take(rows)
        newcomers = NewcomerParts.of(people, night.policy, fitted, vocabulary)
        del fitted, vocabulary
        return_freed_memory()
        return cls(people, rows, SnapshotParts.of(people, night.policy, directed, stages), newcomers)

    def write(
        self,
        folder: Path,
        lists: pd.DataFrame,
        night: Night,
        prices: npt.NDArray[np.float32] | None,
        ledger: SafetyLedger,
    ) -> None:
        """Write the files a `Ranker` opens, of the lists that `publish` has judged.

        prices: `(n_people,)`, what the attention of each person costs. ledger: where persons are named as the
        publication names them.
        """
        return_freed_memory()  # what the gates took
        if self.newcomers is not None:
            self.newcomers.write(folder.parent / NEWCOMERS)
        write_snapshot(
            folder,
            lists,
            self.people,
            night.policy,
            self.parts,
            combiner=night.settings.recommend.combiner,
            prices=prices,
            ledger=ledger,
            arms=_arms(night, self.people),
        )
        return_freed_memory()


def _arms(night: Night, people: Population) -> ArmRows:
    if night.settings.experiment is None:
        return NO_ARMS
    arms = NightArms.of(night.settings.experiment, people.ids.values, people.as_of)
    return ArmRows(arms.names(), arms.codes())
