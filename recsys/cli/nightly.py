"""Commands of an installation and its nights: recsys init, night, warm, report, doctor."""

from pathlib import Path
from typing import Annotated

import typer

from recsys.cli.app import AsOf, Lang, Params, Published, Source, app


@app.command()
def night(
    *,
    home: Annotated[
        Path, typer.Option(metavar="DIR", help="The folder with params.yaml; all it writes is in DIR/data.")
    ] = Path(),
    params: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Settings; params.yaml of the home by default.")
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a setting for this run; may be repeated."),
    ] = None,
    export: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="postgresql://user@host/db that serves the lists as well."),
    ] = None,
    lang: Lang = None,
) -> None:
    """Run one night: from the tables of a service to published lists and a page about them.

    Relative paths of the settings are taken from the home, wherever this is called. A stage for which
    nothing changed is left out, and a night that was cut short goes on where it ended.

    Exit codes: 0 published, 10 published with warnings, 20 refused by a gate, 30 try again,
    40 broken input or setting.

    Example: recsys night --home /srv/recsys/production --export postgresql://recsys@db/service
    """
    from recsys.batch.night import run_night
    from recsys.cli.app import language, settings_if_sound
    from recsys.settings import PARAMS_FILE

    spoken = language(lang, settings_if_sound(params or home / PARAMS_FILE, changes or ()))
    raise typer.Exit(run_night(home, params=params, changes=changes or (), export=export, lang=spoken))


@app.command()
def warm() -> None:
    """Compile the kernels, once after an installation or for an image, so that no page and no night waits.

    Compiled kernels go to the folder of RECSYS_CACHE, else beside the package or into the home of the user.
    Where the night is not installed, those of serving alone are compiled.

    Example: recsys warm
    """
    from importlib.util import find_spec

    from recsys.retrieval.top_k import warm_up

    typer.echo(f"{warm_up():.1f} s")
    if find_spec("implicit") is not None and find_spec("sklearn") is not None:
        from recsys.batch.compile_kernels import warm as compiled

        compiled()


@app.command("init")
def init(
    home: Annotated[Path, typer.Argument(metavar="DIR", help="New folder of one service.")],
    source: Annotated[
        str | None,
        typer.Option(
            metavar="SOURCE", help="The service's tables, to draft a mapping of: a folder, file or address."
        ),
    ] = None,
    as_of: AsOf = None,
    lang: Lang = None,
) -> None:
    """Make a home: settings, keys that only you can read, unit files, and drafts of a mapping.

    Nothing that stands there already is written over. The keys are made here and shown nowhere.

    Example: recsys init /srv/recsys/production --source exports/2026-06-30
    """
    from recsys.cli.app import language, say
    from recsys.cli.mapping import moment_of
    from recsys.mapping.project import unconfirmed
    from recsys.pipeline.service_home import make_home
    from recsys.safety.keys import KEY_FILE

    moment, spoken = None if as_of is None else moment_of(as_of), language(lang, None)
    files = make_home(home, source, as_of=moment)
    say("home_made", spoken, home=str(home), files=len(files), keys=KEY_FILE)
    drafts = [path.read_text(encoding="utf-8") for path in files if path.parent.name == "mapping"]
    if not drafts:
        say("home_without_mapping", spoken, home=str(home))
        return
    guesses, todo = map(sum, zip(*map(unconfirmed, drafts), strict=True))
    say("drafted", spoken, out=str(home / "mapping"), guesses=guesses, todo=todo)


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
