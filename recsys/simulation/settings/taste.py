"""The hidden directed taste: how much each part of a person moves another to like them."""

from pydantic import Field

from recsys.simulation.settings.section import Positive, Section, Share


class TasteSettings(Section):
    """Standard deviations, in logits, of the parts of the hidden taste over pairs that may meet.

    Chosen. Content (interests, values, talk) carries about as much as who is looking and who is
    looked at, as in speed dating, where rater and partner effects and the rest are of like size.
    """

    like_rate: Share = 0.24
    """P(like | looked), on average over pairs that may meet."""
    interests: float = Field(default=0.8, ge=0.0)
    values: float = Field(default=0.7, ge=0.0)
    talk: float = Field(default=0.8, ge=0.0)
    listens_back: Share = 0.4
    """How much being able to listen counts beside being listened to."""
    selectivity: float = Field(default=0.6, ge=0.0)
    popularity: float = Field(default=0.55, ge=0.0)
    popularity_skew: Positive = 2.0
    """Shape of the gamma from which popularity is drawn: smaller is more skewed."""
    chemistry: float = Field(default=0.4, ge=0.0)
    """Hidden factors that no table shows: only likes can teach them."""
    chemistry_factors: int = Field(default=4, ge=1)
    nearness: float = Field(default=0.8, ge=0.0)
    """Added next door; it falls off as exp(-km / nearness_km)."""
    nearness_km: Positive = 20.0
    luck: float = Field(default=0.5, ge=0.0)
    """Noise of one pair in one direction; nobody can learn it."""
