"""recsys promote."""

import typer

from recsys.cli.app import Lang, Params, app


@app.command()
def promote(params: Params = None, lang: Lang = None) -> None:
    """Make the model of the last night the champion, if it is no worse.

    It has to state honest chances, and its lists must not be worse than the champion's beyond the
    interval, on pairs that neither had seen.

    Exit codes: 0 promoted, or champion already; 20 refused; 40 nothing to promote.

    Example: recsys promote --lang ja
    """
    from recsys.cli.opening import language, settings
    from recsys.errors import EXIT_REFUSED
    from recsys.schema.catalogue import load_catalogue
    from recsys.tracking.promotion import promote as promoted

    chosen = settings(params)
    spoken, texts = language(lang, chosen), load_catalogue()

    def text(key: str, **values: object) -> str:
        return texts.text(f"promotion.{key}", spoken, **values)

    outcome = promoted(chosen.tracking)
    for answer in outcome.answers:
        typer.echo(f"  {text('good' if answer.good else 'bad')}  {text(answer.reason, **answer.said)}")
    ended = "promoted" if outcome.promoted else "refused" if outcome.refused else "already"
    typer.echo(text(ended, version=outcome.challenger.number))
    if outcome.refused:
        raise typer.Exit(EXIT_REFUSED)
