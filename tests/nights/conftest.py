"""One small dense town, a few nights of it played by several policies."""

import numpy as np
import pytest

from recsys.simulation.policies import NightsConfig
from recsys.simulation.policy_nights import PolicyNights, play_nights
from recsys.simulation.settings import town_settings
from recsys.simulation.town import Town, make_town

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
