"""A small night to publish: people who may meet, and lists of them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.constraints.policy import Policy
from recsys.data.population import Population
from recsys.pipeline.publish import PublishResult, publish
from recsys.settings import PlatformDeclaration, PublishSettings
from recsys.storage.manifest import MadeFrom
from recsys.testing.people import make_listed_people

MADE_FROM = MadeFrom(table_schema="s", model="m", data="d", policy="p", code="c", params="q")
DECLARED = PlatformDeclaration(
    declared_for="town",
    identity_and_age_checked=True,
    report_and_block=True,
    partnered_members_welcome_in_writing=True,
    support_contact=True,
)
SETTINGS = PublishSettings(platform=DECLARED)


@dataclass(frozen=True, eq=False)
class Night:
    """Everything `publish` needs, with lists that pass every gate."""

    people: Population
    policy: Policy
    lists: pd.DataFrame

    def publish(self, published: Path, lists: pd.DataFrame | None = None, **changes: object) -> PublishResult:
        arguments: dict[str, object] = {
            "published": published,
            "settings": SETTINGS,
            "source": "town",
            "made_from": MADE_FROM,
        }
        return publish(
            self.lists if lists is None else lists,
            self.people,
            self.policy,
            **(arguments | changes),  # type: ignore[arg-type]
        )


def make_night(n_people: int = 30, k: int = 6) -> Night:
    rng = np.random.default_rng(11)
    people, policy = make_listed_people(n_people, rng), Policy.default()
    viewer, candidate = np.divmod(np.arange(n_people**2), n_people)
    shown = policy.may_show(people, viewer, candidate)
    table = pd.DataFrame({"row": viewer[shown], C.CANDIDATE: people.ids.ids(candidate[shown])})
    like, back = rng.random((2, len(table)), dtype=np.float32)
    table = table.assign(**{C.VIEWER: people.ids.ids(table["row"]), C.P_LIKE: like, C.P_LIKED_BACK: back})
    table[C.P_MUTUAL] = like * back
    table = table.sort_values(["row", C.P_MUTUAL], ascending=[True, False]).groupby("row").head(k)
    table[C.RANK] = table.groupby("row").cumcount() + 1
    table[C.REASONS] = [["interest:photography", "near"] for _ in range(len(table))]
    return Night(people, policy, table.drop(columns="row").reset_index(drop=True))


def not_shown(night: Night) -> tuple[str, str]:
    """Return two people of whom the first must not be shown the second."""
    n_people = len(night.people)
    viewer, candidate = np.divmod(np.arange(n_people**2), n_people)
    wrong = ~night.policy.may_show(night.people, viewer, candidate) & (viewer != candidate)
    at = int(np.flatnonzero(wrong)[0])
    ids = night.people.ids.ids(np.arange(n_people))
    return str(ids[viewer[at]]), str(ids[candidate[at]])
