"""Ids: external ids become row numbers once, where data comes in."""

import re
import unicodedata
from collections.abc import Iterable, Sequence, Set
from difflib import get_close_matches
from functools import cached_property
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.text_folding import INVISIBLE
from recsys.errors import InputError, UnknownIdError, explained, warn
from recsys.types import Int32Array, Int64Array, UInt8Array

_FEW = 5000
DASHES: Final = re.compile("[\u2010-\u2015\u2043\u2212\u2500\u30fc]")
"""What stands for a hyphen in texts; an id holds none."""


class IdIndex:
    """Unique ids in ascending order; the position of an id is its row everywhere in the package.

    Rows are in id order, so "ties by id" and "ties by row" are the same rule. Ids are texts or whole
    numbers, all of one kind.

    >>> index = IdIndex(["u2", "u1"])
    >>> index.rows(["u2"])
    array([1], dtype=int32)
    >>> list(index.ids([0, 1]))
    ['u1', 'u2']
    """

    def __init__(self, ids: Iterable[str] | Iterable[int]) -> None:
        values = np.empty(0, dtype=object)
        if given := list(ids):
            values = np.sort(as_ids(given))
        repeated = values[1:][values[1:] == values[:-1]] if len(values) else values
        if len(repeated):
            raise InputError(explained("duplicate id", got=repeated[0], remedy="give every person one id"))
        values.setflags(write=False)
        self._values = values

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, user_id: object) -> bool:
        return user_id in self._index

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IdIndex) and np.array_equal(self._values, other._values)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"IdIndex({len(self)} ids)"

    @cached_property
    def _index(self) -> pd.Index:
        return pd.Index(self._values, dtype=object)

    @property
    def values(self) -> npt.NDArray[np.object_]:
        """All ids, `(n_people,)`, ascending."""
        return self._values

    def find(self, ids: Sequence[str] | npt.ArrayLike | pd.Series | pd.Index) -> Int32Array:
        """Return the row of each id, -1 where the id is not known; a UUID is found by its text."""
        if isinstance(ids, pd.Series) and isinstance(ids.dtype, pd.CategoricalDtype):
            return np.append(self.find(ids.cat.categories), np.int32(-1))[ids.cat.codes]
        _refuse_no_column(ids)
        given = np.asarray(ids, dtype=object)
        if any(issubclass(kind, UUID) for kind in set(map(type, given.flat[:_FEW]))):
            given = np.array([str(one) if isinstance(one, UUID) else one for one in given], dtype=object)
        return self._index.get_indexer(pd.Index(given, dtype=object)).astype(np.int32)

    def rows(self, ids: Sequence[str] | npt.ArrayLike | pd.Series) -> Int32Array:
        """Return the row of each id.

        Raises UnknownIdError naming the first unknown id and how many there are.
        """
        rows = self.find(ids)
        missing = np.flatnonzero(rows < 0)
        if len(missing):
            first = np.asarray(ids, dtype=object)[missing[0]]
            what = "unknown id" if len(missing) == 1 else f"{len(missing)} unknown ids, the first"
            raise UnknownIdError(explained(what, got=first, remedy=self._nearest(first)))
        return rows

    def _nearest(self, unknown: object) -> str:
        """Return what was probably meant, such as `film:7` for 7."""
        own = [one for one in self._values if str(one).partition(":")[2] == str(unknown)]
        if own:
            return f"did you mean {' or '.join(map(repr, own))}?"
        if len(self) and isinstance(unknown, str) != isinstance(self._values[0], str):
            kind = "texts" if isinstance(self._values[0], str) else "whole numbers"
            return f"ids here are {kind}, such as {self._values[0]!r}"
        known = [str(value) for value in self._values] if len(self) <= _FEW else []
        near = get_close_matches(str(unknown)[:64], known, n=1)
        return f"did you mean '{near[0]}'?" if near else "check the id"

    def row(self, user_id: str) -> int:
        """Return the row of one id, or raise UnknownIdError."""
        return int(self.rows([user_id])[0])

    def ids(self, rows: npt.ArrayLike) -> npt.NDArray[np.object_]:
        """Return the ids at `rows`."""
        return self._values[np.asarray(rows, dtype=np.intp)]


