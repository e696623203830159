"""Employers as people write them: a domain or a company's name, each in one spelling."""

import re
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Final

from recsys.catalogue.text_folding import INVISIBLE, unaccented
from recsys.data.no_answer_codes import is_unknown
from recsys.errors import InputError, explained
from recsys.strict_yaml import flat, parse_yaml

_LEGAL_END = re.compile(r"\.(?:ltd|inc|co|corp|gmbh|llc|plc)$")
_LEGAL_START = re.compile(r"^(?:pt|cv|ud|ооо|оао|зао|пао|ао|ип|тов)\.[^.]{4,}$")
_URL = re.compile(r"^https?://([^/?#:]+).*$", re.DOTALL)
_DOMAIN = re.compile(r"[^\s@/]+\.[^\s@/.]{2,}")


def employer_form(text: str) -> str | None:
    """Return a domain, or the name of a company where the text is no domain; two kinds that never meet.

    None where the text says that there is no employer: people without one are no colleagues.
    """
    if is_unknown(text) or _in_one_spelling(_words(_OTHER_GENDER.sub("", text))) in _no_employer():
        return None
    bare = _URL.sub(r"\1", text).removeprefix("mailto:").partition("?")[0].strip()
    domain = bare.rpartition("@")[2].removeprefix("www.").rstrip(".")
    if _DOMAIN.fullmatch(domain) and not (_LEGAL_END.search(domain) or _LEGAL_START.search(domain)):
        domain = ascii_domain(domain)
        return None if domain in employer_words()["free_mail"] else domain
    name = "" if "@" in text else company_name(text)
    if not name:
        remedy = "give the employer's mail domain, such as example.co.jp, or the company's name"
        raise InputError(explained("the value is neither a domain nor a company", remedy=remedy))
    return f"name {name}"


def ascii_domain(domain: str) -> str:
    """Return a domain as ASCII, so that its two spellings meet; as it is where it has none."""
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        return domain


