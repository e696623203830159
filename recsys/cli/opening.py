"""From the options of a command to the night it works on."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from recsys.cli.japanese import speaks_japanese
from recsys.errors import RecsysError, SettingsError, SourceError, did_you_mean, explained

if TYPE_CHECKING:
    from recsys.config import Settings
    from recsys.publication.night import Night


def settings(params: Path | None) -> "Settings":
    """Return the settings of `params`, else of params.yaml when there is one, else the defaults."""
    from recsys.config import PARAMS_FILE, Settings, read_settings

    if params is None and not Path(PARAMS_FILE).exists():
        return Settings()
    return read_settings(params or PARAMS_FILE)


def opened(source: str | None, as_of: str | None, params: Path | None) -> "Night":
    """Return the night of the options: the one under way when no source is named.

    Raises SourceError when no source is named and no night is under way.
    """
    from recsys.config import TOWN, read_settings, settings_of
    from recsys.publication.night import Night
    from recsys.publication.work import WORK

    if source is None and params is None and WORK.settings.exists() and WORK.tables.exists():
        chosen = read_settings(WORK.settings)
        night = Night.under_way(chosen, WORK)
    else:
        chosen = settings(params)
        source = source or chosen.source
        if source == TOWN:
            raise SourceError(
                explained(
                    "there are no tables yet",
                    where=str(WORK.tables),
                    remedy="run make nightly, or name tables with --source",
                )
            )
        chosen = settings_of(chosen.model_dump(exclude_unset=True) | {"source": source}, where="--source")
        night = Night(chosen, source)
    if as_of is None:
        return night
    known = night.settings.model_dump(exclude_unset=True)
    return Night(settings_of(known | {"as_of": as_of}, where="--as-of"), night.source)


def settings_if_sound(params: Path | None = None) -> "Settings | None":
    """Return the settings, None when they cannot be read: for commands that must work all the same."""
    try:
        return settings(params)
    except RecsysError:
        return None


def language(lang: str | None, chosen: "Settings | None") -> Literal["ja", "en"]:
    """Return the language asked for, else the one the settings name, else the one of the locale.

    Raises SettingsError for a language without texts.
    """
    named = chosen is not None and "lang" in chosen.report.model_fields_set
    found = lang or (chosen.report.lang if chosen and named else "ja" if speaks_japanese() else "en")
    if found not in {"ja", "en"}:
        raise SettingsError(
            explained("unknown language", got=found, remedy=did_you_mean(found, ["ja", "en"]))
        )
    return cast(Literal["ja", "en"], found)
