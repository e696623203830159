"""recsys why-not."""

from typing import TYPE_CHECKING, Annotated

import typer

from recsys.cli.app import AsOf, Lang, Params, Source, app

if TYPE_CHECKING:
    from recsys.constraints.why_not import WhyNot
    from recsys.schema.catalogue import Language


@app.command()
def why_not(
    a: Annotated[str, typer.Argument(metavar="A", help="One member's id.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The other's.")],
    *,
    source: Source = None,
    as_of: AsOf = None,
    params: Params = None,
    lang: Lang = None,
) -> None:
    """Say why two people are kept apart.

    For operators; never tell a member.

    Example: recsys why-not u0000007 u0000012 --lang ja
    """
    from recsys.cli.opening import language, opened
    from recsys.schema.catalogue import load_catalogue

    night = opened(source, as_of, params)
    spoken, texts, people = language(lang, night.settings), load_catalogue(), night.people
    reasons = night.policy.why_not(people, people.ids.row(a), people.ids.row(b))
    together = [reason for reason in reasons if reason.direction == "both"]
    key = "cli.may_not_meet" if together else "cli.may_meet"
    typer.echo(texts.text(key, spoken, viewer=a, candidate=b))
    _list(together, spoken)
    if together:
        return
    for direction, viewer, candidate in (("forward", a, b), ("backward", b, a)):
        refused = [reason for reason in reasons if reason.direction == direction]
        key = "cli.not_shown" if refused else "cli.shown"
        typer.echo(texts.text(key, spoken, viewer=viewer, candidate=candidate))
        _list(refused, spoken)
        liked = (people.relations.liked == people.ids.rows([viewer, candidate])).all(axis=1).any()
        if liked and not refused:
            typer.echo(f"  - {texts.text('cli.liked_already', spoken)}")


def _list(reasons: "list[WhyNot]", lang: "Language") -> None:
    for reason in reasons:
        typer.echo(f"  - {reason.text.text(lang)}")
