"""Every number of the synthetic town, with where it comes from."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from recsys.errors import SettingsError, did_you_mean, explained
from recsys.simulation.settings.boundaries import BoundarySettings
from recsys.simulation.settings.content import ContentSettings
from recsys.simulation.settings.funnel import FunnelSettings
from recsys.simulation.settings.history import HistorySettings
from recsys.simulation.settings.people import PeopleSettings
from recsys.simulation.settings.section import Section, Share
from recsys.simulation.settings.taste import TasteSettings
from recsys.simulation.settings.trouble import TroubleSettings

__all__ = [
    "BoundarySettings",
    "ContentSettings",
    "FunnelSettings",
    "HistorySettings",
    "PeopleSettings",
    "TasteSettings",
    "TownSettings",
    "TroubleSettings",
    "town_settings",
]


class TownSettings(Section):
    """Everything that decides a town beside its size, its random generator and its date.

    >>> TownSettings().taste.like_rate
    0.24
    """

    people: PeopleSettings = PeopleSettings()
    boundaries: BoundarySettings = BoundarySettings()
    content: ContentSettings = ContentSettings()
    taste: TasteSettings = TasteSettings()
    funnel: FunnelSettings = FunnelSettings()
    history: HistorySettings = HistorySettings()
    trouble: TroubleSettings = TroubleSettings()
    dirt: Share = 0.0
    """Broken rows added to the tables, as a share of each table's rows."""


def town_settings(raw: Mapping[str, Any]) -> TownSettings:
    """Read town settings from plain values.

    Raises SettingsError naming every unknown key and impossible value.

    >>> town_settings({"dirt": 0.01}).dirt
    0.01
    >>> town_settings({"drit": 0.01})
    Traceback (most recent call last):
    recsys.errors.SettingsError: unknown key in the town's settings: got 'drit'; did you mean 'dirt'?
    """
    try:
        return TownSettings.model_validate(dict(raw))
    except ValidationError as error:
        raise SettingsError("\n".join(_problem(dict(found)) for found in error.errors())) from error


def _problem(found: Mapping[str, Any]) -> str:
    *above, key = [str(part) for part in found["loc"]]
    where = ".".join(["the town's settings", *above])
    if found["type"] == "extra_forbidden":
        section: Any = TownSettings
        for name in above:
            section = section.model_fields[name].annotation
        return explained("unknown key", where=where, got=key, remedy=did_you_mean(key, section.model_fields))
    return explained(f"impossible value of '{key}'", where=where, got=found["input"], remedy=found["msg"])
