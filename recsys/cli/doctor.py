"""recsys doctor."""

import typer

from recsys.cli.app import Params, app


@app.command()
def doctor(params: Params = None) -> None:
    """Check what the next night needs.

    The environment, the settings, sizes, the disk, what is served, and the last nights.

    Example: recsys doctor
    """
    from recsys.cli.opening import language, settings_if_sound
    from recsys.errors import EXIT_BROKEN_INPUT
    from recsys.publication.health import examine
    from recsys.schema.catalogue import Said

    findings, spoken = examine(params), language(None, settings_if_sound(params))
    for finding in findings:
        mark = Said("doctor.hint" if finding.hint else "doctor.good" if finding.good else "doctor.bad")
        typer.echo(f"{mark.text(spoken):<4} {finding.what:<12} {finding.said.text(spoken)}")
    if not all(finding.good for finding in findings):
        raise typer.Exit(EXIT_BROKEN_INPUT)
