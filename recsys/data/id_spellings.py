"""Spellings of ids: which known person somebody means who writes an id in another way.

An id with blanks, capitals, full-width or invisible characters is no id of anybody. Where exactly one known
person has an id that is the same but for these, that person is meant.
"""

import math
import re
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import groupby
from typing import Final

import numpy as np

from recsys.catalogue.text_folding import INVISIBLE
from recsys.data.ids import DASHES, canonical_spelling
from recsys.errors import as_text
from recsys.types import BytesArray, Int64Array, ObjectArray

_ID_KEYS: Final = ("id", "user_id")
_MARKS: Final = re.compile(r"[\s\"'`]")
_WHOLE: Final = re.compile(r"(.*[A-Za-z0-9])\.0+")
_ID: Final = re.compile(r"[A-Za-z0-9_-]+")
_NUMBERED: Final = re.compile(r"(?:no|nr|n)[.:°]?(\d+)")
"""A number behind a sign for number, such as `№ 0001` or `no. 3`, as it is without blanks."""
_IN_NO_ID: Final = re.compile(r"[^a-z0-9_-]")
_NOT_IN_ID: Final = re.compile(r"[^A-Za-z0-9_-]")
_AROUND: Final = re.compile(r"^[\s\"'`#({\[<]+|[\s\"'`;,.)}\]>]+$")
_BLANK: Final = re.compile(r"\s")
_NUMBER_SIGN: Final = re.compile(r"(?:no|nr|n)[.:°]? ?(\d+)")
_HALVES: Final = re.compile("[\ud800-\udfff]")
_OF_ERASED: Final = re.compile(r"erased-[0-9a-f]{16}")
_HEX_DIGITS: Final = 32
_HYPHENATED: Final = 36
"""Characters of a UUID with its hyphens."""
_UUID: Final = re.compile(
    "(?:urnuuid)?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})"
)


def name_of_erased(fingerprint: str) -> str:
    """Return the id under which a safety store keeps somebody erased, of the fingerprint of theirs.

    >>> is_name_of_erased(name_of_erased("1603121cf8f59335")), is_name_of_erased("u1")
    (True, False)
    """
    return f"erased-{fingerprint}"


def is_name_of_erased(given: object) -> bool:
    """Say whether an id is one of `name_of_erased`: a row with it is about somebody erased."""
    return isinstance(given, str) and _OF_ERASED.fullmatch(given.strip().lower()) is not None


def id_in_one_spelling(given: object) -> str | None:
    r"""Return the id that a value means, so that spellings of one id are equal; None for no value.

    >>> id_in_one_spelling("ｕ１\u200b "), id_in_one_spelling("U1"), id_in_one_spelling(12.0)
    ('u1', 'u1', '12')
    """
    if given is None or (isinstance(given, float) and math.isnan(given)):
        return None
    text = as_id_text(given)
    if isinstance(given, float) and (whole := _WHOLE.fullmatch(text)):
        text = whole.group(1)
    text = canonical_spelling(INVISIBLE.sub("", text))
    return _MARKS.sub("", text).casefold() or None


_DEEPEST: Final = 20
"""Lists within lists that are looked into for one id."""


def as_id_text(given: object) -> str:
    r"""Return the text that a value means as an id: of bytes what they spell, of a list of one its one.

    Of an object it is what stands under `id` or `user_id`, or its one value. Halves of surrogate pairs, which
    no text may hold, are left out.

    >>> as_id_text(b"u1"), as_id_text(["u1"]), as_id_text(7), as_id_text("u1\ud800")
    ('u1', 'u1', '7', 'u1')
    >>> as_id_text({"id": "u1", "name": "x"}), as_id_text({"member": ["u1"]})
    ('u1', 'u1')
    """
    if isinstance(given, np.ndarray) and given.ndim == 0:
        given = given.item()
    for _ in range(_DEEPEST):  # a list may hold itself
        if not isinstance(given, Mapping | list | tuple | set | frozenset | np.ndarray):
            break
        if isinstance(given, Mapping) and len(given) > 1:
            given = [given[key] for key in _ID_KEYS if key in given]
        if len(given) != 1:
            break
        (given,) = given.values() if isinstance(given, Mapping) else given
    text = given.decode("utf-8", "replace") if isinstance(given, bytes) else as_text(given)
    return _HALVES.sub("", text)


def id_forms(given: object) -> tuple[str, str, str]:
    r"""Return the texts under which an id is looked for, the nearest to the one given first; empty for none.

    First `id_in_one_spelling`; then without what no id of a profile holds, such as an accent, a `#`, a `№` or
    the `.0` of a number that became a fraction; then a UUID with its hyphens, a number without leading zeros.

    >>> id_forms("#U1\u0301"), id_forms("0012.0"), id_forms("№ 0012")
    (('#u1\u0301', 'u1', 'u1'), ('0012.0', '0012', '12'), ('no0012', '0012', '12'))
    """
    if isinstance(given, str) and _ID.fullmatch(given):
        near = bare = given.lower()
    else:
        near = id_in_one_spelling(given) or ""
        whole = _NUMBERED.fullmatch(near) or _WHOLE.fullmatch(near)
        bare = _IN_NO_ID.sub("", unicodedata.normalize("NFKD", whole.group(1) if whole else near))
    plain = (bare.lstrip("0") or "0") if bare.isdigit() else bare
    if len(bare) >= _HEX_DIGITS and (found := _UUID.fullmatch(bare)):
        plain = "-".join(found.groups())
    return near, bare, plain


