"""Settings of a night: one parameter file becomes one frozen value, and an unknown key is an error.

Only secrets come from the environment; everything else is written in the parameter file, so that a
night can be repeated from it.
"""

import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import parse_qs, urlsplit

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    ValidationError,
    field_validator,
)
from pydantic_core import PydanticCustomError

from recsys.errors import SettingsError, did_you_mean, explained
from recsys.plugins import Group, known_names, unknown_name
from recsys.strict_yaml import parse_yaml

PARAMS_FILE: Final = "params.yaml"
TOWN: Final = "town"
TOKEN_SECRET: Final = "RECSYS_TOKEN_SECRET"
"""Environment variable with the secret that keys contact tokens; never written to a file."""

Share = Annotated[float, Field(ge=0.0, le=1.0)]
"""A probability or a part of a whole."""
_SOURCE = re.compile(r"town|(parquet|csv|duckdb):.+|postgres(ql)?://.+")
_PLUGIN_SOURCE = re.compile(r"([A-Za-z][\w-]*):.+")
OWN_STORES: Final = ("town", "parquet", "csv", "duckdb", "postgres", "postgresql")


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


MODEL_NAMES: Final = (
    *("hybrid", "content", "collaborative", "popularity"),
    *("one_sided_als", "recon", "rcf", "lfrr", "random"),
)


def _known_model(name: str) -> str:
    return _known_name("models", name, MODEL_NAMES)


def _known_name(group: Group, name: str, own: tuple[str, ...] = ()) -> str:
    """Return a name of this package or of a plugin, or raise with the nearest one that is."""
    remedy = unknown_name(group, name, own)
    if remedy is not None:
        raise PydanticCustomError(_UNKNOWN, "{remedy}", {"remedy": remedy, "name": name})
    return name


_UNKNOWN: Final = "unknown_name"
ModelName = Annotated[str, AfterValidator(_known_model)]
PluginOptions = dict[str, dict[str, Any]]
"""Plugins by name, each with its own settings."""


def _by_name(group: Group, value: object) -> object:
    """Return names, in a list or with settings, as names with settings; every name is known."""
    named = {name: {} for name in value} if isinstance(value, list | tuple) else value
    if not isinstance(named, dict):
        return value
    return {_known_name(group, str(name)): {} if one is None else one for name, one in named.items()}


class ModelSettings(Section):
    """Which model scores, and the options its own config object takes.

    blocks: feature blocks of plugins, beside the usual ones, each with its settings.
    """

    name: ModelName = "hybrid"
    options: dict[str, Any] = {}
    blocks: PluginOptions = {}

    @field_validator("blocks", mode="before")
    @classmethod
    def _are_known_name(cls, value: object) -> object:
        return _by_name("blocks", value)


class EvaluateSettings(Section):
    """Which models are judged beside the one that scores, each with its usual settings.

    metrics: metrics of plugins, beside the usual ones.
    """

    beside: tuple[ModelName, ...] = ("content", "collaborative", "popularity", "random")
    people: Annotated[int, Field(ge=100)] = 30_000
    metrics: tuple[str, ...] = ()

    @field_validator("metrics", mode="after")
    @classmethod
    def _are_known_name(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_known_name("metrics", name) for name in value)


class PolicySettings(Section):
    """What the operator decides about the rules; what safety forbids cannot be loosened here.

    constraints: rules of plugins, which can only forbid more, each with its settings.
    """

    verification: Literal["age", "id", "id_liveness"] = "age"
    same_employer: bool = True
    constraints: PluginOptions = {}

    @field_validator("constraints", mode="before")
    @classmethod
    def _are_known_name(cls, value: object) -> object:
        return _by_name("constraints", value)


class RecommendSettings(Section):
    """How long a list is, how many candidates it is chosen from, how two directions become one score."""

    pool: Annotated[int, Field(ge=1, le=1000)] = 200
    k: Annotated[int, Field(ge=1, le=1000)] = 20
    combiner: Literal["product", "harmonic", "geometric", "min", "cross_ratio"] = "product"


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


class AllocateSettings(AllocationSettings):
    """How the lists of a night are chosen for everybody together: the allocator's settings and these.

    enabled:  without it a list is the best of its own pool, whoever else wants the same people.
    opens:    chance that a list is opened on its day, by the activity of its viewer; see PRESENT.
    error:    what the model does not know of a pair, in logits; the gain is simulated on truths around it.
    """

    enabled: bool = True
    fairness: Share = 0.5
    steps: Annotated[int, Field(ge=0)] = 40
    look: Decay = 0.5
    inbox: Decay = 0.7
    opens: dict[Literal["today", "week", "month"], Share] = PRESENT
    budget: Annotated[float, Field(gt=0.0)] | None = 5.0
    minimum_exposure: bool = True
    error: Annotated[float, Field(ge=0.0)] = 1.0


