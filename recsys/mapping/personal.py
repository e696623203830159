"""What looks like a personal value: a birth date, coordinates, a phone number, a mail address."""

import re
from typing import Final

PERSONAL: Final = {
    "a mail address": re.compile(r"[^\s@]{1,64}@[^\s@]{1,190}\.[^\s@.]{2,}"),
    "a phone number": re.compile(r"(?<!\w)(?:\+|00|0)\d(?:[\s().-]?\d){7,13}(?!\w)"),
    "a date of birth": re.compile(
        r"(?<!\d)(?:19[2-9]\d|200\d|201[0-2])[-/.年](?:0?[1-9]|1[0-2])[-/.月](?:0?[1-9]|[12]\d|3[01])(?!\d)"
    ),
    "coordinates": re.compile(r"(?<![\d.,])-?\d{1,3}[.,]\d{4,}(?![\d.,])"),
}
"""By what they are called in a message, the look of values that may not leave a query as text."""

SENTENCE: Final = re.compile(r"(?:\S+\s+){6}\S|[.!?;]\s+\S+\s+\S|[。！？]|^.{60}", re.DOTALL)
"""The look of a text that somebody wrote, where an interest is named: seven words, two clauses, or long."""

_PERSONAL_NAME = re.compile(
    r"birth|dob\b|born|phone|mobile|mail|address|message|生年|電話|住所|メール"
    r"|nacimiento|nascimento|naissance|geburt|nascita|geboorte|correo|tel[eé]fono|telefon|courriel|direcci[oó]n"
    r"|adresse|indirizzo|endere[cç]o|mensaje|mensagem|nachricht|생년월일|이메일|휴대폰|전화|주소"
)


def names_a_person(column: str) -> bool:
    """Say whether a column is called like something personal.

    >>> names_a_person("E-Mail"), names_a_person("gender")
    (True, False)
    """
    return _PERSONAL_NAME.search(column.casefold()) is not None


def looks_personal(text: str) -> bool:
    """Say whether a text holds something personal.

    >>> looks_personal("call +81 90 1234 5678"), looks_personal("tea")
    (True, False)
    """
    return any(pattern.search(text) for pattern in PERSONAL.values())
