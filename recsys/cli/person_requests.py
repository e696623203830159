"""What is done about single people: recsys access, recsys forget and recsys unlink."""

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recsys.cli.app import Lang, Published, app
from recsys.cli.safety_store import OwnStore, store_at

if TYPE_CHECKING:  # a command imports what it runs, so that others start at once
    from recsys.catalogue.entries import Language
    from recsys.pipeline.erasure import Erasure
    from recsys.safety.store import SafetyStore

Cases = Annotated[Path, typer.Option(metavar="DIR", help="Where cases of the console are kept.")]


@app.command()
def forget(
    users: Annotated[list[str], typer.Argument(metavar="USER...", help="Ids of people who asked for it.")],
    *,
    published: Published = Path("data/published"),
    tracking: Annotated[
        str, typer.Option(metavar="PLACE", help="Where nights are kept: a folder, or an address.")
    ] = "data/tracking",
    safety: OwnStore = None,
    served_from: Annotated[
        list[str] | None,
        typer.Option(
            "--served-from", metavar="ADDRESS", help="postgresql://user@host/db that lists were exported to."
        ),
    ] = None,
    cases: Cases = Path("data/cases"),
    yes: Annotated[
        bool,
        typer.Option("--yes", help="Erase also who has cases, holds or reports, without being asked."),
    ] = False,
    unknown: Annotated[
        bool, typer.Option("--unknown", help="Erase also an id that nothing names, such as a newcomer's.")
    ] = False,
    lang: Lang = None,
) -> None:
    """Erase people for good.

    What is served here leaves them out at once, and tables, artifacts and publications of the home by the
    next night. Earlier publications are rewritten without them. Your own tables and backups stay yours. This
    cannot be undone. It may be asked again, for example when the database was away (exit code 30). An id
    that nothing names is refused. Who has cases, is on hold or stands in reports that are no case yet is
    asked about first: nobody is erased then (exit code 40).

    Example: recsys forget u0000007 --served-from postgresql://recsys@db/service
    """
    from recsys.cli.app import language, say, settings_if_sound
    from recsys.pipeline.erasure import drop_applied_erasures, erase, require_published_folder
    from recsys.safety.erasure_list import ErasureList
    from recsys.tracking.mlflow_tracker import erase_from_tracking

    spoken = language(lang, settings_if_sound())
    require_published_folder(published)
    store = store_at(safety)
    restricted = _restricted_if_read(users, cases, store, published, yes=yes)
    if not unknown:
        _require_known([user for user in _new_among(users, published) if user not in restricted], published)
    if restricted and not yes:
        _ask_first(restricted, spoken)
    _note("erasure", "recsys forget", users, cases)
    outcome = erase(users, published, safety=store)
    if store is not None:
        drop_applied_erasures(store, published)
    _erase_from_databases(users, served_from or (), spoken)
    changed = erase_from_tracking(tracking, ErasureList.of(published).now())
    _forget_in_cases(users, cases)  # last: cases that cannot be read keep nobody from being erased
    say("erased_new", spoken, new=outcome.new, asked=len(users))
    _say_erased(outcome, spoken, files=changed)


def _forget_in_cases(users: list[str], cases: Path) -> None:
    """Leave people out of cases and of the audit log of operators."""
    from recsys.http.audit_log import AuditLog
    from recsys.moderation.cases import forget_in_cases

    forget_in_cases(cases, users)
    for user in users:
        AuditLog(cases).redact(user)


def _new_among(users: list[str], published: Path) -> list[str]:
    """Return those of some people who are in no list of erasures yet."""
    from recsys.safety.erasure_list import ErasureList

    before = ErasureList.of(published).now().among(users)
    return [user for user, is_listed in zip(users, before, strict=True) if not is_listed]


def _restricted_if_read(
    users: Sequence[str], cases: Path, store: "SafetyStore | None", published: Path, *, yes: bool
) -> dict[str, tuple[int, int, int]]:
    """Return what `_restricted` does; nobody where cases cannot be read and whoever asks said yes already."""
    from recsys.errors import SafetyUnavailable

    try:
        return _restricted(users, cases, store, published)
    except SafetyUnavailable:
        if not yes:
            raise
        return {}


