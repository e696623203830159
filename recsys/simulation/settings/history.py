"""What has happened in the town before the night it is handed over."""

from pydantic import Field

from recsys.simulation.settings.section import Positive, Section, Share


class HistorySettings(Section):
    """The past: lists drawn at random among people who may be shown, with their true propensity.

    Chosen so that 5,000 people leave 100,000 to 300,000 events.
    """

    days: int = Field(default=56, ge=0)
    list_length: int = Field(default=10, ge=1)
    visits_a_week: Positive = 0.85
    """Lists opened a week by someone active daily; `FunnelSettings.opens_*` scale the others."""
    neighbourhood: int = Field(default=4096, ge=2)
    """At most so many people, drawn at random, are considered for one viewer over the whole past."""
    joined_within: Share = 0.08
    """Newcomers: joined during the past, on a random day of it."""
    left_within: Share = 0.04
    """Churn: became dormant during the past, on a random day of it."""
    moved: Share = 0.05
    """Had an earlier profile with another radius, before the past began."""
    first_join_days: int = Field(default=400, ge=1)
    """The earliest members joined so many days before the past began."""