_PLAINEST: Final = 2
"""The place of the last of `id_forms`."""
_FEW_TWINS: Final = 20
_TWINS_SHARE: Final = 0.01


def are_told_apart(n_twins: int, n_ids: int) -> bool:
    """Say whether ids that differ in spelling alone are of different people: many have such a twin.

    >>> are_told_apart(4, 1000), are_told_apart(400, 1000)
    (False, True)
    """
    return n_twins > max(_FEW_TWINS, _TWINS_SHARE * n_ids)


def one_meant(found: Collection[str], *, told_apart: bool) -> str | None:
    """Return whom an id means that may be any of several; None for nobody, or where they are told apart.

    >>> one_meant(["a1", "A1"], told_apart=False), one_meant(["a1", "A1"], told_apart=True)
    ('A1', None)
    """
    return min(found) if len(found) == 1 or (found and not told_apart) else None


def plainest_spellings(ids: ObjectArray) -> list[str]:
    """Return the last of `id_forms` of each id of a profile, `(n_ids,)`.

    >>> plainest_spellings(np.array(["U1", "007", "u1"], object))
    ['u1', '7', 'u1']
    """
    return [
        id_forms(one)[-1] if one[:1] == "0" or len(one) >= _HEX_DIGITS else str(one).lower()
        for one in ids.tolist()
    ]


class SpellingIndex:
    """Who among many known ids an id may mean, as `Spellings` says it.

    Only ids that are not their own plainest spelling are kept, such as those with capitals, leading zeros, or
    a UUID without hyphens: the others are looked for as they are.

    >>> known = ["007", "Ab", "u1"]
    >>> index = SpellingIndex(np.array(known, dtype=np.bytes_))
    >>> def find(ids):
    ...     return [known.index(one) if one in known else -1 for one in ids]
    >>> [index.rows(one, find) for one in ("7", "AB", "U1", "b")]
    [[0], [1], [2], []]
    """

    def __init__(self, packed: BytesArray) -> None:
        """Look through ids, `(n_ids,)` bytes."""
        low, length = np.strings.lower(packed), np.strings.str_len(packed)
        zeros = np.strings.startswith(packed, b"0") & (length > 1)
        odd = (low != packed) | zeros | ((length >= _HEX_DIGITS) & (length != _HYPHENATED))
        at = np.flatnonzero(odd)
        plain = low.astype(f"S{max(packed.dtype.itemsize, _HYPHENATED)}")
        plain[at] = [id_forms(one.decode())[-1].encode() for one in packed[at].tolist()]
        self._near, self._plain = (_sorted(forms[at], packed[at], at) for forms in (low, plain))
        counts = np.unique(plain, return_counts=True)[1] if len(at) else np.zeros(0, np.int64)
        self.are_told_apart = are_told_apart(int(counts[counts > 1].sum()), len(packed))
        """Whether ids that differ in spelling alone are of different people: many have such a twin."""

    def rows(self, given: object, find: Callable[[Sequence[str]], list[int]]) -> list[int]:
        """Return the places of all whose id has a form in common with what was given, the nearest form first.

        find: returns the place of each id as it is spelled, -1 for nobody's.
        """
        exact = [row for row in find(as_spelled(given)) if row >= 0]
        if exact:
            return exact[:1]
        forms = _forms_meant(given)
        levels = (self._near, self._near, self._plain)
        for (level, form), row in zip(forms, find([form for _, form in forms]), strict=True):
            (others, at), wanted = levels[level], form.encode("utf-8", "replace")
            first, last = (int(others.searchsorted(wanted, side)) for side in ("left", "right"))
            if found := [row] * (row >= 0) + at[first:last].tolist():
                return found
        return []


def _sorted(forms: BytesArray, ids: BytesArray, rows: Int64Array) -> tuple[BytesArray, Int64Array]:
    """Return the forms that are none of the ids themselves, ascending, and whose each is."""
    kept = np.flatnonzero(forms != ids)
    order = kept[np.argsort(forms[kept], kind="stable")]
    return forms[order], rows[order]


def is_canonical_id(given: object) -> bool:
    """Say whether a value is spelled as ids of profiles are.

    >>> is_canonical_id("A-1"), is_canonical_id("A 1"), is_canonical_id(1)
    (True, False, False)
    """
    return isinstance(given, str) and _ID.fullmatch(given) is not None


def _forms_meant(given: object) -> list[tuple[int, str]]:
    """Return the forms of an id that is nobody's, each with its place in `id_forms`, the nearest first."""
    forms = [*enumerate(id_forms(given))]
    if isinstance(given, str) and DASHES.search(given):  # one may also have come in between
        forms += enumerate(id_forms(DASHES.sub("", given)))
    return [(level, form) for level, form in forms if form]