def _restricted(
    users: Sequence[str], cases: Path, store: "SafetyStore | None", published: Path
) -> dict[str, tuple[int, int, int]]:
    """Return how many cases, holds, and reports without a case name each person, where there are any."""
    from recsys.http.console_tables import AccountTables
    from recsys.moderation.case_states import CLOSED
    from recsys.moderation.cases import CaseLog
    from recsys.moderation.report_events import named_as_in_night
    from recsys.moderation.review_queue import calls_since_the_night, flagged_in_night
    from recsys.pipeline.paths import PATHS
    from recsys.safety.day_log import REFUSED
    from recsys.safety.store import MemorySafety, StoreHold, StoreWithRestrictions, ask_safety

    all_cases = CaseLog(cases, MemorySafety()).cases().values()
    of_users = [one for one in all_cases if one.person in users]
    resting = {event.removeprefix(REFUSED) for one in all_cases for event in one.evidence}
    calls = [] if store is None else calls_since_the_night(published, store)
    calls = named_as_in_night(calls, PATHS.tables)
    named: dict[str, set[str | None]] = {
        one.event_id.removeprefix(REFUSED): {one.actor, one.target} for one in calls
    }
    flagged = flagged_in_night(PATHS.tables, users, PATHS.quarantine)
    named |= {event: {*people} for event, people in flagged.items()}
    in_tables = AccountTables.of(PATHS.tables).held()
    found = {}
    for user in users:
        n_calls = sum(user in people for event, people in named.items() if event not in resting)
        n_cases = sum(one.person == user and one.state != CLOSED for one in of_users)
        holds: tuple[StoreHold, ...] = ()
        if isinstance(store, StoreWithRestrictions):
            holds = ask_safety(partial(store.restrictions_of, user)).holds
        holds += (in_tables[user],) if user in in_tables else ()
        if n_cases or holds or n_calls or any(one.person == user for one in of_users):
            found[user] = (n_cases, len(holds), n_calls)
    return found


def _require_known(users: Sequence[str], published: Path) -> None:
    """Raise InputError for ids that nothing names: a misspelt one would be erased, and the person not."""
    from recsys.errors import InputError, explained
    from recsys.pipeline.erasure import ids_found_nowhere
    from recsys.pipeline.paths import PATHS

    if nowhere := ids_found_nowhere(users, (published, PATHS.root)):
        remedy = "check how it is spelled; nobody was erased; --unknown erases it all the same"
        what = f"nothing that is served or in {PATHS.root} names this id"
        raise InputError(explained(what, got=", ".join(nowhere), remedy=remedy))


def _ask_first(restricted: dict[str, tuple[int, int, int]], spoken: "Language") -> None:
    """Say whose cases, holds or reports would end, and ask; InputError where nobody is there to answer."""
    from recsys.cli.app import say
    from recsys.errors import InputError, explained

    asked = {user: numbers for user, numbers in restricted.items() if any(numbers)}
    for user, (cases, holds, calls) in asked.items():
        if cases or holds:
            say("erase_restricted", spoken, user=user, cases=cases, holds=holds)
        if calls:
            say("erase_calls", spoken, user=user, n=calls)
    if not asked or (sys.stdin.isatty() and typer.confirm("?")):
        return
    remedy = "add --yes when these may end; nobody was erased"
    raise InputError(
        explained(
            "somebody has open cases, is on hold or stands in reports that are no case yet",
            got=", ".join(asked),
            remedy=remedy,
        )
    )


def _note(what: str, command: str, users: Sequence[str], cases: Path) -> None:
    """Note in the audit log of the console who asked for something at the command line."""
    import getpass

    from recsys.http.audit_log import AuditLog

    try:
        name = getpass.getuser()
    except (OSError, KeyError, ImportError):  # no name in the environment or on the machine
        name = "?"
    AuditLog(cases).add(name, command, what, [*users])


