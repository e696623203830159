"""Names of companies in one spelling: compatibility forms and legal forms folded away."""

import re
import unicodedata
from typing import Final

_JAPANESE: Final = (
    r"株式会社|有限会社|合同会社|合資会社|合名会社|相互会社|"
    r"(?:一般|公益)?(?:社団|財団)法人|医療法人|学校法人|宗教法人|社会福祉法人|独立行政法人|"
    r"\((?:株|有|同|資|名|社|財|医|学|宗|福|独)\)"
)
_AROUND = re.compile(rf"^(?:{_JAPANESE})+|(?:{_JAPANESE})+$")
_LEGAL_WORDS: Final = frozenset(
    (
        "ab", "ag", "aktiengesellschaft", "as", "asa", "bv", "bvba", "co", "company", "corp",
        "corporation", "cv", "eg", "ev", "gmbh", "inc", "incorporated", "kft", "kg", "kk", "limited",
        "llc", "llp", "lp", "ltd", "ltda", "mbh", "nv", "ohg", "oy", "oyj", "plc", "pte", "pty", "sa",
        "sarl", "sas", "se", "sl", "spa", "srl", "ug",
    )
)  # fmt: skip
_DOTS = re.compile(r"(?<=\b\w)\.(?=\s*\w?\b)|\.")
_NO_WORD = re.compile(r"[\W_]+")


def company_name(text: str) -> str:
    """Return the one spelling of a company's name; empty where nothing but a legal form is there.

    >>> company_name("㈱ひだまり商事") == company_name("株式会社 ひだまり商事")
    True
    >>> company_name("Example GmbH & Co. KG"), company_name("EXAMPLE, Inc."), company_name("Straße AG")
    ('example', 'example', 'strasse')
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    bare = re.sub(r"\s+", " ", folded).strip()
    while (shorter := _AROUND.sub("", bare).strip()) != bare:
        bare = shorter
    words = _NO_WORD.sub(" ", _DOTS.sub("", bare).replace("'", "")).split()
    while words and words[-1] in _LEGAL_WORDS:
        words.pop()
    return "".join(words)