def check_match(
    index: IdIndex,
    ids: npt.ArrayLike,
    *,
    what: str,
    where: str,
    most: float = 1.0,
    required: bool = False,
) -> None:
    """Warn when some ids are given and none of them is known: two tables then name people differently.

    what: whose ids they are, as in "an event". most: below 1, warn too where more than this share of the
    ids is unknown and as large a share of the people has none: then it is not that one table has fewer.
    required: raise InputError where none is known, since nothing could be learned.

    >>> check_match(IdIndex(["u1"]), ["1"], what="the frame", where="Numeric.fit", required=True)
    Traceback (most recent call last):
    recsys.errors.InputError: no id of the frame is one of the people in Numeric.fit: got '1'; \
ids there are such as 'u1' (0 of 1 match)
    """
    given = pd.unique(np.asarray(ids, dtype=object).ravel())
    if not len(index) or not given.size:
        return
    rows = index.find(given)
    unknown, n_without = given[rows < 0], len(index) - len(np.unique(rows[rows >= 0]))
    if len(unknown) == len(given):
        first = index.ids([0])[0]
        remedy = f"ids there are such as {first!r} (0 of {len(given):,} match)"
        if isinstance(first, str) != isinstance(given[0], str):
            kinds = ("whole numbers", "texts") if isinstance(first, str) else ("texts", "whole numbers")
            remedy += f": {kinds[0]} are given where {kinds[1]} are, and 1 is not '1'; write them alike"
        problem = f"no id of {what} is one of the people"
        message = explained(problem, where=where, got=given[0], remedy=remedy)
        if required:
            raise InputError(message)
        warn(message)
    elif len(unknown) > most * len(given) and n_without > most * len(index):
        first = index.ids(np.setdiff1d(np.arange(len(index)), rows)[:1])[0]
        problem = f"{len(unknown):,} of {len(given):,} ids of {what} are of none of the people"
        remedy = f"{n_without:,} of {len(index):,} people have no row, such as {first!r}; do ids agree?"
        warn(explained(problem, where=where, got=unknown[0], remedy=remedy))


def id_column(ids: npt.NDArray[np.object_]) -> pd.Series:
    """Return ids, none of them missing, as a column of texts or of whole numbers.

    >>> str(id_column(as_ids([7])).dtype), str(id_column(as_ids(["a"])).dtype)
    ('int64', 'str')
    """
    return pd.Series(ids, dtype="str" if not len(ids) or isinstance(ids[0], str) else "int64")


_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_AROUND_UUID: Final = re.compile(r"^(?:urn:uuid:|[{(])|[})]$", re.IGNORECASE)
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def canonical_spelling(text: str) -> str:
    """Return the one spelling of an id, empty where none is left.

    Compatibility form, without blanks at the ends, invisible and control characters; digits of any script
    are 0 to 9, and dashes, which spreadsheets and keyboards write for it, a hyphen; a UUID in lower case,
    without the braces in which SQL Server and Access write one.

    >>> canonical_spelling(" \uff10\uff10\uff11\u200b "), canonical_spelling("K\u20101")
    ('001', 'K-1')
    """
    bare = INVISIBLE.sub("", _CONTROL.sub("", unicodedata.normalize("NFKC", text))).strip()
    if not bare.isascii():
        bare = "".join(str(unicodedata.decimal(one, one)) for one in bare)
        hyphened = DASHES.sub("-", bare)
        bare = hyphened if hyphened.isascii() else bare  # a letter of Japanese, beside other ones
    found = _UUID.fullmatch(_AROUND_UUID.sub("", bare))
    return found.group().lower() if found else bare


_LEAST, _MOST = np.iinfo(np.int64).min, np.iinfo(np.int64).max


def as_ids(values: npt.ArrayLike | pd.Series | Sequence[Any]) -> npt.NDArray[np.object_]:
    """Return ids as texts or as whole numbers, `(n,)`, None where one is missing.

    Whole numbers that became fractions, as a missing one makes pandas do, are whole numbers again.
    Raises InputError when they are neither all texts nor all whole numbers, and for numbers of more than 64
    bits with a sign, as hashes may be: tables hold none.

    >>> as_ids(["a", None]).tolist(), as_ids([7.0, float("nan")]).tolist()
    (['a', None], [7, None])
    >>> as_ids(["a", 7])
    Traceback (most recent call last):
    recsys.errors.InputError: ids must be all texts or all whole numbers: got 'mixed-integer'; make them text
    """
    _refuse_no_column(values)
    column = values if isinstance(values, pd.Series) else _listed(values)
    codes, distinct = pd.factorize(column)
    known = pd.Series(np.asarray(distinct), dtype=None if distinct.dtype != object else object)
    kind = pd.api.types.infer_dtype(known)
    if kind == "floating" and (known == np.floor(known)).all() and (known.abs() < 2**53).all():
        known = known.astype("int64")
    elif kind not in {"string", "integer", "empty"}:
        what = "ids must be all texts or all whole numbers"
        raise InputError(explained(what, got=kind, remedy="make them text"))
    ends = (int(known.min()), int(known.max())) if kind == "integer" and len(known) else ()
    beyond = [one for one in ends if not _LEAST <= one <= _MOST]
    if beyond:
        what = "whole numbers of ids need more than 64 bits with a sign"
        raise InputError(explained(what, got=beyond[0], remedy="make them text"))
    return np.append(known.to_numpy(dtype=object), np.array([None], dtype=object))[codes]


