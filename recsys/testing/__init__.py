"""Contracts: what every piece of one's own must do, as tests to subclass. Needs pytest and hypothesis.

    from recsys.testing import ModelContract

    class TestMyModel(ModelContract):
        def model(self):
            return MyModel()

pytest then runs every test of the contract. `people` makes random, valid people with all that may be unknown.
A contract is loaded when it is first used, so that a process that needs one of them does not load all.
"""

import lazy_loader
import pytest

_KINDS = ("block", "constraint", "day_log", "executor", "model", "safety")
pytest.register_assert_rewrite(*(f"recsys.testing.{kind}_contract" for kind in _KINDS))

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
