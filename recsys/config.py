"""`Section`, the frozen base of every settings object, and the settings that several packages share.

An unknown key, an impossible value or a password where it could be repeated is an error that says so.
"""

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, time
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Final, Literal, Self, get_args
from urllib.parse import parse_qs, urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from recsys.arguments import checked_arguments
from recsys.errors import SettingsError, did_you_mean, explained

TOKEN_SECRET: Final = "RECSYS_TOKEN_SECRET"
"""Environment variable with the secret that keys contact tokens; never written to a file."""

Share = Annotated[float, Field(ge=0.0, le=1.0)]
"""A probability or a part of a whole."""


class Section(BaseModel):
    """A frozen group of settings: the base of every settings object of the package.

    A subclass declares each setting as a typed field with its default, and the constructor of what it
    configures takes the one object. An unknown key, a value of another type, a number outside its range
    and one that is not finite are errors; a list is read as the tuple that was declared.

    >>> class SearchSettings(Section):
    ...     "How many candidates a search returns, and from which ages."
    ...
    ...     k: Annotated[int, Field(ge=1)] = 20
    ...     ages: tuple[int, int] = (20, 99)
    >>> SearchSettings.from_mapping({"k": 3, "ages": [30, 40]}, where="search.yaml")
    SearchSettings(k=3, ages=(30, 40))
    >>> SearchSettings.from_mapping({"k": 0}, where="search.yaml")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    recsys.errors.SettingsError: impossible value of 'k' in search.yaml: got 0; ...
    >>> SearchSettings(kk=3)
    Traceback (most recent call last):
    recsys.errors.SettingsError: unknown key in SearchSettings: got 'kk'; did you mean 'k'?
    >>> SearchSettings().changed(k=5).k
    5
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True)

    @field_validator("*", mode="before")
    @classmethod
    def _is_of_its_kind(cls, value: Any, info: ValidationInfo) -> Any:
        declared = cls.model_fields[str(info.field_name)].annotation
        kinds = {getattr(one, "__origin__", one) for one in get_args(declared) or (declared,)}
        if isinstance(value, bool) and kinds & {int, float} and bool not in kinds:
            raise ValueError("a number is meant, not true or false")
        if isinstance(value, str) and kinds <= {int, float, bool, NoneType}:
            raise ValueError(f"a {'flag' if bool in kinds else 'number'} is meant, without quotes")
        return value

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise _settings_error(type(self), error, type(self).__name__) from None

    # pydantic then validates an inner section in place, so that its errors are named from the outside
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    def changed(self, **changes: Any) -> Self:
        """Return the same settings with some changed; raises SettingsError as the constructor does."""
        return type(self)(**{**dict(self), **changes})

    @classmethod
    @checked_arguments
    def from_mapping(cls, raw: Mapping[str, Any], *, where: str = "settings") -> Self:
        """Return the settings of plain values, such as those of a YAML or JSON file.

        where: what errors call the place the values come from.

        Raises SettingsError naming every unknown key and impossible value.
        """
        try:
            return cls.model_validate(dict(raw))
        except ValidationError as error:
            raise _settings_error(cls, error, where) from None


def _known_curve(decay: float | str) -> float | str:
    if decay in ("exponential", "logarithmic", "none") or (not isinstance(decay, str) and decay >= 0.0):
        return decay
    raise ValueError(
        'not a way to read a list: use a number d for r ** -d, "exponential", "logarithmic" or "none"'
    )


Decay = Annotated[float | str, AfterValidator(_known_curve)]
"""How an examination curve is named; see `recsys.data.examination`."""


Fairness = Annotated[float, Field(ge=0.0, le=2.0)]
"""How much more a match of somebody with few counts; see `AllocationSettings`."""


PRESENT: Final[dict[Literal["today", "week", "month"], Share]] = {"today": 0.9, "week": 0.45, "month": 0.12}
"""Chance that a list is opened on its day, by when its viewer was last here."""


class AllocationSettings(Section):
    """What the allocator maximises and under which limits.

    fairness: 0 is the sum of expected matches (welfare), 1 the sum of their logarithms over people (Nash),
              up to 2 the least served count more still; a person's matches weigh
              `(matches + epsilon) ** -fairness`.
    epsilon:  matches a person is taken to have anyway, so that nobody weighs without end.
    steps:    Frank-Wolfe steps, at most.
    tolerance: share of the objective below which what further steps would still gain ends them; 0 takes
              all. By region every step is taken.
    step_scale: s of the step s / (t + s): 2 wherever it is not known that longer steps suit, as they do where
              lists are held to budgets and few people are in everybody's.
    look:     how a list is read: a number d for place ** -d, or "exponential".
    inbox:    how received likes are read, from the most welcome down: the same, or "none" where a
              match needs a like from both lists.
    budget:   likes a person may expect to receive from one round of lists, None for no limit.
    minimum_exposure: whether everybody who could be shown is, by exploration places at list ends.
    mixture:  whether each night's lists are drawn from the mixture of orderings that was found, with logged
              propensities, instead of rounding it to one list: what is expected then holds over nights.
    randomised_share: share of viewers whose list of this round is drawn by chance out of their candidates,
              with logged propensities, to learn faster what other lists would bring; 0.2 at most.
    """

    fairness: Fairness = 0.0
    epsilon: Annotated[float, Field(gt=0.0)] = 0.01
    steps: Annotated[int, Field(ge=0)] = 60
    tolerance: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    step_scale: Annotated[float, Field(ge=1.0, le=8.0)] = 2.0
    look: Decay = 1.0
    inbox: Decay = 1.0
    budget: Annotated[float, Field(gt=0.0)] | None = None
    minimum_exposure: bool = False
    mixture: bool = False
    randomised_share: Annotated[float, Field(ge=0.0, le=0.2)] = 0.0

    @field_validator("look")
    @classmethod
    def _is_read(cls, value: float | str) -> float | str:
        if value == "none":
            raise ValueError("a list that is never read allocates nothing")
        return value


class ArmSettings(Section):
    """One way to make lists in an experiment.

    share:    of the units (people, neighbourhoods or nights) that get it.
    order:    "allocated", or the best of each pool by "product" or "naive" (what the viewer likes alone).
    allocate: settings of the allocator that differ from those of the night, such as fairness.
    """

    share: Annotated[float, Field(gt=0.0, le=1.0)]
    order: Literal["allocated", "product", "naive"] = "allocated"
    allocate: dict[str, Any] = Field(default_factory=dict)

    @field_validator("allocate")
    @classmethod
    def _is_of_the_allocator(cls, values: dict[str, Any]) -> dict[str, Any]:
        AllocationSettings.model_validate(values)
        return values


class ExperimentSettings(Section):
    """Who gets which lists, decided by a keyed hash before the first night.

    unit:   "person": each viewer; "neighbourhood": groups of people who reach each other; "both_sides": each
            viewer and, apart from that, each candidate, two arms; "night": everybody, night by night.
    arms:   by name, the first is the one the others are compared with; shares add up to 1.
    starts: the first night, such as 2026-03-02. nights: how many.
    hour:   the hour of UTC at which each night begins, that of the nightly run: 18 where it runs at three in
            the morning in Japan (of the next day there). It matters where nights are the units.
    neighbourhoods: Parquet file with user_id and neighbourhood, for that unit alone.
    block_nights: nights in a row with one arm, for the unit "night". washout: how many nights at the
            beginning of each block are left out of the analysis, because they still feel the arm before.
    mature_nights: a match counts when it is completed so many days after the like that began it.
    effect: the relative effect to find, which planning and the looks during the nights are made for.
    ended:  by arm, the first night from which on its people get the first arm's lists, such as
            {nash: 2026-03-10}. What happens from then on does not count into its effect.

    >>> arms = {"today": {"share": 0.5}, "nash": {"share": 0.5, "allocate": {"fairness": 1}}}
    >>> ExperimentSettings(name="nash", starts="2026-03-02", nights=28, arms=arms).unit
    'neighbourhood'
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
    unit: Literal["person", "neighbourhood", "both_sides", "night"] = "neighbourhood"
    arms: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,19}$")], ArmSettings]
    starts: date
    nights: Annotated[int, Field(ge=1)]
    hour: Annotated[int, Field(ge=0, le=23)] = 0
    neighbourhoods: str | None = None
    block_nights: Annotated[int, Field(ge=1)] = 1
    washout: Annotated[int, Field(ge=0)] = 0
    mature_nights: Annotated[int, Field(ge=0)] = 7
    effect: Annotated[float, Field(gt=0.0)] = 0.1
    ended: dict[str, date] = Field(default_factory=dict)

    @property
    def first_night(self) -> datetime:
        """The moment at which night 0 begins."""
        return datetime.combine(self.starts, time(self.hour), tzinfo=UTC)

    @property
    def control(self) -> str:
        """The arm the others are compared with."""
        return next(iter(self.arms))

    @property
    def arms_by_share(self) -> dict[str, float]:
        """The share of the units each arm gets."""
        return {name: arm.share for name, arm in self.arms.items()}

    @property
    def others(self) -> list[str]:
        """The arms beside the first."""
        return [name for name in self.arms if name != self.control]

    def nights_of(self, arm: str) -> int:
        """Return how many nights have an arm: fewer than `nights` when it was ended before."""
        end = self.ended.get(arm)
        return self.nights if end is None else min((end - self.starts).days, self.nights)

    @field_validator("ended", mode="before")
    @classmethod
    def _has_dates(cls, value: object) -> object:
        if isinstance(value, Mapping):
            return value
        raise ValueError(
            "write each arm with the first night on which its people get the first arm's lists, such as "
            "{nash: 2026-03-10}"
        )

    def need_neighbourhoods(self, day: date) -> None:
        """Raise SettingsError when a night of the experiment lacks the file that decides about arms."""
        running = 0 <= (day - self.starts).days < self.nights
        if running and self.unit == "neighbourhood" and not Path(self.neighbourhoods or "").is_file():
            what, where = "the experiment needs neighbourhoods", self.neighbourhoods or "the settings"
            remedy = (
                "make the file with recsys experiment assign, and name it under experiment.neighbourhoods"
            )
            raise SettingsError(explained(what, where=where, remedy=remedy))

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if len(self.arms) < 2 or abs(sum(arm.share for arm in self.arms.values()) - 1.0) > 1e-9:
            raise ValueError("name two arms or more under 'arms', with shares that add up to 1")
        if self.unit == "both_sides" and len(self.arms) != 2:
            raise ValueError("an experiment on both sides has two arms")
        if self.washout >= self.block_nights and self.unit == "night" and self.washout:
            raise ValueError("'washout' leaves no night of a block: make 'block_nights' longer")
        unknown = sorted(set(self.ended) - set(self.arms))
        if unknown or self.control in self.ended:
            raise ValueError("'ended' names arms of the experiment other than the first")
        if any(end <= self.starts for end in self.ended.values()):
            raise ValueError("an arm under 'ended' ends after 'starts', the first night of the experiment")
        return self


