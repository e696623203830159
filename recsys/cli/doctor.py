"""recsys doctor."""

import typer

from recsys.cli.app import Params, app


@app.command()
def doctor(params: Params = None) -> None:
    """Check what the next night needs.

    The environment, the settings, sizes, the disk, what is served, and the last nights.

    Example: recsys doctor
    """
    from recsys.errors import EXIT_BROKEN_INPUT
    from recsys.publication.health import examine

    findings = examine(params)
    for finding in findings:
        typer.echo(f"{'ok ' if finding.good else 'BAD'}  {finding.what:<12} {finding.said}")
    if not all(finding.good for finding in findings):
        raise typer.Exit(EXIT_BROKEN_INPUT)