class ExecutionSettings(Section):
    """How the parts of a step are shared out; it changes how long a night takes, never what it finds.

    people_a_part: viewers of a part at most; what a crash costs is one part a worker.
    workers: processes, 0 for one a processor.
    executor: processes of this machine, this process alone, or the workers of a Spark cluster.
    spark_master: such as local[2,4] or yarn; the active session when empty.
    """

    people_a_part: Annotated[int, Field(ge=1)] = 5000
    workers: Annotated[int, Field(ge=0)] = 0
    executor: Literal["processes", "in_process", "spark"] = "processes"
    spark_master: str | None = None


class GateSettings(Section):
    """Where a gate warns and where it blocks; shares are of the publication served now.

    min_calibration_answers: answers a calibration is judged on; min_cohort_size: listed people of a cohort.
    band_nights, band_width: from so many nights on, a number far from its median (by so many times
    their usual distance) is worth a warning, whatever its limit says.
    """

    warn_below_rows: Share = 0.9
    block_below_rows: Share = 0.5
    warn_below_people: Share = 0.95
    block_below_people: Share = 0.5
    list_floor: Annotated[int, Field(ge=1)] = 3
    warn_short_lists: Share = 0.5
    block_short_lists: Share = 1.0
    warn_gini: Share = 0.9
    block_gini: Share = 1.0
    warn_below_overlap: Share = 0.05
    block_below_overlap: Share = 0.0
    min_calibration_answers: Annotated[int, Field(ge=1)] = 500
    warn_ece: Share = 0.05
    block_ece: Share = 0.3
    min_cohort_size: Annotated[int, Field(ge=1)] = 50
    warn_below_parity: Share = 0.5
    block_below_parity: Share = 0.0
    warn_psi: Annotated[float, Field(ge=0.0)] = 0.1
    block_psi: Annotated[float, Field(ge=0.0)] = 1.0
    band_nights: Annotated[int, Field(ge=2, le=365)] = 5
    band_width: Annotated[float, Field(gt=0.0)] = 4.0


class PlatformDeclaration(Section):
    """What the operator declares to be in place; publishing is refused without all four conditions.

    Nothing is assumed: every condition starts as no, and only true is yes. The declaration holds for one
    source alone, so that it is made anew when the source changes.
    """

    declared_for: str = ""
    identity_and_age_checked: StrictBool = False
    report_and_block: StrictBool = False
    partnered_members_welcome_in_writing: StrictBool = False
    support_contact: StrictBool = False

    @classmethod
    def conditions(cls) -> tuple[str, ...]:
        """Return the names of the conditions."""
        return tuple(name for name in cls.model_fields if name != "declared_for")

    def missing(self, source: str) -> tuple[str, ...]:
        """Return the conditions that are not declared for `source`.

        >>> PlatformDeclaration(declared_for="town", identity_and_age_checked=True).missing("town")
        ('report_and_block', 'partnered_members_welcome_in_writing', 'support_contact')
        """
        same = source == self.declared_for
        return tuple(name for name in self.conditions() if not (same and getattr(self, name)))


class PublishSettings(Section):
    """How many publications are kept, what the gates ask, and the platform declaration."""

    keep: Annotated[int, Field(ge=1)] = 7
    gates: GateSettings = GateSettings()
    platform: PlatformDeclaration = PlatformDeclaration()


class BudgetSettings(Section):
    """How long a night may take; over it the night is published all the same, and says so.

    night_minutes: all stages together; stage_minutes: single stages by name.
    """

    night_minutes: Annotated[float, Field(gt=0.0)] = 120.0
    stage_minutes: dict[str, Annotated[float, Field(gt=0.0)]] = {}


class ReportSettings(Section):
    """The language of the report and of reason texts, and how many lists it shows."""

    lang: Literal["ja", "en"] = "en"
    sample_lists: Annotated[int, Field(ge=0, le=100)] = 5


class PromotionSettings(Section):
    """What a challenger must show to become the champion.

    least_pairs: pairs that both must have been judged on for a paired comparison.
    most_ece:    the largest calibration error of the chance of a like.
    """

    least_pairs: Annotated[int, Field(ge=1)] = 200
    most_ece: Share = 0.05


