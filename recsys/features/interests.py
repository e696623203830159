"""The interests block: learns which interests go together."""

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.loading import load_catalogue
from recsys.data.events import Events
from recsys.data.population import Population
from recsys.features.applied.interests import AppliedInterests, centred_levels, with_levels
from recsys.features.block import Block
from recsys.features.tag_embedding import cooccurrence_kernel, embedding, taxonomy_kernel
from recsys.types import Float64Array


class Interests(Block):
    """Interests smoothed through the taxonomy and through who holds them.

    rank:        columns for the interests of the catalogue, at most 32.
    width:       columns for free tags (hashed character n-grams).
    own:         weight of a tag itself in the likeness of two tags,
    taxonomy:    of their common ancestors,
    together:    of being liked by the same people (PPMI and truncated SVD); the three are scaled to 1.
    unlisted:    how many tags at level 0 count into a person's mean level.
    slack:       shortens the row of a person with little evidence, in levels.
    mode_weight: share of the score that is the share mode (online or in person).
    catalogue:   the interests and their parents; the packaged one when None.
    """

    name = "interests"

    def __init__(
        self,
        *,
        rank: int = 32,
        width: int = 16,
        own: float = 0.4,
        taxonomy: float = 0.3,
        together: float = 0.3,
        unlisted: float = 5.0,
        slack: float = 1.0,
        mode_weight: float = 0.1,
        catalogue: Catalogue | None = None,
    ) -> None:
        self.rank = rank
        self.width = width
        self.own = own
        self.taxonomy = taxonomy
        self.together = together
        self.unlisted = unlisted
        self.slack = slack
        self.mode_weight = mode_weight
        self.catalogue = catalogue

    def _learn(self, people: Population, events: Events) -> AppliedInterests:  # noqa: ARG002
        catalogue = self.catalogue or load_catalogue()
        tags = tuple(sorted(catalogue.interests))
        together = self._together(people, tags)
        holders = np.diag(together) + 1.0
        kernel = self._kernel(catalogue, tags, together)
        return AppliedInterests(
            tags=tags,
            vectors=embedding(kernel, holders / holders.sum(), min(self.rank, 32)),
            width=self.width,
            unlisted=self.unlisted,
            slack=self.slack,
            mode_weight=self.mode_weight,
        )

    def _together(self, people: Population, tags: tuple[str, ...]) -> Float64Array:
        """Count the people who like both of two tags more than their own mean, `(n_tags, n_tags)`."""
        table = with_levels(people.long.interests)
        liked = centred_levels(table, len(people), self.unlisted) > 0
        tag = pd.Index(tags, dtype=object).get_indexer(pd.Index(table[C.TAG], dtype=object))
        kept = liked & (tag >= 0)
        place = (table[C.ROW].to_numpy(np.int64)[kept], tag[kept])
        holds = csr_array((np.ones(int(kept.sum())), place), shape=(len(people), len(tags)))
        return np.asarray((holds.T @ holds).toarray(), np.float64)

    def _kernel(self, catalogue: Catalogue, tags: tuple[str, ...], together: Float64Array) -> Float64Array:
        lines = {tag: catalogue.ancestors(tag) for tag in tags}
        parts = (
            (self.own, np.eye(len(tags))),
            (self.taxonomy, taxonomy_kernel(tags, lines)),
            (self.together, cooccurrence_kernel(together, min(self.rank, 32))),
        )
        total = self.own + self.taxonomy + self.together
        return np.sum([weight / total * kernel for weight, kernel in parts], axis=0)
