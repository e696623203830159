"""The few who do harm, and what happens to them."""

from pydantic import Field

from recsys.simulation.settings.section import Section, Share


class TroubleSettings(Section):
    """Bad actors and how members answer them; all chosen, larger than one would hope to see."""

    bad_actors: Share = 0.01
    kinds: dict[str, Share] = Field(default={"money": 0.5, "off_platform": 0.3, "pushy": 0.2})
    """What they are after: money, contact elsewhere, or a romance nobody offered."""
    scripted_like: Share = 0.9
    """They like nearly everybody they look at."""
    asks: Share = 0.7
    """Chance to ask once a talk has begun."""
    victim_blocks: Share = 0.7
    victim_reports: Share = 0.5
    brigades_per_1000: float = Field(default=0.6, ge=0.0)
    """Groups who report one person they never talked with."""
    brigade_size: int = Field(default=5, ge=2)
    known_blocks_per_100: float = Field(default=1.0, ge=0.0)
    """Blocks made before the past began, of people one knows from elsewhere."""
    held_after_reports: int = Field(default=3, ge=1)
    """People of the review queue hold an account reported by so many others; brigades are lifted."""
