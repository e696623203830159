"""Names in rows of others, such as that of a circle or a tag, that hold the id of somebody erased."""

import re
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np

from recsys.data.id_spellings import Spellings
from recsys.safety.day_log import NO_NAMES
from recsys.safety.erasure_list import ErasedPeople, spelled_hash
from recsys.safety.fingerprints import Fingerprints, Naming, may_stand_in_names, name_without_ids
from recsys.safety.keys import read_keys
from recsys.safety.person_records import PERSON_COLUMNS
from recsys.storage.text_columns import as_texts, holds_text
from recsys.types import BoolArray

Redact = Callable[[str], str]

_AS_THEY_STAND: Final = frozenset({*PERSON_COLUMNS, *NO_NAMES})
"""Columns of ids, tokens and times, of names of single events, and of owners, by whom holds are lifted."""
_REMEMBERED: Final = 1 << 16
_BETWEEN_IDS: Final = re.compile(r"[^\w-]+|\.0+$")


def redaction(erased: ErasedPeople, users: Collection[str] = ()) -> Redact:
    """Return what puts a keyed fingerprint in the place of each erased id that a name is or holds.

    An id is found between signs that are no letters and no digits; parts of letters alone, and numbers of up
    to six digits, name nobody.

    users: ids that are somebody's: another spelling of an erased one, of letters and digits alone, counts as
    it where it is none of them.
    """
    keys = read_keys()
    naming, made = Fingerprints(Naming(keys.newest_id), keys), dict[str, str]()

    @lru_cache(maxsize=_REMEMBERED)
    def has_spelling(part: str) -> bool:
        return part not in users and erased.has_spelling(part)

    def is_erased(part: str) -> bool:
        return erased.moment_of(part) is not None or (
            len(users) > 0 and part.isalnum() and has_spelling(part)
        )

    def without(name: str) -> str:
        if name not in made:
            made[name] = name_without_ids(name, naming, is_erased)
        return made[name]

    return without


def may_hold_names(column: str, kind: Any) -> bool:
    """Say whether a column of an Arrow type may hold names that members or a backend made."""
    from pyarrow import types

    inner = kind.value_type if types.is_list(kind) or types.is_large_list(kind) else kind
    return column not in _AS_THEY_STAND and holds_text(inner)


def redacted(column: Any, redact: Redact) -> Any:
    """Return a column of texts, or of lists of them, without erased ids; None where it holds none.

    column: an Arrow column; each different text is looked at once.
    """
    import pyarrow as pa

    whole = column.combine_chunks()
    is_list = pa.types.is_list(whole.type) or pa.types.is_large_list(whole.type)
    coded = as_texts(whole.values if is_list else whole).dictionary_encode()
    names = coded.dictionary.to_pylist()
    others = list(map(redact, names))
    if others == names:
        return None
    texts = pa.array(others, coded.dictionary.type).take(coded.indices)
    if not is_list:
        return texts.cast(whole.type)
    mask = whole.is_null() if whole.null_count else None
    return type(whole).from_arrays(whole.offsets, texts.cast(whole.type.value_type), mask=mask)


def holding_several(ids: Sequence[str], erased: ErasedPeople, users: Collection[str]) -> BoolArray:
    """Say which cells mean nobody, since they hold several ids, and hold that of somebody erased."""
    found, spellings = np.zeros(len(ids), bool), Spellings(users)
    for at, cell in enumerate(ids if users else ()):
        parts = [] if cell in users else [*filter(may_stand_in_names, _BETWEEN_IDS.split(cell))]
        if len(parts) > 1 and (erased.among(parts) | spelled_otherwise(parts, erased, users)).any():
            found[at] = spellings.only(cell) is None
    return found


def spelled_otherwise(ids: Sequence[str], erased: ErasedPeople, users: Collection[str]) -> BoolArray:
    """Say which ids are nobody's and those of erased people in another spelling, `(n_ids,)` bool."""
    strange = [None if not users or one in users else spelled_hash(one) for one in ids]
    return erased.among(strange)
