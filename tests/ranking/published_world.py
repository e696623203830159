"""Small publications to serve from."""

import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.constraints.policy import Policy
from recsys.data.population import Population
from recsys.models.base import Model
from recsys.models.directed import Directed
from recsys.pipeline.publish import PublishResult, publish
from recsys.ranking.cold_start import NewcomerParts
from recsys.ranking.recommend import recommend
from recsys.ranking.snapshot_files import SnapshotParts, write_snapshot
from recsys.safety.ledger import SafetyLedger
from recsys.storage.publication import NEWCOMERS, RUNS
from recsys.testing.people import make_listed_people
from tests.pipeline.small_night import MADE_FROM, SETTINGS

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def ledger_of(serving: Path) -> SafetyLedger:
    """Return the safety ledger of the publications to which a folder under way belongs."""
    return SafetyLedger.of(serving.parents[2])


def copied(published: Path, folder: Path) -> Path:
    """Return a copy of a folder of publications whose runs are the same files: nobody writes into those."""

    def copy(source: str, target: str) -> None:
        (os.link if f"/{RUNS}/" in source else shutil.copy2)(source, target)

    shutil.copytree(published, folder, copy_function=copy)
    return folder


@dataclass(frozen=True, eq=False)
class Given:
    """A scorer whose matrices are given."""

    matrices: Directed

    def directed(self, people: Population) -> Directed:
        return self.matrices


@dataclass(frozen=True, eq=False, repr=False)
class World:
    """People, rules and matrices, and the lists of a night."""

    people: Population
    policy: Policy
    directed: Directed
    lists: pd.DataFrame

    def __repr__(self) -> str:
        return f"World({len(self.people)} people)"

    @classmethod
    def of(cls, people: Population, *, k: int = 6, seed: int = 5) -> "World":
        rng = np.random.default_rng(seed)
        taste, appeal = rng.normal(size=(2, len(people), 6))
        directed = Directed.of(people.ids, taste=taste, appeal=appeal, cell=people.cells)
        policy = Policy.default()
        return cls(people, policy, directed, recommend(Given(directed), people, policy, k=k))

    @classmethod
    def small(cls, n_people: int = 40, **settings: int) -> "World":
        return cls.of(make_listed_people(n_people, np.random.default_rng(11)), **settings)

    @cached_property
    def parts(self) -> SnapshotParts:
        """What every publication of this world has in common, as a night makes it ahead."""
        return SnapshotParts.of(self.people, self.policy, self.directed)

    def publish(self, published: Path, *, model: Model | None = None, **changes: object) -> PublishResult:
        """Publish the lists; with a model, what newcomers are folded in with too."""
        made = MADE_FROM.model_copy(update={"policy": self.policy.version})
        arguments: dict[str, object] = {
            "published": published,
            "settings": SETTINGS,
            "source": "town",
            "made_from": made,
            "serving": partial(self.write, model=model),
        }
        return publish(self.lists, self.people, self.policy, **(arguments | changes))  # type: ignore[arg-type]

    def write(self, folder: Path, lists: pd.DataFrame, *, model: Model | None = None) -> None:
        ledger = ledger_of(folder)
        newcomers = None if model is None else NewcomerParts.of(self.people, self.policy, model)
        if newcomers is not None:
            newcomers.write(folder.parent / NEWCOMERS)
        write_snapshot(folder, lists, self.people, self.policy, self.parts, ledger=ledger)

    def shown(self, viewer: str, candidate: str) -> bool:
        i, j = self.people.ids.rows([viewer, candidate])
        return bool(self.policy.may_show(self.people, [i], [j])[0])

    def may_be_shown(self) -> set[tuple[str, str]]:
        """Return every pair of viewer and candidate the rules allow, by the plain form."""
        i, j = np.divmod(np.arange(len(self.people) ** 2), len(self.people))
        ids, allowed = (
            self.people.ids.ids(np.arange(len(self.people))),
            self.policy.may_show(self.people, i, j),
        )
        return set(zip(ids[i[allowed]], ids[j[allowed]], strict=True))

    def may_be_offered(self) -> set[tuple[str, str]]:
        """Return those of `may_be_shown` whom the viewer has not liked already."""
        i, j = self.people.relations.liked.T
        return self.may_be_shown() - set(zip(self.people.ids.ids(i), self.people.ids.ids(j), strict=True))

    def listed(self, viewer: str) -> list[str]:
        return self.lists.loc[self.lists[C.VIEWER] == viewer, C.CANDIDATE].tolist()
