"""What a refused row may have forbidden is forbidden all the same.

A row that cannot be read is no fact, so it is quarantined; but when it may have been a block, a
report, a hold or a boundary, ignoring it would let people meet who said they would not. Its people
or its pair are kept apart until the row is put right. Nothing here ever adds a pair.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.schema.columns import Columns as C
from recsys.schema.text import fold

Pair = tuple[str, str]
PrecautionRule = Callable[[pd.DataFrame, pd.DataFrame], "Precaution"]
"""Takes the refused rows in canonical form and, aligned, as they lie in the quarantine."""

_HARMLESS = frozenset({"duplicate", "conflict", "superseded", "orphan", "erased"})
"""Rules that refuse a row although it says nothing new."""

_SAFETY_TYPES = ("block", "report", "end", "money request", "off platform request")
_ANSWERED_TYPES = ("meet feedback", "feeling check")
_GOOD_ANSWERS = ("safe_again", "safe_once", "comfortable", "drifting", "done")


@dataclass(frozen=True)
class Precaution:
    """People nobody is shown, and pairs (lesser id first) that do not meet, until rows are put right.

    erased: people whose erasure was refused as a row; they asked, so they are erased all the same.
    """

    people: frozenset[str] = frozenset()
    pairs: frozenset[Pair] = frozenset()
    erased: frozenset[str] = frozenset()

    def __or__(self, other: "Precaution") -> "Precaution":
        """Take all of both."""
        return Precaution(self.people | other.people, self.pairs | other.pairs, self.erased | other.erased)


def no_precaution(refused: pd.DataFrame, quarantined: pd.DataFrame) -> Precaution:
    """Do nothing: these rows forbid nothing."""
    del refused, quarantined
    return Precaution()


def hold_people(refused: pd.DataFrame, quarantined: pd.DataFrame) -> Precaution:
    """Hold everybody whose row was refused."""
    return _held(refused[_telling(quarantined)])


def hold_unless_lifted(refused: pd.DataFrame, quarantined: pd.DataFrame) -> Precaution:
    """Hold everybody whose hold was refused, unless it says that a hold ended."""
    return _held(refused[_telling(quarantined) & ~refused[C.STATE].eq("lifted").to_numpy(bool)])


def hold_mandatory(refused: pd.DataFrame, quarantined: pd.DataFrame) -> Precaution:
    """Hold everybody whose refused answer was mandatory, or may have been."""
    optional = refused[C.MANDATORY].eq(False).fillna(False).to_numpy(bool)
    return _held(refused[_telling(quarantined) & ~optional])


def separate_pairs(refused: pd.DataFrame, quarantined: pd.DataFrame) -> Precaution:
    """Keep apart every pair whose refused row could be read as far as the two ids."""
    return _apart(refused[_telling(quarantined)])


def separate_after_events(refused: pd.DataFrame, quarantined: pd.DataFrame) -> Precaution:
    """Keep apart the pairs of refused safety events; a refused erasure, future ones too, is done."""
    kind = quarantined[C.TYPE].map(lambda text: fold(str(text)[:_LONGEST_TYPE]))
    bad = kind.isin(_ANSWERED_TYPES) & ~refused[C.DETAIL].isin(_GOOD_ANSWERS)
    telling = _telling(quarantined)
    apart = _apart(refused[telling & (kind.isin(_SAFETY_TYPES) | bad).to_numpy(bool)])
    gone = refused.loc[kind.eq("erase").to_numpy(bool), C.ACTOR].dropna()
    return apart | Precaution(erased=frozenset(gone))


_LONGEST_TYPE = 64


def _telling(quarantined: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Say which refused rows may tell of the present: not repeats, and nothing that is yet to come."""

    def tells(codes: str) -> bool:
        rules = {code.rpartition(".")[2] for code in codes.split("|")}
        return "future" not in rules and not rules <= _HARMLESS

    return np.fromiter(map(tells, quarantined["codes"]), bool, len(quarantined))


def _held(rows: pd.DataFrame) -> Precaution:
    return Precaution(people=frozenset(rows[C.USER].dropna()))


def _apart(rows: pd.DataFrame) -> Precaution:
    known = rows.dropna(subset=[C.ACTOR, C.TARGET])
    pairs = zip(known[C.ACTOR], known[C.TARGET], strict=True)
    return Precaution(pairs=frozenset((min(a, b), max(a, b)) for a, b in pairs if a != b))
