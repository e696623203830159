"""Towns and nights that several tests read; none of them may change one."""

import numpy as np
import pytest

from recsys.simulation.policies import NightsConfig
from recsys.simulation.policy_nights import PolicyNights, play_nights
from recsys.simulation.settings import TownSettings, town_settings
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
def corrupted_town() -> Town:
    """The small town with broken rows among the good ones."""
    return make_town(300, np.random.default_rng(6), settings=TownSettings(corruption=0.02))


NIGHTS = 3
CONFIG = NightsConfig(
    nights=NIGHTS, policies=("product", "random", "welfare"), k=5, scores="oracle", noise=0.5
)


@pytest.fixture(scope="session")
def dense_town() -> Town:
    places = town_settings({"people": {"prefectures": ["tokyo"]}})
    return make_town(300, np.random.default_rng(4), settings=places, nights_ahead=NIGHTS)


@pytest.fixture(scope="session")
def outcome(dense_town: Town) -> PolicyNights:
    return play_nights(dense_town, CONFIG, seed=1)
