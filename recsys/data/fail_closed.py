"""Fail closed: what a refused row may have forbidden is forbidden all the same.

A row that cannot be read is no fact, so it is quarantined; but when it may have been a block, a
report, a hold or a boundary, ignoring it would let people meet who said they would not. Its people
are held or its pair is excluded until the row is put right. Nothing here ever adds a pair.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.text_folding import fold, plain
from recsys.catalogue.vocabulary import ENUMERATIONS
from recsys.data.date_reading import may_be_under_age
from recsys.data.unknown_words import SAFETY_TYPES, STOP, may_separate, may_stop
from recsys.errors import as_text

Pair = tuple[str, str]
RestrictionRule = Callable[[pd.DataFrame, pd.DataFrame], "Restrictions"]
"""Takes the refused rows in canonical form and, aligned, as they lie in the quarantine."""

_HARMLESS = frozenset({"duplicate", "conflict", "superseded", "orphan", "erased"})
"""Rules that refuse a row although it says nothing new."""

_REPEATS = frozenset({"duplicate", "superseded", "orphan", "erased"})
"""The same of events: an id that stands twice may be of two events, and the second a block."""

_ERASURES = tuple(fold(word) for word in ("erase", "erased", "erasure", "delete", "deleted", "forget"))
"""Words for an erasure; but for the first they are unknown types."""
_ANSWERED_TYPES = ("meet feedback", "feeling check")
_GOOD_ANSWERS = ("safe_again", "safe_once", "comfortable", "drifting", "closer", "done")


STOPPED = ("banned", "hold")
"""States of an account that reach every account of the person, and outlive it."""


@dataclass(frozen=True)
class Restrictions:
    """People nobody is shown, and pairs (lesser id first) that do not meet, until rows are put right.

    erased: people whose erasure was refused as a row; they asked, so they are erased all the same.
    unproved: people and the time of a refused row that may have taken their proof of age back; see `settled`.
    later_people, later_pairs: the same of rows that are dated after the time of loading and have nothing
    else wrong. A clock that is ahead must not let two people meet; see `at_once`.
    respelled: ids of refused rows; where nobody has one, the one person with another spelling of it is held.
    tokens: accounts and person tokens of refused profiles: they link accounts to one person all the same.
    stopped: person tokens of refused profiles that say that somebody is out; they are with every account.
    states: accounts that refused rows say are out by others, with the state of `STOPPED` that is meant.
    passed: pairs of refused passes, which keep the two apart for as long as the row is there.
    banned_by: who says of whom in a refused event that they are banned; an operator's word is a ban.
    circles: accounts and circles of refused rows of communities: they are members where others may join.
    hidden: accounts and questions of refused answers that may have hidden an earlier one; later_hidden: those
    of answers that are dated ahead as well.
    """

    people: frozenset[str] = frozenset()
    pairs: frozenset[Pair] = frozenset()
    erased: frozenset[str] = frozenset()
    later_people: frozenset[str] = frozenset()
    later_pairs: frozenset[Pair] = frozenset()
    unproved: frozenset[tuple[str, pd.Timestamp]] = frozenset()
    respelled: frozenset[str] = frozenset()
    tokens: frozenset[tuple[str, str]] = frozenset()
    stopped: frozenset[str] = frozenset()
    states: frozenset[tuple[str, str]] = frozenset()
    passed: frozenset[Pair] = frozenset()
    banned_by: frozenset[tuple[str, str]] = frozenset()
    circles: frozenset[tuple[str, str]] = frozenset()
    hidden: frozenset[tuple[str, str]] = frozenset()
    later_hidden: frozenset[tuple[str, str]] = frozenset()

    def __or__(self, other: "Restrictions") -> "Restrictions":
        """Take all of both."""
        return Restrictions(
            self.people | other.people,
            self.pairs | other.pairs,
            self.erased | other.erased,
            self.later_people | other.later_people,
            self.later_pairs | other.later_pairs,
            self.unproved | other.unproved,
            self.respelled | other.respelled,
            self.tokens | other.tokens,
            self.stopped | other.stopped,
            self.states | other.states,
            self.passed | other.passed,
            self.banned_by | other.banned_by,
            self.circles | other.circles,
            self.hidden | other.hidden,
            self.later_hidden | other.later_hidden,
        )

    def at_once(self) -> "Restrictions":
        """Count blocks, reports, holds and refused answers of a later time from now on.

        >>> Restrictions(later_pairs=frozenset({("a", "b")})).at_once().pairs
        frozenset({('a', 'b')})
        """
        none = frozenset[Any]()
        return replace(
            self,
            people=self.people | self.later_people,
            pairs=self.pairs | self.later_pairs,
            hidden=self.hidden | self.later_hidden,
            later_people=none,
            later_pairs=none,
            later_hidden=none,
        )

    def settled(self, events: pd.DataFrame) -> "Restrictions":
        """Hold whose proof of age may have been taken back, unless a later accepted event proves it anew.

        Of the others `unproved` keeps when it was: of which tier the later one has to be, the rules say.
        """
        if not self.unproved:
            return self
        proofs = events[events[C.TYPE].eq("verified") & events[C.DETAIL].isin(PROVES_AGE)]
        last = proofs.groupby(proofs[C.ACTOR].astype(object))[C.TS].max().to_dict()
        held = {person for person, at in self.unproved if not last.get(person, at) > at}
        again = frozenset((person, at) for person, at in self.unproved if person not in held)
        return replace(self, people=self.people | held, unproved=again)


def no_restrictions(refused: pd.DataFrame, quarantined: pd.DataFrame) -> Restrictions:
    """Do nothing: these rows forbid nothing."""
    del refused, quarantined
    return Restrictions()


def hold_people(refused: pd.DataFrame, quarantined: pd.DataFrame) -> Restrictions:
    """Hold everybody whose row was refused, under whatever spelling of their id."""
    return _held(refused[_tells_of_present(quarantined)]) | _respelled(refused)


def hold_unless_without_token(refused: pd.DataFrame, quarantined: pd.DataFrame) -> Restrictions:
    """Hold everybody whose contact token was refused, but not who simply has none of their own.

    A missing token of kind `self` says no more than that somebody gave no phone: it is nobody's. One of kind
    `exclude` is a wish that cannot be kept, as is a token that cannot be read.
    """
    none = quarantined[C.HMAC].isna() if C.HMAC in quarantined else pd.Series(True, quarantined.index)
    own = (refused[C.KIND].eq("self").fillna(False) & none).to_numpy(bool)
    return hold_people(refused[~own], quarantined[~own])


def hold_respelled(refused: pd.DataFrame, quarantined: pd.DataFrame) -> Restrictions:
    """Hold whom a row may mean whose id is nobody's: it may be the tighter word of somebody."""
    del quarantined
    return _respelled(refused)


