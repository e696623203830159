"""All feature blocks together: people in, two rows a block and person out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.arguments import check_type, checked_arguments
from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.columns import Columns as C
from recsys.data.events import Events
from recsys.data.population import Population
from recsys.errors import InputError, explained
from recsys.features.base import Block, BlockRows, FittedBlock
from recsys.features.boundaries import Boundaries
from recsys.features.circles import Circles
from recsys.features.interests import Interests
from recsys.features.responsiveness import Responsiveness
from recsys.features.scales import Scales
from recsys.features.talk_topics import Topics
from recsys.features.values import Values
from recsys.types import Int64Array


@checked_arguments
def default_blocks(catalogue: Catalogue | None = None) -> list[Block]:
    """Return one of each block, unfitted, in their usual order.

    catalogue: interests, questions and topics; those of the people when None.

    >>> [block.name for block in default_blocks()]
    ['interests', 'values', 'scales', 'talk_topics', 'boundaries', 'responsiveness', 'circles']
    """
    return [
        Interests(catalogue=catalogue),
        Values(catalogue=catalogue),
        Scales(catalogue=catalogue),
        Topics(catalogue=catalogue),
        Boundaries(catalogue=catalogue),
        Responsiveness(),
        Circles(),
    ]


@dataclass(frozen=True, eq=False)
class FeatureMap:
    """Fitted blocks in a fixed order, each with its name; applying and saving them needs numpy alone.

    >>> people = Population.of_ids(["a", "b"], as_of="2026-01-05")
    >>> features = FeatureMap.fit(people)
    >>> sorted(features.transform(people))
    ['boundaries', 'circles', 'interests', 'responsiveness', 'scales', 'talk_topics', 'values']
    """

    blocks: tuple[FittedBlock, ...]
    names: tuple[str, ...]

    @classmethod
    @checked_arguments
    def fit(
        cls, people: Population, *, events: Events | None = None, blocks: Sequence[Block] | None = None
    ) -> "FeatureMap":
        """Fit copies of `blocks` (the default ones when None) on people and their past events.

        Raises InputError when two blocks have one name, ArgumentTypeError for anything but blocks.
        """
        if blocks is None:
            blocks = default_blocks()
        for block in blocks:
            check_type(block, Block, name="a feature block")
        names = tuple(block.name for block in blocks)
        if len(set(names)) < len(names):
            remedy = "name them, as in Numeric(frame, name='wants')"
            raise InputError(explained("two blocks have one name", got=", ".join(names), remedy=remedy))
        fitted = (block.__sklearn_clone__().fit(people, events=events).fitted_ for block in blocks)
        return cls(tuple(fitted), names)

    def __repr__(self) -> str:
        counts = ", ".join(f"{name} {len(block.columns)}" for name, block in self._named())
        return f"FeatureMap({counts or 'no blocks'})"

    def _repr_html_(self) -> str:
        """Show one row a block."""
        rows = [(name, len(block.columns), block.from_events) for name, block in self._named()]
        return pd.DataFrame(rows, columns=["block", "columns", "from_events"]).set_index("block").to_html()

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns as `BLOCK:COLUMN`, in order."""
        return tuple(f"{name}:{column}" for name, block in self._named() for column in block.columns)

    @property
    def block_of(self) -> Int64Array:
        """The position of each column's block, `(n_columns,)`."""
        return np.repeat(np.arange(len(self.blocks)), [len(block.columns) for block in self.blocks])

    @property
    def from_events(self) -> npt.NDArray[np.bool_]:
        """Whether each column follows from what people did, `(n_columns,)`."""
        return np.repeat(
            [block.from_events for block in self.blocks], [len(block.columns) for block in self.blocks]
        )

    def transform(self, people: Population) -> dict[str, BlockRows]:
        """Return the rows of everybody for each block."""
        return {name: block.rows(people) for name, block in self._named()}

    def concatenated(self, people: Population) -> BlockRows:
        """Return all blocks side by side; the pair score is the sum of the blocks' pair scores."""
        preferences, attributes = (np.empty((len(people), len(self.columns)), np.float32) for _ in range(2))
        sizes = np.array([len(block.columns) for block in self.blocks], np.int64)
        ends = np.cumsum(sizes)
        # one at a time, so that everybody's rows are in memory once; the widest while the rest is not there
        for at in np.argsort(-sizes, kind="stable").tolist():
            rows = self.blocks[at].rows(people)
            own = slice(ends[at] - sizes[at], ends[at])
            preferences[:, own], attributes[:, own] = rows.preferences, rows.attributes
            del rows
        return BlockRows(preferences, attributes)

    def frame(self, people: Population) -> pd.DataFrame:
        """Return everybody's numbers as one table by user_id.

        Columns are `BLOCK:COLUMN:preference` and `BLOCK:COLUMN:attribute`.
        """
        rows = self.concatenated(people)
        index = pd.Index(people.ids.values, name=C.USER)
        return pd.DataFrame(
            np.asarray(rows),
            index=index,
            columns=[f"{column}:{side}" for side in ("preference", "attribute") for column in self.columns],
        )

    def without_people(self) -> "FeatureMap":
        """Return the blocks without anything about the people of the fit, to be applied to others."""
        return FeatureMap(tuple(block.without_people() for block in self.blocks), self.names)

    def _named(self) -> Iterator[tuple[str, FittedBlock]]:
        return zip(self.names, self.blocks, strict=True)
