"""The town of the settings."""

from recsys.config import Settings
from recsys.publication.chance import generator
from recsys.simulation.settings import town_settings
from recsys.simulation.town import DEFAULT_AS_OF, Town, make_town
from recsys.simulation.town_parts import TownParts, make_town_parts


def chosen_town(settings: Settings, *, nights_ahead: int = 0) -> Town:
    """Return the town of the settings, with its past; see `make_town` for nights ahead.

    Raises SettingsError for an unknown key under `simulate`.
    """
    return make_town(
        settings.people,
        generator(settings, "simulate"),
        as_of=settings.as_of or DEFAULT_AS_OF,
        settings=town_settings(settings.simulate),
        nights_ahead=nights_ahead,
    )


def chosen_town_parts(settings: Settings) -> TownParts:
    """Return the tables of the town of the settings, part by part.

    Raises SettingsError for an unknown key under `simulate`.
    """
    return make_town_parts(
        settings.people,
        generator(settings, "simulate"),
        as_of=settings.as_of or DEFAULT_AS_OF,
        settings=town_settings(settings.simulate),
    )
