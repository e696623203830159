"""Every default block keeps the contract."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.data.events import Events
from recsys.features.base import Block, BlockRows, FittedBlock
from recsys.features.boundaries import Boundaries
from recsys.features.circles import Circles
from recsys.features.interests import Interests
from recsys.features.numeric import Numeric
from recsys.features.responsiveness import Responsiveness
from recsys.features.scales import Scales
from recsys.features.talk_topics import Topics
from recsys.features.values import Values
from recsys.testing.block_contract import BlockContract
from tests.features.test_responsiveness import some_events


class TestInterests(BlockContract):
    def block(self):
        return Interests(rank=16)


class TestValues(BlockContract):
    def block(self):
        return Values(kappa=2.0)


class TestScales(BlockContract):
    def block(self):
        return Scales()


class TestTalkTopics(BlockContract):
    def block(self):
        return Topics()


class TestBoundaries(BlockContract):
    def block(self):
        return Boundaries()


class TestCircles(BlockContract):
    def block(self):
        return Circles(width=32)


class TestResponsiveness(BlockContract):
    def block(self):
        return Responsiveness()

    def events(self, people):
        if len(people) < 2:
            return Events.none()
        return Events.of(some_events(people, np.random.default_rng(0)))


class TestNumeric(BlockContract):
    def block(self):
        users = [f"u{k:05d}" for k in range(30)]
        numbers = np.random.default_rng(5).normal(size=30)
        return Numeric(pd.DataFrame({C.USER: users, "walks": numbers}))

    def test_clone_is_unfitted_and_equal(self):
        """The parameters are frames, which do not compare with ==."""
        from sklearn.base import clone

        block = self.fitted(self.people())
        twin = clone(block)
        assert not hasattr(twin, "fitted_")
        assert twin.preferences is block.preferences


@dataclass(frozen=True, eq=False)
class FittedAnswerCounts(FittedBlock):
    """How many answers of its table each person gave, sensitive ones too."""

    name = "answer_counts"

    @property
    def columns(self):
        return ("answers",)

    def rows(self, people):
        counts = np.bincount(people.long.answers[C.ROW].to_numpy(), minlength=len(people))
        row = (counts / 1000).astype(np.float32)[:, None]
        return BlockRows(row, row)


class AnswerCounts(Block):
    name = "answer_counts"

    def _learn(self, people, events):
        return FittedAnswerCounts()


class AnswerCountsContract(BlockContract):
    __test__ = False

    def block(self):
        return AnswerCounts()


def test_a_block_that_reads_sensitive_answers_is_seen():
    AnswerCountsContract().test_protected_attributes_change_nothing()
    with pytest.raises(AssertionError):
        AnswerCountsContract().test_sensitive_answers_change_nothing()
