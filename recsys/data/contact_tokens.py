"""Keyed tokens: two people's phone numbers, addresses or employers can meet without being known.

A token is an HMAC-SHA256 under a secret that lives outside the data, so that a table of tokens alone
cannot be reversed by trying every phone number, as a plain hash can. Keep the secret in a secret
store and pass it in; with another secret no token meets an old one.
"""

import hmac
import re
import unicodedata
from typing import Final

from recsys.catalogue.text_folding import INVISIBLE
from recsys.data.employers import ascii_domain, employer_form
from recsys.data.phone_normalization import phone_form
from recsys.errors import InputError, did_you_mean, explained

PREFIX: Final = "hmac1:"
NAMESPACES: Final = ("phone", "email", "employer", "person")
SHORTEST_SECRET: Final = 16

_YANDEX: Final = (
    *(
        "ya.ru",
        "yandex.com",
        "yandex.by",
        "yandex.kz",
        "yandex.ua",
        "yandex.uz",
        "yandex.com.tr",
        "yandex.fr",
    ),
    *("yandex.az", "yandex.com.am", "yandex.com.ge", "yandex.co.il", "yandex.kg", "yandex.lt", "yandex.lv"),
    *("yandex.ee", "yandex.md", "yandex.tj", "yandex.tm", "yandex.eu", "yandex.pl", "narod.ru"),
)
_ONE_HOST: Final = {
    "googlemail.com": "gmail.com",
    "hanmail.net": "daum.net",
    **dict.fromkeys(("me.com", "mac.com"), "icloud.com"),
    **dict.fromkeys(("pm.me", "protonmail.com", "protonmail.ch"), "proton.me"),
    **dict.fromkeys(_YANDEX, "yandex.ru"),
}
"""Hosts that deliver a name to the same mailbox as another, which stands for both."""
_SAME_NAME: Final[dict[str, dict[int, int | None]]] = {
    "gmail.com": str.maketrans("", "", "."),
    "proton.me": str.maketrans("", "", ".-_"),
    "yandex.ru": {ord("-"): ord(".")},
}
"""Signs of a name that mean nothing at a host, or the same, as it says itself."""
_PLUS_IS_A_TAG: Final = frozenset(
    (
        *("outlook.com", "outlook.de", "outlook.es", "outlook.fr", "outlook.jp", "hotmail.com", "hotmail.de"),
        *("hotmail.co.jp", "hotmail.co.uk", "hotmail.es", "hotmail.fr", "hotmail.it", "live.com", "live.fr"),
        *(
            "live.co.uk",
            "live.jp",
            "msn.com",
            "icloud.com",
            "fastmail.com",
            "hey.com",
            "zoho.com",
            "tuta.com",
        ),
        *_SAME_NAME,
    )
)
"""Hosts that deliver name+tag to name, as they say themselves."""

TOKEN_FORM: Final = "hmac1:[0-9a-f]{64}"
"""The pattern of every token."""
_TOKEN = re.compile(TOKEN_FORM, re.ASCII)
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
    dots at Gmail, dots, hyphens and underscores at Proton; at Yandex a hyphen is a dot. Several hosts of one
    mailbox (googlemail.com, ya.ru) are one. Elsewhere all is kept, since what it means differs by host.
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
        return phone_form(text, country)
    if namespace == "email":
        return _mail(text)
    if namespace == "employer":
        return employer_form(text.casefold())
    if not text:
        raise InputError(explained("an empty person id", remedy="give the id the person is proved by"))
    return text


def _mail(text: str) -> str:
    address = text.casefold().removeprefix("mailto:").partition("?")[0].strip(" ;,")
    if len(address) > 2 and address[0] == address[-1] == "'":
        address = address[1:-1]
    address = INVISIBLE.sub("", _IN_ANGLES.sub(r"\1", address)).rstrip(".")
    name, at, domain = address.rpartition("@")
    name = _IN_QUOTES.sub(r"\1", name)
    if not _MAIL.fullmatch(f"{name}{at}{domain}"):
        raise InputError(explained("the value is not a mail address", remedy="give name@domain"))
    domain = ascii_domain(domain)
    host = _ONE_HOST.get(domain, domain)
    if host in _PLUS_IS_A_TAG:
        name = name.partition("+")[0] or name
    return f"{name.translate(_SAME_NAME.get(host, {})) or name}@{host}"
