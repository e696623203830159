"""recsys simulate."""

from typing import Annotated

import typer

from recsys.cli.app import Params, app


@app.command()
def simulate(
    people: Annotated[
        int | None, typer.Option(help="How many people; params.yaml's number by default.")
    ] = None,
    out: Annotated[
        str, typer.Option(metavar="TARGET", help="parquet:DIR or duckdb:FILE.")
    ] = "parquet:data/town",
    seed: Annotated[int | None, typer.Option(help="Seed; params.yaml's by default.")] = None,
    params: Params = None,
) -> None:
    """Make a synthetic town.

    People, answers, boundaries, and what has happened between them so far.

    Example: recsys simulate --people 500 --out parquet:data/town
    """
    from recsys.cli.opening import settings
    from recsys.config import settings_of
    from recsys.publication.chosen_town import chosen_town
    from recsys.storage.write import write_tables

    changes = {"people": people, "seed": seed}
    given = {name: value for name, value in changes.items() if value is not None}
    town = chosen_town(settings_of(settings(params).model_dump() | given, where="options"))
    write_tables(town.tables, out)
    typer.echo(f"{town} in {out}")
