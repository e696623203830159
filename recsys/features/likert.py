"""Answers of rating scales as surveys word them, in English and Japanese: which words are in order."""

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeAlias

_FEWEST: Final = 3
MOST_STRAY: Final = 0.1
"""Share of the answers, at most, that a scale may not have: misspellings, not answers of another kind."""

_OR_LESS: Final = "未満|以下|まで|orless|orunder|oryounger|andunder"
_OR_MORE: Final = "以上|超|より上|andover|ormore|orolder|andolder"
_ENDS: Final = re.compile(r"(\D*?)(\d+(?:\.\d+)?)([^\d~]*)(?:~(\d+(?:\.\d+)?)([^\d~]*))?")
_COUNTED: Final = frozenset(
    (
        *("代", "歳", "才", "年", "か月", "ヶ月", "週間", "日", "時間", "分", "回", "人", "円", "万円"),
        *("year", "month", "week", "day", "hour", "minute", "time", "people", "km", "%"),
    )
)
"""Units of amounts; other words behind a number, as in a ward's, may be a name."""

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
    (("×", "✕", "✖"), ("△", "▲"), ("○", "〇", "◯"), ("◎",)),
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
        return self.share <= MOST_STRAY


def read_scale(counts: Mapping[str, int]) -> ScaleReading | None:
    """Return the answers on the scale that has the most of them, None where they show no scale.

    Bands of one unit, such as ages and incomes, are a scale of their own: "20代", "50代以上", "300〜500万円".

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
    bands = _bands(counts)
    if bands is not None:
        return bands
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
    return _reading([" / ".join(spellings.values()) for spellings in words], place, counts)


def _reading(order: list[str], place: dict[str, int], counts: Mapping[str, int]) -> ScaleReading:
    often = sorted(counts, key=lambda answer: (-counts[answer], answer))
    strays = {answer: counts[answer] for answer in often if answer not in place}
    return ScaleReading(tuple(order), place, strays, sum(strays.values()) / sum(counts.values()))


def _bands(counts: Mapping[str, int]) -> ScaleReading | None:
    """Return the answers as bands of numbers in one unit, None where most are none or they overlap."""
    read = {answer: band for answer in counts if (band := _band(answer)) is not None}
    if sum(counts[answer] for answer in read) * 2 < sum(counts.values()):
        return None
    ends = sorted({band[:2] for band in read.values()})
    units = {unit for *_, unit in read.values() if unit != ("", "")}
    wide = any(low != high for low, high in ends) or any(unit in _COUNTED for _, unit in units)
    apart = all(first[1] <= then[0] for first, then in pairwise(ends))
    if len(ends) < _FEWEST or len(units) > 1 or not wide or not apart:
        return None
    place = {answer: ends.index(band[:2]) for answer, band in read.items()}
    spellings: dict[int, dict[str, None]] = {}
    for answer in sorted(place, key=lambda answer: (place[answer], answer)):
        spellings.setdefault(place[answer], {})[answer.strip()] = None
    return _reading([" / ".join(spellings[at]) for at in range(len(ends))], place, counts)


def _band(answer: str) -> tuple[float, float, tuple[str, str]] | None:
    """Return the ends of a band, infinite where it is open, and what stands before and behind its numbers."""
    text = re.sub(r"\s+|(?<=\d),(?=\d{3})", "", _plain(answer))
    text = re.sub(r"[〜~–—−-]|から|(?<=\d)to(?=\d)", "~", text)
    text = re.sub(r"以上(?=\d.*(?:未満|以下)$)(.*)..$", r"~\1", text)
    if under := re.fullmatch(rf"(?:~|<|≤|under|below|lessthan|upto)(.*)|(.*)(?:{_OR_LESS})", text):
        text = under[1] or under[2] or ""
    if over := re.fullmatch(rf"(?:>|≥|over|morethan)(.*)|(.*)(?:~|\+|{_OR_MORE})", text):
        text = over[1] or over[2] or ""
    found = _ENDS.fullmatch(text)
    if found is None or (under and over):
        return None
    before, low, unit, high, last = found.groups()
    ends = float(low), float(high or low)
    if high is not None and ends[0] >= ends[1]:
        return None
    named = before, (last or unit).removesuffix("s")
    return (-math.inf if under else ends[0], math.inf if over else ends[1], named)


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
