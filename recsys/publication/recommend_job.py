"""The lists of one part of the viewers, as work an executor can share out."""

import json
from dataclasses import dataclass
from pathlib import Path

from recsys.config import Settings
from recsys.constraints.compiled import Compiled
from recsys.publication.chosen_model import directed_of, load_model
from recsys.publication.executors.executor import PartDone, WorkOnPart
from recsys.publication.identity import code_id, files_id, package_versions, text_id
from recsys.publication.list_table import ROWS_A_GROUP_OF_A_PART, write_table
from recsys.publication.night import Night
from recsys.publication.pair_table import list_table
from recsys.publication.part_files import PartFiles
from recsys.publication.partition import Partition
from recsys.publication.work import WorkFolder
from recsys.ranking.searcher import Searcher
from recsys.retrieval import Retriever
from recsys.schema.population import Population

DROPPED = "dropped"
"""Count of a part: pairs that the plain check took out; anything but 0 is a defect."""


@dataclass(frozen=True)
class RecommendJob:
    """Everybody's candidates; part p is the viewers of part p of the partition in the work folder."""

    settings: Settings
    work: WorkFolder

    @property
    def files(self) -> PartFiles:
        """Where parts are written."""
        return PartFiles(self.work.parts / "recommend")

    @property
    def laid_out(self) -> Path:
        """Where everybody lies laid out while the step is under way; all workers share the memory of it."""
        return self.work.parts / "laid_out"

    def lay_out(self, people: Population, compiled: Compiled) -> None:
        """Lay out everybody for the workers, once."""
        directed = directed_of(load_model(self.settings.model, self.work.model), people)
        Retriever(directed, compiled).save(self.laid_out)

    def open(self) -> WorkOnPart:
        """Return what finds the candidates of one part, among the people that `lay_out` laid out."""
        night = Night.under_way(self.settings, self.work)
        maker = Searcher(night.people, night.policy, lambda: Retriever.opened(self.laid_out))
        cut, files, chosen = Partition.load(self.work.parts / "cut"), self.files, self.settings.recommend

        def one(number: int) -> PartDone:
            pairs, dropped = maker.pairs(cut.part(number), k=chosen.pool, combiner=chosen.combiner)
            table = list_table(pairs, night.people, None)
            write_table(files.path(number), [table], ROWS_A_GROUP_OF_A_PART)
            return files.finish(number, rows=len(pairs), counts={DROPPED: dropped})

        return one


def inputs_id(settings: Settings, work: WorkFolder, night: Night) -> str:
    """Return the identity of everything that decides what a part holds: data, code, model, settings."""
    parts = {
        "accepted": night.identity,
        "code": code_id(),
        "model": files_id(work.model),
        "policy": night.policy.version,
        "recommend": settings.recommend.model_dump(mode="json"),
        "people_a_part": settings.execution.people_a_part,
        "packages": package_versions(),
    }
    return text_id(json.dumps(parts, sort_keys=True))
