"""Encodings of text files: decoding with one that is named, and guessing one from all files together."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import Final

from recsys.errors import SourceError, did_you_mean, explained
from recsys.storage.source_folder import name_of_table
from recsys.strict_yaml import parse_yaml

ENCODINGS: Final = (
    *("utf-8", "cp932", "euc_jp", "gb18030", "cp949", "cp1252", "cp1254"),
    *("cp1250", "cp1251", "koi8_r", "cp1253", "cp1255", "cp1256", "cp874"),
)
_LANGUAGES: Final = {
    "cp932": "japanese",
    "euc_jp": "japanese",
    "gb18030": "chinese",
    "cp949": "korean",
    "cp1252": "latin",
    "cp1254": "turkish",
    "cp1250": "central european",
    "cp1251": "cyrillic",
    "koi8_r": "cyrillic",
    "cp1253": "greek",
    "cp1255": "hebrew",
    "cp1256": "arabic",
    "cp874": "thai",
}
_TWO_BYTES_A_LETTER: Final = ("cp932", "euc_jp", "gb18030", "cp949")
_BYTE_A_LETTER: Final = {
    "cp1251": "\u0400-\u04ff",
    "koi8_r": "\u0400-\u04ff",
    "cp1253": "\u0370-\u03ff",
    "cp1255": "\u05d0-\u05ea",
    "cp1256": "\u0600-\u06ff",
    "cp874": "\u0e00-\u0e7f",
}
"""Letters of scripts whose encodings have a byte for each."""
_MARKS: Final = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def decode_text(content: bytes, encoding: str | None, name: str) -> str:
    """Return the text of a file; without a named encoding, a byte order mark or UTF-8 decide.

    Raises SourceError naming the encodings that would fit, when the named one does not. Nearly every file
    can be decoded as latin1, so one that reads as UTF-8 is UTF-8 whatever it is called.

    >>> decode_text("猫".encode("cp932"), "cp932", "members.csv")
    '猫'
    >>> decode_text("猫".encode("cp932"), None, "members.csv")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    recsys.errors.SourceError: the file is not UTF-8 in members.csv: ... these would fit: cp932, ...
    """
    for mark, marked in _MARKS:
        if content.startswith(mark):
            return _decoded(content, marked, name)
    wanted = encoding or _utf_16_without_mark(content) or "utf-8"
    try:
        text = content.decode(wanted)
    except LookupError:
        remedy = did_you_mean(wanted, ENCODINGS)
        raise SourceError(explained("unknown encoding", where=name, got=wanted, remedy=remedy)) from None
    except UnicodeDecodeError as error:
        nearest = guess_encoding([content])  # of those that fit the likeliest first
        in_order = sorted(ENCODINGS, key=lambda one: one != nearest)
        fitting = [one for one in in_order if one != wanted and _text_in(content, one) is not None]
        what = f"the file is not {wanted}" if encoding else "the file is not UTF-8"
        remedy = (
            f"say `encoding:` in mapping.yaml; these would fit: {', '.join(fitting) or 'none that is known'}"
        )
        raise SourceError(explained(what, where=name, got=f"byte {error.start}", remedy=remedy)) from None
    if encoding and (utf_8 := _text_in(content, "utf-8")) is not None and text != utf_8:
        table = name_of_table(name)
        remedy = (
            f"leave `encoding:` out, or say `tables: {{{table}: {{encoding: utf-8}}}}` for this file alone"
        )
        raise SourceError(explained(f"the file is UTF-8, not {encoding}", where=name, remedy=remedy))
    return text


def _decoded(content: bytes, encoding: str, name: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        what, remedy = f"the file is not {encoding} to its end", "write it again; it was cut short or damaged"
        raise SourceError(explained(what, where=name, got=f"byte {error.start}", remedy=remedy)) from None


def _utf_16_without_mark(content: bytes) -> str | None:
    """Return which UTF-16 a text without a mark is written in: every other byte of ASCII is 0."""
    sample = content[:4096]
    if len(sample) < 4 or 8 * sample.count(0) < len(sample):
        return None
    return "utf-16-le" if sample[1::2].count(0) > sample[::2].count(0) else "utf-16-be"


def guess_encoding(contents: Sequence[bytes]) -> str | None:
    r"""Return the encoding that fits all text files, None where UTF-8 or a byte order mark does.

    Of several that fit, the one that gives most letters, common ones before others: a wrong one gives rare
    signs, half-width kana or marks.

    >>> guess_encoding(["ひだまり".encode("cp932")]), guess_encoding([b"plain"])
    ('cp932', None)
    >>> guess_encoding(["등산\n커피".encode("cp949")]), guess_encoding(["电影\n音乐".encode("gb18030")])
    ('cp949', 'gb18030')
    """
    marks = (b"\xff\xfe", b"\xfe\xff")
    unmarked = [one for one in contents if not one.startswith(marks) and _utf_16_without_mark(one) is None]
    if all(_text_in(one, "utf-8-sig") is not None for one in unmarked):
        return None
    scores = {}
    for encoding in ENCODINGS[1:]:
        decoded = [_text_in(one, encoding) for one in contents]
        if all(one is not None for one in decoded):
            whole = "".join(one or "" for one in decoded)[:200_000]
            odd = len(re.findall("[｡-ﾟ\x80-\x9f]|[À-ÿ]{2,}", whole))
            read = re.sub("[À-ÿ]{2,}", "", whole)  # an accent stands alone in its word
            wide = len(re.findall("[ぁ-んァ-ヶ一-龠가-힣à-ÿ]", read))
            if letters := _BYTE_A_LETTER.get(encoding):
                wide, odd = _in_script(whole, letters)
            usual = sum(map(read.count, _common_letters()[_LANGUAGES[encoding]]))
            weight = 2 if encoding in _TWO_BYTES_A_LETTER else 1
            if weight == 2:
                odd += len(re.findall("[A-Za-z][一-龠가-힣]|[一-龠가-힣][A-Za-z]", whole))
            size = len(whole.encode(encoding, "ignore"))
            scores[encoding] = (weight * (wide + 2 * usual) - 2 * odd) / max(1, size)
    return max(scores, key=lambda one: scores[one]) if scores else None


def _in_script(text: str, letters: str) -> tuple[int, int]:
    """Return how many letters of a script a text has, and how many signs of another encoding.

    Of bytes in a wrong one become capitals within words, marks between letters and words of two scripts.
    """
    found = re.findall(f"[{letters}]", text)
    mixed = re.findall(f"[A-Za-z][{letters}]|[{letters}][A-Za-z]", text)
    signs = re.findall(rf"[^\x00-\x7f{letters}«»–—“”„№…\xa0\u200c\u200d]", text)
    cased = [one for one in found if one.lower() != one.upper()]
    capitals = re.findall(rf"[{letters}]+", text)
    within = sum(
        before.islower() and after.isupper() for word in capitals for before, after in pairwise(word)
    )
    return len(found), len(mixed) + len(signs) + (within if cased else 0)


@lru_cache(maxsize=1)
def _common_letters() -> Mapping[str, str]:
    """Return the commonest letters by language."""
    text = (files("recsys.mapping") / "common_letters.yaml").read_text(encoding="utf-8")
    found = parse_yaml(text, where="common_letters.yaml")
    kana = "".join(map(chr, (*range(0x3041, 0x3094), *range(0x30A1, 0x30F7))))
    return {
        language: re.sub(r"\s", "", str(letters)) + (kana if language == "japanese" else "")
        for language, letters in found.items()
    }


def _text_in(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return None