def as_spelled(given: object) -> list[str]:
    """Return the ids that a value holds with their own capitals, zeros and hyphens, the nearest first.

    >>> as_spelled("#AB07"), as_spelled([" AB07.0"]), as_spelled("AB07")
    (['#AB07', 'AB07'], ['AB07.0', 'AB07'], ['AB07'])
    """
    if isinstance(given, str) and _ID.fullmatch(given):
        return [given]
    if given is None or (isinstance(given, float) and math.isnan(given)):
        return []
    text = canonical_spelling(INVISIBLE.sub("", as_id_text(given)))
    whole = _WHOLE.fullmatch(text)
    bare = _NOT_IN_ID.sub("", unicodedata.normalize("NFKD", whole.group(1) if whole else text))
    return [one for one in dict.fromkeys((text, bare)) if one]


def _kind(character: str) -> str:
    """Return the kind of a character in an id: a letter, a capital, a digit, or itself."""
    if not character.isascii() or not character.isalnum():
        return character
    return "0" if character.isdigit() else "a" if character.islower() else "A"


_MOST_FORMS: Final = 3


def _form(given: str) -> str:
    """Return the kinds of the characters of an id, each run once: `aa-0` and `ab-12` are of one form."""
    return "".join(kind for kind, _ in groupby(map(_kind, given)))


def _forgiven(given: str) -> str:
    """Return an id without capitals and what stands around it, a number as one, a UUID with its hyphens.

    What stands within it stays: two ids with a blank between them are no id, nor is a mail address.
    """
    near = _AROUND.sub("", canonical_spelling(_BLANK.sub(" ", given)).casefold())
    whole = _NUMBER_SIGN.fullmatch(near) or _WHOLE.fullmatch(near)
    found = _UUID.fullmatch(near)
    return "-".join(found.groups()) if found else whole.group(1) if whole else near


class Spellings:
    """Who is meant by an id that is nobody's: the one known person whose id it is in another spelling.

    users: the known ids. absent: ids of accounts that are refused or yet to come; they are somebody's.
    """

    def __init__(self, users: Collection[str], absent: Collection[str] = ()) -> None:
        self.users, self._absent = frozenset(users), frozenset(absent) - frozenset(users)
        self._forms: frozenset[str] | None = None
        self._plain_forms = frozenset[str]()
        self._meant: dict[tuple[int, str], list[str]] | None = None
        self._told_apart = False

    def whom(self, given: object) -> str | None:
        """Return the known person, None for nobody and for more than one.

        Ids that differ in spelling alone are one person's, unless many do: then the first of them.
        """
        return one_meant(self._found(given), told_apart=self._told_apart)

    def only(self, given: object) -> str | None:
        """Return the one known id that is meant, None for several too: what is done for good needs one."""
        found = self._found(given)
        return found[0] if len(found) == 1 else None

    def _found(self, given: object) -> list[str]:
        if isinstance(given, str) and given in self.users:
            return [given]
        if (exact := next((one for one in as_spelled(given) if one in self.users), None)) is not None:
            return [exact]
        if self._meant is None:
            self._meant = {}
            for user in sorted(self.users):
                for form in enumerate(id_forms(user)):
                    self._meant.setdefault(form, []).append(user)
            sizes = [len(users) for (level, _), users in self._meant.items() if level == _PLAINEST]
            self._told_apart = are_told_apart(sum(size for size in sizes if size > 1), len(self.users))
        return next((meant for form in _forms_meant(given) if (meant := self._meant.get(form))), [])

    def is_nobody(self, given: object) -> bool:
        """Say whether no one known person is meant, nor somebody erased.

        Accounts that are refused or yet to come are known.
        """
        return given not in self._absent and self.whom(given) is None and not is_name_of_erased(given)

    def is_odd(self, given: str) -> bool:
        """Say whether no known id has this form: it is no id of somebody who left either.

        Where ids come in a few forms, such as `u-12`, one of another is odd; where they come in many, as
        random ones do, one with characters that none of them has. Capitals, blanks and marks around it are
        forgiven in an id of somebody who left as in that of somebody who is here.

        >>> spellings = Spellings(["M-12", "M-345"])
        >>> [spellings.is_odd(one) for one in ("M-7", "m-7", " #M-7;", "7", "m-7 m-8")]
        [False, False, False, True, True]
        """
        if self._forms is None:
            self._forms = frozenset(map(_form, self.users))
            self._plain_forms = frozenset(_form(_forgiven(user)) for user in self.users)
        if not self._is_odd_among(self._forms, given) or is_name_of_erased(given):
            return False
        if self._found(given):  # one of several is meant, who are here
            return True
        return self._is_odd_among(self._plain_forms, _forgiven(given))

    def _is_odd_among(self, forms: frozenset[str], given: str) -> bool:
        if self._forms is not None and len(self._forms) <= _MOST_FORMS:
            return _form(given) not in forms
        return not {*"".join(forms)}.issuperset(_form(given))
