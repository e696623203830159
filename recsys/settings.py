"""Settings of a night: one parameter file becomes one frozen value, and an unknown key is an error.

Only secrets come from the environment; everything else is written in the parameter file, so that a
night can be repeated from it.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

import yaml
from pydantic import AfterValidator, Field, StrictBool, field_validator
from pydantic_core import PydanticCustomError

from recsys.config import (
    PRESENT,
    UNKNOWN_NAME,
    AllocationSettings,
    Decay,
    ExperimentSettings,
    Fairness,
    Section,
    Share,
    holds_password,
)
from recsys.errors import SettingsError, explained
from recsys.plugins import Group, known_names, unknown_name
from recsys.strict_yaml import parse_yaml

PARAMS_FILE: Final = "params.yaml"
TOWN: Final = "town"
OWN_STORES: Final = ("town", "parquet", "csv", "duckdb", "postgres", "postgresql")
_SOURCE = re.compile(r"town|(parquet|csv|duckdb):.+|postgres(ql)?://.+")
_PLUGIN_SOURCE = re.compile(r"([A-Za-z][\w-]*):.+")

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
        raise PydanticCustomError(UNKNOWN_NAME, "{remedy}", {"remedy": remedy, "name": name})
    return name


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
    options: dict[str, Any] = Field(default_factory=dict)
    blocks: PluginOptions = Field(default_factory=dict)

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
    constraints: PluginOptions = Field(default_factory=dict)

    @field_validator("constraints", mode="before")
    @classmethod
    def _are_known_name(cls, value: object) -> object:
        return _by_name("constraints", value)


class RecommendSettings(Section):
    """How long a list is, how many candidates it is chosen from, how two directions become one score."""

    pool: Annotated[int, Field(ge=1, le=1000)] = 200
    k: Annotated[int, Field(ge=1, le=1000)] = 20
    combiner: Literal["product", "harmonic", "geometric", "min", "cross_ratio"] = "product"


class AllocateSettings(AllocationSettings):
    """How the lists of a night are chosen for everybody together: the allocator's settings and these.

    enabled:  without it a list is the best of its own pool, whoever else wants the same people.
    opens:    chance that a list is opened on its day, by the activity of its viewer; see PRESENT.
    error:    what the model does not know of a pair, in logits; the gain is simulated on truths around it.
    """

    enabled: bool = True
    fairness: Fairness = 0.5
    steps: Annotated[int, Field(ge=0)] = 40
    tolerance: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.004
    step_scale: Annotated[float, Field(ge=1.0, le=8.0)] = 4.0
    look: Decay = 0.5
    inbox: Decay = 0.7
    opens: dict[Literal["today", "week", "month"], Share] = PRESENT
    budget: Annotated[float, Field(gt=0.0)] | None = 5.0
    minimum_exposure: bool = True
    error: Annotated[float, Field(ge=0.0)] = 1.0


class ExecutionSettings(Section):
    """How the parts of a step are shared out; it changes how long a night takes, never what it finds.

    people_a_part: viewers of a part at most; what a crash costs is one part a worker.
    workers: processes or threads, 0 for one a processor.
    executor: processes of this machine (threads of one, where parts share what they read), this process
              alone, or the workers of a Spark cluster.
    spark_master: such as local[2,4] or yarn; the active session when empty.
    """

    people_a_part: Annotated[int, Field(ge=1)] = 5000
    workers: Annotated[int, Field(ge=0)] = 0
    executor: Literal["processes", "in_process", "spark"] = "processes"
    spark_master: str | None = None


class RegionSettings(Section):
    """Whether the lists are allocated by region, each a task of its own; see docs/explanation/scale.md.

    people: listed people that a region holds, about; None allocates everybody at once, and so does a service
            that has not twice as many.
    rounds: how often what is sent over borders is exchanged.
    """

    people: Annotated[int, Field(ge=50)] | None = None
    rounds: Annotated[int, Field(ge=1)] = 20


class GateSettings(Section):
    """Where a gate warns and where it blocks; shares are of the publication served now.

    min_calibration_answers: answers a calibration is judged on; min_cohort_size: listed people of a cohort.
    warn_refused_rows, block_refused_rows: of the rows of any table. warn_below_safety_rows and its like: of
    the rows of blocks, reports or holds. warn_nobody: of their rows, those that name nobody who is here; more
    of them than in the last night warn as well. block_misspelled_rows: new rows about safety whose ids have a
    form that no member's id has block; those that members may have made up where five members or more, and
    one in a thousand, wrote them, or three who wrote most of a table. Where false they warn.
    warn_changed_tokens, block_changed_tokens: of the accounts served with a person token, those that have
    one now that their person never had, or none; block_changed_tokens is of the nights of four weeks, too.
    clock_tolerance_hours: how far a night, and rows of it, may be dated beyond the clock. pages_asked:
    viewers whose page is asked of a ranker before the run is served; of their pages, warn_empty_pages and
    block_empty_pages.
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
    warn_refused_rows: Share = 0.1
    block_refused_rows: Share = 0.5
    warn_below_safety_rows: Share = 0.98
    block_below_safety_rows: Share = 0.8
    warn_nobody: Share = 0.2
    block_misspelled_rows: bool = True
    warn_changed_tokens: Share = 0.01
    block_changed_tokens: Share = 0.05
    clock_tolerance_hours: Annotated[float, Field(ge=0.0, le=1e6)] = 1.0
    warn_empty_pages: Share = 0.01
    block_empty_pages: Share = 0.1
    pages_asked: Annotated[int, Field(ge=0)] = 200
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
    """How long a night may take and how old its data may be; over it the night is published and says so.

    night_minutes: all stages together; stage_minutes: single stages by name.
    data_hours: how old the latest row of a source may be at the end of the night; beyond seven days the night
    says so whatever is set here, since no worker serves such data by default.
    """

    night_minutes: Annotated[float, Field(gt=0.0)] = 120.0
    stage_minutes: dict[str, Annotated[float, Field(gt=0.0)]] = Field(default_factory=dict)
    data_hours: Annotated[float, Field(gt=0.0)] = 36.0


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (OSError, ValueError):
        raise ValueError("not a time zone: use a name such as Asia/Tokyo or UTC") from None
    return name


