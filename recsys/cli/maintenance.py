"""The commands that look after publications: report and doctor."""

from pathlib import Path
from typing import Annotated

import typer

from recsys.cli.app import AsOf, Lang, Params, Published, Source, app


@app.command()
def report(
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the page goes.")] = Path("report.html"),
    *,
    published: Published = Path("data/published"),
    run: Annotated[
        str | None, typer.Option(metavar="RUN", help="A run id; the one that is served by default.")
    ] = None,
    source: Source = None,
    as_of: AsOf = None,
    params: Params = None,
    lang: Lang = None,
) -> None:
    """Write the page about a night.

    Coverage, list lengths, the funnel, the gates and some lists, in one file that opens anywhere.

    Example: recsys report --out report.html --lang ja
    """
    from recsys.cli.app import language, opened
    from recsys.pipeline.paths import PATHS
    from recsys.report.night_summary import read_night
    from recsys.report.page import render_report
    from recsys.storage.atomic_write import write_atomically
    from recsys.storage.publication import read_publication

    night = opened(source, as_of, params)
    folder = read_publication(published, run_id=run).folder
    source_name = night.settings.source
    summary = read_night(folder, night.people, night.policy, paths=PATHS, source=source_name)
    chosen = night.settings.report
    page = render_report(
        summary, language(lang, night.settings), sample_lists=chosen.sample_lists, time_zone=chosen.time_zone
    )
    write_atomically(out, page.encode())
    typer.echo(f"{out}")


@app.command()
def doctor(params: Params = None) -> None:
    """Check what the next night needs.

    The environment, the settings, sizes, the disk, what is served, and the last nights.

    Example: recsys doctor
    """
    from recsys.catalogue.catalogue import LocalizedText
    from recsys.cli.app import language, settings_if_sound
    from recsys.errors import EXIT_BROKEN_INPUT
    from recsys.pipeline.doctor import run_checks

    findings, spoken = run_checks(params), language(None, settings_if_sound(params))
    for finding in findings:
        mark = LocalizedText(
            "doctor.hint" if finding.hint else "doctor.good" if finding.good else "doctor.bad"
        )
        typer.echo(f"{mark.text(spoken):<4} {finding.name:<12} {finding.text.text(spoken)}")
    if not all(finding.good for finding in findings):
        raise typer.Exit(EXIT_BROKEN_INPUT)