class TrackingSettings(Section):
    """Where nights and models are kept, and how many.

    store: a folder, or the address of an MLflow server or database.
    """

    enabled: bool = True
    store: str = "data/tracking"
    experiment: Annotated[str, Field(pattern=r"^[\w.-]+$")] = "nights"
    model: Annotated[str, Field(pattern=r"^[\w.-]+$")] = "recsys"
    keep: Annotated[int, Field(ge=1)] = 30
    promotion: PromotionSettings = PromotionSettings()


class Settings(Section):
    """Everything that decides what a night does.

    catalogue: folder with a service's own questions, interests and topics; None for the one that the source
    brings, or the package's.
    plugins: the packages that register plugins, with their versions; the night fills it in, so that a run
    with other plugins is made anew.

    >>> Settings(people=200).recommend.k
    20
    """

    seed: Annotated[int, Field(ge=0)] = 20260105
    source: str = TOWN
    catalogue: str | None = None
    as_of: str | None = None
    people: Annotated[int, Field(ge=1)] = 5000
    simulate: dict[str, Any] = {}
    policy: PolicySettings = PolicySettings()
    model: ModelSettings = ModelSettings()
    evaluate: EvaluateSettings = EvaluateSettings()
    recommend: RecommendSettings = RecommendSettings()
    allocate: AllocateSettings = AllocateSettings()
    execution: ExecutionSettings = ExecutionSettings()
    publish: PublishSettings = PublishSettings()
    budget: BudgetSettings = BudgetSettings()
    report: ReportSettings = ReportSettings()
    tracking: TrackingSettings = TrackingSettings()
    plugins: dict[str, str] = {}

    @field_validator("as_of", mode="before")
    @classmethod
    def _is_a_time(cls, value: object) -> object:
        if value is None:
            return None
        try:
            datetime.fromisoformat(str(value))
        except ValueError:
            raise ValueError("write a time such as 2026-01-05T03:00:00Z, or leave it empty") from None
        return str(value)

    @field_validator("source")
    @classmethod
    def _is_a_source(cls, value: str) -> str:
        plugin = _PLUGIN_SOURCE.fullmatch(value)
        own = _SOURCE.fullmatch(value)
        if not own and not (plugin and plugin[1] in known_names("stores", OWN_STORES)):
            raise ValueError("use town, parquet:DIR, csv:DIR, duckdb:FILE or postgresql://user@host/db")
        if "://" in value and holds_password(value):
            raise ValueError("take the password out of the address and set PGPASSWORD in the environment")
        return value

    def as_yaml(self) -> str:
        """Return the settings as the text of a parameter file."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def holds_password(address: str) -> bool:
    """Say whether the address of a database holds a password; it belongs into the environment.

    Raises ValueError for what is no address.

    >>> holds_password("postgresql://reader@db/members"), holds_password("postgresql://me:x@db/members")
    (False, True)
    """
    parts = urlsplit(address)
    return bool(parts.password) or "password" in parse_qs(parts.query)


def read_settings(path: str | Path = PARAMS_FILE, changes: Iterable[str] = ()) -> Settings:
    """Read a parameter file; `changes` are `key.key=value` texts that go before what it says.

    Raises SettingsError naming every unknown key and impossible value.
    """
    path = Path(path)
    try:
        text = path.read_bytes()
    except OSError as error:
        remedy = "run this from the folder that holds it, or name another with --params"
        raise SettingsError(
            explained("cannot read the parameter file", where=str(path), got=error.strerror, remedy=remedy)
        ) from error
    raw = parse_yaml(text, where=str(path), error=SettingsError)
    if raw is None:
        raw = {}
    if not isinstance(raw, dict):
        raise SettingsError(explained("the parameter file is not a list of keys", where=str(path), got=raw))
    for change in changes:
        _apply(raw, change)
    return Settings.from_mapping(raw, where=str(path))


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


def _apply(raw: dict[str, Any], change: str) -> None:
    key, equals, value = change.partition("=")
    if not (key and equals):
        remedy = "write it as key.key=value, for example recommend.k=10"
        raise SettingsError(explained("this changes no setting", got=change, remedy=remedy))
    at = raw
    *sections, last = key.split(".")
    for section in sections:
        if not isinstance(at.setdefault(section, {}), dict):
            raise SettingsError(explained("this setting holds no further keys", got=section))
        at = at[section]
    at[last] = parse_yaml(value, where=key, error=SettingsError)


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
    if found["type"] == _UNKNOWN:
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
