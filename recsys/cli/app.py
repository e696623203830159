"""The program itself, the options its commands share, and how an error is shown."""

import os
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, cast

import typer

from recsys.errors import RecsysError, SettingsError, SourceError, did_you_mean, explained

if TYPE_CHECKING:
    from recsys.catalogue.entries import Language
    from recsys.pipeline.night import Night
    from recsys.settings import Settings


_LOCALES: Final = ("LC_ALL", "LC_MESSAGES", "LANG")
"""Environment variables that say the language, the first that is set counts."""


def speaks_japanese(environment: Mapping[str, str] | None = None) -> bool:
    """Say whether the locale is Japanese.

    >>> speaks_japanese({"LANG": "ja_JP.UTF-8"}), speaks_japanese({"LC_ALL": "C", "LANG": "ja_JP.UTF-8"})
    (True, False)
    """
    known = os.environ if environment is None else environment
    first = next((known[name] for name in _LOCALES if known.get(name)), "")
    return first.partition("_")[0].partition(".")[0] == "ja"


def help_texts() -> dict[str, Any]:
    """Return the Japanese texts: of the program, of its commands, of their options."""
    from recsys.strict_yaml import parse_yaml

    text = (files("recsys.cli") / "help.ja.yaml").read_text(encoding="utf-8")
    content: dict[str, Any] = parse_yaml(text, where="help.ja.yaml")
    return content


def in_japanese(group: Any, prefix: str = "") -> None:
    """Put Japanese in place of the help of a group of commands, its commands and their options."""
    texts = help_texts()
    group.help = texts["commands"].get(prefix, group.help) if prefix else texts["program"]
    for name, command in group.commands.items():
        full = f"{prefix} {name}".strip()
        command.help = texts["commands"].get(full, command.help)
        for parameter in command.params:
            known = texts["options"]
            text = known.get(f"{full}.{parameter.name}", known.get(parameter.name))
            parameter.help = text or getattr(parameter, "help", None)
        if hasattr(command, "commands"):
            in_japanese(command, full)


class _Explaining(typer.core.TyperGroup):
    """Shows an error of the package as one message and ends with its exit code.

    Help is in Japanese where the locale of the terminal is.
    """

    def make_context(self, *given: Any, **named: Any) -> Any:
        """Read the arguments."""
        if speaks_japanese():
            in_japanese(self)
        return super().make_context(*given, **named)

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except RecsysError as error:
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(error.exit_code) from error

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the commands in the order of a night."""
        order = [
            "init",
            "map",
            "catalogue",
            "night",
            "simulate",
            "validate",
            "train",
            "evaluate",
            "recommend",
            "publish",
            "experiment",
            "export",
            "rollback",
            "report",
            "promote",
        ]
        names = super().list_commands(ctx)
        return [name for name in order if name in names] + [name for name in names if name not in order]


app = typer.Typer(
    name="recsys",
    cls=_Explaining,
    help="Mutual, boundary-respecting recommendations for companionship communities.\n\n"
    "Commands work on the tables of the night under way (data/work) unless --source names others.\n\n"
    "Exit codes: 0 done, 10 published with warnings, 20 refused by a gate, 30 try again, "
    "40 broken input or setting.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)

Source = Annotated[
    str | None,
    typer.Option(
        metavar="SOURCE",
        help="parquet:DIR, csv:DIR, duckdb:FILE or postgresql://...; the night under way by default.",
    ),
]
AsOf = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="The moment to stand at, such as 2026-01-05T03:00:00Z."),
]
Params = Annotated[Path | None, typer.Option(metavar="FILE", help="Settings; params.yaml by default.")]
Published = Annotated[Path, typer.Option(metavar="DIR", help="Where publications are.")]
Replace = Annotated[bool, typer.Option("--replace", help="Write over tables that are there already.")]
Lang = Annotated[
    str | None,
    typer.Option(metavar="ja|en", help="Language of the texts; the report's language by default."),
]


def settings(params: Path | None) -> "Settings":
    """Return the settings of `params`, else of params.yaml when there is one, else the defaults."""
    from recsys.settings import PARAMS_FILE, Settings, read_settings

    if params is None and not Path(PARAMS_FILE).exists():
        return Settings()
    return read_settings(params or PARAMS_FILE)


def opened(source: str | None, as_of: str | None, params: Path | None) -> "Night":
    """Return the night of the options: the one under way when no source is named.

    Raises SourceError when no source is named and no night is under way.
    """
    from recsys.pipeline.night import Night
    from recsys.pipeline.paths import PATHS
    from recsys.settings import TOWN, Settings, read_settings

    if source is None and params is None and PATHS.settings.exists() and PATHS.tables.exists():
        chosen = read_settings(PATHS.settings)
        night = Night.current(chosen, PATHS)
    else:
        chosen = settings(params)
        source = source or chosen.source
        if source == TOWN:
            raise SourceError(
                explained(
                    "there are no tables yet",
                    where=str(PATHS.tables),
                    remedy="run make nightly, or name tables with --source",
                )
            )
        chosen = Settings.from_mapping(
            chosen.model_dump(exclude_unset=True) | {"source": source}, where="--source"
        )
        night = Night(chosen, source)
    if as_of is None:
        return night
    known = night.settings.model_dump(exclude_unset=True)
    return Night(Settings.from_mapping(known | {"as_of": as_of}, where="--as-of"), night.source)


def settings_if_sound(params: Path | None = None, changes: Sequence[str] = ()) -> "Settings | None":
    """Return the settings, None when they cannot be read: for commands that must work all the same.

    changes: `key=value` texts that go before what the file `params` says.
    """
    from recsys.settings import read_settings

    try:
        return read_settings(params, changes) if params and changes else settings(params)
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


def say(key: str, lang: "Language", **values: object) -> None:
    """Print the text `cli.KEY` in one language.

    >>> say("written", "en", path="page.html")
    written: page.html
    """
    from recsys.catalogue.catalogue import load_catalogue

    typer.echo(load_catalogue().text(f"cli.{key}", lang, **values))
