"""Keyed tokens: two people's phone numbers, addresses or employers can meet without being known.

A token is an HMAC-SHA256 under a secret that lives outside the data, so that a table of tokens alone
cannot be reversed by trying every phone number, as a plain hash can. Keep the secret in a secret
store and pass it in; with another secret no token meets an old one.
"""

import hmac
import re
import unicodedata
from typing import Any, Final

from recsys.catalogue.text_folding import INVISIBLE
from recsys.data.employers import ascii_domain, employer_form
from recsys.errors import InputError, did_you_mean, explained

PREFIX: Final = "hmac1:"
NAMESPACES: Final = ("phone", "email", "employer", "person")
SHORTEST_SECRET: Final = 16

_DOTS_MEAN_NOTHING: Final = frozenset(("gmail.com", "googlemail.com"))
_ONE_HOST: Final = {
    "googlemail.com": "gmail.com",
    **dict.fromkeys(("me.com", "mac.com"), "icloud.com"),
    **dict.fromkeys(("pm.me", "protonmail.com"), "proton.me"),
}
"""Hosts that deliver a name to the same mailbox as another, which stands for both."""
_PLUS_IS_A_TAG: Final = _DOTS_MEAN_NOTHING | frozenset(
    (
        *("outlook.com", "outlook.de", "outlook.es", "outlook.fr", "outlook.jp", "hotmail.com", "hotmail.de"),
        *("hotmail.co.jp", "hotmail.co.uk", "hotmail.es", "hotmail.fr", "hotmail.it", "live.com", "live.fr"),
        *("live.co.uk", "live.jp", "msn.com", "icloud.com", "me.com", "mac.com", "proton.me", "pm.me"),
        *("protonmail.com", "fastmail.com", "hey.com", "yandex.com", "yandex.ru", "zoho.com", "tuta.com"),
    )
)
"""Hosts that deliver name+tag to name, as they say themselves; dots in a name mean nothing at Gmail."""

TOKEN_FORM: Final = "hmac1:[0-9a-f]{64}"
"""The pattern of every token."""
_TOKEN = re.compile(TOKEN_FORM, re.ASCII)
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_DASHES: Final = r"\-‐-―−"
_PHONE_PUNCTUATION = re.compile(rf"[\s().・{_DASHES}]")
_NUMERAL: Final = "[〇零一二三四五六七八九]"
_HIDDEN = re.compile(
    rf"[^\w\s+()./・,;:='\"’℡☎☏✆📞📱📲{_DASHES}]|_|x{{2,}}|\d[^\W\d_x]\d"  # ###-1234-5678, 090-1234-567?
    rf"|{_NUMERAL}[\s{_DASHES}]*\d|\d[\s{_DASHES}]*{_NUMERAL}"
    rf"|[.・{_DASHES}]\s*[.・{_DASHES}]|\(\s*\)"  # ...-1234-5678
)
"""What stands for digits that are hidden or cannot be read: any sign that no number is written with."""
_TRUNK = re.compile(r"(?<=\d)[\s.-]*\(0\)[\s.-]*")  # +81 (0)90: the 0 is dialled inside the country only
# What a spreadsheet makes of a number; of one in groups with one 0 alone, since 01.23.45.67.00 is a number.
_WHOLE_AS_REAL = re.compile(rf"(\d{{6,15}})\.0+|(\+?\d[\d\s(){_DASHES}]{{5,23}})\.0")
_WORDS_BEHIND = re.compile(r"(.*\d)\D*[^\W\d_]\D*", re.DOTALL)  # 090-1234-5678 (mobile)
_FEWEST_DIGITS: Final = 7
"""In a number, as ITU-T E.164 has them in use."""
_POWER_OF_TEN = re.compile(r"(\d)(?:\.(\d+))?e\+?(\d{1,2})")
_IN_ANGLES = re.compile(r"^[^<>]*<([^<>@]+@[^<>@]+)>$")  # Hana <hana@example.org>
_IN_QUOTES = re.compile(r'^"([^"\\]+)"$')
_LABEL: Final = r"[^\W_](?:[\w-]*[^\W_])?"
_MAIL = re.compile(rf"(?!xx+@|.*\.{{3}})[\w.!$%&'+/=?^`{{|}}~-]+@(?!xx+\.){_LABEL}(?:\.{_LABEL})+")
"""A name of letters, digits and the signs of RFC 5322 but `*` and `#`, which hide letters as several x do."""


