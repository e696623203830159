"""From a list to a companion: the chance of each step and the time it takes."""

from pydantic import Field

from recsys.simulation.settings.section import Positive, Section, Share


class FunnelSettings(Section):
    """Chances and delays of look, like, inbox, reply, talk, meet, comfortable; all chosen.

    The order of the steps is that of the source article: one to two weeks of messages, a first
    meeting by day in a public place, rules agreed, feelings checked.
    """

    # the list: opened, then read from the top
    opens_today: Share = 0.9
    opens_week: Share = 0.45
    opens_month: Share = 0.12
    """Chance that a list of the night is opened, by activity."""
    look_decay: float = Field(default=0.5, ge=0.0)
    """P(look at position r) = r ** -look_decay: position bias, gentler than a search page's 1/r."""
    passes: Share = 0.12
    """After a look without a like: passed in so many words."""
    hides: Share = 0.01

    # the inbox: read from the most liked down
    inbox_decay: float = Field(default=0.7, ge=0.0)
    """P(a like at place r of the inbox is read) = r ** -inbox_decay: steeper than a list, which is short."""
    inbox_days: int = Field(default=7, ge=1)
    """A like waits so long and takes its place among the others; older ones lie too deep to be read."""
    flattered: float = 0.8
    """Logits added when one already knows that the other likes."""
    inbox_passes: Share = 0.3
    answer_hours: Positive = 20.0
    """Median hours until an inbox is read."""

    # talk
    first_message: Share = 0.9
    reply: float = 1.0
    """Logit of an answer to the first message at average rapport."""
    rapport: float = Field(default=0.9, ge=0.0)
    """Weight of rapport (standardised mutual taste) in every later step."""
    rapport_luck: float = Field(default=0.7, ge=0.0)
    talks_at_once: int = Field(default=4, ge=1)
    """Talks one keeps up with; in m of them one answers a new one `talks_at_once / (m + 1)` as often."""
    stop_a_day: Share = 0.13
    """Chance a day that a talk ends, at average rapport."""
    talk_days_at_most: int = Field(default=28, ge=1)
    reply_hours: Positive = 6.0
    messages_a_day: Positive = 2.0

    # trust
    rules_after_days: int = Field(default=7, ge=0)
    agrees_rules: Share = 0.75
    shares_photo: Share = 0.4
    meets: float = 0.5
    """Logit of planning a meeting once rules are agreed, at average rapport."""
    odd_plan: Share = 0.02
    """A first meeting planned by evening or in a private place: a safety flag, not a label."""
    safe: Share = 0.985
    again: float = 0.8
    """Logit of wanting to meet again, at average rapport."""
    check_after_days: int = Field(default=10, ge=1)
    comfortable: float = 1.3
    """Logit of feeling comfortable at a check, at average rapport."""
    drifting: Share = 0.35
    pressured: Share = 0.06
    """Of those who are not comfortable; the rest say they are done."""
    says_goodbye: Share = 0.35
    """A talk that stopped is ended in so many words."""
    friction: Share = 0.012
    """One of a talking pair blocks the other; half of these are also reported."""
