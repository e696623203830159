"""recsys funnel."""

from typing import Annotated, Final
from unicodedata import east_asian_width

import typer

from recsys.cli.app import AsOf, Lang, Params, Source, app

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
    lang: Lang = None,
) -> None:
    """Count whom each constraint removes.

    It shows why a list is short. For operators; never tell a member.

    Example: recsys funnel u0000007
    """
    from recsys.cli.opening import language, opened
    from recsys.constraints.funnel import funnel as counted
    from recsys.schema.catalogue import load_catalogue

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


def _row(numbers: list[str], label: str) -> str:
    """Return one line of the table: numbers to the right of their columns, then words of any width."""
    cells = [" " * (_WIDTH - sum(1 + (east_asian_width(c) in "WF") for c in one)) + one for one in numbers]
    return "".join(cells) + "  " + label
