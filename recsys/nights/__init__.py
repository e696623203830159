"""Many nights in a synthetic town, for several policies side by side."""

from recsys.nights.config import POLICIES, NightsConfig
from recsys.nights.play import Outcome, play_nights
from recsys.nights.summary import NightsSummary, summarised

__all__ = ["POLICIES", "NightsConfig", "NightsSummary", "Outcome", "play_nights", "summarised"]