class ReportSettings(Section):
    """The language of the report and of reason texts, the zone of its times, how many lists it shows.

    sample_lists: lists of the night with the ids of the viewer and of everybody in them; 0 for none.
    """

    lang: Literal["ja", "en"] = "en"
    time_zone: Annotated[str, AfterValidator(_known_zone)] = "Asia/Tokyo"
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

    store: a folder, or the address of an MLflow server or database. max_mb: what the files of all nights in a
    folder may take; the oldest go first.
    """

    enabled: bool = True
    store: str = "data/tracking"
    experiment: Annotated[str, Field(pattern=r"^[\w.-]+$")] = "nights"
    model: Annotated[str, Field(pattern=r"^[\w.-]+$")] = "recsys"
    keep: Annotated[int, Field(ge=1)] = 30
    max_mb: Annotated[float, Field(gt=0.0)] = 2000.0
    promotion: PromotionSettings = PromotionSettings()


class Settings(Section):
    """Everything that decides what a night does.

    catalogue: folder with a service's own questions, interests and topics; None for the one that the source
    brings, or the package's.
    experiment: arms with lists of their own, and who gets which; None for none.
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
    simulate: dict[str, Any] = Field(default_factory=dict)
    policy: PolicySettings = PolicySettings()
    model: ModelSettings = ModelSettings()
    evaluate: EvaluateSettings = EvaluateSettings()
    recommend: RecommendSettings = RecommendSettings()
    allocate: AllocateSettings = AllocateSettings()
    experiment: ExperimentSettings | None = None
    regions: RegionSettings = RegionSettings()
    execution: ExecutionSettings = ExecutionSettings()
    publish: PublishSettings = PublishSettings()
    budget: BudgetSettings = BudgetSettings()
    report: ReportSettings = ReportSettings()
    tracking: TrackingSettings = TrackingSettings()
    plugins: dict[str, str] = Field(default_factory=dict)

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