def holds_password(address: str) -> bool:
    """Say whether the address of a database holds a password; it belongs into the environment.

    Raises ValueError for what is no address.

    >>> holds_password("postgresql://reader@db/members"), holds_password("postgresql://me:x@db/members")
    (False, True)
    """
    parts = urlsplit(address)
    return bool(parts.password) or "password" in parse_qs(parts.query)


def token_secret(environment: Mapping[str, str] | None = None) -> bytes:
    """Return the secret that keys contact tokens.

    Raises SettingsError when the environment does not hold it.
    """
    secret = (os.environ if environment is None else environment).get(TOKEN_SECRET, "")
    if not secret:
        raise SettingsError(
            explained("no secret to key tokens with", where="the environment", remedy=f"set {TOKEN_SECRET}")
        )
    return secret.encode()


UNKNOWN_NAME: Final = "unknown_name"
"""Type of a validation error whose context holds the unknown `name` and its remedy."""


def _settings_error(kind: type[Section], error: ValidationError, where: str) -> SettingsError:
    return SettingsError("\n".join(_problem(kind, dict(found), where) for found in error.errors()))


def _without_password(value: object) -> object:
    """Return a value as an error may show it: an address that holds a password is not repeated."""
    with suppress(ValueError):
        if isinstance(value, str) and "://" in value and holds_password(value):
            return f"{value.partition('://')[0]}://..."
    return value