_JAPANESE: Final = (
    r"株式会社|有限会社|合同会社|合資会社|合名会社|相互会社|"
    r"(?:一般|公益|特例)?(?:社団|財団)法人|(?:特定|社会)?医療法人(?:社団|財団)?|学校法人|宗教法人|社会福祉法人|"
    r"(?:地方)?独立行政法人|(?:国立|公立)大学法人|国立研究開発法人|(?:(?:認定)?特定)?非営利活動法人|(?:認定)?npo法人|"
    r"(?:税理士|弁護士|司法書士|行政書士|社会保険労務士|社労士|特許業務|弁理士|土地家屋調査士|更生保護|有限責任監査|監査"
    r"|投資|農業|管理組合|職業訓練)法人|農事組合法人|有限責任事業組合|"
)
_IN_BRACKETS: Final = (
    r"株|有|同|資|名|社|財|医|学|宗|福|独|相|特|大|農|監|税|弁|一社|一財|公社|公財|社福|特非|非営利|医社|医財|地独"
    r"|国大|国研|npo|カ|カブ|ユ|ド|シ|メ|シヤ|シャ|ザイ|イ|ガク|シユウ|シュウ|フク|トクヒ|ダイ|ドク|ノウ|ゼイ|ベン"
    r"|주|유|사|재|학|합|의|복|농"
)
"""Short for a legal form where a bracket stands beside it; in kana as banks write it."""
_OF_EAST_ASIA: Final = (
    rf"{_JAPANESE}\((?:{_IN_BRACKETS})\)|주식회사|유한(?:책임)?회사|합[자명]회사|"
    r"(?:사단|재단|학교|의료|사회복지|종교|농업회사|영농조합|어업회사|영어조합|회계|법무|세무|노무|특허|관세|감정평가)법인|"
    r"(?:股份|责任|責任)?有限(?:责任|責任)?公司|股份公司|\(股\)公司|无限公司|無限公司"
)
_THAI: Final = (
    r"(?:บมจ|บจก|บจ|หจก|หสม|หสน)(?:\.\s*|\s+)|บ\.\s*(?:[มจ]\.\s*[กจ]\.\s*)?|ห\.\s*[จสก]\.?\s*[กมน]\.\s*|"
    r"บริษัท\s*(?:มหาชน\s*)?(?:จำกัด\s*)?|ห้างหุ้นส่วน(?:จำกัด|สามัญ)?(?:นิติบุคคล)?\s*"
)
_BEFORE: Final = (
    rf"\(?(?:{_IN_BRACKETS})\)\s*|"
    r"(?:ооо|оао|зао|пао|ао|ип|тов|тоо|одо|чуп|прат|пат|ат|тзов|тдв|ет|შპს|სს|uab|sia|pt|cv|ud|perum|sarl|sasu|sas|eurl|snc|scop|scic|gie|s\.?a\.?r\.?l\.?|"
    r"s\.?a\.?s\.?)(?:\.\s*|\s+)|"
    r"(?:ab|as|a/s|asa|oy|oü|m/s\.?|messrs\.?)\s+(?=\w{2})|"
    r"société anonyme\s+|(?:sa|s\.a\.|société|ets|ets\.|établissements|srl|spa|firma|fa\.)\s+(?=\w{2})|"
    r"(?:công ty|cty)\.? (?:tnhh|cổ phần|cp)(?: mtv| một thành viên)?\s+|"
    r"(?:ctcp|tập đoàn|tổng công ty|công ty(?: hợp danh)?)\s+|"
    r"(?:doanh nghiệp tư nhân|dntn|tnhh)\s+|(?:p\.t|c\.v|u\.d)\.\s*|"
    rf"{_THAI}|ບໍລິສັດ\s*|ក្រុមហ៊ុន\s*|ကုမ္ပဏီ\s+|"
    r"شركة\s+|شرکت\s+|חברת\s+|"
    r"s\.?c\.?\s+(?=.*\bs\.?\s*(?:r\.?\s*l|a)\b)"
)
_BEHIND: Final = (
    rf"\s*\((?:{_IN_BRACKETS})|\s+\(?i\.\s*(?:l|g|o|i|a|gr)\b\.?\)?|"
    r"\s*จำกัด|\s*\(มหาชน\)|\s+มหาชน|\s+จก\.?|\s*(?:ຈຳກັດ|ຈໍາກັດ)(?:\s*ຜູ້ດຽວ)?|\s+\(?ມະຫາຊົນ\)?|"
    r"\s*(?:ကုမ္ပဏီ)?\s*လီမိတက်|\s*ကုမ္ပဏီ|\s+(?:ឯ\.?ក\.?|ម\.?ក\.?|ខូអិលធីឌី)"
)


_AROUND = re.compile(
    rf"^(?:{unaccented(f'{_OF_EAST_ASIA}|{_BEFORE}')})+|(?:{unaccented(f'{_OF_EAST_ASIA}|{_BEHIND}')})+$"
)
_OTHER_GENDER: Final = re.compile(
    r"(?<=\w{3})\s?(?:\((?:a|o|e|r|in|ne|as|os|es)\)|[/:*·_](?:a|o|e|r|in|ne|as|os|es))(?!\w)"
)
_DOTS = re.compile(r"(?<=\b\w)\.(?=\s*\w?\b)|\.")
_FEWEST_LETTERS: Final = 4
_TWO_LETTERS: Final = re.compile(r"(?<![aeiouq])([aou])e|a(?=a)")
"""`ae` for `ä` and `æ`, `oe` for `ö` and `ø`, `ue` for `ü`, `aa` for `å`: of each the first letter alone."""
_ONE_LETTER: Final = str.maketrans(
    {**dict.fromkeys("أإآٱ", "ا"), "ى": "ي", "ة": "ه", "æ": "ae", "œ": "oe", "ـ": ""}
)
"""Letters of Arabic that people write in two ways, and pairs in one sign."""
_SIGNS: Final = "\u0900-\u109f\u1700-\u1cff\ua800-\uabff"
"""Blocks of scripts of South and Southeast Asia, whose signs of vowels are letters to a reader."""
_NO_WORD = re.compile(rf"(?:(?![{_SIGNS}])[\W_]|[\u0964\u0965\u0e2f\u0e46\u0e4f\u104a\u104b\u17d4\u17d5])+")
_SPELLED_TWICE: Final = re.compile("[\u093c\u09bc\u0a3c\u0abc\u0b3c\u0cbc]")
"""The dot below a letter for a sound of other languages, which many people leave out."""


