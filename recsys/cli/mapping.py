"""recsys map: check a mapping of a service's own tables, and write what it gives."""

from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from recsys.cli.app import AsOf, Lang, app
from recsys.errors import EXIT_REFUSED, SettingsError, explained

mapping_app = typer.Typer(
    name="map",
    help="Turn a service's own tables into the tables of the engine, by SQL.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(mapping_app)

Folder = Annotated[
    Path, typer.Argument(metavar="DIR", help="Folder with mapping.yaml and one SQL file a table.")
]


@mapping_app.command("init")
def init(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="Folder, file or database address.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="New folder for the drafts.")],
    as_of: AsOf = None,
    encoding: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Encoding of the texts, such as cp932; guessed when left out."),
    ] = None,
    lang: Lang = None,
) -> None:
    """Draft a mapping from a service's own tables: guesses with their evidence, TODO where nothing is known.

    The drafts run as they are; what they do not know stays unknown. No personal value stands in a draft.

    Example: recsys map init exports/2026-06-30 --out mapping
    """
    from recsys.cli.app import language, say
    from recsys.mapping.draft import draft_mapping, source_from
    from recsys.mapping.project import unconfirmed

    moment = None if as_of is None else moment_of(as_of)
    draft = draft_mapping(source_from(source, out), as_of=moment, folder=out, encoding=encoding)
    draft.write(out)
    guesses, todo = map(sum, zip(*map(unconfirmed, draft.files.values()), strict=True))
    say("drafted", language(lang, None), out=str(out), guesses=guesses, todo=todo)


def moment_of(text: str) -> datetime:
    """Return a moment with its zone.

    Raises SettingsError for another text.
    """
    with suppress(ValueError):
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None:
            return found
    remedy = "give the moment with its zone, such as 2026-06-30T23:59:59+09:00"
    raise SettingsError(explained("no moment", where="--as-of", got=text, remedy=remedy))


@mapping_app.command("check")
def check(
    folder: Folder,
    everybody: Annotated[
        bool,
        typer.Option("--all", help="Look at everybody, however many; else at a sample of a large source."),
    ] = False,
    ids: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write every id, whether it may be listed, and why not, as CSV; looks at everybody.",
        ),
    ] = None,
    lang: Lang = None,
) -> None:
    """Run a mapping and say who could be listed and why the rest could not.

    Nothing is written but what --ids asks for. Rows are read, set aside with a reason, or accepted; what
    functions could not read is counted. It is for operators: some places, interests, distances, hours and
    employers are shown as they stand. Of a large source a sample is looked at first. Where nobody could be
    listed the exit code is 20.

    Example: recsys map check mapping
    """
    from recsys.cli.app import language
    from recsys.mapping import Mapping, check_mapping
    from recsys.mapping.check import MOST_PEOPLE
    from recsys.storage.atomic_write import write_atomically

    most = None if everybody or ids is not None else MOST_PEOPLE
    spoken, found = language(lang, None), check_mapping(Mapping.read(folder), most=most)
    if ids is not None:
        table = found.people_listing[["user_id", "listed", "reason", spoken]]
        write_atomically(ids, table.rename(columns={spoken: "in_words"}).to_csv(index=False).encode())
    typer.echo(found.report(spoken))
    if not found.listed:
        raise typer.Exit(EXIT_REFUSED)


@mapping_app.command("run")
def run(
    folder: Folder,
    out: Annotated[str, typer.Option(metavar="TARGET", help="parquet:DIR or duckdb:FILE.")],
    lang: Lang = None,
) -> None:
    """Write the tables that a mapping gives.

    Example: recsys map run mapping --out parquet:data/members
    """
    from recsys.cli.app import language, say
    from recsys.mapping import Mapping, map_tables
    from recsys.storage.table_files import write_tables

    found = map_tables(Mapping.read(folder))
    write_tables(found.tables, out, catalogue=found.own)
    rows = sum(len(frame) for frame in found.tables.values())
    say("mapped", language(lang, None), rows=f"{rows:,}", tables=len(found.tables), out=out)
