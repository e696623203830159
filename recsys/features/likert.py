"""Answers of rating scales as surveys word them, in English and Japanese: which words are in order."""

import re
import unicodedata
from collections.abc import Collection
from typing import Final

_FEWEST: Final = 3

_ENGLISH_AGREEMENT: Final = (
    ("strongly disagree", "completely disagree", "totally disagree"),
    ("disagree", "mostly disagree"),
    ("somewhat disagree", "slightly disagree", "rather disagree", "tend to disagree"),
    ("neutral", "neither agree nor disagree", "neither", "undecided"),
    ("somewhat agree", "slightly agree", "rather agree", "tend to agree"),
    ("agree", "mostly agree"),
    ("strongly agree", "completely agree", "totally agree"),
)
_JAPANESE_MIDDLE: Final = ("どちらでもない", "どちらともいえない", "どちらとも言えない", "ふつう", "普通")


def _japanese(yes: tuple[str, ...], no: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Return a scale of agreement from its plain yes and no, such as そう思う and そう思わない."""

    def each(words: tuple[str, ...], *before: str) -> tuple[str, ...]:
        return tuple(first + word for first in before for word in words)

    return (
        each(no, "全く", "まったく", "全然"),
        no,
        each(no, "あまり", "やや", "どちらかといえば", "どちらかと言えば"),
        _JAPANESE_MIDDLE,
        each(yes, "やや", "少し", "まあ", "どちらかといえば", "どちらかと言えば"),
        yes,
        each(yes, "とても", "強く", "非常に", "大いに", "よく"),
    )


SCALES: Final = (
    _ENGLISH_AGREEMENT,
    (
        ("never",),
        ("almost never", "hardly ever", "very rarely"),
        ("rarely", "seldom"),
        ("occasionally",),
        ("sometimes",),
        ("often", "frequently"),
        ("very often", "usually", "most of the time"),
        ("almost always",),
        ("always",),
    ),
    (
        ("very dissatisfied", "extremely dissatisfied"),
        ("dissatisfied",),
        ("somewhat dissatisfied", "slightly dissatisfied"),
        ("neutral", "neither satisfied nor dissatisfied", "neither"),
        ("somewhat satisfied", "slightly satisfied"),
        ("satisfied",),
        ("very satisfied", "extremely satisfied"),
    ),
    (
        ("very unlikely", "extremely unlikely"),
        ("unlikely",),
        ("somewhat unlikely",),
        ("neutral", "neither likely nor unlikely", "neither"),
        ("somewhat likely",),
        ("likely",),
        ("very likely", "extremely likely"),
    ),
    (
        ("not at all", "not at all important", "unimportant"),
        ("not very", "a little", "slightly", "slightly important"),
        ("somewhat", "moderately", "somewhat important", "moderately important"),
        ("important",),
        ("very", "a lot", "very much", "very important"),
        ("extremely", "extremely important"),
    ),
    (
        ("very poor", "very bad"),
        ("poor", "bad"),
        ("fair", "average"),
        ("good",),
        ("very good",),
        ("excellent",),
    ),
    _japanese(("そう思う", "そうおもう"), ("そう思わない", "そうおもわない")),
    _japanese(("あてはまる", "当てはまる"), ("あてはまらない", "当てはまらない")),
    _japanese(("同意する", "賛成"), ("同意しない", "反対")),
    _japanese(("満足",), ("不満",)),
    (
        ("全くない", "まったくない", "全然ない", "しない", "全くしない", "まったくしない"),
        ("ほとんどない", "ほとんどしない", "めったにない", "めったにしない"),
        ("あまりない", "あまりしない"),
        ("たまに", "たまにある", "たまにする"),
        ("ときどき", "時々", "ときどきある", "時々ある", "ときどきする", "時々する"),
        ("よく", "よくある", "よくする", "しばしば"),
        ("いつも", "いつもある", "いつもする", "毎回"),
    ),
)
"""Levels of each scale, the lowest first; words of one level mean the same."""

_LEVELS: Final = tuple({word: at for at, level in enumerate(scale) for word in level} for scale in SCALES)


def in_scale_order(answers: Collection[str]) -> list[str] | None:
    """Return the answers from the lowest level to the highest, None when they are of no one scale.

    Fewer than three different answers, an answer that the scale does not have, and two of one level are of
    no scale. Case, width, spaces and a full stop at the end do not matter.

    >>> in_scale_order(["Agree", "Strongly disagree", "neutral"])
    ['Strongly disagree', 'neutral', 'Agree']
    >>> in_scale_order(["Agree", "Neutral", "no idea"])
    """
    if len(answers) < _FEWEST:
        return None
    plain = {answer: _plain(answer) for answer in answers}
    for level_of in _LEVELS:
        if all(word in level_of for word in plain.values()):
            levels = {answer: level_of[word] for answer, word in plain.items()}
            return (
                sorted(answers, key=levels.__getitem__) if len(set(levels.values())) == len(levels) else None
            )
    return None


def _plain(answer: str) -> str:
    """Return an answer without what does not matter in it."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", answer)).strip().rstrip(".。").casefold()
