"""The command line: thin, with the names of the library."""

from recsys.cli import (  # noqa: F401 each registers its commands
    erasure,
    lists,
    operators,
    reporting,
    tables,
    training,
)
from recsys.cli.app import app

__all__ = ["app"]
