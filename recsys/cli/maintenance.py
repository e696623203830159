"""The commands that look after publications: report, forget and others."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from recsys.cli.app import AsOf, Lang, Params, Source, app

if TYPE_CHECKING:  # a command imports what it runs, so that others start at once
    from recsys.catalogue.entries import Language
    from recsys.pipeline.erasure import Erasure
    from recsys.safety.store import SafetyStore

HOME_STORE: Final = Path("data/safety.db")
"""The safety store of a home, used where no other is named."""


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


@app.command()
def forget(
    users: Annotated[list[str], typer.Argument(metavar="USER...", help="Ids of people who asked for it.")],
    *,
    published: Annotated[Path, typer.Option(metavar="DIR", help="Where publications are.")] = Path(
        "data/published"
    ),
    tracking: Annotated[
        str, typer.Option(metavar="PLACE", help="Where nights are kept: a folder, or an address.")
    ] = "data/tracking",
    safety: Annotated[
        str | None,
        typer.Option(
            metavar="STORE", help="The safety store: a SQLite file, or an address; data/safety.db if there."
        ),
    ] = None,
    served_from: Annotated[
        list[str] | None,
        typer.Option(
            "--served-from", metavar="ADDRESS", help="postgresql://user@host/db that lists were exported to."
        ),
    ] = None,
    cases: Annotated[Path, typer.Option(metavar="DIR", help="Where cases of the console are kept.")] = Path(
        "data/cases"
    ),
) -> None:
    """Erase people for good.

    They vanish from what is served at once, and from every table, artifact and publication by the next
    night. Earlier publications are rewritten without them. This cannot be undone. It may be asked again,
    for example when the database was away (exit code 30).

    Example: recsys forget u0000007 --served-from postgresql://recsys@db/service
    """
    from recsys.cli.app import language, say, settings_if_sound
    from recsys.moderation.cases import forget_in_cases
    from recsys.pipeline.erasure import erase, require_published_folder
    from recsys.pipeline.postgres_served_lists import erase_from_served_lists
    from recsys.safety.erasure_list import ErasureList
    from recsys.tracking.mlflow_tracker import erase_from_tracking

    spoken = language(None, settings_if_sound())
    require_published_folder(published)
    before = ErasureList.of(published).now().among(users)
    outcome = erase(users, published, safety=_store_at(safety))
    forget_in_cases(cases, users)
    for address in served_from or ():
        left = erase_from_served_lists(users, address)
        say("erased_from_database", spoken, lists=left.lists, shortened=left.shortened)
    changed = erase_from_tracking(tracking, ErasureList.of(published).now())
    say("erased_new", spoken, new=outcome.new, asked=len(users))
    asked_first = [user for user, known in zip(users, before, strict=True) if not known]
    _say_erased(outcome, spoken, files=changed, asked_first=asked_first, published=published)


def _store_at(address: str | None) -> "SafetyStore | None":
    """Return the store of an address or a file; that of the home when None, if it has one."""
    from recsys.safety import open_safety

    if address is None:
        return open_safety(f"sqlite:{HOME_STORE}") if HOME_STORE.is_file() else None
    return open_safety(address if ":" in address else f"sqlite:{address}")


def _say_erased(
    outcome: "Erasure", spoken: "Language", *, files: int, asked_first: Sequence[str], published: Path
) -> None:
    """Tell what an erasure changed, and which ids stand nowhere."""
    from recsys.cli.app import say
    from recsys.errors import shown
    from recsys.pipeline.erasure import ids_found_nowhere
    from recsys.pipeline.paths import PATHS

    removed, rewritten = ", ".join(outcome.removed), ", ".join(outcome.rewritten)
    say("erased_runs" if removed else "erased_no_runs", spoken, runs=removed)
    say("erased_from_tracking", spoken, files=files)
    if rewritten:
        say("erased_rewritten", spoken, runs=rewritten)
    unknown = [] if removed or rewritten else ids_found_nowhere(asked_first, (published, PATHS.root))
    if unknown:
        say("erased_ids_unknown", spoken, users=", ".join(map(shown, unknown)), work=PATHS.root)
    if outcome.still_named:
        say("erased_next_night", spoken)


@app.command()
def access(
    user: Annotated[str, typer.Argument(metavar="USER", help="The id of the person who asks.")],
    *,
    published: Annotated[Path, typer.Option(metavar="DIR", help="Where publications are.")] = Path(
        "data/published"
    ),
    tables: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A folder of the tables that nights are made from.")
    ] = None,
    tracking: Annotated[
        Path, typer.Option(metavar="DIR", help="The folder where tracked nights are kept.")
    ] = Path("data/tracking"),
    safety: Annotated[
        str | None,
        typer.Option(
            metavar="STORE", help="The safety store: a SQLite file, or an address; data/safety.db if there."
        ),
    ] = None,
    cases: Annotated[Path, typer.Option(metavar="DIR", help="Where cases of the console are kept.")] = Path(
        "data/cases"
    ),
    out: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write it as JSON as well, to hand over.")
    ] = None,
    lang: Lang = None,
) -> None:
    """Write the letter that says everything held of one person.

    Every file and store that can name them: in words, to be sent as it is, and as JSON beside it. What others
    said about them, and who the others are, is kept back.

    Example: recsys access u0000007 --json u0000007.json
    """
    from recsys.cli.app import language, settings_if_sound
    from recsys.errors import InputError
    from recsys.pipeline.access import nothing_found, person_data, person_places
    from recsys.pipeline.access_letter import access_letter
    from recsys.pipeline.erasure import require_published_folder
    from recsys.pipeline.paths import PATHS
    from recsys.storage.atomic_write import write_atomically

    require_published_folder(published)
    places = person_places(
        published=published, work=PATHS.root, tracking=tracking, tables=tables, cases=cases
    )
    found = person_data(user, places, safety=_store_at(safety))
    if not found.shown:
        raise InputError(nothing_found(user))
    if out is not None:
        write_atomically(out, found.as_json().encode())
    typer.echo(access_letter(found, language(lang, settings_if_sound())))
