"""The command line: thin, with the names of the library."""

from recsys.cli import (  # noqa: F401 each registers its command
    doctor,
    evaluate,
    export,
    forget,
    funnel,
    guard,
    promote,
    publish,
    recommend,
    report,
    review,
    rollback,
    simulate,
    train,
    validate,
    why_not,
)
from recsys.cli.app import app

__all__ = ["app"]
