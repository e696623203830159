"""Guidance for a matched pair: next steps by stage, and feeling checks while it lasts.

What one person answers to a feeling check is never told to the other.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from recsys.arguments import checked_arguments
from recsys.catalogue.catalogue import load_catalogue
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.entries import Language
from recsys.catalogue.vocabulary import EVENT_DETAILS
from recsys.data.events import Events
from recsys.data.pair_stages import pair_stages
from recsys.data.times import as_utc, microseconds
from recsys.errors import InputError, did_you_mean, explained


@dataclass(frozen=True, slots=True)
class NextSteps:
    """Texts for one person at one stage.

    rules: the three that both agree to, shown from the stage on in which they are agreed. topics: questions
    about how one thinks.

    >>> NextSteps("listed", ("Rest.",), (), (), ()).do
    ('Rest.',)
    """

    stage: str
    do: tuple[str, ...]
    avoid: tuple[str, ...]
    rules: tuple[str, ...]
    topics: tuple[str, ...]


@checked_arguments
def next_steps(stage: str, lang: Language = "ja") -> NextSteps:
    """Return what to do at a stage and what to leave for later.

    Raises InputError for an unknown stage.

    >>> next_steps("meeting", "en").do[0]
    'Meet for the first time by day, in a cafe or at lunch.'
    >>> len(next_steps("acquainted").rules), len(next_steps("matched").rules)
    (3, 0)
    """
    words = load_catalogue()
    words.stages.code(stage)
    steps, talks = words.steps.stages[stage], stage in words.steps.topics_from
    return NextSteps(
        stage=stage,
        do=tuple(label.text(lang) for label in steps.do),
        avoid=tuple(label.text(lang) for label in steps.avoid),
        rules=tuple(rule.label.text(lang) for rule in words.steps.rules.values()) if talks else (),
        topics=tuple(label.text(lang) for label in words.steps.topics) if talks else (),
    )


ANSWERS: Final = EVENT_DETAILS["feeling_check"]
_SAID_TO: Final = ("drifting", "closer", "pressured")


@dataclass(frozen=True, slots=True)
class FeelingCheckFollowUp:
    """What follows: a private text for who answered, None for most, and whether people review it.

    There is nothing for the other person, so there is no field for it.

    >>> FeelingCheckFollowUp(private=None, review=False).review
    False
    """

    private: str | None
    review: bool


@checked_arguments
def follow_up(word: str, lang: Language = "ja", *, support: str) -> FeelingCheckFollowUp:
    """Return what follows from one answer: comfortable, drifting, closer, pressured or done.

    support: how to reach the people of the service, in words. `pressured` raises a flag (see
    `recsys.moderation`) and shows the support contact.
    Raises InputError for an unknown answer.

    >>> follow_up("pressured", "en", support="help@example.org").review
    True
    >>> follow_up("comfortable", support="help@example.org")
    FeelingCheckFollowUp(private=None, review=False)
    """
    if word not in ANSWERS:
        raise InputError(explained("unknown answer", got=word, remedy=did_you_mean(word, ANSWERS)))
    if word not in _SAID_TO:
        return FeelingCheckFollowUp(None, review=False)
    text = load_catalogue().steps.checks[word].text(lang)
    return FeelingCheckFollowUp(text.format_map({"contact": support}), review=word == "pressured")


@checked_arguments
def prompts(
    events: Events,
    user_id: str,
    as_of: str | pd.Timestamp | None = None,
    *,
    lang: Language = "ja",
    support: str,
) -> dict[str, str]:
    """Return the private texts one person should see now, by the person each is about.

    Their own last answer about each decides; nobody else's answers are read.

    >>> prompts(Events.none(), "a", support="help@example.org")
    {}
    """
    known = events.until(as_of).without_erased().frame
    mine = known[(known[C.TYPE] == "feeling_check") & (known[C.ACTOR] == user_id)]
    last = mine.groupby(C.TARGET)[C.DETAIL].last()
    found = {str(other): follow_up(str(word), lang, support=support).private for other, word in last.items()}
    return {other: text for other, text in found.items() if text is not None}


OTHER, DUE_SINCE = "other_id", "due_since"


@checked_arguments
def due_feeling_checks(events: Events, as_of: str | pd.Timestamp) -> pd.DataFrame:
    """Return who is due for a feeling check about whom: user_id, other_id, due_since; by person.

    One is due `check_days` after both came to trust each other or after the same person's last check,
    while the pair is `ongoing`. What the other answered, or whether, changes nothing.

    >>> due_feeling_checks(Events.none(), "2026-01-05").empty
    True
    """
    time = as_utc(as_of)
    stages = pair_stages(events.until(time))
    names, (low, high) = stages.people.to_numpy(), np.divmod(stages.pair, max(len(stages.people), 1))
    rows = pd.DataFrame(
        {
            C.USER: names[np.concatenate([low, high])],
            OTHER: names[np.concatenate([high, low])],
            "since": stages.check_due.ravel(order="F"),
        }
    )
    due = rows[rows["since"] <= microseconds(time)].sort_values([C.USER, OTHER], ignore_index=True)
    due[DUE_SINCE] = pd.to_datetime(due.pop("since").astype("int64"), unit="us", utc=True)
    return due