def _erase_from_databases(users: Sequence[str], addresses: Sequence[str], spoken: "Language") -> None:
    from recsys.cli.app import say
    from recsys.pipeline.postgres_served_lists import erase_from_served_lists

    for address in addresses:
        left = erase_from_served_lists(users, address)
        say("erased_from_database", spoken, lists=left.lists, shortened=left.shortened)


def _say_erased(outcome: "Erasure", spoken: "Language", *, files: int) -> None:
    """Tell what an erasure changed."""
    from recsys.cli.app import say

    removed, rewritten = ", ".join(outcome.removed), ", ".join(outcome.rewritten)
    say("erased_runs" if removed else "erased_no_runs", spoken, runs=removed)
    say("erased_from_tracking", spoken, files=files)
    if rewritten:
        say("erased_rewritten", spoken, runs=rewritten)
    if outcome.still_named:
        say("erased_next_night", spoken)


@app.command()
def access(
    user: Annotated[str, typer.Argument(metavar="USER", help="The id of the person who asks.")],
    *,
    published: Published = Path("data/published"),
    tables: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A folder of the tables that nights are made from.")
    ] = None,
    tracking: Annotated[
        Path, typer.Option(metavar="DIR", help="The folder where tracked nights are kept.")
    ] = Path("data/tracking"),
    safety: OwnStore = None,
    cases: Cases = Path("data/cases"),
    out: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write it as JSON as well, to hand over.")
    ] = None,
    lang: Lang = None,
) -> None:
    """Write the letter that says what is held of one person.

    Files and stores of the home that can name them: in words, to be sent as it is, and as JSON beside it.
    What others said about them, and who the others are, is kept back. Of --tables it gives the columns of the
    tables of this package; a file with others, in which somebody else may speak of them, is named on the
    error output: answer from it yourself.

    Example: recsys access u0000007 --json u0000007.json
    """
    from recsys.catalogue.catalogue import load_catalogue
    from recsys.cli.app import language, settings_if_sound
    from recsys.errors import InputError
    from recsys.pipeline.erasure import require_not_erased, require_published_folder
    from recsys.pipeline.paths import PATHS
    from recsys.pipeline.subject_access import nothing_found, person_data, person_places
    from recsys.pipeline.subject_access_letter import access_letter
    from recsys.storage.atomic_write import write_atomically

    require_published_folder(published)
    require_not_erased(user, published)
    _note("access", "recsys access", [user], cases)
    places = person_places(
        published=published, work=PATHS.root, tracking=tracking, tables=tables, cases=cases
    )
    found = person_data(user, places, safety=store_at(safety))
    chosen = settings_if_sound()
    if by_hand := ", ".join(one.file for one in found.files if one.by_hand):
        typer.echo(load_catalogue().text("cli.by_hand", language(lang, chosen), files=by_hand), err=True)
    if not found.is_of_somebody:
        raise InputError(nothing_found(user))
    if out is not None:
        write_atomically(out, found.as_json().encode())
    zone = "UTC" if chosen is None else chosen.report.time_zone
    typer.echo(access_letter(found, language(lang, chosen), time_zone=zone))


@app.command()
def unlink(
    user: Annotated[str, typer.Argument(metavar="USER", help="The account that is nobody else's.")],
    *,
    owner: Annotated[str, typer.Option(metavar="WORD", help="Who decides it, such as case-31.")],
    reason: Annotated[str, typer.Option(metavar="WORD", help="Why, in a word, such as wrong-column.")],
    published: Published = Path("data/published"),
    lang: Lang = None,
) -> None:
    """Take back that an account is of one person with others, where a wrong person token made them so.

    Mend the tables and publish a night first: the account keeps the token it has in what is served, and no
    other account there may have it. A ban or hold of its own stays, and so do blocks and reports. Those of
    the other accounts stop it no longer.

    Example: recsys unlink u0000007 --owner case-31 --reason wrong-column
    """
    from recsys.cli.app import language, say, settings_if_sound
    from recsys.pipeline.erasure import require_published_folder
    from recsys.pipeline.token_changes import unlink_account

    spoken = language(lang, settings_if_sound())
    require_published_folder(published)
    say("unlinked", spoken, links=unlink_account(published, user, owner=owner, reason=reason))
