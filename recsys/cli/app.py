"""The program itself, the options its commands share, and how an error is shown."""

from pathlib import Path
from typing import Annotated, Any

import typer

from recsys.cli.japanese import in_japanese, speaks_japanese
from recsys.errors import RecsysError


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
            "simulate",
            "validate",
            "train",
            "evaluate",
            "recommend",
            "publish",
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
Lang = Annotated[
    str | None,
    typer.Option(metavar="ja|en", help="Language of the texts; the report's language by default."),
]