def in_circles(refused: pd.DataFrame, quarantined: pd.DataFrame) -> Restrictions:
    """Count as members of a circle whose refused row says so: others do not join whom they are kept from."""
    del quarantined
    known = refused.dropna(subset=[C.USER, C.COMMUNITY])
    return Restrictions(circles=frozenset(zip(known[C.USER], known[C.COMMUNITY], strict=True)))


def hold_stopped(refused: pd.DataFrame, quarantined: pd.DataFrame) -> Restrictions:
    """Hold whose refused profile says that they are out, in a word that is not known, or for a strange id."""
    state, given = refused[C.ACCOUNT_STATE].astype(object), quarantined[C.ACCOUNT_STATE]
    stopped = (state.notna() & state.ne("active") | state.isna() & given.notna()).to_numpy(bool)
    stopped = stopped | _under_age(refused, quarantined)
    now, later = _tells_of_present(quarantined), _is_future(quarantined)
    named = refused[C.USER].where(refused[C.USER].notna(), quarantined[C.USER])
    people, ahead = (
        frozenset(one for one in named[chosen & stopped] if isinstance(one, str)) for chosen in (now, later)
    )
    token = refused[C.PERSON_TOKEN]
    linked = token.notna().to_numpy(bool)
    account = refused[C.USER].where(refused[C.USER].notna(), quarantined[C.USER]).fillna("").astype(str)
    tokens = frozenset(zip(account[linked], token[linked], strict=True))
    word = state.where(state.notna(), stop_meant(given))
    told = now & word.isin(STOPPED).to_numpy(bool)
    states = frozenset((one, said) for one, said in zip(named[told], word[told], strict=True) if one)
    for_good = (~state.eq("paused")).to_numpy(bool)  # a pause is of one account
    out = Restrictions(
        people,
        later_people=ahead,
        tokens=tokens,
        stopped=frozenset(token[now & stopped & linked & for_good]),
        states=states,
    )
    return out | hold_respelled(refused, quarantined)


def stop_meant(words: pd.Series, *, alone: bool = True) -> pd.Series:
    """Return of each word, in whatever spelling, the state of `STOPPED` it means; None of any other.

    A word for a stop by others that is no state is a ban: it ends as a ban does, not when it is gone. alone:
    nobody else is named beside them.
    """

    def meant(word: object) -> str | None:
        text = "" if word is None else plain(as_text(word))
        return (
            fold(text)
            if fold(text) in STOPPED
            else STOPPED[0]
            if may_stop(text, alone=alone) == STOP
            else None
        )

    return _by_distinct(words.where(words.notna(), None), meant)


