"""recsys map: check a mapping of a service's own tables, and write what it gives."""

from pathlib import Path
from typing import Annotated

import typer

from recsys.cli.app import Lang, app

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


@mapping_app.command("check")
def check(folder: Folder, lang: Lang = None) -> None:
    """Run a mapping and say who could be listed and why the rest could not.

    Nothing is written. Rows are read, set aside with a reason, or accepted; what functions could not read is
    counted, without the values.

    Example: recsys map check mapping
    """
    from recsys.cli.app import language
    from recsys.mapping import Mapping, check_mapping

    typer.echo(check_mapping(Mapping.read(folder)).report(language(lang, None)))


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
    write_tables(found.tables, out)
    rows = sum(len(frame) for frame in found.tables.values())
    say("mapped", language(lang, None), rows=f"{rows:,}", tables=len(found.tables), out=out)