def company_name(text: str) -> str:
    """Return the one spelling of a company's name; empty where nothing but a legal form is there.

    Accents are dropped, since many people write names without them; the marks of kana and Hangul and the
    vowel signs of South and Southeast Asia are letters.

    >>> company_name("㈱ひだまり商事") == company_name("株式会社 ひだまり商事")
    True
    >>> company_name("Example GmbH & Co. KG"), company_name("EXAMPLE, Inc."), company_name("Straße AG")
    ('example', 'example', 'strasse')
    >>> company_name("Itaú Unibanco S.A."), company_name("パナ") == company_name("バナ")
    ('itauunibanco', False)
    """
    bare = _in_one_line(text)
    while (shorter := _AROUND.sub("", bare).strip()) != bare:
        bare = shorter
    words = _words(bare)
    n_words, joining = len(words), employer_words()["joining_words"]
    companions = employer_words()["and_company"]
    while words:
        before, ends = _phrase(words, first=True), _phrase(words)
        before = before or int(_is_first(words))
        if not ends and len(words) > 1:
            alone = words[-1] in employer_words()["before_a_legal_word"] and len(words) < n_words
            ends = int(alone or words[-1] in employer_words()["legal_words"])
        if not (before or ends):
            break
        removed, words = words[len(words) - ends :], words[before : len(words) - ends]
        if words[1:] and words[-1] in joining and not companions.isdisjoint(removed):
            words.pop()
    return _in_one_spelling(words)


def _in_one_line(text: str) -> str:
    return re.sub(r"\s+", " ", _SPELLED_TWICE.sub("", unaccented(INVISIBLE.sub("", text)))).strip()


def _words(text: str) -> list[str]:
    return _NO_WORD.sub(" ", _DOTS.sub("", _in_one_line(text)).replace("'", "")).split()


def _in_one_spelling(words: list[str]) -> str:
    joining = employer_words()["joining_words"]
    name = "".join(word for at, word in enumerate(words) if word not in joining or at in {0, len(words) - 1})
    return _TWO_LETTERS.sub(r"\1", name.translate(_ONE_LETTER))


def _is_first(words: list[str]) -> bool:
    """Say whether the first of several words is a legal form, with a name of more than a letter behind it."""
    known, word = employer_words(), words[0]
    if len(words) == 1 or (len(words) == 2 and len(words[1]) == 1):
        return False
    return word in known["legal_words_first"] or word in known["legal_words"] - known["legal_words_last"]


def _phrase(words: list[str], *, first: bool = False) -> int:
    """Return how many words at the end, or at the start, are a legal form of several words.

    Letters at the start are more likely of the name.
    """
    phrases = employer_words()["legal_phrases"]
    for n in range(min(len(words), _longest_phrase()), 1, -1):
        part = words[:n] if first else words[-n:]
        if " ".join(part) in phrases and not (first and max(map(len, part)) < 4):
            return n
    joined = (n for n in range(_longest_phrase(), 0, -1) if "".join(words[-n:]) in _phrases_in_one_word())
    return 0 if first else next((n for n in joined if n < len(words)), 0)


@lru_cache(maxsize=1)
def employer_words() -> Mapping[str, frozenset[str]]:
    """Return the words about employers by what they say, each without accents and capitals."""
    text = (files("recsys.catalogue") / "employers.yaml").read_text(encoding="utf-8")
    found = parse_yaml(text, where="employers.yaml")
    return {
        kind: frozenset(_SPELLED_TWICE.sub("", unaccented(one)) for one in flat(words))
        for kind, words in found.items()
    }


@lru_cache(maxsize=1)
def _longest_phrase() -> int:
    return max(one.count(" ") + 1 for one in employer_words()["legal_phrases"])


@lru_cache(maxsize=1)
def _phrases_in_one_word() -> frozenset[str]:
    """Return forms of several words without their blanks: `sp.zoo` is one of three words."""
    phrases = (one.replace(" ", "") for one in employer_words()["legal_phrases"])
    return frozenset(one for one in phrases if len(one) >= _FEWEST_LETTERS)


@lru_cache(maxsize=1)
def _no_employer() -> frozenset[str]:
    """Return the one spelling of each text that stands in place of an employer's name."""
    return frozenset(_in_one_spelling(_words(text)) for text in employer_words()["no_employer"])