def _under_age(refused: pd.DataFrame, quarantined: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Say which refused profiles name an age that may be below that of adults."""
    under = np.zeros(len(refused), bool)
    for column in (C.AGE_YEARS, C.AGE_BAND):
        if column in quarantined:
            given = quarantined[column].where(quarantined[column].notna(), None)
            under |= _by_distinct(given, may_be_under_age).to_numpy(bool)
    return under


def hold_unless_lifted(refused: pd.DataFrame, quarantined: pd.DataFrame) -> Restrictions:
    """Hold everybody whose hold was refused, unless it says that a hold ended."""
    held = ~refused[C.STATE].eq("lifted").to_numpy(bool)
    later = _held(refused[_is_future(quarantined) & held]).people
    return _held(refused[_tells_of_present(quarantined) & held]) | Restrictions(later_people=later)


def hold_mandatory(refused: pd.DataFrame, quarantined: pd.DataFrame) -> Restrictions:
    """Hold everybody whose refused answer was mandatory, or may have been; hide what one may have hidden."""
    optional = refused[C.MANDATORY].eq(False).fillna(False).to_numpy(bool)
    now, ahead = _tells_of_present(quarantined), _is_future(quarantined)
    flawed = ahead & ~_is_only_future(quarantined)  # what a sound one requires later is known
    held, later = (_held(refused[rows & ~optional]) for rows in (now, flawed))
    held |= _respelled(refused[~optional]) | Restrictions(later_people=later.people)
    hides = ~refused[C.VISIBILITY].eq("public").fillna(False).to_numpy(bool)
    question = refused[C.QUESTION].astype(object)
    question = question.where(question.notna(), quarantined[C.QUESTION].map(as_text, na_action="ignore"))
    named = pd.DataFrame({C.USER: refused[C.USER], C.QUESTION: question})
    hidden, later_hidden = (
        frozenset(named[hides & rows].dropna().itertuples(index=False, name=None)) for rows in (~ahead, ahead)
    )
    return held | Restrictions(hidden=hidden, later_hidden=later_hidden)


def exclude_pairs(refused: pd.DataFrame, quarantined: pd.DataFrame) -> Restrictions:
    """Exclude every pair whose refused row could be read as far as the two ids."""
    later = _excluded(refused[_is_future(quarantined)]).pairs
    return _excluded(refused[_tells_of_present(quarantined)]) | Restrictions(later_pairs=later)


def exclude_after_events(refused: pd.DataFrame, quarantined: pd.DataFrame) -> Restrictions:
    """Exclude the pairs of refused safety events; a refused erasure, also a future one, is done.

    One that names two, as where staff deletes an account, does not say whose it is: both are held.

    A refused word on somebody's proof of age that is no proof takes it back: for good when it has no time
    that can be read, at once when it is dated ahead, else until a later proof, see `Restrictions.settled`.
    Whoever alone stands in a row of an unknown type that says that they are out, such as `pause`, is held;
    by a word for a ban until a later row of theirs says otherwise. Where another stands beside them, the word
    may be a member's: see `Restrictions.banned_by`.
    """
    word = _by_distinct(quarantined[C.TYPE], lambda text: plain(as_text(text)))
    kind = _by_distinct(word, fold)
    bad = kind.isin(_ANSWERED_TYPES) & ~refused[C.DETAIL].isin(_GOOD_ANSWERS)
    nameless = quarantined[C.TYPE].isna()
    strange = refused[C.TYPE].isna() & (nameless | _by_distinct(word, may_separate).astype(bool))
    excluding = (kind.isin(SAFETY_TYPES) | bad | strange).to_numpy(bool)
    excluded = _excluded(refused[_tells_of_present(quarantined, _REPEATS) & excluding])
    passing = kind.eq("pass").to_numpy(bool) & _tells_of_present(quarantined, _REPEATS)
    excluded |= Restrictions(passed=_excluded(refused[passing]).pairs)
    excluded |= Restrictions(later_pairs=_excluded(refused[_is_future(quarantined) & excluding]).pairs)
    unproved = (kind.eq("verified") & ~refused[C.DETAIL].isin(PROVES_AGE)).to_numpy(bool)
    people = refused.loc[_is_future(quarantined) & unproved, C.ACTOR].dropna()
    excluded |= Restrictions(later_people=frozenset(people)) | _unproved(
        refused[_tells_of_present(quarantined, _REPEATS) & unproved]
    )
    one, erasing = _one_person(refused, quarantined), kind.isin(_ERASURES).to_numpy(bool)
    own = erasing & one.eq(refused[C.ACTOR].astype(object)).fillna(False).to_numpy(bool)
    erased, unsure = one[own], refused.loc[erasing & ~own, [C.ACTOR, C.TARGET]].to_numpy(object).ravel()
    alone = refused[C.TYPE].isna() & one.notna()
    banning = (alone & stop_meant(quarantined[C.TYPE]).notna()).to_numpy(bool)
    banned = one[banning & (_tells_of_present(quarantined, _REPEATS) | _is_future(quarantined))]
    stopping = (alone & _by_distinct(word, lambda one: may_stop(one) is not None)).to_numpy(bool)
    stopped = one[stopping & _tells_of_present(quarantined, _REPEATS)]
    ahead = one[stopping & _is_future(quarantined)]
    stop_of_two = stop_meant(quarantined[C.TYPE], alone=False).notna()
    by_others = (refused[C.TYPE].isna() & stop_of_two & one.isna()).to_numpy(bool)
    told = refused[by_others & (_tells_of_present(quarantined, _REPEATS) | _is_future(quarantined))].dropna(
        subset=[C.ACTOR, C.TARGET]
    )
    return excluded | Restrictions(
        people=frozenset(stopped) | frozenset(who for who in unsure if isinstance(who, str)),
        later_people=frozenset(ahead),
        erased=frozenset(erased),
        states=frozenset((one, STOPPED[0]) for one in banned),
        banned_by=frozenset(zip(told[C.ACTOR], told[C.TARGET], strict=True)),
    )


_TIERS = ENUMERATIONS[C.VERIFICATION].words
PROVES_AGE = _TIERS[_TIERS.index("age") :]


def _one_person(refused: pd.DataFrame, quarantined: pd.DataFrame) -> pd.Series:
    """Return who stands alone in each row, in whichever column; None where two do, or nobody."""
    actor, target = (
        refused[one].astype(object).where(refused[one].notna(), None) for one in (C.ACTOR, C.TARGET)
    )
    is_alone = refused[C.TARGET].isna() & quarantined[C.TARGET].isna() | target.eq(actor)
    is_told_of = refused[C.ACTOR].isna() & quarantined[C.ACTOR].isna()
    return actor.where(is_alone.fillna(False), target.where(is_told_of, None))


def _by_distinct(values: pd.Series, function: Callable[[Any], object]) -> pd.Series:
    """Return a function of each value; it is asked once for equal ones."""
    codes, distinct = pd.factorize(values, use_na_sentinel=False)
    found = np.fromiter(map(function, distinct), object, len(distinct))
    return pd.Series(found[codes], values.index)


def _tells_of_present(
    quarantined: pd.DataFrame, harmless: frozenset[str] = _HARMLESS
) -> npt.NDArray[np.bool_]:
    """Say which refused rows may tell of the present: not repeats, and nothing that is yet to come."""

    def present(codes: str) -> bool:
        rules = {code.rpartition(".")[2] for code in codes.split("|")}
        return "future" not in rules and not rules <= harmless

    return _by_distinct(quarantined["codes"], present).to_numpy(bool)


def _is_future(quarantined: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Say which refused rows are yet to come."""

    def future(codes: str) -> bool:
        rules = {code.rpartition(".")[2] for code in codes.split("|")}
        return "future" in rules and not rules & _HARMLESS

    return _by_distinct(quarantined["codes"], future).to_numpy(bool)


def _is_only_future(quarantined: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Say which refused rows are yet to come and have nothing else wrong: these restrict as they say."""
    codes = quarantined["codes"]
    return (codes.str.endswith(".future") & ~codes.str.contains("|", regex=False)).to_numpy(bool)


def _held(rows: pd.DataFrame) -> Restrictions:
    return Restrictions(people=frozenset(rows[C.USER].dropna()))


def _respelled(rows: pd.DataFrame) -> Restrictions:
    return Restrictions(respelled=frozenset(rows[C.USER].dropna()))


def _unproved(rows: pd.DataFrame) -> Restrictions:
    rows = rows.dropna(subset=[C.ACTOR])
    dated = rows.dropna(subset=[C.TS])
    undated = frozenset(rows.loc[rows[C.TS].isna(), C.ACTOR])
    return Restrictions(undated, unproved=frozenset(zip(dated[C.ACTOR], dated[C.TS], strict=True)))


def _excluded(rows: pd.DataFrame) -> Restrictions:
    known = rows.dropna(subset=[C.ACTOR, C.TARGET])
    pairs = zip(known[C.ACTOR], known[C.TARGET], strict=True)
    return Restrictions(pairs=frozenset((min(a, b), max(a, b)) for a, b in pairs if a != b))
