"""The stages of a night, in order: what each runs, reads and writes, and the settings it depends on.

`recsys night` decides by these which stages have something new to do; `dvc.yaml` of a checkout says the
same for DVC, and a test compares the two.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from recsys.errors import MissingExtraError
from recsys.pipeline.paths import PATHS, PUBLISHED, NightPaths
from recsys.settings import Settings

LogFields = Mapping[str, object]
Step = Callable[[Settings, NightPaths], LogFields]
CHANGES: Final = "RECSYS_NIGHT_CHANGES"
"""Environment variable with the lines of `--set`, `key=value`; kept in the settings file, so not hidden."""
PARAMS: Final = "RECSYS_NIGHT_PARAMS"
"""The same with the parameter file that `--params` names; params.yaml of the home when it is not set."""


@dataclass(frozen=True)
class BatchStage:
    """One stage of a night.

    step:     where its function is, as `module:name`; loaded when the stage runs.
    reads, writes: files and folders, relative to the home of the night.
    settings: the keys of the settings it depends on.
    always:   whether it runs every night: it looks at something outside the home.
    prepare:  as `step`, what its process may do while what it reads is being written; empty for nothing.
    gives_way: whether it leaves the processors to stages beside it: what it writes is read late.
    """

    name: str
    step: str
    reads: tuple[Path, ...] = ()
    writes: tuple[Path, ...] = ()
    settings: tuple[str, ...] = ()
    always: bool = False
    prepare: str = ""
    gives_way: bool = False

    def load(self) -> Step:
        """Return the function of the stage."""
        step: Step = _loaded(self.step)
        return step

    def load_prepare(self) -> Callable[[Settings], object] | None:
        """Return what its process may do ahead, None for nothing."""
        prepare: Callable[[Settings], object] | None = _loaded(self.prepare) if self.prepare else None
        return prepare


def _loaded(place: str) -> Any:
    module, name = place.split(":")
    return getattr(import_module(module), name)


_TABLES: Final = (PATHS.accepted, PATHS.tables)

STAGES: Final = (
    BatchStage("settings", "recsys.batch.table_stages:write_settings", writes=(PATHS.settings,), always=True),
    BatchStage(
        "simulate",
        "recsys.batch.table_stages:simulate",
        writes=(PATHS.town,),
        settings=("catalogue", "seed", "source", "as_of", "people", "simulate"),
    ),
    BatchStage(
        "ingest",
        "recsys.batch.table_stages:ingest",
        reads=(PATHS.town,),
        writes=(PATHS.tables,),
        settings=("catalogue", "source"),
        always=True,
    ),
    BatchStage(
        "validate",
        "recsys.batch.table_stages:validate",
        reads=(PATHS.tables,),
        writes=(PATHS.validation, PATHS.quarantine, PATHS.accepted),
        settings=("catalogue", "source", "as_of"),
    ),
    BatchStage(
        "features",
        "recsys.batch.learning_stages:fit_features",
        reads=_TABLES,
        writes=(PATHS.features,),
        settings=("catalogue", "source", "as_of", "plugins", "model"),
    ),
    BatchStage(
        "train",
        "recsys.batch.learning_stages:train",
        reads=(*_TABLES, PATHS.features),
        writes=(PATHS.model,),
        settings=("catalogue", "seed", "source", "as_of", "plugins", "model"),
    ),
    BatchStage(
        "evaluate",
        "recsys.batch.learning_stages:evaluate",
        reads=_TABLES,
        writes=(PATHS.evaluation, PATHS.evaluated_pairs, PATHS.dvc_metrics, PATHS.dvc_plots),
        settings=("catalogue", "seed", "source", "as_of", "plugins", "policy", "model", "evaluate"),
        gives_way=True,
    ),
    BatchStage(
        "recommend",
        "recsys.batch.list_stages:recommend",
        reads=(*_TABLES, PATHS.model),
        writes=(PATHS.pool,),
        settings=("catalogue", "source", "as_of", "plugins", "policy", "model", "recommend", "execution"),
    ),
    BatchStage(
        "allocate",
        "recsys.batch.list_stages:allocate",
        reads=(*_TABLES, PATHS.pool),
        writes=(PATHS.lists, PATHS.allocation),
        settings=(
            "catalogue",
            "seed",
            "source",
            "as_of",
            "plugins",
            "policy",
            "recommend",
            "allocate",
            "experiment",
            "regions",
        ),
    ),
    BatchStage(
        "publish",
        "recsys.batch.list_stages:publish",
        reads=(*_TABLES, PATHS.model, PATHS.evaluation, PATHS.lists, PATHS.allocation),
        writes=(PATHS.outcome, PUBLISHED),
        settings=(
            *("catalogue", "seed", "source", "as_of", "plugins", "people", "simulate", "policy", "model"),
            *("recommend", "allocate", "experiment", "regions", "publish"),
        ),
        prepare="recsys.batch.list_stages:prepare_publish",
    ),
    BatchStage(
        "report",
        "recsys.batch.report_stages:write_report",
        reads=(*_TABLES, PATHS.outcome, PATHS.validation, PATHS.evaluation, PATHS.allocation, PUBLISHED),
        writes=(PATHS.report,),
        settings=("catalogue", "source", "as_of", "policy", "budget", "report"),
        prepare="recsys.batch.report_stages:prepare_report",
    ),
    BatchStage(
        "track",
        "recsys.batch.report_stages:track",
        reads=(
            *(PATHS.model, PATHS.evaluation, PATHS.evaluated_pairs, PATHS.validation),
            *(PATHS.outcome, PATHS.report),
        ),
        writes=(PATHS.tracked,),
        settings=(
            *("seed", "source", "as_of", "plugins", "people", "simulate", "policy", "model", "evaluate"),
            *("recommend", "publish", "report", "tracking"),
        ),
        prepare="recsys.batch.report_stages:open_tracking",
    ),
)

NAMES: Final = tuple(stage.name for stage in STAGES)


def stage_of(name: str) -> BatchStage:
    """Return a stage by its name.

    >>> stage_of("features").writes[0].as_posix()
    'data/work/features'
    """
    return STAGES[NAMES.index(name)]


PACKAGES: Final = {
    "implicit": "implicit",
    "jinja2": "jinja2",
    "matplotlib": "matplotlib",
    "mlflow": "mlflow",
    "sklearn": "scikit-learn",
}
"""What stages load that the core installation does not bring, module and package."""


def refuse_missing_packages() -> None:
    """Raise MissingExtraError, which names the extra `night`, when a package of a stage is not installed.

    Asked before the first stage, so that no night ends at its last one for want of a package.
    """
    for module, package in PACKAGES.items():
        if find_spec(module) is None:
            raise MissingExtraError(package, "night")
