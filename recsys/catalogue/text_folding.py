"""Folding of member text to a comparable form, and what makes a text unsafe to accept."""

import re
import unicodedata
from typing import Final

from recsys.arguments import checked_arguments
from recsys.catalogue.han_variants import HAN_VARIANTS

KATAKANA_TO_HIRAGANA: Final = {code: code - 0x60 for code in (*range(0x30A1, 0x30F7), 0x30FD, 0x30FE)}
_JAPANESE: Final = "\u3005-\u3007\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_DASHES: Final = "\u002d\u2010-\u2015\u2212\u2500\u2501\u301c\u3030\u007e\u30fc"
_LONG_VOWEL: Final = re.compile(f"(?<=[\u3041-\u3096\u309d-\u30fe])[{_DASHES}]+")
_GAP: Final = re.compile(r"[\s_\-\u2010-\u2015\u2212\u00b7\u30fb\x00-\x1f\x7f-\x9f]+")
_GAP_BESIDE_JAPANESE: Final = re.compile(f" (?=[{_JAPANESE}\u3099\u309a])|(?<=[{_JAPANESE}\u3099\u309a]) ")
INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""What Unicode calls default ignorable: nothing is drawn for it."""

_ACCENTS: Final = re.compile("[\u0300-\u036f\u0640\u064b-\u0652]")
"""Marks of Latin, Greek and Cyrillic, and of Arabic the vowels and the long stroke, written or not."""

_DOTLESS_I: Final = "\u0131"
"""Its capital is that of i, so only one of the two can be told from a text in capitals."""

_DOTTED_I: Final = "i\u0307"
"""What the capital with a dot becomes in lower case: an i and a dot above it."""

_STROKES: Final = str.maketrans("\u0142\u00f8\u0111", "lod") | HAN_VARIANTS

_UNSAFE: Final = re.compile(
    "(?P<null>\x00)"
    "|(?P<control>[\x01-\x1f\x7f-\x9f\u2028\u2029])"
    "|(?P<override>[\u202a-\u202e\u2066-\u2069])"
    "|(?P<hidden>[\u200b\u2060-\u2064\ufeff\U000e0000-\U000e007f])"
    "|(?P<surrogate>[\ud800-\udfff])"
    "|(?P<markup><[A-Za-z/!?])"
)
_MEANING: Final = {
    "null": "null byte",
    "control": "control character",
    "override": "bidirectional override",
    "hidden": "invisible character",
    "surrogate": "half a surrogate pair",
    "markup": "markup",
}


def plain(text: object) -> str:
    """Return a text in compatibility form, without blanks at the ends and without invisible characters.

    >>> plain("　２\u200b ")
    '2'
    """
    return INVISIBLE.sub("", unicodedata.normalize("NFKC", str(text))).strip()


def lower_case(text: str) -> str:
    """Return a text without capitals, in which i and the i without a dot of Turkish are one letter.

    A capital of Turkish or Azeri is that of the one or of the other by the language alone, which nobody says.

    >>> lower_case("İZMİR"), lower_case("Iğdır"), lower_case("IĞDIR"), lower_case("İğdır")
    ('izmir', 'iğdir', 'iğdir', 'iğdir')
    """
    return text.casefold().replace(_DOTTED_I, "i").replace(_DOTLESS_I, "i")


def _folded_once(text: str) -> str:
    text = lower_case(unicodedata.normalize("NFKC", INVISIBLE.sub("", text)))
    text = unicodedata.normalize("NFKC", text).translate(KATAKANA_TO_HIRAGANA)
    text = _LONG_VOWEL.sub("ー", text)
    return _GAP_BESIDE_JAPANESE.sub("", _GAP.sub(" ", text)).strip()


def fold(text: str) -> str:
    """Return the form in which two spellings of one thing are equal; folding twice changes nothing.

    Full-width and half-width forms meet (NFKC), capitals are dropped (casefold), katakana becomes
    hiragana, any dash or tilde after kana is the long vowel mark and a run of them is one, spaces,
    hyphens, underscores and middle dots are one space, and no space stands beside kana or kanji.
    Invisible characters go. The long vowel itself is kept: サッカー (football) is not さっか (writer).

    >>> fold("ｶﾒﾗ") == fold("カメラ") == "かめら"
    True
    >>> fold("  Board－GAME "), fold("ボード・ゲ〜ム")
    ('board game', 'ぼーどげーむ')
    """
    if text.isascii():  # nothing of it has another form but capitals and gaps
        return _GAP.sub(" ", text.lower()).strip()
    while (folded := _folded_once(text)) != text:
        text = folded
    return folded


def unaccented(text: str) -> str:
    """Return a text in lower case and compatibility form without accents; marks of kana and Hangul stay.

    Vowel signs of Arabic are accents. Letters of Latin with a stroke, the i without a dot, and variants of
    Han characters are the usual ones.

    >>> unaccented("Última CONEXIÓN"), unaccented("Płeć, KADIN, kadın, Kjønn"), unaccented("ガ행")
    ('ultima conexion', 'plec, kadin, kadin, kjonn', 'ガ행')
    """
    split = unicodedata.normalize("NFKD", lower_case(unicodedata.normalize("NFKC", text)))
    return unicodedata.normalize("NFC", _ACCENTS.sub("", split)).translate(_STROKES)


def unsafe_characters(text: str) -> tuple[str, ...]:
    r"""Name each kind of thing in `text` that no nickname, tag or id may hold, with its first place.

    Null bytes, control characters (line breaks too), bidirectional overrides and isolates, invisible
    characters, lone surrogates, and markup: `<` before a letter, `/`, `!` or `?`, in full width as
    well. A plain "<3" is text. Empty when the text is safe.

    >>> unsafe_characters("山田 <3 coffee")
    ()
    >>> unsafe_characters("a\u202eb\x00")
    ('bidirectional override U+202E at 1', 'null byte U+0000 at 3')
    >>> unsafe_characters("＜script＞")
    ('markup U+003C at 0',)
    """
    found: dict[str, str] = {}
    for form in (text, unicodedata.normalize("NFKC", text)):
        for match in _UNSAFE.finditer(form):
            kind = match.lastgroup or ""
            found.setdefault(kind, f"{_MEANING[kind]} U+{ord(match[0][0]):04X} at {match.start()}")
    return tuple(found.values())


@checked_arguments
def spelling(text: str) -> str:
    """Return the key under which a spelling is looked up: folded, without spaces.

    >>> spelling("Board Game") == spelling("boardgame")
    True
    """
    return folded_key(text)


def folded_key(text: str) -> str:
    """Return `spelling` of what is a text for certain, for whoever looks up thousands.

    >>> folded_key("Board Game")
    'boardgame'
    """
    return fold(text).replace(" ", "")


def has_letters(text: str) -> bool:
    r"""Say whether a text holds a letter or a digit that is seen.

    >>> has_letters("appeal 31"), has_letters("\u200b \u3000"), has_letters("--")
    (True, False, False)
    """
    return any(one.isalnum() for one in fold(text))
