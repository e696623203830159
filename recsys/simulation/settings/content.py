"""What people say about themselves: interests, answers, talk topics, circles, contacts."""

from pydantic import Field

from recsys.simulation.settings.section import Positive, Section, Share, Shares


class ContentSettings(Section):
    """How loudly and how completely the hidden person shows in the tables; all numbers chosen.

    The engine sees these tables, never the factors behind them: a larger `*_signal` makes the town
    easier to learn.
    """

    # hidden factors
    hobby_factors: int = Field(default=8, ge=1)
    hobby_groups: int = Field(default=12, ge=1)
    """People come in groups of like hobbies (wine and cooking, mountains and photographs ...)."""
    group_tightness: Share = 0.5
    """Share of the variance of hobby factors that lies between groups."""

    # interests
    interests_per_person: Positive = 8.0
    interests_at_most: int = Field(default=30, ge=1, le=30)
    no_interests: Share = 0.04
    interest_signal: Positive = 2.6
    interest_popularity: Positive = 0.9
    synonym: Share = 0.15
    """Chance that a tag is written as a synonym or a label instead of its id."""
    free_tag: Share = 0.05
    share_mode: Shares = Field(default={"online": 0.2, "in_person": 0.3, "both": 0.5})

    # answers
    answer_share: Positive = 0.4
    """Mean share of the catalogue's questions one answers; between people it varies widely."""
    answer_spread: Positive = 4.0
    """Concentration of that share between people (the sum of the two Beta parameters)."""
    sensitive_share: Share = 0.15
    """Of those who would answer, how many give a sensitive answer, with consent."""
    answer_signal: Share = 0.7
    """Share of the variance of an answer that comes from the value behind it."""
    importance: Shares = Field(default={"0": 0.15, "1": 0.35, "10": 0.35, "50": 0.15})
    match_only: Share = 0.2
    strict: Share = 0.05
    """People who make one or two answers mandatory."""

    # talk topics
    no_topics: Share = 0.06
    needs_per_person: Positive = 2.4
    listens_per_person: Positive = 3.6
    topic_signal: Positive = 1.2

    # circles and contacts
    joins_circle: Share = 0.18
    """Chance that an interest led to a circle, in the prefecture or online."""
    online_circle: Share = 0.35
    employer: Share = 0.45
    """Gave an employer, so that colleagues are never shown; sizes of employers are skewed."""
    people_per_employer: Positive = 6.0
    excludes_contact: Share = 0.04
    """Asked never to meet one known person, by that person's phone or mail."""
