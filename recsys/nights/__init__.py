"""Many nights in a synthetic town, for several policies side by side."""

from recsys.nights.config import NightsConfig
from recsys.nights.play import Outcome, play_nights

__all__ = ["NightsConfig"]
