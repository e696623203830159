"""What operators ask: recsys why-not, recsys funnel, recsys guard and recsys review."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final
from unicodedata import east_asian_width

import typer

from recsys.cli.app import AsOf, Lang, Params, Published, Source, app

if TYPE_CHECKING:
    from recsys.catalogue.entries import Language
    from recsys.constraints.why_not import WhyNot
    from recsys.data.population import Population


@app.command()
def why_not(
    a: Annotated[str, typer.Argument(metavar="A", help="One member's id.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The other's.")],
    *,
    source: Source = None,
    as_of: AsOf = None,
    params: Params = None,
    published: Published = Path("data/published"),
    lang: Lang = None,
) -> None:
    """Say why two people are kept apart, and which of the two is not shown to the other.

    For operators; never tell a member. It reads the tables of the night, and what the safety ledger holds of
    earlier nights and of the day, of the two and of accounts it takes for theirs.

    Example: recsys why-not u0000007 u0000012 --lang ja
    """
    from recsys.catalogue.catalogue import load_catalogue
    from recsys.cli.app import language, opened
    from recsys.constraints.why_not import LIKED, MATCHED, constraint_text, has_liked

    night = opened(source, as_of, params)
    spoken, texts, people = language(lang, night.settings), load_catalogue(), night.people
    reasons = night.policy.why_not(people, people.ids.row(a), people.ids.row(b))
    together = [reason for reason in reasons if reason.direction == "both"]
    matched = [reason.text for reason in together] == [constraint_text(MATCHED)]
    key = "cli.left_out" if matched else "cli.may_not_meet" if together else "cli.may_meet"
    typer.echo(texts.text(key, spoken, viewer=a, candidate=b))
    _list(together, spoken)
    for direction, viewer, candidate in (("forward", a, b), ("backward", b, a)):
        refused = [reason for reason in reasons if reason.direction == direction]
        if together and not refused:
            continue
        key = "cli.not_shown" if refused else "cli.shown"
        typer.echo(texts.text(key, spoken, viewer=viewer, candidate=candidate))
        _list(refused, spoken)
        if not refused and has_liked(people, people.ids.row(viewer), people.ids.row(candidate)):
            typer.echo(f"  - {constraint_text(LIKED).text(spoken)}")
    typer.echo(texts.text("cli.of_the_night", spoken))
    _say_ledger(published, people, [a, b], spoken)


def _list(reasons: "list[WhyNot]", lang: "Language") -> None:
    for reason in reasons:
        typer.echo(f"  - {reason.text.text(lang)}")


def _say_ledger(published: Path, people: "Population", users: list[str], spoken: "Language") -> None:
    """Say what the safety ledger holds of one or two people; nothing where it holds nothing of them."""
    from recsys.cli.app import say
    from recsys.safety.ledger import SafetyLedger
    from recsys.safety.ledger_reasons import separation_reasons, stop_reasons
    from recsys.safety.ledger_state import Who

    state = SafetyLedger.of(published).now()
    if not (state.restricts or state.links):
        return
    asked = [Who(user, people.person_tokens[people.ids.row(user)]) for user in users]
    told = [(who.user_id, "ledger_stops", reason) for who in asked for reason in stop_reasons(state, who)]
    if len(asked) > 1:
        both = " / ".join(users)
        told += [(both, "ledger_separates", reason) for reason in separation_reasons(state, *asked)]
    for who, key, reason in told:
        is_link = reason.why == "same_person"
        say("ledger_links" if is_link else key, spoken, who=who, why=reason.why, owner=reason.owner)
        if reason.linked and not is_link:
            say("ledger_of_another", spoken)


_COLUMNS: Final = ("removed_in_order", "removed_alone", "left")
_WIDTH: Final = 14


@app.command()
def funnel(
    user: Annotated[
        str | None, typer.Argument(help="Whose candidates; a sample of everybody's by default.")
    ] = None,
    *,
    source: Source = None,
    as_of: AsOf = None,
    params: Params = None,
    published: Published = Path("data/published"),
    lang: Lang = None,
) -> None:
    """Count whom each constraint removes.

    It shows why a list is short, of one member also what the safety ledger says. For operators; never tell a
    member.

    Example: recsys funnel u0000007
    """
    from recsys.catalogue.catalogue import load_catalogue
    from recsys.cli.app import language, opened
    from recsys.constraints.funnel import funnel as counted

    night = opened(source, as_of, params)
    spoken, texts, people = language(lang, night.settings), load_catalogue(), night.people
    rows = None if user is None else [people.ids.row(user)]
    steps = counted(night.policy, people, rows)

    def text(key: str, **values: object) -> str:
        return texts.text(f"funnel.{key}", spoken, **values)

    typer.echo(f"{user or text('everybody')} ({steps.attrs['viewers']:,} × {len(people) - 1:,})")
    typer.echo(_row([text(column) for column in _COLUMNS], text("alone_note")))
    for step in steps.to_dict("records"):
        name = step["constraint"]
        label = text(name) if f"funnel.{name}" in texts.texts else name
        if step["removed_alone"]:
            typer.echo(_row([f"{step[column]:,}" for column in _COLUMNS], label))
    left = steps["left"].iloc[-1] if len(steps) else steps.attrs["candidates"]
    typer.echo(text("summary", left=f"{left:,}", everybody=f"{steps.attrs['candidates']:,}"))
    if user is not None:
        _say_ledger(published, people, [user], spoken)


def _row(numbers: list[str], label: str) -> str:
    """Return one line of the table: numbers to the right of their columns, then words of any width."""
    cells = [" " * (_WIDTH - sum(1 + (east_asian_width(c) in "WF") for c in one)) + one for one in numbers]
    return "".join(cells) + "  " + label


@app.command()
def guard(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The draft, or - to read it from the input.")],
    *,
    lang: Lang = None,
    params: Params = None,
) -> None:
    """Say what should not be in a message draft or a profile text, one JSON object a finding.

    Kinds and places alone are printed; nothing is kept.

    Example: recsys guard "LINE交換しませんか"
    """
    from recsys.cli.app import language, settings
    from recsys.messaging.draft_guard import check_draft, load_rules

    spoken, rules = language(lang, settings(params)), load_rules()
    draft = sys.stdin.read() if text == "-" else text
    for found in check_draft(draft):
        finding = {"kind": found.kind, "start": found.start, "end": found.end}
        typer.echo(json.dumps(finding | {"label": rules.labels[found.kind].text(spoken)}, ensure_ascii=False))


@app.command()
def review(
    *,
    source: Source = None,
    as_of: AsOf = None,
    params: Params = None,
    lang: Lang = None,
    most: Annotated[int, typer.Option(metavar="N", min=1, help="How many rows to show.")] = 20,
    cases: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Open a case here for each row that has none.")
    ] = None,
) -> None:
    """Show what people have to look at, gravest first.

    For operators: it names members. The engine flags; people decide.

    Example: recsys review --lang ja --cases data/cases
    """
    from recsys.catalogue.columns import Columns as C
    from recsys.catalogue.columns import Tables as T
    from recsys.cli.app import language, opened, say
    from recsys.data.id_spellings import Spellings
    from recsys.moderation.report_events import refused_calls, with_reports
    from recsys.moderation.review_policy import load_policy
    from recsys.moderation.review_queue import review_queue
    from recsys.safety.canonical import spelled_canonically
    from recsys.storage.load import events_of, load_come

    night, policy = opened(source, as_of, params), load_policy()
    spoken = language(lang, night.settings)
    tables = load_come(night.source, night.settings.as_of)  # the events of a night have no ids to name
    reports, holds = (tables.accepted.get(name) for name in (T.REPORTS, T.HOLDS))
    spellings = Spellings(tables.accepted[T.PROFILES][C.USER])
    refused = refused_calls(
        tables.quarantine, lambda one: spellings.whom(one) or spelled_canonically(one), tables.as_of
    )
    events = with_reports(events_of(tables), reports, tables.as_of, refused)
    queue = review_queue(events, holds=holds, as_of=tables.as_of, policy=policy)
    for row in queue.head(most).to_dict("records"):
        what = policy.kinds[row["kind"]].label.text(spoken)
        evidence = " ".join(row["evidence"][:3])
        typer.echo(f"{row['gravity']}  {row[C.USER]}  {what}  {row['reporters']}  {evidence}")
    typer.echo(f"{len(queue)} / {policy.version}")
    if cases is not None:
        from recsys.moderation.cases import CaseLog
        from recsys.safety import MemorySafety

        # opening acts on nobody, so no store is asked
        opened_cases = CaseLog(cases, MemorySafety(), policy=policy).open_from_queue(queue, by="review")
        say("cases_opened", spoken, n=len(opened_cases), folder=str(cases))