def _problem(kind: type[Section], found: Mapping[str, Any], where: str) -> str:
    if not found["loc"]:  # values that do not fit together
        return explained(
            "impossible settings", where=where, remedy=found["msg"].removeprefix("Value error, ")
        )
    *above, key = found["loc"]
    name = ".".join(map(str, found["loc"]))
    if found["type"] == "extra_forbidden":
        remedy = did_you_mean(str(key), _keys(kind, above))
        return explained("unknown key", where=where, got=name, remedy=remedy)
    got = _without_password(found["input"])
    if found["type"] == UNKNOWN_NAME:
        if isinstance(key, int):
            name = ".".join(map(str, above))
        got = found["ctx"]["name"]
        return explained(f"unknown value of '{name}'", where=where, got=got, remedy=found["msg"])
    if found["type"] == "literal_error" and isinstance(got, str):
        known = [word.strip("'") for word in found["ctx"]["expected"].replace(" or ", ", ").split(", ")]
        return explained(f"unknown value of '{name}'", where=where, got=got, remedy=did_you_mean(got, known))
    return explained(
        f"impossible value of '{name}'",
        where=where,
        got=got,
        remedy=found["msg"].removeprefix("Value error, "),
    )


def _keys(kind: type[Section], above: Iterable[Any]) -> list[str]:
    """Return the keys of the section that lies at `above` within another."""
    for name in above:
        field = kind.model_fields.get(str(name))
        inner = None if field is None else field.annotation
        if not (isinstance(inner, type) and issubclass(inner, Section)):
            return []
        kind = inner
    return list(kind.model_fields)
