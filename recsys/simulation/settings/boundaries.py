"""The lines people draw: how often, when, by which means, where, and what never."""

from pydantic import Field

from recsys.simulation.settings.section import Chances, Section, Share, Shares


class BoundarySettings(Section):
    """Shares of boundary answers; all chosen, so that each rule removes some pairs and none removes most."""

    contact_frequency: Shares = Field(default={"daily": 0.22, "few_week": 0.40, "weekly": 0.28, "less": 0.10})
    channels: Chances = Field(default={"in_app_text": 0.97, "in_app_voice": 0.35, "in_app_video": 0.15})
    meeting_settings: Chances = Field(
        default={
            "online_only": 0.20,
            "cafe_day": 0.80,
            "lunch": 0.60,
            "public_event": 0.40,
            "group": 0.35,
            "class": 0.25,
        }
    )
    rhythm: Shares = Field(default={"office": 0.45, "home": 0.30, "shift": 0.15, "weekend": 0.10})
    """Daily rhythm; it decides the contact windows in `recsys.simulation.boundaries`."""
    day_kept: Share = 0.85
    daypart_kept: Share = 0.85
    """Chance that a day, and a part of all days, of one's rhythm is really offered."""
    romance_line: Shares = Field(
        default={"none_expected": 0.62, "talk_openly": 0.20, "end_if_feelings": 0.18}
    )
    financial_line: Shares = Field(default={"none": 0.35, "split_bill": 0.65})
    disclosure: Shares = Field(default={"nickname_only": 0.40, "general_job": 0.38, "face_after_stage": 0.22})
    line_unanswered: Share = 0.004
    """Chance that the physical line, the financial line or another hard line is left empty."""
    avoids: Share = 0.06
    """Chance to avoid a topic one neither needs nor listens to."""
