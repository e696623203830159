"""The town of the settings."""

from recsys.config import Settings
from recsys.publication.chance import generator
from recsys.simulation.settings import town_settings
from recsys.simulation.town import DEFAULT_AS_OF, Town, make_town


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
