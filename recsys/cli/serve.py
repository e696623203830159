"""recsys serve, recsys token and recsys openapi."""

from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer

from recsys.cli.app import Published, app


@app.command()
def serve(
    *,
    published: Published = Path("data/published"),
    safety: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="The safety store: sqlite:FILE or postgresql://user@host/db; it has to be there.",
        ),
    ] = "sqlite:data/safety.db",
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port.")] = 8000,
    workers: Annotated[int, typer.Option(help="Processes that answer.")] = 1,
    max_staleness_days: Annotated[
        float, typer.Option(metavar="DAYS", help="Refuse to serve data older than this.")
    ] = 7.0,
    day_zone: Annotated[
        str, typer.Option(metavar="ZONE", help="The time zone whose midnight ends a day.")
    ] = "UTC",
    console: Annotated[bool, typer.Option("--console", help="Give operators pages under /console.")] = False,
    cases: Annotated[Path, typer.Option(metavar="DIR", help="Where cases of the console are kept.")] = Path(
        "data/cases"
    ),
    support: Annotated[
        str, typer.Option(metavar="WORDS", help="How members reach your people, for texts after a check.")
    ] = "",
    lang: Annotated[
        Literal["ja", "en"], typer.Option(help="The language of texts where a request asks for none.")
    ] = "ja",
) -> None:
    """Serve pages over HTTP, for a backend in any language.

    Needs the extra `serve` and a key in RECSYS_KEY or RECSYS_KEY_FILE. `/openapi.json` describes every
    route, `/ready` says whether pages can be served, `/metrics` is for Prometheus.

    Example: recsys serve --safety sqlite:data/safety.db --workers 2
    """
    from recsys.errors import imported

    imported("fastapi", extra="serve")
    from recsys.http.serve import ServeSettings
    from recsys.http.serve import serve as run

    settings = ServeSettings(
        published=str(published),
        safety=safety,
        host=host,
        port=port,
        workers=workers,
        max_staleness_days=max_staleness_days,
        day_zone=day_zone,
        console=console,
        cases=str(cases),
        support=support,
        lang=lang,
    )
    run(settings)


@app.command()
def token(
    *,
    scope: Annotated[
        list[str], typer.Option(help="members, backend or operators; several times for several.")
    ],
    viewer: Annotated[
        str,
        typer.Option(metavar="ID", help="The one member it speaks for, with the scope members; * for any."),
    ] = "*",
    operator: Annotated[str, typer.Option(metavar="NAME", help="Who uses a token for operators.")] = "",
    minutes: Annotated[float, typer.Option(help="How long it holds.")] = 60.0,
) -> None:
    """Make a token for the HTTP service, signed with the key of the service.

    Example: recsys token --scope members --scope backend --minutes 525600
    """
    from recsys.http.access_tokens import AccessToken
    from recsys.safety.keys import read_keys

    made = AccessToken.make(scope, viewer=viewer, operator=operator, minutes=minutes)
    typer.echo(made.signed(read_keys()))


@app.command()
def openapi(
    *,
    typescript: Annotated[
        bool, typer.Option("--typescript", help="Write TypeScript types of the bodies instead.")
    ] = False,
) -> None:
    """Print the OpenAPI document of the HTTP service, or TypeScript types, without starting it.

    Example: recsys openapi --typescript > recsys.ts
    """
    import json

    from recsys.errors import imported

    imported("fastapi", extra="serve")
    from recsys.http.app import create_app
    from recsys.http.typescript import typescript as types

    def nothing_open() -> NoReturn:
        raise NotImplementedError

    document = create_app(nothing_open).openapi()
    typer.echo(types(document) if typescript else json.dumps(document, indent=1, ensure_ascii=False))
