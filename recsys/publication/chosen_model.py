"""The model of the settings, and its files."""

from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from recsys.config import ModelSettings
from recsys.errors import SettingsError, did_you_mean, explained
from recsys.features.feature_map import FeatureMap
from recsys.models.collaborative import CollaborativeModel
from recsys.models.content import ContentModel
from recsys.models.directed import Directed
from recsys.models.hybrid import HybridModel
from recsys.models.lfrr import LFRR
from recsys.models.model import Model
from recsys.models.one_sided_als import OneSidedALS
from recsys.models.popularity import PopularityModel
from recsys.models.random_model import RandomModel
from recsys.models.rcf import RCF
from recsys.models.recon import RECON
from recsys.plugins import known_names, load_plugin
from recsys.publication.chosen_blocks import chosen_blocks
from recsys.schema.population import Population

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


def chosen_model(settings: ModelSettings, features: FeatureMap | None = None) -> Model:
    """Return the unfitted model the settings name.

    features: fitted blocks for a model that works on them; it fits its own when None.

    Raises SettingsError for an option the model does not have.

    >>> chosen_model(ModelSettings(name="random")).name
    'random'
    """
    kind = model_kind(settings.name)
    config = configured(kind.config_type, settings.options, where="settings.model.options")
    if not issubclass(kind, ContentModel | HybridModel):
        return kind(config)
    blocks = chosen_blocks(settings) if features is None else None
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

    def fits(found: Any) -> bool:
        return isinstance(found, type) and issubclass(found, Model)

    kind: type[Model] = load_plugin("models", name, fits=fits, what="a model")
    return kind


def configured(kind: type[Any], options: dict[str, Any], *, where: str) -> Any:
    """Return a frozen config object made from plain values; a list becomes a tuple.

    Raises SettingsError for an unknown key or an impossible value.
    """
    known = [field.name for field in fields(kind)]
    for key in options:
        if key not in known:
            raise SettingsError(
                explained("unknown key", where=where, got=key, remedy=did_you_mean(key, known))
            )
    given = {key: tuple(value) if isinstance(value, list) else value for key, value in options.items()}
    try:
        return kind(**given)
    except (TypeError, ValueError) as error:
        raise SettingsError(explained("impossible value", where=where, got=str(error))) from error
