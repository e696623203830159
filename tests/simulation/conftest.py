"""Towns that several tests look at; none of them may change one."""

import numpy as np
import pytest

from recsys.simulation.settings import TownSettings
from recsys.simulation.town import Town, make_town


@pytest.fixture(scope="session")
def town() -> Town:
    """A town large enough for its rates to be steady."""
    return make_town(2000, np.random.default_rng(5))


@pytest.fixture(scope="session")
def small_town() -> Town:
    """A town small enough to check every pair."""
    return make_town(300, np.random.default_rng(6))


@pytest.fixture(scope="session")
def dirty_town() -> Town:
    """The small town with broken rows among the good ones."""
    return make_town(300, np.random.default_rng(6), settings=TownSettings(corruption=0.02))
