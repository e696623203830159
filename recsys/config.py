"""`Section`, the frozen base of every settings object, and the settings that several packages share.

An unknown key, an impossible value or a password where it could be repeated is an error that says so.
"""

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import parse_qs, urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
)

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

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise _settings_error(type(self), error, type(self).__name__) from error

    # pydantic then validates an inner section in place, so that its errors are named from the outside
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    def changed(self, **changes: Any) -> Self:
        """Return the same settings with some changed; raises SettingsError as the constructor does."""
        return type(self)(**{**dict(self), **changes})

    @classmethod
    def from_mapping(cls, raw: Mapping[str, Any], *, where: str = "settings") -> Self:
        """Return the settings of plain values, such as those of a YAML or JSON file.

        where: what errors call the place the values come from.

        Raises SettingsError naming every unknown key and impossible value.
        """
        try:
            return cls.model_validate(dict(raw))
        except ValidationError as error:
            raise _settings_error(cls, error, where) from error


def _known_curve(decay: float | str) -> float | str:
    if decay in ("exponential", "logarithmic", "none") or (not isinstance(decay, str) and decay >= 0.0):
        return decay
    raise ValueError(
        'not a way to read a list: use a number d for r ** -d, "exponential", "logarithmic" or "none"'
    )


Decay = Annotated[float | str, AfterValidator(_known_curve)]
"""How an examination curve is named; see `recsys.evaluation.examination`."""


PRESENT: Final[dict[Literal["today", "week", "month"], Share]] = {"today": 0.9, "week": 0.45, "month": 0.12}
"""Chance that a list is opened on its day, by when its viewer was last here."""


class AllocationSettings(Section):
    """What the allocator maximises and under which limits.

    fairness: from 0, the sum of expected matches (welfare), to 1, the sum of their logarithms over
              people (Nash); a person's matches weigh `(matches + epsilon) ** -fairness`.
    epsilon:  matches a person is taken to have anyway, so that nobody weighs without end.
    steps:    Frank-Wolfe steps.
    look:     how a list is read: a number d for place ** -d, or "exponential".
    inbox:    how received likes are read, from the most welcome down: the same, or "none" where a
              match needs a like from both lists.
    budget:   likes a person may expect to receive from one round of lists, None for no limit.
    minimum_exposure: whether everybody who could be shown is, by exploration places at list ends.
    """

    fairness: Share = 0.0
    epsilon: Annotated[float, Field(gt=0.0)] = 0.01
    steps: Annotated[int, Field(ge=0)] = 60
    look: Decay = 1.0
    inbox: Decay = 1.0
    budget: Annotated[float, Field(gt=0.0)] | None = None
    minimum_exposure: bool = False

    @field_validator("look")
    @classmethod
    def _is_read(cls, value: float | str) -> float | str:
        if value == "none":
            raise ValueError("a list that is never read allocates nothing")
        return value


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
