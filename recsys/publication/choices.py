"""Settings become the things they name: a policy, a model, a generator, the ids of a night."""

from dataclasses import fields
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from recsys.config import ModelSettings, PolicySettings, Settings
from recsys.constraints.policy import Policy
from recsys.errors import SettingsError, did_you_mean, explained
from recsys.models.content import ContentModel
from recsys.models.model import Model
from recsys.models.popularity import PopularityModel
from recsys.models.random_model import RandomModel
from recsys.publication.identity import code_id, files_id, schema_id, text_id
from recsys.storage.manifest import MadeFrom

_MODELS: dict[str, type[Model]] = {
    model.name: model for model in (ContentModel, PopularityModel, RandomModel)
}


def chosen_policy(settings: PolicySettings) -> Policy:
    """Return the policy of the settings."""
    return Policy.default(verification=settings.verification, same_employer=settings.same_employer)


def chosen_model(settings: ModelSettings) -> Model:
    """Return the unfitted model the settings name.

    Raises SettingsError for an option the model does not have.

    >>> chosen_model(ModelSettings(name="random")).name
    'random'
    """
    kind = _MODELS[settings.name]
    return kind(configured(kind.config_type, settings.options, where="settings.model.options"))


def load_model(settings: ModelSettings, folder: Path) -> Model:
    """Read the fitted model the settings name."""
    return _MODELS[settings.name].load(folder)


def configured(kind: type[Any], options: dict[str, Any], *, where: str) -> Any:
    """Return a frozen config object made from plain values.

    Raises SettingsError for an unknown key or an impossible value.
    """
    known = [field.name for field in fields(kind)]
    for key in options:
        if key not in known:
            raise SettingsError(
                explained("unknown key", where=where, got=key, remedy=did_you_mean(key, known))
            )
    try:
        return kind(**options)
    except (TypeError, ValueError) as error:
        raise SettingsError(explained("impossible value", where=where, got=str(error))) from error


def generator(settings: Settings, step: str) -> np.random.Generator:
    """Return the generator of one step: the seed gives each step a stream of its own.

    >>> [int(generator(Settings(), step).integers(1000)) for step in ("train", "train", "simulate")]
    """
    return np.random.default_rng([settings.seed, crc32(step.encode())])


def made_from(settings: Settings, policy: Policy, *, tables: Path, model: Path) -> MadeFrom:
    """Return the identities of everything that decides tonight's lists."""
    return MadeFrom(
        table_schema=schema_id(),
        model=files_id(model),
        data=files_id(tables),
        policy=policy.version,
        code=code_id(),
        params=text_id(settings.as_yaml()),
    )
