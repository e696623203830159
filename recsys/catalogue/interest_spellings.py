"""What people write as an interest: spellings to try after the whole text, and what is no interest at all."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from recsys.catalogue.english_phrases import without_names
from recsys.catalogue.english_spellings import english_forms
from recsys.catalogue.japanese_spellings import japanese_forms
from recsys.catalogue.text_folding import INVISIBLE, fold, unaccented

_DISLIKED: Final = re.compile(
    r"\b(?:hat(?:e|es|ed|ing)|dislikes?|loathe|can'?t stand"
    r"|(?:don'?t|do not|never) (?:like|enjoy|do|drink|eat|watch)"
    r"|not (?:a|an|much|keen|into|really|fond|for me)|allerg(?:y|ic)|bored (?:of|with|by)|anything but"
    r"|never (?:been|tried|done|got)|is (?:so |really )?(?:boring|dull|awful|not))\b"
    "|苦手|嫌い|きらい|飽き(?:た|ました)|あれるぎー|興味(?:は|が)?な"
    "|(?:でき|飲め|食べ|見|観|し|好きでは)(?:ない|ません)"
)
"""What says that somebody does not care for a thing: the thing is then no interest of theirs."""
_ABOUT_ONESELF: Final = re.compile(
    "出身|実家[はが]|地元は|在住|住まい[はが]|住み$|住んで|生まれ|勤務|勤めて|職場[はが]|単身赴任|年生$|歳$"
    r"|\b(?:born|liv(?:e|es|ing) in|(?:based|grew up) in|(?:^|i'?m |comes? |came )from|moved to|native of"
    r"|work(?:s|ed|ing)? (?:in|at|for))\b"
)
"""What says where somebody lives, comes from or works: a place in it is no interest of theirs."""
_NO_LONGER: Final = re.compile(
    r"\b(?:ex|former|formerly|lapsed|used to|gave up|given up|no longer|retired (?:from )?)\b"
    r"|\b(?:lost|late) (?:my|our)\b"
    "|亡くし|亡くな|他界|看取|失っ|昔は|以前は|かつて|(?:やめ|辞め)(?:た|ました)|引退|^元.*(?:部|選手)$"
)
"""What says that something is past or lost: nobody is asked about it as a hobby."""
_REFUSED_PART: Final = re.compile(
    r",? (?:but )?not (?!only|just|to mention).*$"
    "|,? (?:rather than|instead of|except(?: for)?|apart from) .*$"
)
"""What comes after a "not": cats, not dogs."""
_NOT_AN_INTEREST: Final = re.compile(f"{_DISLIKED.pattern}|{_NO_LONGER.pattern}|{_ABOUT_ONESELF.pattern}")
_ASIDE: Final = re.compile("[(（][^()（）]*[)）]|[!！。、…♪☆★~〜・]+$|^[#・*※]+|(?<=[ぁ-ヿ一-鿿])(?:笑|w+)$")
_LONGEST_CUT: Final = {True: 60, False: 40}
"""Characters of a text whose parts are tried: a longer one is a sentence, not a hobby."""

_CONTACT: Final = re.compile(r"https?:|www\.|\.(?:com|net|org|jp|io|me)\b|@|(?:[0-9][ \-().]*){7,}")
_NOT_OFFERED: Final = re.compile(
    "不倫|浮気|せふれ|えっち|せっくす|性交|ぱぱ活|まま活|援交|割り切|愛人|恋人募集|彼女募集|彼氏募集"
    "|出会い(?!の場)|一夜(?!干|漬|城)|婚活"
    r"|\b(?:sex\w*|hook ?ups?|flings?|fwb|one night|dating|nudes?|sugar (?:daddy|mommy|baby))\b"
    r"|(?<!current )(?<!foreign )(?<!world )(?<!public )\baffairs?\b"
    r"|^(?:(?:a|my|secret|married|looking for|seeking|wanted) )*lovers?$"
)


def shorter_spellings(text: str) -> Iterator[str]:
    """Yield folded forms of a text without the words people add to a hobby, nearest first.

    To be tried only after the text itself names nothing. The last part of a compound names what it is (a
    night walk is a walk), so it comes late: 現代アート is アート; of an English phrase the part before a
    preposition does. Makers do another thing than those who enjoy it, so 作り stays.

    >>> list(shorter_spellings("神社巡り"))[0], list(shorter_spellings("old movies"))[:3]
    ('神社', ['movies', 'old movy', 'old movying'])
    >>> "写真" in list(shorter_spellings("星景写真")), "温泉" in list(shorter_spellings("温泉に入ること"))
    (True, True)
    >>> list(shorter_spellings("シャンパン")), "train" in list(shorter_spellings("dog training"))
    ([], False)
    """
    folded = fold(text)
    if is_no_interest(folded) or _NOT_AN_INTEREST.search(folded):
        return
    if len(folded) > (longest := _LONGEST_CUT[folded.isascii()]):
        if "," in folded[:longest]:  # a list: its first part, if that is all of a name
            yield folded.partition(",")[0]
        return
    kept = _REFUSED_PART.sub("", _without_emojis(unicodedata.normalize("NFKC", text)))
    plain = _ASIDE.sub("", kept).strip()
    if not plain:
        return
    if fold(plain) != folded:
        yield fold(plain)
    if not (latin := fold(unaccented(plain))).isascii():
        yield from japanese_forms(plain)
        return
    yield from english_forms(latin)
    if (unnamed := without_names(plain)) != plain:
        yield from english_forms(fold(unaccented(unnamed)))


def _without_emojis(text: str) -> str:
    """Return a text without the emojis, hearts and joiners beside its words."""
    text = INVISIBLE.sub("", text)
    return "".join(" " if unicodedata.category(one) in ("So", "Sk") else one for one in text).strip()


def is_no_interest(folded: str) -> bool:
    """Say whether a folded text is a way to be reached, or something the service does not offer.

    >>> [is_no_interest(text) for text in ("090 1234 5678", "www.example.org", "不倫", "1960年代の音楽")]
    [True, True, True, False]
    """
    return bool(_CONTACT.search(folded) or _NOT_OFFERED.search(folded))
