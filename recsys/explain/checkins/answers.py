"""What one answer to a feeling check leads to; the other person learns nothing of it."""

from dataclasses import dataclass
from typing import Final

import pandas as pd

from recsys.errors import InputError, did_you_mean, explained
from recsys.history.events import Events
from recsys.schema.catalogue import load_catalogue
from recsys.schema.catalogue.entries import Language
from recsys.schema.columns import Columns as C
from recsys.schema.vocabulary import EVENT_DETAILS

ANSWERS: Final = EVENT_DETAILS["feeling_check"]
_SAID_TO: Final = ("drifting", "pressured")


@dataclass(frozen=True, slots=True)
class CheckInAnswer:
    """What follows: a private text for who answered, None for most, and whether people review it.

    There is nothing for the other person, so there is no field for it.

    >>> CheckInAnswer(private=None, review=False).review
    False
    """

    private: str | None
    review: bool


def answered(word: str, lang: Language = "ja", *, support: str) -> CheckInAnswer:
    """Return what follows from one answer: comfortable, drifting, pressured or done.

    support: how to reach the people of the service, in words. `pressured` raises a flag (see
    `recsys.explain.review`) and shows the support contact.
    Raises InputError for an unknown answer.

    >>> answered("pressured", "en", support="help@example.org").review
    True
    >>> answered("comfortable", support="help@example.org")
    CheckInAnswer(private=None, review=False)
    """
    if word not in ANSWERS:
        raise InputError(explained("unknown answer", got=word, remedy=did_you_mean(word, ANSWERS)))
    if word not in _SAID_TO:
        return CheckInAnswer(None, review=False)
    text = load_catalogue().steps.checks[word].text(lang)
    return CheckInAnswer(text.format_map({"contact": support}), review=word == "pressured")


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
    found = {str(other): answered(str(word), lang, support=support).private for other, word in last.items()}
    return {other: text for other, text in found.items() if text is not None}
