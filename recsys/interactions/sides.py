"""The rule of two-sided data: people of different kinds meet, those of one kind do not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.constraints.base import Clause, Constraint, Refusals
from recsys.data.ids import IdIndex, packed_strings
from recsys.data.population import Population
from recsys.errors import InputError, explained, warn
from recsys.interactions.row_reading import FEWEST_TO_TELL
from recsys.types import BoolArray, Int32Array, ObjectArray

_MOST: Final = 63


@dataclass(frozen=True, eq=False)
class Sides(Constraint):
    """The rule of two-sided data: nobody meets their own side, nor anybody whose side is not known.

    For data in which one kind looks for another: men and women, people and jobs, users and films.

    ids, side: aligned, the side of each id; labels: the names of the sides; digest: of who is where.
    """

    name = "sides"

    ids: IdIndex
    side: npt.NDArray[np.int8] = field(repr=False)
    labels: tuple[str, ...]
    digest: str

    @classmethod
    def of(cls, ids: npt.ArrayLike, labels: npt.ArrayLike) -> Self:
        """Return the rule for ids with the label of each side.

        >>> people = Population.of_ids(["ann", "bob", "cy"], as_of="2026-01-05")
        >>> rule = Sides.of(["ann", "bob", "cy"], ["woman", "man", "man"])
        >>> rule.allows(people, np.array([0, 1]), np.array([1, 2])).tolist()
        [True, False]
        """
        code, names = pd.factorize(np.asarray(labels, dtype=object), sort=True)
        if len(names) > _MOST:
            remedy = "give the kind of each person, not a value of their own"
            raise InputError(explained("too many sides", got=len(names), remedy=remedy))
        index = IdIndex(np.asarray(ids, dtype=object).tolist())
        side = np.empty(len(index), np.int8)
        side[index.find(ids)] = code
        text, ends = packed_strings(index.values)
        digest = blake2b(text.tobytes() + ends.tobytes() + side.tobytes(), digest_size=8).hexdigest()
        return cls(index, side, tuple(str(name) for name in names), digest)

    def _codes(self, people: Population) -> npt.NDArray[np.int8]:
        """Return the side of each of `people`, -1 unknown."""
        return np.append(self.side, np.int8(-1))[self.ids.find(people.ids.values)].astype(np.int8)

    def allows(self, people: Population, i: Int32Array, j: Int32Array) -> BoolArray:
        """Say whether both sides are known and differ."""
        side = self._codes(people)
        return (side[i] >= 0) & (side[j] >= 0) & (side[i] != side[j])

    def clauses(self, people: Population) -> Sequence[Clause]:
        """Return that each side refuses itself, and everybody refuses who has none."""
        side = self._codes(people)
        are = side[:, None] == np.arange(len(self.labels) + 1)
        are[side < 0, -1] = True
        refused = are.copy()
        refused[:, -1] = True
        return [Refusals.of(are, refused)]


Kinds = tuple[str, str] | Mapping[object, object] | pd.Series | None
"""Of an argument `sides`: names of the sides of both columns, or the side of each id."""


def read_kinds(sides: object) -> Kinds:
    """Return what `sides` gives, a list of two names as a tuple.

    Raises InputError for what has no order, or names no id.

    >>> read_kinds(["user", "film"])
    ('user', 'film')
    """
    if isinstance(sides, list) and sides and all(isinstance(one, str) for one in sides):
        sides = tuple(sides)
    if sides is None or isinstance(sides, tuple | Mapping | pd.Series):
        return sides
    remedy = 'give two names, sides=("user", "film"), or the side of each id, as a mapping or a Series by id'
    if isinstance(sides, pd.DataFrame):
        columns = [*map(repr, sides.columns), "...", "..."]
        remedy = f"give a Series by id: table.set_index({columns[0]})[{columns[1]}]"
    what = "sides are neither two names nor the side of each id"
    raise InputError(explained(what, where="Interactions.of", got=type(sides).__name__, remedy=remedy))


_FEWEST_TOWARDS_SELF: Final = 5
_FEWEST_TIES: Final = 30
_TELLING_TIES: Final = 200_000
"""Rows of a large log that are looked at for pairs that stand both ways."""
_OF_CHANCE: Final = 0.5
"""Share of the rows towards oneself that chance makes, from which on ids are those of two kinds."""
_ANSWERED_BY_CHANCE: Final = 2.0
"""Times as many pairs as decide about each other by chance, up to which nobody answers anybody."""


def warn_of_two_kinds(rows: pd.DataFrame, n_towards_self: int) -> None:
    """Warn where the two columns of a table look like two kinds, such as users and films, or like ties.

    That is where nobody who was acted towards ever acts. And where both kinds have numbers of their own, so
    that one number stands for two: then it stands beside itself as often as chance makes it, while those of
    one community seldom act towards themselves, and nobody answers anybody oftener than by chance.

    rows: what could be used. n_towards_self: rows of an id towards itself, which are not among them.
    """
    viewers, candidates = rows[C.ACTOR].to_numpy(object), rows[C.TARGET].to_numpy(object)
    remedy = 'if the columns name two kinds, give sides=("user", "item"); '
    names = pd.unique(candidates)
    if len(names) >= FEWEST_TO_TELL and not np.isin(names, pd.unique(viewers)).any():
        problem, got = "no candidate is a viewer", f"{len(names):,} candidates"
        warn(explained(problem, got=got, remedy=f"{remedy}else viewers are candidates too"))
        return
    _warn_of_ties(viewers, candidates)
    if n_towards_self < _FEWEST_TOWARDS_SELF or not all(str(one).isdecimal() for one in names):
        return
    towards_self, answered, by_chance = _alike_by_chance(viewers, candidates)
    if n_towards_self >= _OF_CHANCE * towards_self and answered <= _ANSWERED_BY_CHANCE * by_chance:
        problem = "ids look like those of two kinds that have the same numbers"
        got = f"{n_towards_self:,} rows of an id towards itself, about {towards_self:.0f} by chance"
        warn(explained(problem, got=got, remedy=f"{remedy}else they are set aside as of one person"))


def _warn_of_ties(viewers: ObjectArray, candidates: ObjectArray) -> None:
    """Warn where no pair stands both ways though chance alone would make many: ties without a direction.

    In many such tables the same id of each pair is always first.
    """
    first = int((viewers < candidates).sum())
    got = ""
    if len(viewers) >= _FEWEST_TIES and first in (0, len(viewers)):
        got = f"{len(viewers):,} rows with the {'smaller' if first else 'greater'} id first"
    elif len(viewers) >= _FEWEST_TIES:
        _, answered, by_chance = _alike_by_chance(viewers[:_TELLING_TIES], candidates[:_TELLING_TIES])
        if not answered and by_chance >= _FEWEST_TIES:
            got = f"no pair of {len(viewers):,} rows stands both ways, by chance about {by_chance:,.0f} would"
    if got:
        remedy = "if a row is of both, give both: pd.concat([frame, frame.rename(columns={a: b, b: a})])"
        warn(explained("each pair stands in one direction alone", got=got, remedy=remedy))


def _alike_by_chance(viewers: ObjectArray, candidates: ObjectArray) -> tuple[float, int, float]:
    """Return rows of an id towards itself by chance, pairs that have their reverse, and how many by chance.

    By chance means with each id as often a viewer and as often a candidate as it is.
    """
    row, everybody = pd.factorize(np.concatenate([viewers, candidates]))
    i, j = np.split(row.astype(np.int64), 2)
    gave, received = (np.bincount(own, minlength=len(everybody)).astype(np.float64) for own in (i, j))
    towards_self = float(gave @ received) / max(len(i), 1)
    pair = np.unique(i * len(everybody) + j)
    i, j = np.divmod(pair, len(everybody))
    gave, received = (np.bincount(own, minlength=len(everybody)).astype(np.float64) for own in (i, j))
    answered = int(np.isin(j * len(everybody) + i, pair).sum())
    return towards_self, answered, float(gave[j] @ received[i]) / max(len(pair), 1)
