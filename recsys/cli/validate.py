"""recsys validate."""

from pathlib import Path
from typing import Annotated

import typer

from recsys.cli.app import AsOf, Params, Source, app


@app.command()
def validate(
    source: Source = None,
    as_of: AsOf = None,
    quarantine: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the refused rows to this CSV file.")
    ] = None,
    params: Params = None,
) -> None:
    """Check tables and count refused rows by reason.

    Every row is accepted or refused, never lost; a table that cannot be used ends with 40.

    Example: recsys validate --source parquet:members --quarantine refused.csv
    """
    from recsys.cli.opening import language, opened
    from recsys.cli.say import say
    from recsys.schema.quarantine import CODES

    night = opened(source, as_of, params)
    tables, spoken = night.tables, language(None, night.settings)
    typer.echo(tables.counts.to_string(index=False))
    refused = tables.quarantine
    if len(refused):
        reasons = refused.assign(**{CODES: refused[CODES].str.split("|")}).explode(CODES)
        counted = reasons.groupby(["table", CODES]).size().rename("rows").reset_index()
        typer.echo()
        say("by_reason", spoken)
        typer.echo(counted.to_string(index=False))
    if quarantine is not None:
        refused.to_csv(quarantine, index=False)
        typer.echo()
        say("refused_rows", spoken, rows=f"{len(refused):,}", path=quarantine)
