"""Answers of rating scales as surveys word them, in English and Japanese: which words are in order."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

_FEWEST: Final = 3
_MOST_STRAY: Final = 0.1
"""Share of the answers, at most, that a scale may not have: misspellings, not answers of another kind."""

_Levels: TypeAlias = tuple[tuple[str, ...], ...]


def _each(words: Iterable[str], *before: str) -> tuple[str, ...]:
    return tuple(first + word for first in before for word in words)


_MIDDLE: Final = (
    *("neutral", "neither", "undecided", "neither agree nor disagree", "中立", "ふつう", "普通"),
    *("neither satisfied nor dissatisfied", "neither likely nor unlikely"),
    *("どちらでもない", "どちらともいえない", "どちらとも言えない"),
)


def _two_sided(
    english: tuple[str, str], yes: tuple[str, ...], no: tuple[str, ...], extra: _Levels = ((),) * 7
) -> _Levels:
    """Return a scale of seven levels from its plain words for yes and no.

    english: yes and no. yes, no: the same in Japanese, such as そう思う and そう思わない. extra: more
    words of each level.
    """
    very = ("strongly ", "completely ", "totally ", "very ", "extremely ")
    rather = ("somewhat ", "slightly ", "rather ", "tend to ")
    sides = ("どちらかといえば", "どちらかと言えば", "どちらかというと")
    most = ("とても", "強く", "非常に", "大いに", "大変", "よく")
    plain = (
        _each(english[1:], *very) + _each(no, "全く", "まったく", "全然", *most),
        _each(english[1:], "", "mostly ") + no,
        _each(english[1:], *rather) + _each(no, "あまり", "やや", "少し", *sides),
        _MIDDLE,
        _each(english[:1], *rather) + _each(yes, "やや", "少し", "まあ", *sides),
        _each(english[:1], "", "mostly ") + yes,
        _each(english[:1], *very) + _each(yes, *most),
    )
    return tuple(words + more for words, more in zip(plain, extra, strict=True))


SCALES: Final[tuple[_Levels, ...]] = (
    _two_sided(
        ("agree", "disagree"),
        ("そう思う", "そうおもう", "あてはまる", "当てはまる", "同意する", "賛成"),
        ("そう思わない", "そうおもわない", "あてはまらない", "当てはまらない", "同意しない", "反対"),
    ),
    (
        ("never", *_each(("ない", "しない"), "", "全く", "まったく", "全然")),
        ("almost never", "hardly ever", "very rarely", "ほとんどない", "ほとんどしない"),
        ("rarely", "seldom", "めったにない", "めったにしない"),
        ("not often", "not very often", "あまりない", "あまりしない"),
        ("occasionally", "たまに", "たまにある", "たまにする"),
        ("sometimes", *_each(("", "ある", "する"), "ときどき", "時々")),
        ("often", "frequently", "よく", "よくある", "よくする", "しばしば"),
        ("very often", "usually", "most of the time", "たいてい", "非常によくある", "とてもよくある"),
        ("almost always", "ほとんどいつも", "ほぼいつも"),
        ("always", "いつも", "いつもある", "いつもする", "毎回", "常に"),
    ),
    _two_sided(("satisfied", "dissatisfied"), ("満足", "満足している"), ("不満", "不満である")),
    _two_sided(("likely", "unlikely"), ("可能性が高い", "可能性は高い"), ("可能性が低い", "可能性は低い")),
    (
        (
            "not at all",
            "not at all important",
            "unimportant",
            "重要でない",
            "重要ではない",
            *_each(("重要でない", "重要ではない"), "全く", "まったく"),
        ),
        (
            "not very",
            "a little",
            "slightly",
            "slightly important",
            "少し重要",
            *_each(("重要でない", "重要ではない"), "あまり"),
        ),
        (
            "somewhat",
            "moderately",
            "somewhat important",
            "moderately important",
            *_each(("重要",), "やや", "まあ", "ある程度"),
        ),
        ("important", "重要"),
        ("very", "a lot", "very much", "very important", "とても重要", "非常に重要", "大変重要"),
        ("extremely", "extremely important", "極めて重要", "きわめて重要", "最も重要"),
    ),
    (
        ("very poor", "very bad", *_each(("悪い", "わるい"), "とても", "非常に", "大変")),
        ("poor", "bad", "悪い", "わるい"),
        ("やや悪い", "あまり良くない", "あまりよくない"),
        ("fair", "average", "普通", "ふつう", "まあまあ"),
        ("やや良い", "ややよい"),
        ("good", "良い", "よい"),
        ("very good", *_each(("良い", "よい"), "とても", "非常に", "大変")),
        ("excellent", "最高", "素晴らしい"),
    ),
    (("no", "いいえ"), ("yes", "はい")),
)
"""Levels of each scale, the lowest first; words of one level mean the same."""

_LEVELS: Final = tuple({word: at for at, level in enumerate(scale) for word in level} for scale in SCALES)


@dataclass(frozen=True, slots=True)
class ScaleReading:
    """What the answers of a question are on a scale.

    order:  each place of the scale as it was answered, the lowest first: its words joined by " / ".
    place:  the place of each answer that the scale has, a number of `order`.
    strays: how many gave each answer that it does not have, the most frequent first.
    share:  of those among all answers, in [0, 1].
    """

    order: tuple[str, ...]
    place: dict[str, int]
    strays: dict[str, int]
    share: float

    @property
    def is_scale(self) -> bool:
        """Whether at most a tenth of the answers are not of the scale."""
        return self.share <= _MOST_STRAY


def read_scale(counts: Mapping[str, int]) -> ScaleReading | None:
    """Return the answers on the scale that has the most of them, None where they show no scale.

    Three levels show a scale, or words in both languages. Words of one level share a place, in whatever
    language. Where both languages have equally many levels, from the same lowest to the same highest or as
    far below the middle as above it, the first of one is the first of the other and so on, so that
    "Disagree" stands with あまりそう思わない. Case, width, spaces and a full stop do not matter.

    counts: how many gave each answer.

    >>> found = read_scale({"Agree": 9, "Strongly disagree": 4, "neutral": 3, "そう思う": 5, "Agre": 1})
    >>> found.order, found.place["そう思う"], found.strays
    (('Strongly disagree', 'neutral', 'Agree / そう思う'), 2, {'Agre': 1})
    >>> read_scale({"Agree": 3, "red": 1, "blue": 4})
    """
    plain = {answer: _plain(answer) for answer in counts}
    scale = max(_LEVELS, key=lambda own: sum(n for word, n in counts.items() if plain[word] in own))
    level = {answer: scale[word] for answer, word in plain.items() if word in scale}
    english = [answer for answer in level if plain[answer].isascii()]
    japanese = [answer for answer in level if not plain[answer].isascii()]
    if len(set(level.values())) < (1 if english and japanese else _FEWEST):
        return None
    place = _places(level, english, japanese, top=max(scale.values()))
    often = sorted(counts, key=lambda answer: (-counts[answer], answer))
    words: list[dict[str, str]] = [{} for _ in set(place.values())]
    for answer in sorted(place, key=lambda answer: (answer in japanese, often.index(answer))):
        words[place[answer]].setdefault(plain[answer], answer.strip())
    strays = {answer: counts[answer] for answer in often if answer not in level}
    return ScaleReading(
        order=tuple(" / ".join(spellings.values()) for spellings in words),
        place=place,
        strays=strays,
        share=sum(strays.values()) / sum(counts.values()),
    )


def _places(level: dict[str, int], english: list[str], japanese: list[str], top: int) -> dict[str, int]:
    """Return the place of each answer, from 0 without gaps."""
    ours, theirs = sorted({level[one] for one in english}), sorted({level[one] for one in japanese})
    if len(ours) == len(theirs):
        evenly = all(sorted(top - at for at in own) == own for own in (ours, theirs))
        if evenly or (ours[0], ours[-1]) == (theirs[0], theirs[-1]):
            level = level | {one: ours[theirs.index(level[one])] for one in japanese}
    used = sorted(set(level.values()))
    return {answer: used.index(at) for answer, at in level.items()}


def _plain(answer: str) -> str:
    """Return an answer without what does not matter in it."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", answer)).strip().rstrip(".。").casefold()
