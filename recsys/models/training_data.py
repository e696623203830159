"""Directed outcomes as rows of a population."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from recsys.data.decisions import answers_a_like
from recsys.data.events import Events
from recsys.data.indiscriminate import without_excess_likes
from recsys.data.labels import PairLabels, pair_labels
from recsys.data.pair_keys import unordered_pair_keys
from recsys.data.population import Population
from recsys.errors import InputError, explained
from recsys.features.base import BlockRows
from recsys.features.feature_map import FeatureMap
from recsys.memory import set_aside
from recsys.models.impressions import Impressions, PairRows
from recsys.types import Float64Array, Int32Array

_LEAST_SHARE = 0.05


@dataclass(frozen=True, eq=False)
class LabelledPairs(PairRows):
    """Who looked at whom, and whether they wanted to know them; sorted by viewer, then candidate.

    viewers, candidates: `(n_pairs,)` int32 rows.
    labels:              `(n_pairs,)` 0 or 1.
    weights:             `(n_pairs,)` positive, 1 on average.
    """

    viewers: Int32Array
    candidates: Int32Array
    labels: Float64Array
    weights: Float64Array

    @classmethod
    def from_events(cls, people: Population, events: Events, *, blind: bool = False) -> "LabelledPairs":
        """Return the outcomes among `people`; evidence about anybody else is left out.

        blind: leave out answers to a like received, where lists are logged: being liked flatters, so
        such a yes says less of who suits whom. They stay where almost every no is such an answer.
        """
        known = without_excess_likes(events.without_erased())
        labels = pair_labels(known.coded, now=known.now)
        rows = people.ids.find(known.coded.people)
        viewers, candidates = rows[labels.viewer], rows[labels.candidate]
        kept = (viewers >= 0) & (candidates >= 0) & (labels.weight > 0)
        if blind and (labels.n_impressions > 0).any():
            kept &= _blind(labels, known)
        weights = labels.weight[kept]
        mean = float(weights.mean()) if len(weights) else 1.0
        return cls(viewers[kept], candidates[kept], labels.label[kept], weights / mean)

    def among_fewer(self, n_people: int, most: int, rng: np.random.Generator) -> "LabelledPairs":
        """Return the pairs among people drawn evenly, about `most` of them, in the same order.

        Each person kept has more of their pairs than if pairs were drawn, so what is particular to
        people weighs as it does among all.
        """
        if len(self) <= most:
            return self
        kept = rng.random(n_people) < np.sqrt(most / len(self))
        return self.take(kept[self.viewers] & kept[self.candidates])


def _blind(labels: PairLabels, events: Events) -> npt.NDArray[np.bool_]:
    """Say which outcomes were decided before the other's like, if both kinds are among them; else all."""
    kept = ~answers_a_like(events, labels.pair)
    share = float(labels.label[kept].mean()) if kept.any() else 0.0
    return kept if min(share, 1.0 - share) >= _LEAST_SHARE else np.ones(len(kept), bool)


@dataclass(frozen=True, eq=False)
class ContentData:
    """Gathered once, so that a model fitted on fewer pairs reads no table again.

    features: fitted blocks. people: who is learned from. pairs: outcomes among them. impressions: all looks,
    answered or not, which set the level of the chance of a like given a look; None where another model does.
    has_tables: whether the people hold the tables that rows are made from; see `with_rows_of`.
    """

    features: FeatureMap
    people: Population
    pairs: LabelledPairs
    impressions: Impressions | None = None
    has_tables: bool = True

    @cached_property
    def rows(self) -> BlockRows:
        """The rows of all people; they are made when first asked for, when events are gone.

        Raises InputError when the people no longer hold the tables that they are made from.
        """
        if not self.has_tables:
            raise InputError(
                explained("the rows of the training data were freed", remedy="keep the people's tables")
            )
        return self.features.concatenated(self.people)

    def forget_rows(self) -> None:
        """Drop the rows, the largest part of the training data; they are computed again when needed."""
        self.__dict__.pop("rows", None)

    def set_rows_aside(self) -> None:
        """Let the rows wait in a file where they are large; see `recsys.memory.set_aside`."""
        if "rows" in self.__dict__:
            set_aside(self.rows, "preferences", "attributes")

    def set_pairs_aside(self) -> None:
        """Let labels and weights of the outcomes wait in a file where they are large."""
        set_aside(self.pairs, "labels", "weights")

    def with_rows_of(self, people: Population) -> "ContentData":
        """Return the training data with the rows of the same people with all their tables, made now.

        So the tables, which take several times as much, need not stay beside what is learned. The rows
        cannot be made again once they are forgotten.
        """
        made = replace(self, has_tables=False)
        made.__dict__["rows"] = self.features.concatenated(people)
        return made

    def without(self, held: Impressions) -> "ContentData":
        """Return the training data without the pairs of `held`, in either direction."""
        mine, theirs = (
            unordered_pair_keys(one.viewers, one.candidates, len(self.people)) for one in (self.pairs, held)
        )
        gone = np.isin(mine, np.unique(theirs))
        left = replace(self, pairs=self.pairs.take(~gone))
        left.__dict__["rows"] = self.rows
        return left


@dataclass(frozen=True, eq=False)
class BehaviourData:
    """Training data of a model of behaviour: impressions, and the data of the content model beneath."""

    impressions: Impressions
    content: ContentData | None

    def set_aside(self) -> None:
        """Let what was learned from events wait in a file where it is large, as while rows are made."""
        self.impressions.set_aside()
        if self.content is not None:
            self.content.set_pairs_aside()
