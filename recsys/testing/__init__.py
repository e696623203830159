"""Contracts: what every piece of one's own must do, as tests to subclass. Needs pytest and hypothesis.

    from recsys.testing import ModelContract

    class TestMyModel(ModelContract):
        def model(self):
            return MyModel()

pytest then runs every test of the contract. `people` makes random, valid people with all that may be unknown.
"""

import pytest

_KINDS = ("block", "constraint", "day_log", "executor", "model", "safety")
pytest.register_assert_rewrite(*(f"recsys.testing.{kind}_contract" for kind in _KINDS))

from recsys.testing.block_contract import BlockContract  # noqa: E402 - after the rewriting of asserts
from recsys.testing.constraint_contract import ConstraintContract  # noqa: E402
from recsys.testing.day_log_contract import DayLogContract  # noqa: E402
from recsys.testing.executor_contract import ExecutorContract  # noqa: E402
from recsys.testing.model_contract import ModelContract  # noqa: E402
from recsys.testing.people import make_people  # noqa: E402
from recsys.testing.safety_contract import SafetyContract  # noqa: E402

__all__ = [
    "BlockContract",
    "ConstraintContract",
    "DayLogContract",
    "ExecutorContract",
    "ModelContract",
    "SafetyContract",
    "make_people",
]
