"""Factories: models, feature blocks, towns and executors from the settings of a night."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.files import open_catalogue
from recsys.data.population import Population
from recsys.features.feature_map import FeatureMap
from recsys.models.base import Model
from recsys.models.baselines import LFRR, RCF, RECON, OneSidedALS, RandomModel
from recsys.models.collaborative import CollaborativeModel
from recsys.models.content import ContentModel
from recsys.models.directed import Directed
from recsys.models.hybrid import HybridModel
from recsys.models.popularity import PopularityModel
from recsys.parallel import n_processors
from recsys.pipeline.executors import Executor, InProcess, Processes, Spark, Threads
from recsys.plugins import build_plugin, known_names, load_plugin
from recsys.random import generator
from recsys.settings import ExecutionSettings, ModelSettings, Settings
from recsys.simulation.settings import town_settings
from recsys.simulation.town import DEFAULT_AS_OF, Town, TownParts, make_town, make_town_parts

if TYPE_CHECKING:
    from recsys.features.base import Block


def blocks_from_settings(settings: ModelSettings) -> "list[Block] | None":
    """Return the blocks a model learns from; None for the usual ones alone.

    Raises PluginError when a plugin cannot be used, SettingsError for settings it does not take.

    >>> blocks_from_settings(ModelSettings()) is None
    True
    """
    if not settings.blocks:
        return None
    from recsys.features.base import Block
    from recsys.features.feature_map import default_blocks

    usual = default_blocks()
    known_names("blocks", [*(block.name for block in usual), "numeric", "near"])

    own: list[Block] = [
        build_plugin(
            "blocks", name, options, what="a feature block", base=Block, where="settings.model.blocks"
        )
        for name, options in settings.blocks.items()
    ]
    return [*usual, *own]


MODELS: Final[dict[str, type[Model]]] = {
    model.name: model
    for model in (
        HybridModel,
        ContentModel,
        CollaborativeModel,
        PopularityModel,
        OneSidedALS,
        RECON,
        RCF,
        LFRR,
        RandomModel,
    )
}
"""Every model by the name the settings know it by."""


def model_from_settings(settings: ModelSettings, features: FeatureMap | None = None) -> Model:
    """Return the unfitted model the settings name.

    features: fitted blocks for a model that works on them; it fits its own when None.

    Raises SettingsError for an option the model does not have.

    >>> model_from_settings(ModelSettings(name="random")).name
    'random'
    """
    kind = model_kind(settings.name)
    config: Any = kind.config_type.from_mapping(settings.options, where="settings.model.options")
    if not issubclass(kind, ContentModel | HybridModel):
        return kind(config)
    blocks = blocks_from_settings(settings) if features is None else None
    return kind(config, features=features, blocks=blocks)


def load_model(settings: ModelSettings, folder: Path) -> Model:
    """Read the fitted model the settings name."""
    return model_kind(settings.name).load(folder)


def directed_of(model: Model, people: Population) -> Directed:
    """Return the matrices of the people of a night: those of the fit, when it was of these."""
    return model.fitted if model.fitted.ids == people.ids else model.directed(people)


def model_kind(name: str) -> type[Model]:
    """Return a kind of model by name: one of this package, or of a plugin.

    Raises PluginError when a plugin has the name and cannot be used.
    """
    known_names("models", MODELS)
    if name in MODELS:
        return MODELS[name]

    kind: type[Model] = load_plugin("models", name, what="a model", base=Model)
    return kind


def catalogue_from_settings(settings: Settings) -> Catalogue | None:
    """Return the catalogue of the settings; None for the one that the source brings, or the package's."""
    return None if settings.catalogue is None else open_catalogue(settings.catalogue)


def town_from_settings(settings: Settings, *, nights_ahead: int = 0) -> Town:
    """Return the town of the settings, with its past; see `make_town` for nights ahead.

    Raises SettingsError for an unknown key under `simulate`.
    """
    return make_town(
        settings.people,
        generator(settings, "simulate"),
        as_of=settings.as_of or DEFAULT_AS_OF,
        settings=town_settings(settings.simulate),
        nights_ahead=nights_ahead,
        catalogue=catalogue_from_settings(settings),
    )


def town_parts_from_settings(settings: Settings) -> TownParts:
    """Return the tables of the town of the settings, part by part.

    Raises SettingsError for an unknown key under `simulate`.
    """
    return make_town_parts(
        settings.people,
        generator(settings, "simulate"),
        as_of=settings.as_of or DEFAULT_AS_OF,
        settings=town_settings(settings.simulate),
        catalogue=catalogue_from_settings(settings),
    )


def executor_from_settings(settings: ExecutionSettings, *, parts: int, by_kernels: bool = False) -> Executor:
    """Return who does `parts` parts: starting processes for one part alone would only cost time.

    by_kernels: the time of a part goes into kernels, so that the processors of this machine are as busy with
    threads, which share what they read.

    >>> executor_from_settings(ExecutionSettings(workers=2), parts=5)
    Processes(workers=2)
    >>> executor_from_settings(ExecutionSettings(workers=2), parts=5, by_kernels=True)
    Threads(workers=2)
    """
    if settings.executor == "spark":
        return Spark(settings.spark_master)
    workers = min(settings.workers or n_processors(), parts)
    if workers <= 1 or settings.executor == "in_process":
        return InProcess()
    return Threads(workers) if by_kernels else Processes(workers)
