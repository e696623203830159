"""What people write as an interest: spellings to try after the whole text, and what is no interest at all."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from recsys.catalogue.text_folding import fold

_ENDINGS: Final = (
    *(
        "めぐり",
        "巡り",
        "観賞",
        "鑑賞",
        "集め",
        "観戦",
        "参戦",
        "通い",
        "好き",
        "全般",
        "教室",
        "すること",
        "やること",
    ),
    *("が好き", "が趣味", "三昧", "ざんまい", "の練習", "の会", "の勉強", "すくーる"),
    *("で過ごすこと", "のお手入れ", "の手入れ", "の動画"),
)
_DONE_WITH: Final = re.compile("を[^を]{1,5}(?:こと|の)$")
_BEGINNINGS: Final = re.compile(
    "(?:watching|playing|listening to|reading|going to(?: the)?|doing|visiting|studying|taking|enjoying"
    "|love of|the|an?|my|good|old|new) +"
)
_SETTINGS: Final = re.compile(
    "(?:おんらいん|ふぁみりー|でい|べらんだ|おうち|そろ|ひとり|みんなで|家族で|休日の?)(?=.{2})"
)
_HONORIFIC: Final = re.compile("[おご](?=[^ぁ-ん])")
_SHORTEST: Final = 3
"""Letters that must be left of an English word without its ending."""
_SHORTEST_HEAD: Final = {True: 4, False: 2}
"""Characters of the last part of a compound, by whether it is English."""
_OTHER_MEANINGS: Final = frozenset(
    f"{first} {head}"
    for head, firsts in (
        ("reading", ("mind", "lip", "palm", "tarot", "card", "meter")),
        ("surfing", ("couch", "channel", "web", "net", "internet", "crowd")),
        ("games", ("mind", "power", "war")),
        ("music", ("sheet",)),
    )
    for first in firsts
)

_CONTACT: Final = re.compile(r"https?:|www\.|\.(?:com|net|org|jp|io|me)\b|@|(?:[0-9][ \-().]*){7,}")
_NOT_OFFERED: Final = re.compile(
    "不倫|浮気|せふれ|えっち|せっくす|性交|ぱぱ活|まま活|援交|割り切|愛人|恋人募集|彼女募集|彼氏募集"
    "|出会い(?!の場)|一夜|婚活"
    r"|\b(?:sex\w*|hook ?ups?|affairs?|flings?|fwb|one night|lovers?|dating|nudes?"
    r"|sugar (?:daddy|mommy|baby))\b"
)


def shorter_spellings(text: str) -> Iterator[str]:
    """Yield folded forms of a text without the words people add to a hobby, nearest first.

    To be tried only after the text itself names nothing. The last part of a compound names what it is (a
    night walk is a walk), so it comes last: 現代アート is アート. Makers do another thing than those who
    enjoy it, so 作り stays.

    >>> list(shorter_spellings("神社巡り")), list(shorter_spellings("old movies"))[:3]
    (['神社'], ['movies', 'old movy', 'old movying'])
    >>> "写真" in list(shorter_spellings("星景写真")), list(shorter_spellings("シャンパン"))
    (True, [])
    """
    folded = fold(text)
    if is_no_interest(folded):
        return
    for ending in _ENDINGS:
        if folded.endswith(ending) and len(folded) > len(ending):
            yield folded.removesuffix(ending)
    if done := _DONE_WITH.search(folded):
        yield folded[: done.start()]
    if _HONORIFIC.match(folded):
        yield folded[1:]
    if setting := _SETTINGS.match(folded):
        yield folded[setting.end() :]
    rest = _BEGINNINGS.sub("", folded, count=1) if folded.isascii() else folded
    if rest and rest != folded:
        yield rest
    for word in dict.fromkeys((folded, rest)):
        yield from _without_ending(word)
    yield from _heads(text)


def _without_ending(word: str) -> Iterator[str]:
    """Yield an English word without its plural or -ing, and what is done: walks, walk, walking."""
    if not word.isascii():
        return
    for ending, instead in (("ies", "y"), ("es", ""), ("s", ""), ("ing", ""), ("ing", "e")):
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST:
            stem = word.removesuffix(ending) + instead
            yield stem
            yield stem.removesuffix("e") + "ing"


def _heads(text: str) -> Iterator[str]:
    """Yield the last parts of a compound, longest first, cut where the script changes or kanji meet."""
    plain = unicodedata.normalize("NFKC", text).strip()
    for ending in _ENDINGS:
        if plain.endswith(ending):
            plain = plain.removesuffix(ending)
    for at in range(1, len(plain)):
        if not _may_cut(plain[at - 1], plain[at]):
            continue
        head = fold(plain[at:])
        if len(head) >= _SHORTEST_HEAD[head.isascii()] and fold(plain) not in _OTHER_MEANINGS:
            yield head
            yield from _without_ending(head)


def _may_cut(before: str, after: str) -> bool:
    left, right = _script(before), _script(after)
    if left == "space" or (before == "の" and right != "space"):
        return True
    return right not in ("space", "mark") and left != "mark" and (left != right or left == "kanji")


def _script(character: str) -> str:
    name = unicodedata.name(character, "")
    for script, start in (
        ("kanji", "CJK"),
        ("kana", "HIRAGANA"),
        ("katakana", "KATAKANA"),
        ("latin", "LATIN"),
    ):
        if name.startswith(start) and "PROLONGED" not in name:
            return script
    return "katakana" if "PROLONGED" in name else "space" if character.isspace() else "mark"


def is_no_interest(folded: str) -> bool:
    """Say whether a folded text is a way to be reached, or something the service does not offer.

    >>> [is_no_interest(text) for text in ("090 1234 5678", "www.example.org", "不倫", "1960年代の音楽")]
    [True, True, True, False]
    """
    return bool(_CONTACT.search(folded) or _NOT_OFFERED.search(folded))