def make_token(namespace: str, value: str, secret: bytes, *, country: str | None = None) -> str | None:
    """Return the keyed token of a phone number, mail address, employer or person.

    Values are folded first, so that two spellings meet (see `normal_form`). An employer whose domain
    anybody may have is no employer: None. country: two letters, whose domestic phone numbers are read.

    Source: HMAC with SHA-256, RFC 2104 and FIPS 198-1; the namespace and the value are joined by a
    null byte, so that no value of one namespace is one of another.

    Raises InputError for an unknown namespace, a secret under 16 bytes, or a value that is none of
    its kind; the value is not repeated in the message.

    >>> secret = b"kept outside the data"
    >>> make_token("phone", "+81 90-1234", secret) == make_token("phone", "＋８１９０１２３４", secret)
    True
    >>> normal_form("phone", "090-1234-5678", country="JP")
    '+819012345678'
    >>> make_token("employer", "somebody@gmail.com", secret) is None
    True
    """
    if len(secret) < SHORTEST_SECRET:
        raise InputError(
            explained(
                "the secret is too short",
                got=f"{len(secret)} bytes",
                remedy=f"use at least {SHORTEST_SECRET} random bytes kept outside the data",
            )
        )
    normal = normal_form(namespace, value, country=country)
    return None if normal is None else token_of_normal_form(namespace, normal, secret)


def token_of_normal_form(namespace: str, normal: str, secret: bytes) -> str:
    """Return the token of a value that is in its normal form already, as `make_token` makes it.

    Only for values that the caller spelled itself: two spellings of anybody else's would not meet.

    >>> secret = b"kept outside the data"
    >>> known = make_token("phone", "+81 70-1234-5678", secret)
    >>> token_of_normal_form("phone", "+817012345678", secret) == known
    True
    """
    digest = hmac.digest(secret, f"{namespace}\0{normal}".encode(), "sha256")
    return PREFIX + digest.hex()


def is_token(text: str) -> bool:
    """Say whether `text` has the form of a keyed token.

    >>> is_token("hmac1:" + "0" * 64), is_token("0" * 64)
    (True, False)
    """
    return _TOKEN.fullmatch(text) is not None


def normal_form(namespace: str, value: str, *, country: str | None = None) -> str | None:
    """Return the form of `value` that is hashed, None for an employer that is a free-mail domain.

    phone: international form, full-width folded, punctuation and a trunk 0 behind the country code dropped,
    in brackets or not, a leading 00 read as +. A number without its country code is one of `country`, two
    letters; where that is not said it is refused: nobody can say which country was meant.
    email: folded to lower case; a tag behind a plus is dropped at hosts that deliver it to the same mailbox,
    dots and the name googlemail.com at Gmail; elsewhere they are kept, since what they mean differs by host.
    employer: the domain (of a mail address, too), lower case, without `www.`; of a company's name, the name
    without its legal form (株式会社, ㈱, Ltd, GmbH). A domain and a name do not meet: give both.
    Domains of email and employer are folded to ASCII, so that bücher.example and its punycode are one.
    person: as it is.
    """
    if namespace not in NAMESPACES:
        raise InputError(
            explained("unknown namespace", got=namespace, remedy=did_you_mean(namespace, NAMESPACES))
        )
    text = unicodedata.normalize("NFKC", value).strip()
    if namespace == "phone":
        return _phone(text, country)
    if namespace == "email":
        return _mail(text)
    if namespace == "employer":
        return employer_form(text.casefold())
    if not text:
        raise InputError(explained("an empty person id", remedy="give the id the person is proved by"))
    return text


