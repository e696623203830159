"""recsys catalogue: check a service's own questions, interests and topics, and say what a change loses."""

from pathlib import Path
from typing import Annotated

import typer

from recsys.cli.app import Lang, app

catalogue_app = typer.Typer(
    name="catalogue",
    help="A service's own questions, interests and topics.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(catalogue_app)


@catalogue_app.command("check")
def check(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder with questions.csv or questions.yaml.")
    ],
    lang: Lang = None,
) -> None:
    """Read a catalogue, name every problem, and count what is in it and what is missing.

    Example: recsys catalogue check catalogue
    """
    from recsys.catalogue.files import check_catalogue, open_catalogue
    from recsys.cli.app import language, say

    spoken, found = language(lang, None), check_catalogue(open_catalogue(folder))
    say("catalogue", spoken, version=found.version, most=found.most_answers, **found.counts)
    for field, words in found.words.items():
        say("catalogue_words", spoken, field=field, words=", ".join(words))
    say("catalogue_scales", spoken, learned=found.learned, unordered=found.unordered)
    say("catalogue_missing", spoken, **found.missing)
    for one, other in found.alike:
        say("catalogue_alike", spoken, one=one, other=other)


@catalogue_app.command("diff")
def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="Folder of the catalogue of today.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="Folder of the catalogue to come.")],
    lang: Lang = None,
) -> None:
    """Say what changes between two catalogues, and first whose answers are lost.

    Example: recsys catalogue diff catalogue catalogue-2027
    """
    from recsys.catalogue.files import catalogue_diff, open_catalogue
    from recsys.catalogue.preference_words import WISHES
    from recsys.cli.app import language, say

    spoken, changes = language(lang, None), catalogue_diff(open_catalogue(old), open_catalogue(new))
    for change in changes:
        lost = "catalogue_word_lost" if change.part in WISHES else "catalogue_loses"
        key = lost if change.loses else f"catalogue_{change.what}"
        say(key, spoken, part=change.part, id=change.id, into=change.into)
    say("catalogue_changes", spoken, changes=len(changes), lost=sum(change.loses for change in changes))
