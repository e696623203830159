"""A viewer's own filters of a page; they never widen the rules."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from recsys.catalogue.catalogue import Catalogue, load_catalogue
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.vocabulary import ENUMERATIONS
from recsys.data.bitsets import contains
from recsys.data.geography import centres, distances_km
from recsys.data.population import Population
from recsys.errors import InputError, did_you_mean, explained
from recsys.types import BoolArray, Int8Array, UInt64Array

_RADII: Final = (10, 25, 50, 100, 300)


@dataclass(frozen=True, slots=True)
class Filters:
    """What a viewer looks for on one page; what is empty or None leaves everybody.

    genders, ages: words of the profiles table. within_km: centre of the cell to centre of the cell; one of
    a few radii, so that asking often tells no distance. interests: tags, any of them.
    languages: any of them. Filters leave people out and bring nobody in: rules and safety come first.

    >>> Filters(genders=["woman"], within_km=25).checked().genders
    ('woman',)
    >>> Filters(ages=["30s"]).checked()
    Traceback (most recent call last):
    recsys.errors.InputError: unknown word in ages; use one of 18-24, 25-34, 35-44, 45-54, 55-64, 65+
    """

    genders: Collection[str] = ()
    ages: Collection[str] = ()
    within_km: int | None = None
    interests: Collection[str] = ()
    languages: Collection[str] = ()

    def checked(self, catalogue: Catalogue | None = None) -> Self:
        """Return the filters with every word checked; raises InputError, which repeats none of them.

        catalogue: whose words for genders and ages count; those of the package when None.
        """
        known = catalogue or load_catalogue()
        for name, column in (("genders", C.GENDER), ("ages", C.AGE_BAND), ("languages", C.LANGUAGES)):
            _check_words(name, getattr(self, name), known.vocabulary(column))
        _check_words("interests", self.interests, None)
        if self.within_km is not None and self.within_km not in _RADII:
            remedy = f"use one of {', '.join(map(str, _RADII))}"
            raise InputError(explained("not a radius to filter by", where="within_km", remedy=remedy))
        of = {name: tuple(getattr(self, name)) for name in ("genders", "ages", "interests", "languages")}
        return type(self)(**of, within_km=self.within_km)

    def __bool__(self) -> bool:
        return bool(
            self.genders or self.ages or self.interests or self.languages or self.within_km is not None
        )


def _check_words(name: str, words: object, known: tuple[str, ...] | None) -> None:
    if isinstance(words, str) or not isinstance(words, Collection):
        raise InputError(explained("a filter is a list of words", where=name))
    for word in words:
        if not isinstance(word, str) or (known is not None and word not in known):
            near = did_you_mean(word, known or ()) if isinstance(word, str) and known else "a text"
            remedy = near if known and len(known) > 20 else f"use one of {', '.join(known or ('texts',))}"
            raise InputError(explained("unknown word", where=name, remedy=remedy))


@dataclass(frozen=True, eq=False)
class FilterColumns:
    """What filters read of people: gender and age as codes of their words, `(n_people,)` int8, -1 unknown.

    languages: `(n_people, n_words)` uint64 bits; cell: `(n_people,)` uint64, 0 unknown.
    """

    gender: Int8Array
    age: Int8Array
    languages: UInt64Array
    cell: UInt64Array

    @classmethod
    def of(cls, people: Population) -> Self:
        """Read the columns."""
        languages = np.ascontiguousarray(people.sets(C.LANGUAGES), np.uint64)
        return cls(people.codes(C.GENDER), people.codes(C.AGE_BAND), languages, people.cells)

    def without(self, gone: BoolArray) -> Self:
        """Return the columns with the rows of some people emptied."""
        return type(self)(
            np.where(gone, np.int8(-1), self.gender).astype(np.int8),
            np.where(gone, np.int8(-1), self.age).astype(np.int8),
            np.where(gone[:, None], np.uint64(0), self.languages),
            np.where(gone, np.uint64(0), self.cell),
        )

    def fits(
        self, viewer: int, filters: Filters, interests: BoolArray | None, catalogue: Catalogue
    ) -> BoolArray:
        """Say who fits the filters of the viewer's row, `(n_people,)` bool; who says nothing does not.

        interests: `(n_people,)`, who has one of the interests asked for; None when none are. catalogue: the
        one of these people.
        """
        fits = np.ones(len(self.gender), bool)
        for codes, words, column in (
            (self.gender, filters.genders, C.GENDER),
            (self.age, filters.ages, C.AGE_BAND),
        ):
            if words:
                fits &= np.isin(codes, [catalogue.vocabulary(column).index(word) for word in words])
        if filters.languages:
            places = [ENUMERATIONS[C.LANGUAGES].code(word) for word in filters.languages]
            fits &= contains(
                self.languages, [place for place in places if place < 64 * self.languages.shape[1]]
            )
        if filters.within_km is not None:
            fits &= self._within(viewer, filters.within_km)
        return fits if interests is None else fits & interests

    def _within(self, viewer: int, km: int) -> BoolArray:
        if viewer < 0 or not self.cell[viewer]:
            return np.zeros(len(self.cell), bool)
        cells, of = np.unique(self.cell, return_inverse=True)
        near = np.zeros(len(cells), bool)
        known = np.flatnonzero(cells)
        here = centres(self.cell[viewer : viewer + 1])
        near[known] = distances_km(here, centres(cells[known]))[0] <= km
        return near[of]