def _phone(text: str, country: str | None) -> str:
    given = _without_power(text.casefold().removeprefix("tel:"))
    has_words = any(map(str.isalpha, given))
    if _HIDDEN.search(given):
        given = ""
    if (told := _WORDS_BEHIND.fullmatch(given)) and sum(map(str.isdigit, told[1])) >= _FEWEST_DIGITS:
        given = told[1]
    if whole := _WHOLE_AS_REAL.fullmatch(given):
        given = whole[1] or whole[2]
    digits = _PHONE_PUNCTUATION.sub("", _TRUNK.sub("", given))
    if digits.startswith("00"):
        # Some countries dial abroad by more than 00, such as 002 in Taiwan and 000 in Kenya.
        abroad = f"+{digits[2:]}"
        if country is not None and _parsed(abroad, None, valid=True) is None:
            number = _parsed(digits, country, valid=True)
            abroad = abroad if number is None else _e164(number)
        digits = abroad
    if country is not None or digits.startswith("+"):
        digits = _international(digits, country)
    if has_words and _parsed(digits, None, valid=True) is None:
        digits = ""  # what stands beside a number that is none may be a part of it
    return _matching(_PHONE, digits, "an international phone number", "give it with its country code, +81...")


def _without_power(text: str) -> str:
    """Return a number such as `9.012341001e9` with its digits alone, nothing where some of them are gone."""
    match = _POWER_OF_TEN.fullmatch(text)
    if match is None:
        return text
    digits = match[1] + (match[2] or "")
    return digits if len(digits) == int(match[3]) + 1 else ""


def _international(digits: str, country: str | None) -> str:
    """Return a number in international form, without a trunk 0 behind its country code; else as it is.

    country: of a domestic number. One that begins with the code of its country, where domestic numbers begin
    with 0, is an international one whose + was lost, if there is such a number.
    """
    import phonenumbers  # here: a backend reads no numbers

    code = 0 if country is None else phonenumbers.country_code_for_region(country)
    has_trunk = phonenumbers.ndd_prefix_for_region(country or "", strip_non_digits=True) == "0"
    if code and has_trunk and digits.startswith(str(code)) and _parsed(f"+{digits}", None, valid=True):
        digits = f"+{digits}"
    may_be_local = has_trunk and not digits.startswith(("+", "0"))  # without its area code it is nobody's
    number = _parsed(digits, country, valid=may_be_local)
    return digits if number is None else _e164(number)


def _e164(number: Any) -> str:
    import phonenumbers

    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _parsed(digits: str, country: str | None, *, valid: bool = False) -> Any:
    """Return the number that digits are, None where they are none."""
    import phonenumbers

    try:
        number = phonenumbers.parse(digits, country)
    except phonenumbers.NumberParseException:
        return None
    possible = phonenumbers.is_possible_number_with_reason(number)
    is_whole = possible == phonenumbers.ValidationResult.IS_POSSIBLE  # and not of a town alone
    return number if (phonenumbers.is_valid_number(number) if valid else is_whole) else None


def _mail(text: str) -> str:
    address = text.casefold().removeprefix("mailto:").partition("?")[0].strip(" ;,")
    if len(address) > 2 and address[0] == address[-1] == "'":
        address = address[1:-1]
    address = INVISIBLE.sub("", _IN_ANGLES.sub(r"\1", address)).rstrip(".")
    name, at, domain = address.rpartition("@")
    name = _IN_QUOTES.sub(r"\1", name)
    _matching(_MAIL, f"{name}{at}{domain}", "a mail address", "give name@domain")
    domain = ascii_domain(domain)
    if domain in _PLUS_IS_A_TAG:
        name = name.partition("+")[0] or name
    if domain in _DOTS_MEAN_NOTHING:
        name = name.replace(".", "") or name
    return f"{name}@{_ONE_HOST.get(domain, domain)}"


def _matching(pattern: re.Pattern[str], text: str, what: str, remedy: str) -> str:
    if not pattern.fullmatch(text):
        raise InputError(explained(f"the value is not {what}", remedy=remedy))
    return text
