"""recsys report."""

from pathlib import Path
from typing import Annotated

import typer

from recsys.cli.app import AsOf, Lang, Params, Source, app


@app.command()
def report(
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the page goes.")] = Path("report.html"),
    *,
    published: Annotated[Path, typer.Option(metavar="DIR", help="Where publications are.")] = Path(
        "data/published"
    ),
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
    from recsys.cli.opening import language, opened
    from recsys.publication.work import WORK
    from recsys.report import render_report
    from recsys.report.read_night import read_night
    from recsys.storage.durable import write_durably
    from recsys.storage.published import read_publication

    night = opened(source, as_of, params)
    folder = read_publication(published, run_id=run).folder
    source_name = night.settings.source
    summary = read_night(folder, night.people, night.policy, work=WORK, source=source_name)
    chosen = night.settings.report
    page = render_report(summary, language(lang, night.settings), sample_lists=chosen.sample_lists)
    write_durably(out, page.encode())
    typer.echo(f"{out}")
