"""Wishes about each other: ages, genders, household status, frequency, romance line."""

from recsys.catalogue.columns import Columns as C
from recsys.constraints.boundaries import ContactFrequency, RomanceLine
from recsys.constraints.profile import AgeBands, Genders, HouseholdStatus
from recsys.data.population import Population
from recsys.testing.changed_people import narrowed, with_amount, with_unknown
from recsys.testing.constraint_contract import ConstraintContract


def _age(band: str | None, accepts: list[str] | None) -> dict[str, object]:
    return {C.AGE_BAND: band, C.ACCEPTS_AGE_BANDS: accepts}


def _gender(gender: str | None, meets: list[str] | None) -> dict[str, object]:
    return {C.GENDER: gender, C.MEETS_GENDERS: meets}


def _household(status: str | None, accepts: list[str] | None) -> dict[str, object]:
    return {C.HOUSEHOLD_STATUS: status, C.ACCEPTS_HOUSEHOLD_STATUS: accepts}


class TestAgeBands(ConstraintContract):
    constraint = AgeBands()
    needs = (C.AGE_BAND,)
    cases = (
        (_age("35-44", ["35-44", "45-54"]), _age("45-54", ["35-44"]), True),
        (_age("35-44", ["35-44"]), _age("45-54", ["35-44"]), False),
        (_age("35-44", ["45-54"]), _age("45-54", ["45-54"]), False),
        (_age("65+", None), _age("18-24", None), True),
        (_age("65+", None), _age("18-24", ["18-24"]), False),
        (_age(None, None), _age("18-24", None), False),
    )
    tighter = (
        lambda people, row: narrowed(people, C.ACCEPTS_AGE_BANDS, row),
        lambda people, row: with_unknown(people, C.AGE_BAND, row),
    )


def _years(band: str, age: int | None, least: int | None, most: int | None) -> dict[str, object]:
    return {C.AGE_BAND: band, C.AGE_YEARS: age, C.MIN_AGE_YEARS: least, C.MAX_AGE_YEARS: most}


class TestAgesInYears(ConstraintContract):
    """A range of years is met to the year, and by a band alone only where all of the band lies inside."""

    constraint = AgeBands()
    cases = (
        (_years("35-44", 40, 33, 47), _years("25-34", 33, 40, 40), True),
        (_years("35-44", 40, 33, 47), _years("25-34", 32, 40, 40), False),
        (_years("35-44", 40, 33, 47), _years("45-54", 47, 41, None), False),
        (_years("35-44", 40, 33, 47), _years("45-54", 48, None, None), False),
        (_years("35-44", 40, 33, 47), _years("35-44", None, None, 44), True),
        (_years("35-44", None, 33, 47), _years("45-54", None, None, None), False),
        (_years("35-44", None, None, None), _years("45-54", None, 18, 43), False),
        (_years("65+", None, None, None), _years("65+", 101, 65, None), True),
        (_years("65+", None, None, None), _years("65+", 101, 65, 100), False),
    )
    tighter = (
        lambda people, row: with_amount(people, C.MIN_AGE_YEARS, row, 40),
        lambda people, row: with_amount(people, C.MAX_AGE_YEARS, row, 18),
    )


class TestGenders(ConstraintContract):
    constraint = Genders()
    cases = (
        (_gender("woman", ["man"]), _gender("man", ["woman"]), True),
        (_gender("woman", ["woman"]), _gender("man", ["woman"]), False),
        (_gender("woman", None), _gender("nonbinary", None), True),
        (_gender("woman", ["woman", "man"]), _gender("undisclosed", None), False),
        (_gender("woman", ["woman", "undisclosed"]), _gender("undisclosed", None), True),
        (_gender("woman", ["woman", "man", "nonbinary"]), _gender(None, None), False),
        (_gender("woman", ["undisclosed"]), _gender(None, ["woman"]), True),
        (_gender(None, ["undisclosed"]), _gender("undisclosed", None), True),
    )
    tighter = (
        lambda people, row: narrowed(people, C.MEETS_GENDERS, row, "woman"),
        lambda people, row: narrowed(people, C.MEETS_GENDERS, row),
    )


class TestHouseholdStatus(ConstraintContract):
    constraint = HouseholdStatus()
    needs = (C.HOUSEHOLD_STATUS, C.ACCEPTS_HOUSEHOLD_STATUS)
    cases = (
        (_household("married", ["married"]), _household("married", ["married"]), True),
        (_household("married", ["single"]), _household("single", ["married", "single"]), True),
        (_household("married", ["single"]), _household("single", ["single"]), False),
        (_household("married", None), _household("single", ["married"]), False),
        (_household(None, ["single"]), _household("single", ["married"]), False),
    )
    tighter = (lambda people, row: narrowed(people, C.ACCEPTS_HOUSEHOLD_STATUS, row, "single"),)


def _frequency_unsaid(people: Population, row: int) -> Population:
    return with_unknown(people, C.CONTACT_FREQUENCY, row)


class TestContactFrequency(ConstraintContract):
    constraint = ContactFrequency()
    needs = (C.CONTACT_FREQUENCY,)
    cases = tuple(
        ({C.CONTACT_FREQUENCY: one}, {C.CONTACT_FREQUENCY: other}, allowed)
        for one, other, allowed in (
            ("daily", "daily", True),
            ("daily", "few_week", True),
            ("daily", "weekly", False),
            ("daily", "less", False),
            ("few_week", "weekly", True),
            ("few_week", "less", False),
            ("weekly", "less", True),
            ("weekly", None, False),
            (None, None, False),
        )
    )
    tighter = (_frequency_unsaid,)


class TestRomanceLine(ConstraintContract):
    constraint = RomanceLine()
    needs = (C.ROMANCE_LINE,)
    cases = tuple(
        ({C.ROMANCE_LINE: one}, {C.ROMANCE_LINE: other}, allowed)
        for one, other, allowed in (
            ("none_expected", "none_expected", True),
            ("none_expected", "talk_openly", True),
            ("none_expected", "end_if_feelings", True),
            ("talk_openly", "talk_openly", True),
            ("end_if_feelings", "end_if_feelings", True),
            ("end_if_feelings", "talk_openly", False),
            ("none_expected", None, False),
        )
    )
    tighter = (lambda people, row: with_unknown(people, C.ROMANCE_LINE, row),)