def _refuse_no_column(values: object) -> None:
    """Raise InputError for ids that have no order or are no column."""
    what = "ids must be a list or a column"
    if values is None or isinstance(values, str | int | float | np.generic):
        raise InputError(explained(what, got=values, remedy=f"give [{values!r}]"))
    if isinstance(values, Set):
        raise InputError(explained(what, got=type(values).__name__, remedy="give sorted(...) of it"))
    if isinstance(values, pd.DataFrame):
        remedy = f"give one column, such as frame[{str(next(iter(values), 'user_id'))!r}]"
        raise InputError(explained(what, got="DataFrame", remedy=remedy))


def _listed(values: Any) -> pd.Series:
    """Return values as a column in which a text stays a text and a number a number."""
    array = values if isinstance(values, np.ndarray) else np.asarray(values, dtype=object)
    return pd.Series(array, dtype=object if array.dtype.kind in "OUS" else array.dtype)


def packed_strings(values: Iterable[str] | Iterable[int]) -> tuple[UInt8Array | Int64Array, Int64Array]:
    """Return strings as their UTF-8 bytes one after another, and where each ends.

    Unlike a fixed-width numpy string, this keeps trailing null characters and lone surrogates.
    Whole numbers are returned as they are, `(n,)` int64, and no ends.

    >>> packed_strings(["ab", ""])
    (array([97, 98], dtype=uint8), array([2, 2]))
    >>> packed_strings([7, 9])
    (array([7, 9]), array([], dtype=int64))
    """
    listed = list(values)
    if listed and not isinstance(listed[0], str):
        return np.array(listed, np.int64), np.empty(0, np.int64)
    encoded = [str(value).encode("utf-8", "surrogatepass") for value in listed]
    ends = np.cumsum([len(part) for part in encoded], dtype=np.int64)
    return np.frombuffer(b"".join(encoded), np.uint8), ends


def unpacked_strings(content: UInt8Array | Int64Array, ends: Int64Array) -> list[Any]:
    """Return the strings, or the whole numbers, that `packed_strings` packed.

    >>> unpacked_strings(*packed_strings(["ab", ""])), unpacked_strings(*packed_strings([7]))
    (['ab', ''], [7])
    """
    if content.dtype == np.int64:
        return [int(number) for number in content]
    whole = content.tobytes()
    starts = [0, *ends[:-1].tolist()]
    return [
        whole[start:end].decode("utf-8", "surrogatepass")
        for start, end in zip(starts, ends.tolist(), strict=False)
    ]


def hashed_strings(values: Iterable[str] | Iterable[int], *, salt: str = "") -> npt.NDArray[np.uint64]:
    """Return a 64-bit hash of each string, the same on every machine and in every process.

    `salt` (at most 16 characters of ASCII) gives another, unrelated hash.

    >>> hashed_strings(["a", "b"]).tolist() == hashed_strings(["a", "b"]).tolist()
    True
    """
    person = salt.encode("ascii")
    hashes = [
        blake2b(str(value).encode("utf-8", "surrogatepass"), digest_size=8, person=person).digest()
        for value in values
    ]
    return np.frombuffer(b"".join(hashes), "<u8").astype(np.uint64)


_AT_ONCE: Final = 1 << 20


_PLACEHOLDER: Final = re.compile(r"[\0\x01]")
"""Put behind an id that stays, in the place of the one after it that was erased; no id holds either sign."""


def id_before_placeholder(text: str) -> str:
    r"""Return the id behind which an erased one left a placeholder; any other text as it is.

    >>> id_before_placeholder("u1\x00\x00"), id_before_placeholder("u1")
    ('u1', 'u1')
    """
    return _PLACEHOLDER.split(text, maxsplit=1)[0]


def repeated(values: pd.Series) -> npt.NDArray[np.bool_]:
    """Say which values of a column of texts stood in an earlier row, `(n,)`.

    Texts are compared by a 64-bit hash first, and only those of equal hash letter by letter.

    >>> repeated(pd.Series(["a", "b", "a"])).tolist()
    [False, False, True]
    """
    hashes = np.empty(len(values), np.uint64)
    for start in range(0, len(values), _AT_ONCE):
        texts = values.iloc[start : start + _AT_ONCE].to_numpy(object)
        hashes[start : start + _AT_ONCE] = pd.util.hash_array(texts, categorize=False)
    ordered = np.sort(hashes)
    equal = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    del ordered
    again = np.zeros(len(values), bool)
    among = np.flatnonzero(np.isin(hashes, equal)) if len(equal) else np.empty(0, np.intp)
    again[among] = values.iloc[among].duplicated().to_numpy(bool)
    return again
