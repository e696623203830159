"""The command line: thin, with the names of the library."""

from recsys.cli import (  # noqa: F401 each registers its commands
    catalogue,
    experiment,
    lists,
    mapping,
    nightly,
    operators,
    person_requests,
    safety_store,
    serve,
    tables,
    training,
)
from recsys.cli.app import app

app.registered_commands.sort(key=lambda command: str(command.name or command.callback.__name__))  # type: ignore[union-attr]

__all__ = ["app"]
